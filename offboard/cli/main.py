"""The command tree, the options that stand before every command, and the last line of defense for errors."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from offboard.cli.context import App
from offboard.cli.trouble import report_bug, report_trouble
from offboard.clock import REAL, Clock
from offboard.errors import OffboardError, Stopped, UsageError
from offboard.exits import EXITS

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Plan, show, ask and apply a playbook for the people named."),
    "plan": ("plan", "Make a plan and save it for review."),
    "show": ("show", "Show a saved plan as text, Markdown, HTML or JSON."),
    "approve": ("approve", "Sign your consent to a plan, as a second person."),
    "apply": ("apply", "Carry out exactly the plan that was reviewed."),
    "runs": ("runs", "List the runs, newest first."),
    "status": ("status", "Show how far a run has come."),
    "resume": ("resume", "Carry on a run that stopped, or whose later steps are due."),
    "worker": ("worker", "Carry out what becomes due, until stopped."),
    "hold": ("hold", "Hold a run: nothing more of it is carried out."),
    "release": ("release", "Let a held run go on."),
    "cancel": ("cancel", "Cancel what is still to come of a run; what is done stays."),
    "reschedule": ("reschedule", "Move what is still to come to another leave time."),
    "undo": ("undo", "Plan the way back from a run."),
    "deleted": ("deleted", "List, restore or purge deleted users."),
    "validate": ("validate", "Check playbooks, and explain what their order risks."),
    "explain": ("explain", "Explain a finding of validate."),
    "playbooks": ("playbooks", "List the playbooks that can be run by name."),
    "actions": ("actions", "List the actions, or show one's reference page."),
    "schema": ("schema", "Print a JSON Schema: playbook, plan, audit or tenants."),
    "permissions": ("permissions", "Print the least permissions that a playbook needs."),
    "doctor": ("doctor", "Say what is missing or too much, before any run."),
    "report": ("report", "Evidence about a run, from the audit alone."),
    "audit": ("audit", "Verify, show, anchor or rotate the audit."),
    "sandbox": ("sandbox", "Serve, reset or inspect the simulated tenant."),
    "completion": ("completion", "Print the completion script for bash, zsh or fish."),
}

EXIT_CODES = "\b\nExit codes:\n" + "\n".join(f"  {code:<2} {meaning}" for code, meaning, _, _ in EXITS)
ANYWHERE = {"--json": "--json", "--quiet": "--quiet", "-q": "--quiet"}
"""Options that are understood also after the command, because that is where people type them."""
SELDOM = (50_000, 20, 20)
"""How often cycles are looked for: answers are large, and hardly anything is a cycle; it took a fifth of the processor's time."""


class Tree(click.Group):
    """The commands, imported only when chosen; their one-line help stands in the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of a working day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"offboard.cli.{COMMANDS[cmd_name][0]}_command")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the near word for a typo."""
        from difflib import get_close_matches

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=Tree,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try it now, without an account:  offboard run leaver SawyerM@contoso.com --dry-run\n\n" + EXIT_CODES,
)
@click.option("--tenant", metavar="NAME", help="Tenant of offboard.toml; without a configuration, the sandbox.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Another offboard.toml.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of runs, audit and sandbox. [env: OFFBOARD_STATE]",
)
@click.option(
    "--database", metavar="URL", help="postgresql://… for many workers; a file when left out. [env: OFFBOARD_DATABASE]"
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON: one document, or one object a line.")
@click.option("--quiet", "-q", is_flag=True, help="No progress; results and errors only.")
@click.version_option(package_name="entra-offboard", prog_name="offboard")
@click.pass_context
def cli(
    ctx: click.Context,
    tenant: str | None,
    config: Path | None,
    state: Path | None,
    database: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Offboard people from Microsoft Entra ID: a reviewed plan, verified effects, evidence.

    A playbook lists ordered steps. `plan` shows what they would change for a person, `apply` carries out exactly that and
    reads every effect back, and the audit records it.
    """
    ctx.obj = ctx.obj.with_options(
        tenant=tenant, config=config, state=state, database=database, as_json=as_json, quiet=quiet
    )


def main(args: Sequence[str] | None = None, *, clock: Clock = REAL, environ: Mapping[str, str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    Args:
        args: The command line; that of the process when None.
        clock: Time.
        environ: The environment's variables.
    """
    if args is None:
        from offboard.cli.process import keep_to_itself

        keep_to_itself()
        gc.set_threshold(*SELDOM)
    given = list(sys.argv[1:] if args is None else args)
    words = [*dict.fromkeys(ANYWHERE[w] for w in given if w in ANYWHERE), *(w for w in given if w not in ANYWHERE)]
    app = App(clock=clock, environ=os.environ if environ is None else environ, as_json="--json" in words)
    sys.exit(_run(words, app))


def _run(words: list[str], app: App) -> int:
    try:
        _check_text(words)
        code: Any = cli.main(words, prog_name="offboard", standalone_mode=False, obj=app)
        return code if isinstance(code, int) else 0
    except OffboardError as error:
        return report_trouble(error, app)
    except click.exceptions.Exit as error:
        return int(error.exit_code)
    except click.Abort:
        return report_trouble(Stopped("Stopped before anything was sent."), app)
    except click.ClickException as error:
        return _report_usage(error)
    except KeyboardInterrupt:
        return report_trouble(Stopped("Stopped on request."), app)
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except Exception as error:
        return report_bug(error, app)


def _report_usage(error: click.ClickException) -> int:
    """As click words it, but a word that was given is not let loose on the terminal."""
    import io

    from offboard.render.safe import PROSE, safe

    said = io.StringIO()
    error.show(said)
    lines = said.getvalue().rstrip("\n").split("\n")
    click.echo("\n".join(safe(line, PROSE, keep_spaces=True) for line in lines), err=True)
    return 2


def _check_text(words: Sequence[str]) -> None:
    """Bytes that are not UTF-8 cannot be sent, recorded or said again; Python hands them over as lone surrogates."""
    for number, word in enumerate(words, 1):
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise UsageError(
                f"Word {number} of the command line is not text: {ascii(word)[:80]}.",
                todo="Write it in UTF-8; a file with such a name must be renamed.",
            )


def _forget_stdout() -> None:
    """The reader of our output has gone; nothing may be written to it any more, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
