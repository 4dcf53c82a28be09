"""`offboard audit`: verify the chain, show records, print an anchor."""

from __future__ import annotations

from pathlib import Path

import click

from offboard.cli.context import App, pass_app


@click.group("audit", epilog="Example:  offboard audit verify")
def command() -> None:
    """Look at the audit: one JSON object a line, each chained to the one before by its hash."""


@command.command("verify", epilog="Example:  offboard audit verify copy-of-audit.jsonl")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--anchor", "line", metavar="LINE", help="What `audit anchor` printed: finds a rewrite and a cut, too.")
@pass_app
def verify_file(app: App, file: Path | None, line: str | None) -> int:
    """Verify the chain of FILE, or of the tenant's own audit; names the first bad record. Exit 3 when it is broken."""
    from offboard.audit import Anchor, verify

    path = file or app.audit_path()
    found = verify(path, anchor=Anchor.parse(line) if line is not None else None)
    if app.as_json:
        problem = found.problem
        app.out_json(
            {
                "path": str(path),
                "valid": problem is None,
                "records": found.records,
                "first": found.first,
                "last": found.last,
                "anchored": found.anchored,
                "problem": None
                if problem is None
                else {"line": problem.line, "seq": problem.seq, "reason": problem.reason},
            }
        )
    elif found.problem is None:
        kept = "It holds the record that was anchored.\n" if found.anchored else ""
        app.out(f"{path}: {found.records} records, the chain holds.\n{kept}Last: {found.last}\n{found.caveat}")
    else:
        app.out(f"{path}: {found.problem}\n{found.records} records before it hold.")
    return 0 if found.problem is None else 3


@command.command("anchor", epilog="Example:  offboard audit anchor | mail -s anchor auditor@contoso.com")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def anchor(app: App, file: Path | None) -> int:
    """Print the last record's number and hash, to be kept where whoever can write the audit cannot: one line.

    A log that was rewritten or cut before that record is found with it for ever: offboard audit verify --anchor LINE
    """
    from offboard.audit import verify
    from offboard.errors import Refused, UsageError

    path = file or app.audit_path()
    found = verify(path)
    if found.problem is not None:
        raise Refused(f"{path}: {found.problem}.", todo="A broken log is not anchored. Find out what happened to it.")
    if not found.records:
        raise UsageError(f"{path} holds no record yet.", todo="Anchor it after the first run.")
    if app.as_json:
        app.out_json({"seq": found.anchor.seq, "hash": found.anchor.hash, "anchor": str(found.anchor)})
    else:
        app.out(str(found.anchor))
    return 0


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
