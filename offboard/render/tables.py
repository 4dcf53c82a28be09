"""Rows of read-only steps, as aligned text and as JSON.

Nothing is cut: an id or a user principal name that does not fit beside the rest gets a line of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from offboard.model import Table
from offboard.render.layout import align, wrap
from offboard.render.safe import safe, width
from offboard.render.style import Style
from offboard.render.words import count, words

HEADINGS = {
    "displayName": "name",
    "userPrincipalName": "user principal name",
    "accountEnabled": "enabled",
    "deletedDateTime": "deleted",
    "age_days": "days ago",
    "userType": "type",
}
"""What people read instead of Graph's property names."""

_CELL = 160


def columns(table: Table) -> tuple[str, ...]:
    """The columns in the order for people: who before what, ids last."""
    last = ("userPrincipalName", "id")
    first = ("displayName",)
    middle = tuple(c for c in table.columns if c not in (*first, *last))
    return (*(c for c in first if c in table.columns), *middle, *(c for c in last if c in table.columns))


def headings(table: Table) -> tuple[str, ...]:
    """The headings of the columns."""
    return tuple(HEADINGS.get(column, safe(column)) for column in columns(table))


def cells(table: Table) -> list[tuple[str, ...]]:
    """The rows as words; a missing value is `-`."""
    return [
        tuple("-" if row.get(c) is None else safe(words(row[c]), _CELL) or "-" for c in columns(table))
        for row in table.rows
    ]


def table_text(table: Table, width: int = 80, *, color: bool = False) -> str:
    """The table in aligned columns, or as short blocks when a row does not fit on a line.

    Args:
        table: As the step returned it.
        width: Columns of the terminal.
        color: Whether to emphasize with ANSI sequences.
    """
    return "\n".join(table_lines(table, width, Style(color)))


def table_lines(table: Table, size: int, style: Style) -> list[str]:
    """The lines of `table_text`."""
    title = style.strong(f"{safe(table.title)} ({count(len(table.rows), 'row')})")
    if not table.rows:
        return [title]
    rows = cells(table)
    aligned = align([headings(table), *rows])
    if max(map(width, aligned)) > size:
        return [title, *_blocks(table, rows, size, style)]
    return [title, style.dim(aligned[0]), *aligned[1:]]


def _blocks(table: Table, rows: Sequence[Sequence[str]], size: int, style: Style) -> list[str]:
    """Short columns aligned on a first line, each long one on a line below with its heading."""
    heads = headings(table)
    sizes = [max(width(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    short = _fitting(sizes, size)
    lines = align([[heads[n] for n in short], *([row[n] for n in short] for row in rows)])
    long = [n for n in range(len(heads)) if n not in short]
    label = max(width(heads[n]) for n in long)
    found = [style.dim(lines[0])]
    for line, row in zip(lines[1:], rows, strict=True):
        found.append(line)
        for n in long:
            found += _labelled(heads[n], row[n], label, size)
    return found


def _labelled(head: str, cell: str, label: int, size: int) -> list[str]:
    first = f"  {head}{' ' * (label - width(head))}  "
    if width(first) + width(cell) <= size:
        return [first + cell]
    return [first.rstrip(), *("    " + line for line in wrap(cell, size - 4))]


def _fitting(sizes: Sequence[int], size: int) -> list[int]:
    """The columns that fit side by side, the narrowest first to be taken; at least one stays out."""
    taken: list[int] = []
    used = -2
    for n in sorted(range(len(sizes)), key=lambda n: sizes[n])[:-1]:
        if used + 2 + sizes[n] > size:
            break
        used += 2 + sizes[n]
        taken.append(n)
    return sorted(taken) or [0]


def table_json(table: Table) -> str:
    """The rows as one JSON array, values raw and untouched, in ASCII so that no terminal can be steered by it."""
    rows = [{column: row.get(column) for column in table.columns} for row in table.rows]
    return json.dumps(rows, ensure_ascii=True, indent=2)
