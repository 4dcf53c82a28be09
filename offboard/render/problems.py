"""Complaints about source files for a terminal: the place, the line with a caret, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from offboard.errors import Problem, SourceError
from offboard.render.layout import hang
from offboard.render.safe import PROSE, safe
from offboard.render.safe import width as columns
from offboard.render.style import Style

if TYPE_CHECKING:
    from offboard.findings import Finding

_QUOTE = 72
"""Columns of a source line that are shown; a longer one is shown around the place."""


def problems_text(error: SourceError, color: bool = False, *, sources: Mapping[str, Sequence[str]] | None = None) -> str:
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


def finding_text(finding: Finding, path: str, color: bool = False, *, width: int = 80) -> str:
    """A remark about a playbook that is no error: place, code, what, what happens, what to write instead.

    Args:
        finding: As found.
        path: The playbook as the user named it.
        color: Whether to emphasize with ANSI sequences.
        width: Columns of the terminal.
    """
    style = Style(color)
    place = f"{safe(path, PROSE)}:{finding.line}" if finding.line else safe(path, PROSE)
    label = f"{safe(finding.severity)} {safe(finding.code)}"
    lines = [f"{style.strong(place)}  {style.warn(label)}  {safe(finding.title, PROSE)}"]
    for text in (finding.explanation, finding.mend):
        lines += hang("   ", safe(text, PROSE), width) if text else []
    return "\n".join([*lines, f"   More: offboard explain {safe(finding.code)}"]) + "\n"
