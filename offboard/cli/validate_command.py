"""`offboard validate`: check playbooks and explain what their order risks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.errors import OffboardError, SourceError, UsageError

if TYPE_CHECKING:
    from offboard.findings import Finding
    from offboard.model import Playbook


@click.command("validate", epilog="Example:  offboard validate playbooks/leaver.yaml")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--strict", is_flag=True, help="Warnings count as errors: exit 2.")
@pass_app
def command(app: App, files: tuple[str, ...], strict: bool) -> int:
    """Check each FILE (a path, or a playbook's name): every error with file, line and column, and what to write.

    Findings are no errors: they explain what a playbook risks by its order. A remark is worth knowing; a warning is an
    error with --strict. What the chosen tenant is configured for counts; nobody is contacted.
    """
    from offboard.findings import find
    from offboard.loading.catalog import find_playbook
    from offboard.loading.playbook import load

    reports, bad, warned = [], False, False
    for name in files:
        try:
            path = find_playbook(name, Path.cwd())
            book = load(path)
        except UsageError as error:
            bad = True
            reports.append(_bad(app, name, error))
            continue
        found = find(book, emergency_access=_named(app, book))
        warned = warned or any(finding.severity == "warning" for finding in found)
        if strict:
            found = [replace(f, severity="error") if f.severity == "warning" else f for f in found]
        reports.append(_good(app, str(path), len(book.steps), found))
    if app.as_json:
        app.out_json(reports)
    return 2 if bad or (strict and warned) else 0


def _named(app: App, book: Playbook) -> bool:
    """Whether the tenant names its accounts for emergencies, where it is a real one and the playbook may lose something.

    A configuration that cannot be read is the next command's trouble: the playbook is sound or not without it.
    """
    from offboard.actions import ACTIONS
    from offboard.model import Effect

    if all(ACTIONS[step.action].effect is Effect.REVERSIBLE for step in book.steps):
        return True
    try:
        tenant = app.tenant
    except OffboardError:
        return True
    return tenant.sign_in == "none" or bool(tenant.guards.emergency_access)


def _bad(app: App, name: str, error: UsageError) -> dict[str, object]:
    from offboard.cli.trouble import trouble_text

    if not app.as_json:
        sys.stderr.write(trouble_text(error, app))
    problems = error.problems if isinstance(error, SourceError) else ()
    listed = [{"line": p.line, "column": p.column, "message": p.message, "hint": p.hint} for p in problems]
    return {"path": name, "valid": False, "what": error.what, "problems": listed, "findings": []}


def _good(app: App, path: str, steps: int, found: Sequence[Finding]) -> dict[str, object]:
    from offboard.render.problems import finding_text

    if not app.as_json:
        app.out(f"{path}: valid, {steps} {'step' if steps == 1 else 'steps'}")
        for finding in found:
            app.out(finding_text(finding, path, app.color(sys.stdout)))
    listed = [
        {
            "code": f.code,
            "severity": f.severity,
            "line": f.line,
            "about": f.about,
            "title": f.title,
            "explanation": f.explanation,
            "mend": f.mend,
        }
        for f in found
    ]
    return {"path": path, "valid": True, "problems": [], "findings": listed}
