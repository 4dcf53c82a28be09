"""`offboard explain`: the page of one finding."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app


@click.command("explain", epilog="Example:  offboard explain OFB201")
@click.argument("code")
@pass_app
def command(app: App, code: str) -> int:
    """Explain the finding CODE of validate: why it matters and how to mend it."""
    from offboard.findings import explain

    page = explain(code.upper())
    if app.as_json:
        app.out_json({"code": code.upper(), "page": page})
    else:
        app.out(page)
    return 0
