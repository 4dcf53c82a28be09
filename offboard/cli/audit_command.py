"""`offboard audit`: verify the chain, show records."""

from __future__ import annotations

from pathlib import Path

import click

from offboard.cli.context import App, pass_app


@click.group("audit", epilog="Example:  offboard audit verify")
def command() -> None:
    """Look at the audit: one JSON object a line, each chained to the one before by its hash."""


@command.command("verify", epilog="Example:  offboard audit verify copy-of-audit.jsonl")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def verify_file(app: App, file: Path | None) -> int:
    """Verify the chain of FILE, or of the tenant's own audit; names the first bad record. Exit 3 when it is broken."""
    from offboard.audit import verify

    path = file or app.audit_path()
    found = verify(path)
    if app.as_json:
        problem = found.problem
        app.out_json(
            {
                "path": str(path),
                "valid": problem is None,
                "records": found.records,
                "first": found.first,
                "last": found.last,
                "problem": None
                if problem is None
                else {"line": problem.line, "seq": problem.seq, "reason": problem.reason},
            }
        )
    elif found.problem is None:
        app.out(f"{path}: {found.records} records, the chain holds.\nLast: {found.last}\n{found.caveat}")
    else:
        app.out(f"{path}: {found.problem}\n{found.records} records before it hold.")
    return 0 if found.problem is None else 3


@command.command("show", epilog="Example:  offboard audit show --leaver SawyerM@contoso.com --event outcome")
@click.option("--run", metavar="RUN", help="Only records of this run (or the beginning of its id).")
@click.option("--leaver", metavar="USER", help="Only records of this leaver: object id or user principal name.")
@click.option("--event", metavar="EVENT", help="Only this event: intent, outcome, run-started …")
@pass_app
def show(app: App, run: str | None, leaver: str | None, event: str | None) -> int:
    """Show records of the tenant's audit, oldest first. Contacts nobody."""
    from offboard.audit import read
    from offboard.render.records import record_text

    for record in read(app.audit_path(), run=run, leaver=leaver, event=event):
        if app.as_json:
            app.out_json(record, line=True)
        else:
            app.out(record_text(record))
    return 0
