"""A plan as one self-contained HTML page: no script, nothing loaded from anywhere, light and dark, fit for paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from offboard.model import Plan, Table
from offboard.render.css import CSS
from offboard.render.element import SPACE, Html, element, join
from offboard.render.tables import cells, headings
from offboard.render.view import LeaverView, PlanView, Row, StepView, see
from offboard.render.words import count, stamp

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_HEAD = Html(
    '<meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    '<meta name="referrer" content="no-referrer">'
    '<meta name="robots" content="noindex">'
)
"""Constant, so that the policy stands before anything that came from a tenant."""


def plan_html(plan: Plan, now: datetime) -> str:
    """The plan as a reviewer reads it in a browser or on paper.

    Args:
        plan: As made.
        now: The reader's time, from which `in 30 days` is counted.
    """
    view = see(plan, now)
    body = join(*_page(view), element("footer", f"As of {stamp(now)}. {plan.tool}."))
    head = join(_HEAD, element("title", view.title), Html(f"<style>{CSS}</style>"))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _page(view: PlanView) -> Iterator[Html]:
    yield element("header", element("h1", view.title), _facts(view.facts), *_alerts(view.alerts))
    yield Html("<main>")
    if len(view.leavers) > 1:
        yield _overview(view.leavers)
    for number, leaver in enumerate(view.leavers, 1):
        yield _leaver(leaver, number)
    if view.summary or view.consequences:
        yield element("section", element("h2", "What to know"), _items((*view.summary, *view.consequences)))
    if view.needs:
        yield element(
            "section",
            element("h2", "Needed permissions"),
            element("p", "At least, for a signed-in person:"),
            _table(("step", "permissions", "remark"), [[_code(s), n, r] for s, n, r in view.needs], "needs"),
        )
    yield element("section", element("h2", "Evidence"), _facts(view.closing, code=True))
    yield Html("</main>\n")


def _data(text: str, class_: str = "") -> Html:
    """Words from the tenant, kept from turning the direction of their surroundings."""
    return element("bdi", text, class_=class_)


def _code(text: str) -> Html:
    return element("code", text)


def _facts(facts: Sequence[tuple[str, str]], *, code: bool = False) -> Html:
    pairs = (join(element("dt", name), element("dd", (_code if code else _data)(value))) for name, value in facts)
    return element("dl", *(element("div", pair) for pair in pairs))


def _alerts(alerts: Sequence[tuple[str, str]]) -> Iterator[Html]:
    for severity, text in alerts:
        stop = severity == "stop"
        word = element("strong", "Stop" if stop else "Warning")
        yield element("p", word, SPACE, _data(text), class_=f"alert {'stop' if stop else 'warn'}", role="note")


def _items(sentences: Sequence[str], class_: str = "") -> Html:
    return element("ul", *(element("li", sentence) for sentence in sentences), class_=class_)


def _table(head: Sequence[str], rows: Sequence[Sequence[Html | str]], class_: str = "") -> Html:
    top = element("thead", element("tr", *(element("th", h, scope="col") for h in head)))
    body = element("tbody", *(join(element("tr", *(element("td", cell) for cell in row)), Html("\n")) for row in rows))
    return element("div", element("table", top, body, class_=class_), class_="scroll")


def _overview(leavers: Sequence[LeaverView]) -> Html:
    rows = []
    for number, each in enumerate(leavers, 1):
        flag = "Stop" if each.stops else "Warning" if each.alerts else ""
        link = element("a", _data(each.name), href=f"#leaver-{number}")
        counts = (str(each.changes), str(each.open), each.later)
        rows.append([str(number), link, _data(each.upn), *counts, element("strong", flag) if flag else ""])
    head = ("", "leaver", "user principal name", "changes", "open", "due later", "")
    return element("section", element("h2", "Leavers"), _table(head, rows))


def _leaver(leaver: LeaverView, number: int) -> Html:
    who = element("h2", _data(leaver.name), SPACE, _data(leaver.upn, "upn"))
    about = [element("p", _data(line)) for line in (leaver.kind, *leaver.about)]
    times = _facts([("id", leaver.id), ("leave time", leaver.leave)])
    parts = [who, element("div", *about, class_="about"), times, *_alerts(leaver.alerts)]
    parts += [_steps(leaver.steps), *(_listing(t) for s in leaver.steps for t in s.tables)]
    parts.append(_items((*leaver.summary, *leaver.consequences), "notes"))
    if leaver.objects:
        ids = [[_data(name), kind, _code(id)] for name, kind, id in leaver.objects]
        title = element("summary", "Object ids")
        parts.append(element("details", title, _table(("object", "kind", "id"), ids), open="open"))
    return element("section", *parts, class_="leaver", id=f"leaver-{number}")


def _steps(steps: Sequence[StepView]) -> Html:
    titles = ("", "step", "does", "object", "change or reason")
    head = element("thead", element("tr", *(element("th", title, scope="col") for title in titles)))
    groups = (join(_step(step), Html("\n")) for step in steps)
    return element("div", element("table", head, *groups, class_="steps"), class_="scroll")


def _step(step: StepView) -> Html:
    """One step is one row group, so that paper does not tear it apart."""
    rows = [element("tr", element("th", step.due, colspan="5", scope="rowgroup"), class_="due")] if step.due else []
    name: list[Html] = [_code(step.id)]
    if step.remark:
        name.append(element("small", step.remark))
    found = [(row.sort, _cells(row)) for row in step.rows]
    for table in step.tables:
        found.append(("quiet", [element("b", "list"), table.title, f"{count(len(table.rows), 'row')}, below"]))
    number: str = str(step.number)
    for sort, cells_ in found:
        front = (element("td", number, class_="n"), element("td", *name))
        rows.append(element("tr", *front, *(element("td", c) for c in cells_), class_=sort))
        number, name = "", []
    return element("tbody", *rows)


def _cells(row: Row) -> list[Html | str]:
    verb = join(element("b", row.verb), Html(" open" if row.sort == "open" else ""))
    said = [_data(row.detail)] if row.detail else []
    said += [element("small", row.remark)] if row.remark else []
    return [verb, _data(row.label), Html("<br>".join(said))]


def _listing(table: Table) -> Html:
    rows = [[_data(cell, "short" if len(cell) <= 20 else "") for cell in row] for row in cells(table)]
    return join(element("h3", table.title), _table(headings(table), rows, "listing"))
