"""A diagnosis for a terminal: one line for each thing, its state first, what to do below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offboard.doctor.diagnosis import Check, Diagnosis, State
from offboard.permissions import Surplus, severity_of
from offboard.render.layout import hang, pad
from offboard.render.safe import PROSE, safe
from offboard.render.safe import width as columns
from offboard.render.style import Style

MOST_LABEL = 22
EXCESS = {
    "danger": ("danger", "nothing here needs it, and whoever holds it can take every other right as well"),
    "warn": ("warning", "nothing here needs it, and it can change things"),
    "remark": ("remark", "nothing here needs it"),
}
"""Severity → label, and what it means."""


def doctor_text(found: Diagnosis, *, width: int = 80, color: bool = False) -> str:
    """What was found, as a person reads it.

    Args:
        found: The diagnosis.
        width: Columns of the terminal.
        color: Whether to emphasize with ANSI sequences.
    """
    page = _Page(width, Style(color))
    return "\n".join(line.rstrip() for line in page.lines(found)) + "\n"


class _Page:
    def __init__(self, width: int, style: Style) -> None:
        self.width = width
        self.style = style

    def lines(self, found: Diagnosis) -> Iterator[str]:
        yield from self._checks(found.checks)
        if found.steps:
            yield ""
            yield self.style.strong(f"What {safe(found.playbook)} needs")
            yield from self._checks(found.steps)
        if found.leavers:
            yield ""
            yield self.style.strong("What is left to somebody, or stopped")
            yield from self._checks(found.leavers)
        if found.excess or found.broader:
            yield ""
            yield self.style.strong("More than is needed")
            yield from self._excess(found)
        yield ""
        yield from hang("", verdict(found), self.width)

    def _checks(self, checks: Sequence[Check]) -> Iterator[str]:
        label = min(MOST_LABEL, max((columns(safe(check.name)) for check in checks), default=0))
        states = max((len(check.state) for check in checks), default=0)
        said_before = ""
        for check in checks:
            name = safe(check.name) if check.name != said_before else ""
            said_before = check.name
            begin = f"  {pad(check.state.value, states)}  {pad(name, label)}  "
            first, *rest = hang(begin, safe(check.said, PROSE), self.width)
            yield first.replace(check.state.value, self._paint(check.state), 1)
            yield from rest
            if check.todo:
                yield from hang(" " * (states + 4), safe(check.todo, PROSE), self.width)

    def _paint(self, state: State) -> str:
        if state in (State.MISSING, State.PROBLEM):
            return self.style.bad(state.value)
        return state.value if state is State.OK else self.style.warn(state.value)

    def _excess(self, found: Diagnosis) -> Iterator[str]:
        for severity, (label, means) in EXCESS.items():
            names = [_right(each) for each in found.excess if each.severity == severity]
            if names:
                said = f"{', '.join(names)}: {means}"
                first, *rest = hang(f"  {pad(label, 7)}  ", said, self.width)
                yield first if severity == "remark" else first.replace(label, self._loud(severity, label), 1)
                yield from rest
        for step, held, small in found.broader:
            said = f"{safe(step)} is served by {safe(held)}; {safe(small)} would do"
            danger = any(severity_of(name) == "danger" for name in held.split(" + "))
            first, *rest = hang(f"  {pad('danger' if danger else 'remark', 7)}  ", said, self.width)
            yield first.replace("danger", self.style.bad("danger"), 1) if danger else first
            yield from rest

    def _loud(self, severity: str, label: str) -> str:
        return self.style.bad(label) if severity == "danger" else self.style.warn(label)


def _right(each: Surplus) -> str:
    return f"{safe(each.name)} (role)" if each.kind == "role" else safe(each.name)


def verdict(found: Diagnosis) -> str:
    """One sentence that says what it comes to."""
    everything = (*found.checks, *found.steps, *found.leavers)
    missing = [check for check in everything if check.state is State.MISSING]
    wrong = [check for check in everything if check.state is State.PROBLEM]
    never = [check for check in found.steps if check.state is State.IMPOSSIBLE]
    unknown = [check for check in everything if check.state is State.UNKNOWN]
    said = []
    if missing:
        said.append(f"Rights are missing: {_names(missing)}.")
    if wrong:
        said.append(f"Must be mended first: {_names(wrong)}.")
    if never:
        said.append(f"Will not work for this kind of sign-in: {_names(never)}.")
    if unknown:
        said.append(f"Could not be found out: {_names(unknown)}.")
    if not said:
        said.append("Everything that was looked at is in place.")
    if not found.playbook:
        said.append("Name a playbook, and a leaver, to have rights compared.")
    return " ".join([*said, "Nothing was changed."])


def _names(checks: Sequence[Check]) -> str:
    return ", ".join(dict.fromkeys(safe(check.name) for check in checks))
