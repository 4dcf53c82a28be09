"""A report as Markdown: headings, lists and tables only."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.render.safe import PROSE, for_markdown
from offboard.report.blocks import Alert, Block, Cell, Document, Facts, Glance, Items, Table, Title


def report_markdown(document: Document) -> str:
    """The report, for a ticket or a file share."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_md(document.title)}"
    for block in document.head:
        yield from _block(block)
    for section in document.sections:
        yield ""
        yield f"## {_md(section.title)}" + (f" ({_md(section.aside)})" if section.aside else "")
        if section.state[0]:
            yield ""
            yield f"State: **{_md(section.state[0])}**"
        for block in section.blocks:
            yield from _block(block)


def _md(text: str) -> str:
    return for_markdown(text, PROSE)


def _block(block: Block) -> Iterator[str]:
    yield ""
    if isinstance(block, Title):
        yield f"### {_md(block.text)}"
    elif isinstance(block, Facts):
        yield from (f"- {name}: {_md(value)}" for name, value in block.pairs)
    elif isinstance(block, Glance):
        for label, value, _, remark in block.figures:
            yield f"- {label}: **{_md(value)}**" + (f" ({_md(remark)})" if remark else "")
    elif isinstance(block, Items):
        yield from (f"- {_md(sentence)}" for sentence in block.sentences)
    elif isinstance(block, Alert):
        yield f"**{'STOP' if block.severity == 'stop' else 'Warning'}:** {_md(block.text)}"
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.head)} |"
    yield f"| {' | '.join(['---'] * len(table.head))} |"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in table.rows)


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return _md(cell)
    return "; ".join(_md(line) for line in (cell.main, *cell.more) if line)
