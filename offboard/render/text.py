"""A plan for a terminal: who before what, one line per change, verb first, name before id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from offboard.model import Plan
from offboard.render.layout import align, hang, pad, wrap
from offboard.render.safe import width as columns
from offboard.render.style import Style
from offboard.render.tables import table_lines
from offboard.render.view import LeaverView, PlanView, Row, StepView, brief, see

MANY = 5
"""With more leavers than this a compact table stands before the details."""

_STEP = 18
"""Columns for a step's id; a longer one gets a line of its own."""

VERY_MANY = 200
"""Leavers up to which everybody is shown before they are carried out; nobody reads thirty thousand lines at a prompt."""
SHOWN = 20
"""Leavers of very many that are shown: those with objections or open items."""


def plan_text(plan: Plan, *, width: int = 80, color: bool = False, now: datetime, whole: bool = True) -> str:
    """The plan as a reviewer reads it on a terminal.

    Args:
        plan: As made.
        width: Columns of the terminal; at least 60 are used.
        color: Whether to emphasize with ANSI sequences.
        now: The reader's time, from which `in 30 days` is counted.
        whole: Whether every leaver is shown, however many there are.
    """
    view = see(plan, now) if whole or len(plan.leavers) <= VERY_MANY else brief(plan, now, SHOWN)
    page = _Page(max(60, width), Style(color))
    return "\n".join(line.rstrip() for line in page.lines(view)) + "\n"


