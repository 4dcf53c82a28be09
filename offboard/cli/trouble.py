"""How trouble is told: what, where, why, what to do; and for bugs a short report without anybody's data."""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from offboard.errors import OffboardError, SourceError

if TYPE_CHECKING:
    from offboard.cli.context import App

MOST = 256 * 1024
"""Characters of a source file that are read for the line before an error."""


def report_trouble(error: OffboardError, app: App) -> int:
    """Say it on stderr, or as JSON on stdout, and return the exit code."""
    if app.as_json:
        document = {"error": {"what": error.what, "why": error.why, "todo": error.todo, "exit_code": error.exit_code}}
        if isinstance(error, SourceError):
            document["error"]["problems"] = [
                {"path": p.path, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
                for p in error.problems
            ]
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stderr.write(trouble_text(error, app))
    return error.exit_code


def trouble_text(error: OffboardError, app: App) -> str:
    """The message for a terminal, with the offending lines where a file is wrong."""
    from offboard.render.errors import error_text
    from offboard.render.problems import problems_text

    color = app.color(sys.stderr)
    text = (
        problems_text(error, color, sources=_sources(error))
        if isinstance(error, SourceError)
        else error_text(error, color)
    )
    return text if text.endswith("\n") else text + "\n"


def _sources(error: SourceError) -> dict[str, list[str]]:
    """The lines of the files complained about, where they can still be read."""
    found = {}
    for name in {problem.path for problem in error.problems}:
        with suppress(OSError, ValueError), open(name, encoding="utf-8", errors="replace") as file:
            found[name] = file.read(MOST).splitlines()
    return found


def report_bug(error: Exception, app: App) -> int:
    """A bug: where it happened, and the versions; no message and no local value, since both may hold people's data."""
    import platform

    from offboard import __version__
    from offboard.cli.process import places

    ours = places(traceback.extract_tb(error.__traceback__))
    lines = [
        f"This is a bug in offboard: {type(error).__name__}.",
        f"offboard {__version__}, Python {platform.python_version()}, {platform.system()}",
        *(f"  {line}" for line in ours[-8:]),
        "Please report these lines; they hold no names, ids or secrets. What was recorded before stays recorded.",
    ]
    if app.as_json:
        sys.stdout.write(json.dumps({"error": {"what": lines[0], "why": "\n".join(lines[1:-1]), "exit_code": 70}}) + "\n")
    else:
        sys.stderr.write("\n".join(lines) + "\n")
    return 70
