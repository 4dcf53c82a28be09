"""A report as one self-contained HTML page: no script, nothing loaded from anywhere, fit for paper."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.render.css import CSS
from offboard.render.element import SPACE, Html, element, join
from offboard.report.blocks import Alert, Block, Document, Facts, Items, Section, Table, Title

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_HEAD = Html(
    '<meta charset="utf-8">'
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark">'
    '<meta name="referrer" content="no-referrer">'
    '<meta name="robots" content="noindex">'
)
_STYLE = """
dl div { grid-template-columns: 9rem 1fr; }
.evidence { font-size: .875rem; }
.evidence td:nth-child(1) { width: 5%; } .evidence td:nth-child(2) { width: 12%; }
.evidence td:nth-child(4), .evidence td:nth-child(5) { width: 18%; } .evidence td:nth-child(8) { width: 17%; }
.evidence td { overflow-wrap: anywhere; } .evidence td:nth-child(3) { overflow-wrap: normal; }
tbody tr + tr > td { border-top: 1px solid var(--line); }
@media print { .evidence { font-size: 8pt; } @page { size: A4 landscape; } section { break-inside: auto; } }
"""


def report_html(document: Document) -> str:
    """The report, to be looked at or printed."""
    top = element("header", element("h1", _data(document.title)), *map(_block, document.head))
    body = join(top, element("main", *map(_section, document.sections)), element("footer", _FOOT))
    head = join(_HEAD, element("title", document.title), Html(f"<style>{CSS}{_STYLE}</style>"))
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


_FOOT = "Made by offboard from its audit alone. All times are UTC."


def _data(text: str, class_: str = "") -> Html:
    """Words from the tenant, kept from turning the direction of their surroundings."""
    return element("bdi", text, class_=class_)


def _section(section: Section) -> Html:
    aside: tuple[Html, ...] = (SPACE, _data(section.aside, "upn")) if section.aside else ()
    title = element("h2", _data(section.title), *aside)
    return join(element("section", title, *map(_block, section.blocks)), Html("\n"))


def _block(block: Block) -> Html:
    if isinstance(block, Title):
        return element("h3", block.text)
    if isinstance(block, Facts):
        wrap = "code" if block.code else "bdi"
        pairs = (join(element("dt", name), element("dd", element(wrap, value))) for name, value in block.pairs)
        return element("dl", *(element("div", pair) for pair in pairs))
    if isinstance(block, Items):
        return element("ul", *(element("li", _data(sentence)) for sentence in block.sentences), class_="notes")
    if isinstance(block, Alert):
        word = element("strong", "Stop" if block.severity == "stop" else "Warning")
        return element("p", word, SPACE, _data(block.text), class_=f"alert {block.severity}", role="note")
    return _table(block)


def _table(table: Table) -> Html:
    top = element("thead", element("tr", *(element("th", name, scope="col") for name in table.head)))
    body = element("tbody", *_rows(table))
    return element("div", element("table", top, body, class_=table.look), class_="scroll")


def _rows(table: Table) -> Iterator[Html]:
    for row in table.rows:
        yield join(element("tr", *(element("td", _data(cell)) for cell in row)), Html("\n"))
