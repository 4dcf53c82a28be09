"""`offboard completion`: the shell's completion script."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app


@click.command("completion", epilog="Example:  offboard completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_app
def command(app: App, shell: str) -> int:
    """Print the completion script for SHELL; evaluate it in the shell's start-up file."""
    from click.shell_completion import get_completion_class

    from offboard.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    app.out(found(cli, {}, "offboard", "_OFFBOARD_COMPLETE").source())
    return 0
