"""A plan as Markdown, for a pull request or a ticket.

Only headings, lists and tables are used, no HTML, so that every forge shows the same. Words from the tenant that could be
markup, links or mentions stand in code spans (see `safe.for_markdown`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from offboard.model import Plan, Table
from offboard.render.safe import PROSE, for_markdown
from offboard.render.tables import cells, headings
from offboard.render.view import LeaverView, PlanView, StepView, see

Cells = Sequence[str]


def plan_markdown(plan: Plan, now: datetime) -> str:
    """The plan as a reviewer reads it in a pull request.

    Args:
        plan: As made.
        now: The reader's time, from which `in 30 days` is counted.
    """
    return "\n".join(_lines(see(plan, now))) + "\n"


def _lines(view: PlanView) -> Iterator[str]:
    yield f"## {_md(view.title)}"
    yield ""
    yield from _alerts(view.alerts)
    yield from (f"- {name}: {_md(value)}" for name, value in view.facts)
    if len(view.leavers) > 1:
        yield ""
        yield from _overview(view.leavers)
    for leaver in view.leavers:
        yield ""
        yield from _leaver(leaver)
    if view.summary or view.consequences:
        yield ""
        yield "### What to know"
        yield ""
        yield from _items((*view.summary, *view.consequences))
    if view.needs:
        yield ""
        yield "### Needed permissions"
        yield ""
        yield "At least, for a signed-in person:"
        yield ""
        yield from _table(("step", "permissions", "remark"), [[_code(s), _md(n), _md(r)] for s, n, r in view.needs])
    yield ""
    yield "### Evidence"
    yield ""
    yield from (f"- {name}: {_md(value)}" for name, value in view.closing)


def _md(text: str) -> str:
    return for_markdown(text, PROSE)


def _code(id: str) -> str:
    return f"`{id}`" if id.replace("-", "").replace("_", "").isalnum() else _md(id)


def _alerts(alerts: Sequence[tuple[str, str]]) -> Iterator[str]:
    for severity, text in alerts:
        yield f"- **{'STOP' if severity == 'stop' else 'Warning'}:** {_md(text)}"
    if alerts:
        yield ""


def _items(sentences: Sequence[str]) -> Iterator[str]:
    yield from (f"- {_md(sentence)}" for sentence in sentences)


def _table(head: Cells, rows: Sequence[Cells]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"


def _overview(leavers: Sequence[LeaverView]) -> Iterator[str]:
    rows = []
    for number, each in enumerate(leavers, 1):
        flag = "**STOP**" if each.stops else "**warning**" if each.alerts else ""
        counts = (str(each.changes), str(each.open), each.later and _md(each.later))
        rows.append([str(number), _md(each.name), _md(each.upn), *counts, flag])
    yield from _table(("", "leaver", "user principal name", "changes", "open", "due later", ""), rows)


def _leaver(leaver: LeaverView) -> Iterator[str]:
    yield f"### {_md(leaver.name)} ({_md(leaver.upn)})"
    yield ""
    yield from _alerts(leaver.alerts)
    yield from _items((leaver.kind, *leaver.about))
    yield f"- id {_md(leaver.id)}"
    yield f"- leave time {_md(leaver.leave)}"
    yield ""
    yield from _table(("step", "", "does", "object", "change or reason"), list(_steps(leaver.steps)))
    for step in leaver.steps:
        for table in step.tables:
            yield ""
            yield from _rows_of(table)
    yield ""
    yield from _items((*leaver.summary, *leaver.consequences))
    if leaver.objects:
        yield ""
        yield from _table(("object", "kind", "id"), [[_md(cell) for cell in row] for row in leaver.objects])


def _steps(steps: Sequence[StepView]) -> Iterator[Cells]:
    for step in steps:
        if step.due:
            yield ["", f"**{_md(step.due)}**", "", "", ""]
        name = _code(step.id) + (f" ({_md(step.remark)})" if step.remark else "")
        number = str(step.number)
        for row in step.rows:
            detail = "; ".join(_md(x) for x in (row.detail, row.remark) if x)
            verb = f"**{_md(row.verb)}**" if row.sort in ("lossy", "open") else _md(row.verb)
            mark = " (open)" if row.sort == "open" else ""
            yield [number, name, verb + mark, _md(row.label), detail]
            number = name = ""
        for table in step.tables:
            yield [number, name, "list", _md(table.title), f"{len(table.rows)} rows, below"]
            number = name = ""


def _rows_of(table: Table) -> Iterator[str]:
    yield f"**{_md(table.title)}**"
    yield ""
    yield from _table([_md(h) for h in headings(table)], [[_cell(cell) for cell in row] for row in cells(table)])


def _cell(cell: str) -> str:
    return cell if cell == "-" else _md(cell)
