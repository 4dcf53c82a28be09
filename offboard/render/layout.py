"""Columns and line breaks for a terminal, counted in columns and not in characters."""

from __future__ import annotations

from collections.abc import Sequence

from offboard.render.safe import width


def pad(text: str, size: int) -> str:
    """The text filled with spaces to this many columns; a longer one stays as it is."""
    return text + " " * max(0, size - width(text))


def wrap(text: str, size: int) -> list[str]:
    """The text in lines of at most this many columns.

    Breaks only at spaces: a word that does not fit, such as an id, stands on a line of its own, uncut.
    """
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) > size:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def hang(first: str, text: str, size: int) -> list[str]:
    """The text after `first`, with further lines indented to stand under its beginning."""
    indent = width(first)
    lines = wrap(text, max(20, size - indent))
    return [(first if n == 0 else " " * indent) + line for n, line in enumerate(lines)]


def align(rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Rows of equally many cells as aligned lines, without trailing spaces."""
    if not rows:
        return []
    sizes = [max(width(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [(" " * gap).join(pad(c, s) for c, s in zip(row, sizes, strict=True)).rstrip() for row in rows]
