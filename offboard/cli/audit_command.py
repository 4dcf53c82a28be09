"""`offboard audit`: verify the log, show records, print an anchor or the key, begin a new file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offboard.cli.context import App, pass_app

if TYPE_CHECKING:
    from offboard.audit import Verification


@click.group("audit", epilog="Example:  offboard audit verify")
def command() -> None:
    """Look at the audit: one JSON object a line, each chained to the one before by its hash."""


@command.command("verify", epilog="Example:  offboard audit verify copy-of-audit.jsonl")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--anchor", "line", metavar="LINE", help="What `audit anchor` printed: finds a rewrite and a cut, too.")
@click.option("--key", metavar="KEY", help="What `audit key` printed: who must have signed.")
@pass_app
def verify_file(app: App, file: Path | None, line: str | None, key: str | None) -> int:
    """Verify the chain and the signatures of FILE, or of the tenant's own audit, with the rotated files beside it.

    Names the first bad record. Exit 3 when it is broken.
    """
    from offboard.audit import Anchor, public_key, verify

    path = file or app.audit_path()
    anchor = Anchor.parse(line) if line is not None else None
    known = _key(key) if key else "" if anchor is not None and anchor.key else public_key(path)
    found = verify(path, anchor=anchor, key=known)
    if app.as_json:
        app.out_json({"path": str(path), **_as_json(found)})
    elif found.problem is None:
        kept = "It holds the record that was anchored.\n" if found.anchored else ""
        files = f" in {found.files} files" if found.files > 1 else ""
        app.out(
            f"{path}: {found.records} records{files}, the chain holds.\n{found.vouched}\n{kept}"
            f"Last: {found.last}\n{found.caveat}"
        )
    else:
        app.out(f"{path}: {found.problem}\n{found.records} records before it hold.")
    return 0 if found.problem is None else 3


def _key(text: str) -> str:
    import re

    from offboard.errors import UsageError

    if not re.fullmatch(r"ed25519:[0-9a-f]{64}", text.strip()):
        raise UsageError(f"{text[:100]!r} is no key of an audit.", todo="Print it with: offboard audit key")
    return text.strip()


def _as_json(found: Verification) -> dict[str, Any]:
    problem = found.problem
    return {
        "valid": problem is None,
        "records": found.records,
        "files": found.files,
        "first": found.first,
        "last": found.last,
        "anchored": found.anchored,
        "signed": found.signed,
        "key": found.key or None,
        "problem": None
        if problem is None
        else {"file": problem.file or None, "line": problem.line, "seq": problem.seq, "reason": problem.reason},
    }


@command.command("anchor", epilog="Example:  offboard audit anchor | mail -s anchor auditor@contoso.com")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@pass_app
def anchor(app: App, file: Path | None) -> int:
    """Print the last record's number and hash, and the key that signs, to be kept where whoever can write the audit cannot.

    A log that was rewritten or cut before that record is found with it for ever: offboard audit verify --anchor LINE
    """
    from offboard.audit import public_key, verify
    from offboard.errors import Refused, UsageError

    path = file or app.audit_path()
    found = verify(path, key=public_key(path))
    if found.problem is not None:
        raise Refused(f"{path}: {found.problem}.", todo="A broken log is not anchored. Find out what happened to it.")
    if not found.records:
        raise UsageError(f"{path} holds no record yet.", todo="Anchor it after the first run.")
    if app.as_json:
        kept = found.anchor
        app.out_json({"seq": kept.seq, "hash": kept.hash, "key": kept.key or None, "anchor": str(kept)})
    else:
        app.out(str(found.anchor))
    return 0


@command.command("key", epilog="Example:  offboard audit key")
@pass_app
def key(app: App) -> int:
    """Print the public key that signs the tenant's audit; `audit verify --key KEY` holds a log to it."""
    from offboard.audit import public_key
    from offboard.errors import UsageError

    found = public_key(app.audit_path())
    if not found:
        raise UsageError("No key signs this audit yet.", todo="It is made by the first run.")
    if app.as_json:
        app.out_json({"key": found})
    else:
        app.out(found)
    return 0


@command.command("rotate", epilog="Example:  offboard audit rotate")
@pass_app
def rotate(app: App) -> int:
    """Begin a new file. The records so far stay beside it (audit.FIRST-LAST.jsonl); nothing is ever removed.

    This happens by itself at 64 MiB. Before you move old files elsewhere, anchor the log: without its earlier files it is
    verified with the anchor of the last record in them.
    """
    from offboard.audit import Audit

    with Audit.open(app.audit_path(), now=app.clock.now) as audit:
        archive = audit.rotate()
    if app.as_json:
        app.out_json({"file": str(archive)})
    else:
        app.out(f"The records so far stand in {archive}.")
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
