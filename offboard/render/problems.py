"""Complaints for a terminal: what, where, why, what to do. Errors of a source file show the place with a caret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from offboard.errors import Busy, NotPermitted, OffboardError, Problem, Refused, SourceError, Stopped
from offboard.render.layout import hang
from offboard.render.safe import PROSE, safe
from offboard.render.safe import width as columns
from offboard.render.style import Style

_QUOTE = 72
"""Columns of a source line that are shown; a longer one is shown around the place."""

_HEADS = ((Refused, "Refused"), (NotPermitted, "Not permitted"), (Stopped, "Stopped"), (Busy, "Busy"))


class Finding(Protocol):
    """A remark about a playbook that is no error, as the linter makes it."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def severity(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def why(self) -> str: ...


def error_text(error: OffboardError, color: bool = False, *, width: int = 80) -> str:
    """An error as the user reads it on stderr.

    Args:
        error: What went wrong.
        color: Whether to emphasize with ANSI sequences.
        width: Columns of the terminal. Advice is not wrapped, since it may hold a command to copy.
    """
    if isinstance(error, SourceError):
        return problems_text(error, color)
    head = next((word for kind, word in _HEADS if isinstance(error, kind)), "Error")
    return "\n".join(_error(error, head, width, Style(color))) + "\n"


def _error(error: OffboardError, head: str, size: int, style: Style) -> Iterator[str]:
    # Our own messages may have several lines; what follows the first is indented, so that none poses as a new message.
    first, *more = error.what.split("\n")
    top, *rest = hang(f"{head}: ", safe(first, PROSE), size)
    yield top.replace(f"{head}:", style.bad(style.strong(f"{head}:")), 1)
    yield from (line if not line.startswith(" " * (len(head) + 2)) else "  " + line.lstrip(" ") for line in rest)
    details = error.details if isinstance(error, Refused) else ()
    for text in (*more, *details, *error.why.split("\n")):
        if text:
            yield from hang("  ", safe(text, PROSE), size)
    yield from (safe(line, PROSE) for line in error.todo.split("\n") if line)


def problems_text(
    error: SourceError, color: bool = False, *, sources: Mapping[str, Sequence[str]] | None = None
) -> str:
    """All complaints about source files, each with its place, the line and a caret.

    Args:
        error: What was found.
        color: Whether to emphasize with ANSI sequences.
        sources: Lines of the files by path, if at hand: then the line before is shown too.
    """
    style, lines = Style(color), list[str]()
    for problem in error.problems:
        lines += _problem(problem, (sources or {}).get(problem.path, ()), style)
    lines += [f"   {safe(line, PROSE)}" for line in error.todo.split("\n") if line]
    return "\n".join(lines) + "\n"


def _problem(problem: Problem, source: Sequence[str], style: Style) -> Iterator[str]:
    first, *rest = problem.message.split("\n")
    yield f"{style.strong(safe(problem.where(), PROSE))}  {style.bad(safe(first, PROSE))}"
    yield from (f"   {safe(line, PROSE)}" for line in rest if line)
    if problem.line and problem.quote:
        gutter = len(str(problem.line))
        before = source[problem.line - 2] if 2 <= problem.line <= len(source) else ""
        if before.strip():
            yield style.dim(f"   {problem.line - 1:>{gutter}} | {safe(before.rstrip(), _QUOTE, keep_spaces=True)}")
        quote, caret, length = _cut(problem)
        yield f"   {problem.line} | {quote}"
        yield f"   {' ' * gutter} | {' ' * caret}{style.bad('^' * length)}"
    yield from (f"   {safe(line, PROSE)}" for line in problem.hint.split("\n") if line)


def _cut(problem: Problem) -> tuple[str, int, int]:
    """The part of the line around the place, and where and how long the caret stands below it."""
    quote = problem.quote.rstrip("\r\n")
    at = max(0, min(problem.column - 1, len(quote)))
    start = max(0, at - _QUOTE // 2) if len(quote) > _QUOTE else 0
    lead = "…" if start else ""
    caret = columns(lead + safe(quote[start:at], PROSE, keep_spaces=True))
    marked = columns(safe(quote[at : at + max(1, problem.width)], PROSE, keep_spaces=True))
    shown = lead + safe(quote[start:], _QUOTE, keep_spaces=True)
    return shown, caret, max(1, min(marked, columns(shown) - caret))


def finding_text(finding: Finding, color: bool = False, *, width: int = 80) -> str:
    """A remark about a playbook that is no error: place, code, what, and why it matters.

    Args:
        finding: As the linter made it.
        color: Whether to emphasize with ANSI sequences.
        width: Columns of the terminal.
    """
    style = Style(color)
    place = f"{safe(finding.path, PROSE)}:{finding.line}" if finding.line else safe(finding.path, PROSE)
    label = f"{safe(finding.severity)} {safe(finding.code)}"
    lines = [f"{style.strong(place)}  {style.warn(label)}  {safe(finding.message, PROSE)}"]
    for paragraph in finding.why.split("\n"):
        if paragraph:
            lines += hang("   ", safe(paragraph, PROSE), width)
    return "\n".join(lines) + "\n"
