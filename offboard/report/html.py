"""A report as one self-contained HTML page: no script, nothing loaded from anywhere, fit for paper."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.render.css import CSS
from offboard.render.element import SPACE, Html, element, join
from offboard.report.blocks import Alert, Block, Cell, Document, Facts, Glance, Items, Section, Table, Title

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
:root { --good: #1a6b3c; --good-tint: #e8f4ec; }
@media (prefers-color-scheme: dark) { :root { --good: #7fd3a0; --good-tint: #13301f; } }
body { max-width: 66rem; }
h1 { font-size: 1.7rem; letter-spacing: -.01em; margin-bottom: 1.2rem; }
h2 { font-size: 1.3rem; display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .7rem; }
h2 .upn { margin-left: 0; }
h3 { margin: 1.9rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
dl { gap: 0; margin: .6rem 0; }
dl div { grid-template-columns: 12rem 1fr; padding: .24rem 0; }
dl.columns { grid-template-columns: 1fr 1fr; column-gap: 2.5rem; }
dl.columns div { grid-template-columns: 9.5rem 1fr; }
dl code { overflow-wrap: anywhere; }
.good { color: var(--good); } .warn { color: var(--warn); } .stop { color: var(--stop); }
.pill { font-size: .8125rem; font-weight: 600; padding: .12rem .6rem; border-radius: 1rem; border: 1px solid; }
.pill.good { background: var(--good-tint); } .pill.warn { background: var(--warn-tint); }
.pill.stop { background: var(--stop-tint); }
.glance { display: grid; grid-template-columns: repeat(4, 1fr); gap: .8rem; margin: 1rem 0 1.3rem; }
.glance div { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; background: var(--tint); }
.glance small { display: block; font-size: .8125rem; line-height: 1.35; }
.glance b { display: block; font-size: 1.2rem; font-weight: 600; line-height: 1.4; }
table { table-layout: fixed; font-size: .875rem; line-height: 1.42; }
th, td { padding: .5rem .9rem .5rem 0; overflow-wrap: break-word; }
td small { display: block; font-size: .8125rem; overflow-wrap: anywhere; margin-top: .08rem; }
tbody tr + tr > td { border-top: 1px solid var(--line); }
td b { font-weight: 600; }
.evidence th:nth-child(1) { width: 11%; } .evidence th:nth-child(2) { width: 18%; }
.evidence th:nth-child(4) { width: 18%; } .evidence th:nth-child(5) { width: 28%; }
.evidence td:nth-child(4), .open-items td:nth-child(4) { white-space: nowrap; }
.everybody th:nth-child(1) { width: 34%; } .everybody th:nth-child(4) { width: 13%; }
.population th:nth-child(1) { width: 31%; } .population th:nth-child(2) { width: 21%; }
.open-items th:nth-child(1) { width: 20%; }
.open-items th:nth-child(3) { width: 30%; } .open-items th:nth-child(4) { width: 17%; }
.controls th:nth-child(1) { width: 22%; } .controls th:nth-child(2) { width: 28%; }
@media screen and (max-width: 44rem) { .glance { grid-template-columns: 1fr 1fr; } table { min-width: 44rem; }
  dl div, dl.columns, dl.columns div { grid-template-columns: 1fr; gap: 0; } }
@media print { :root { --good: #0d4a27; --good-tint: #fff; } @page { size: A4; margin: 15mm 14mm 16mm; }
  h1 { font-size: 17pt; } h2 { font-size: 13pt; } h3 { font-size: 10.5pt; margin-top: 5mm; break-after: avoid; }
  .glance { gap: 2.5mm; break-inside: avoid; } .glance div { padding: 2mm 2.5mm; } .glance b { font-size: 10.5pt; }
  .glance small { font-size: 7.5pt; } table { font-size: 8pt; } td small { font-size: 7pt; color: #333; }
  th, td { padding: 1.2mm 3mm 1.2mm 0; } dl div { padding: .5mm 0; grid-template-columns: 38mm 1fr; }
  dl { font-size: 9pt; } dl.columns { column-gap: 6mm; } dl.columns div { grid-template-columns: 31mm 1fr; gap: 2mm; }
  .evidence td:nth-child(4), .open-items td:nth-child(4) { font-size: 7.2pt; }
  .evidence td:nth-child(5) small { font-size: 6.2pt; }
  section { break-inside: auto; margin-top: 6mm; padding-top: 4mm; }
  .packet { break-before: page; border-top: 0; margin-top: 0; padding-top: 0; } h3 + *, h2 + * { break-before: avoid; } }
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
    word, tone = section.state
    pill: tuple[Html, ...] = (SPACE, element("span", word, class_=f"pill {tone}")) if word else ()
    title = element("h2", _data(section.title), *aside, *pill)
    look = "packet" if section.packet else ""
    return join(element("section", title, *map(_block, section.blocks), class_=look), Html("\n"))


def _block(block: Block) -> Html:
    if isinstance(block, Title):
        return element("h3", block.text)
    if isinstance(block, Facts):
        wrap = "code" if block.code else "bdi"
        pairs = (join(element("dt", name), element("dd", element(wrap, value))) for name, value in block.pairs)
        return element("dl", *(element("div", pair) for pair in pairs), class_="columns" if block.columns else "")
    if isinstance(block, Glance):
        return element("div", *(_figure(*figure) for figure in block.figures), class_="glance")
    if isinstance(block, Items):
        return element("ul", *(element("li", _data(sentence)) for sentence in block.sentences), class_="notes")
    if isinstance(block, Alert):
        word = element("strong", "Stop" if block.severity == "stop" else "Warning")
        return element("p", word, SPACE, _data(block.text), class_=f"alert {block.severity}", role="note")
    return _table(block)


def _figure(label: str, value: str, tone: str, remark: str) -> Html:
    below: tuple[Html, ...] = (element("small", _data(remark)),) if remark else ()
    return element("div", element("small", label), element("b", _data(value), class_=tone), *below)


def _table(table: Table) -> Html:
    top = element("thead", element("tr", *(element("th", name, scope="col") for name in table.head)))
    body = element("tbody", *_rows(table))
    return element("div", element("table", top, body, class_=table.look), class_="scroll")


def _rows(table: Table) -> Iterator[Html]:
    for row in table.rows:
        yield join(element("tr", *(element("td", *_cell(cell)) for cell in row)), Html("\n"))


def _cell(cell: Cell) -> Iterator[Html]:
    if isinstance(cell, str):
        yield _data(cell)
        return
    if cell.main:
        yield element("b", _data(cell.main), class_=cell.tone) if cell.tone else _data(cell.main)
    yield from (element("small", _data(line)) for line in cell.more if line)