class _Page:
    def __init__(self, size: int, style: Style) -> None:
        self.size = size
        self.style = style

    def lines(self, view: PlanView) -> Iterator[str]:
        yield from wrap(self.style.strong(view.title), self.size)
        yield from self._labelled(view.facts, "  ")
        yield from self._alerts(view.alerts)
        if len(view.leavers) > MANY:
            yield ""
            yield from self._overview(view.leavers)
        for leaver in view.leavers:
            yield ""
            yield from self._leaver(leaver)
        if view.summary or view.consequences:
            yield ""
            yield from self._sentences(view.summary, "")
            for sentence in view.consequences:
                yield from hang("- ", sentence, self.size)
        if view.needed:
            yield ""
            for sentence in view.needed:
                yield from hang("", sentence, self.size)
        yield ""
        yield from (self.style.dim(f"{name} {value}") for name, value in view.closing)

    def _labelled(self, facts: Sequence[tuple[str, str]], margin: str) -> Iterator[str]:
        label = max(columns(name) for name, _ in facts)
        for name, value in facts:
            yield from hang(f"{margin}{pad(name, label)}  ", value, self.size)

    def _alerts(self, alerts: Sequence[tuple[str, str]]) -> Iterator[str]:
        for severity, text in alerts:
            word = "STOP" if severity == "stop" else "!"
            paint = self.style.bad if severity == "stop" else self.style.warn
            first, *rest = hang(f"  {word} ", text, self.size)
            yield first.replace(word, paint(word), 1)
            yield from rest

    def _sentences(self, said: Sequence[str], margin: str) -> Iterator[str]:
        for sentence in said:
            yield from hang(margin, sentence, self.size)

    # -- many leavers ----------------------------------------------------------------------------------------------

    def _overview(self, leavers: Sequence[LeaverView]) -> Iterator[str]:
        rows = [("", "leaver", "user principal name", "changes", "open", "due later", "")]
        for number, each in enumerate(leavers, 1):
            flag = "STOP" if each.stops else "!" if each.alerts else ""
            later = each.later.split(" ")[0]
            rows.append((str(number), each.name, each.upn, str(each.changes), str(each.open), later, flag))
        wide = align(rows)
        if max(map(columns, wide)) <= self.size:
            yield self.style.dim(wide[0])
            yield from wide[1:]
            return
        head, *lines = align([(*row[:2], *row[3:]) for row in rows])
        yield self.style.dim(head)
        for line, each in zip(lines, leavers, strict=True):
            yield line
            yield f"     {each.upn}"

    # -- one leaver ------------------------------------------------------------------------------------------------

    def _leaver(self, leaver: LeaverView) -> Iterator[str]:
        yield from self._who(leaver)
        yield from self._alerts(leaver.alerts)
        yield ""
        grid = _Grid(leaver, self.size)
        for step in leaver.steps:
            yield from self._step(step, grid)
        yield ""
        yield from self._sentences(leaver.summary, "  ")
        for sentence in leaver.consequences:
            yield from hang("  - ", sentence, self.size)
        if leaver.objects:
            yield ""
            yield from self._objects(leaver.objects)

    def _who(self, leaver: LeaverView) -> Iterator[str]:
        name = self.style.strong(leaver.name)
        rest = f"  {leaver.upn}  {leaver.kind}"
        if columns(leaver.name) + columns(rest) <= self.size:
            yield name + rest
        else:
            yield name
            yield from hang("  ", f"{leaver.upn}", self.size)
            yield from hang("  ", leaver.kind, self.size)
        for line in leaver.about:
            yield from hang("  ", line, self.size)
        yield from hang("  ", f"id {leaver.id}", self.size)
        yield from hang("  ", f"leave time {leaver.leave}", self.size)

    def _step(self, step: StepView, grid: _Grid) -> Iterator[str]:
        if step.due:
            yield self.style.strong(f"  at {step.due}" if step.due != "now" else "  now")
        front = f"{step.number:>{grid.number}} {step.id}"
        if columns(step.id) > grid.id or not step.rows:
            yield " " * grid.flag + front
            front = ""
        for row in step.rows:
            yield from self._row(row, front, grid)
            front = ""
        if step.remark:
            yield from hang(" " * grid.margin, step.remark, self.size)
        for table in step.tables:
            room = self.size - grid.indent
            yield from (" " * grid.indent + line for line in table_lines(table, room, self.style))

    def _row(self, row: Row, front: str, grid: _Grid) -> Iterator[str]:
        flag = pad("!" if row.sort == "open" else "", grid.flag)
        verb = pad(row.verb, grid.verb)
        first, *rest = grid.body(row)
        start = pad(front, grid.margin - grid.flag)
        if row.sort == "open":
            flag = self.style.warn("!") + flag[1:]
        yield flag + start + self._paint(row.sort, verb) + "  " + first
        yield from (" " * (grid.margin + grid.verb + 2) + line for line in rest)

    def _paint(self, sort: str, verb: str) -> str:
        if sort == "lossy":
            return self.style.bad(verb)
        if sort == "open":
            return self.style.warn(verb)
        return verb if sort == "change" else self.style.dim(verb)

    def _objects(self, objects: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        yield self.style.dim("  Object ids")
        for line in align([(name, kind, id) for name, kind, id in objects]):
            if columns(line) + 4 <= self.size:
                yield "    " + line
            else:
                *front, id = line.split(" ")
                yield from hang("    ", " ".join(front).rstrip(), self.size)
                yield f"      {id}"


class _Grid:
    """The columns of one leaver's steps.

    Attributes:
        flag: Columns for the `!` mark.
        number: Columns for the step's number.
        id: Columns for the step's id.
        margin: Columns before the verb.
        verb: Columns for the verb.
        indent: Columns before a table.
    """

    def __init__(self, leaver: LeaverView, size: int) -> None:
        rows = [row for step in leaver.steps for row in step.rows]
        self.flag = 1
        self.number = len(str(len(leaver.steps)))
        self.id = max((w for w in (columns(s.id) for s in leaver.steps) if w <= _STEP), default=4)
        self.margin = self.flag + self.number + 1 + self.id + 2
        self.verb = min(12, max((columns(row.verb) for row in rows), default=0))
        self.indent = 4
        self.room = size - self.margin - self.verb - 2
        fitting = [columns(row.label) for row in rows if row.detail and columns(row.label) <= self.room * 0.55]
        self.label = max(fitting, default=0)

    def body(self, row: Row) -> list[str]:
        """Object and detail side by side where they fit, else one below the other; a remark on its own line."""
        below = ["  " + line for line in wrap(row.remark, self.room - 2)] if row.remark else []
        if not row.label or not row.detail:
            lone = row.label or row.detail
            tight = f"{lone}  {row.remark}"
            if row.remark and columns(tight) <= self.room:
                return [tight]
            return [*wrap(lone, self.room), *below]
        for beside in (f"{pad(row.label, self.label)}  {row.detail}", f"{row.label}  {row.detail}"):
            if columns(beside) <= self.room:
                return [beside, *below]
        return [*wrap(row.label, self.room), *("  " + line for line in wrap(row.detail, self.room - 2)), *below]
