"""How a run goes: one line per result, while it works. How it ended is in `verdict`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offboard.model import Leaver, LeaverPlan, Outcome, Result
from offboard.render.labels import Labels
from offboard.render.layout import hang, pad, wrap
from offboard.render.safe import PROSE, safe
from offboard.render.safe import width as columns
from offboard.render.style import Style, for_encoding
from offboard.render.verdict import LeaverVerdict, Verdict, verdict_text
from offboard.render.words import SAID, clock, done

__all__ = ["LeaverVerdict", "Verdict", "leaver_heading", "outcome_word", "result_lines", "verdict_text"]

_WHOLE = {Outcome.UNCHANGED: "nothing to do", Outcome.SKIPPED: "nothing was done"}
"""What is said of a step that had no change of its own."""
_MARKS = {
    Outcome.CHANGED: "✓",
    Outcome.UNCHANGED: "=",
    Outcome.SKIPPED: "-",
    Outcome.DRIFTED: "!",
    Outcome.FAILED: "✗",
}


def leaver_heading(leaver: Leaver, *, color: bool = False) -> str:
    """Who the lines below are about: name, user principal name."""
    name = safe(leaver.display_name) or "(no name)"
    return f"{Style(color).strong(name)}  {safe(leaver.user_principal_name, 160)}"


def result_lines(
    planned: LeaverPlan, results: Sequence[Result], *, width: int = 80, color: bool = False, utf8: bool = True
) -> list[str]:
    """The results of one leaver, one line each, reasons and advice below.

    Works for all results at once and for one at a time while they come in.

    Args:
        planned: The leaver's part of the plan, for the numbers of steps and the names of objects.
        results: In the order in which they are to be shown.
        width: Columns of the terminal.
        color: Whether to emphasize with ANSI sequences.
        utf8: Whether the output can take `✓`, `✗`, `→`; else words and `->`.
    """
    numbers = {step.step.id: number for number, step in enumerate(planned.steps, 1)}
    size = min(20, max((columns(id) for id in map(safe, numbers)), default=8))
    labels, style = Labels(planned), Style(color)
    lines: list[str] = []
    shown = ""
    for result in results:
        front = "" if result.step == shown else f"{numbers.get(result.step, '-'):>3} {safe(result.step)}"
        shown = result.step
        if columns(front) > size + 4:
            lines.append(front)
            front = ""
        lines += _result(result, pad(front, size + 4), labels, width, style)
    return lines if utf8 else [for_encoding(line, "ascii") for line in lines]


def _result(result: Result, front: str, labels: Labels, size: int, style: Style) -> Iterator[str]:
    mark, word = _MARKS[result.outcome], outcome_word(result)
    label = labels.of_change(result.change) if result.change else _WHOLE.get(result.outcome, "whole step")
    if result.outcome in (Outcome.FAILED, Outcome.DRIFTED) and result.change:
        label = f"{safe(result.change.verb)} {label}"
    start = f"{front}  {_paint(result.outcome, pad(f'{mark} {word}', 13), style)}"
    indent = columns(front) + 2
    first, *rest = wrap(label, max(20, size - indent - 24))
    yield f"{start} {clock(result.at) if result.at else ' ' * 9}  {first}".rstrip()
    yield from (" " * (indent + 25) + line for line in rest)
    for text in (result.why, result.todo):
        if text and text != word:
            yield from hang(" " * (indent + 2), safe(text, PROSE), size)


def outcome_word(result: Result) -> str:
    """`disabled`, `already so`, `failed`: how a result is said."""
    if result.outcome is Outcome.CHANGED:
        return done(result.change.verb) if result.change else "done"
    return SAID[result.outcome]


def _paint(outcome: Outcome, text: str, style: Style) -> str:
    if outcome is Outcome.CHANGED:
        return style.good(text)
    if outcome is Outcome.FAILED:
        return style.bad(text)
    return style.warn(text) if outcome is Outcome.DRIFTED else style.dim(text)
