"""The one sanitizer for text that somebody else typed: display names, devices, reasons, answers of Graph.

What could move a cursor, hide, reverse or join letters is replaced by a visible mark such as `<U+202E>`; nothing is
dropped in silence. Runs of spaces are counted, because forty of them in a device's name forge a column. The result is
harmless on a terminal; `for_markdown`, `for_html` and `for_csv` escape it for their medium besides.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain, groupby

from offboard.model import JSON

NAME = 80
"""Columns that a name may take."""
PROSE = 2000
"""Columns that a sentence may take; ids named in it must not be cut."""

_SPACES = " \u3000"
_MARKS_KEPT = 3
# Letters, symbols and marks that are drawn as nothing although Unicode does not call them format characters.
_BLANK = frozenset(
    chain(
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0, 0x1D159),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)
_HIDDEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"])
_COMBINING = frozenset(["Mn", "Me", "Mc"])
_LOOK_ALIKE = frozenset(["LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "FULLWIDTH", "MATHEMATICAL"])


def safe(text: str, limit: int = NAME, *, keep_spaces: bool = False) -> str:
    """The text with everything invisible or active made visible. Idempotent.

    Args:
        text: Anything.
        limit: Columns of a terminal that the result may take; what is cut is replaced by `…`.
        keep_spaces: For quoted source lines: leave runs of spaces as they are.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and (keep_spaces or _tidy(text)):
        return text
    kept: list[tuple[str, int]] = []
    used = 0
    for piece in _pieces(text, keep_spaces):
        size = width(piece)
        kept.append((piece, size))
        used += size
        if used > limit:
            while kept and used > limit - 1:
                used -= kept.pop()[1]
            return "".join(piece for piece, _ in kept) + "…"
    return "".join(piece for piece, _ in kept)


def _tidy(text: str) -> bool:
    return "  " not in text and text == text.strip(" ")


def _pieces(text: str, keep_spaces: bool) -> Iterator[str]:
    """The visible form, in pieces that must not be cut apart."""
    at, base = 0, False
    while at < len(text):
        char = text[at]
        if char in _SPACES and not keep_spaces:
            end = _run(text, at, lambda c: c in _SPACES)
            yield from _spaces(text[at:end], edge=at == 0 or end == len(text))
            base = False
        elif _combines(char):
            end = _run(text, at, _combines)
            kept = text[at : min(end, at + _MARKS_KEPT)] if base else ""
            yield from kept
            yield from _too_many(text[at + len(kept) : end])
            base = base and end - at <= _MARKS_KEPT
        else:
            end = at + 1
            base = _visible(char)
            yield char if base or char == " " else _mark(char)
        at = end


def _run(text: str, at: int, belongs: Callable[[str], bool]) -> int:
    end = at
    while end < len(text) and belongs(text[end]):
        end += 1
    return end


def _spaces(run: str, *, edge: bool) -> Iterator[str]:
    if not edge:
        yield run[0]
        run = run[1:]
    if len(run) == 1:
        yield _mark(run)
    elif run:
        yield f"<+{len(run)} spaces>"


def _too_many(run: str) -> Iterator[str]:
    """Combining marks without a letter, or a pile of them that would cover the lines above."""
    if len(run) <= _MARKS_KEPT:
        yield from map(_mark, run)
    else:
        yield f"<+{len(run)} marks>"


def _combines(char: str) -> bool:
    return char >= "\u0300" and unicodedata.category(char) in _COMBINING and ord(char) not in _BLANK


def _visible(char: str) -> bool:
    if char == "\u3000":
        return True
    return unicodedata.category(char) not in _HIDDEN and ord(char) not in _BLANK


def _mark(char: str) -> str:
    return f"<U+{ord(char):04X}>"


def width(text: str) -> int:
    """Columns that the text takes on a terminal: two for wide East Asian characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def suspicious(text: str) -> str:
    """Why a reviewer should look twice at this name, as a clause to follow it; empty when there is no reason."""
    if any(not _visible(c) and c != " " for c in text):
        return "contains invisible or direction-changing characters"
    if any(combining and len(list(run)) > _MARKS_KEPT for combining, run in groupby(text, _combines)):
        return "contains piles of combining marks"
    for word in re.findall(r"[^\W\d_]+", text):
        scripts = sorted({_script(c) for c in word} & _LOOK_ALIKE)
        if len(scripts) > 1:
            return f"mixes {' and '.join(s.capitalize() for s in scripts)} letters in one word"
    return ""


def _script(char: str) -> str:
    return "LATIN" if char.isascii() else unicodedata.name(char, "").split(" ")[0]


_PLAIN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*[0-9]{0,2}|[0-9]+|[→·…]")
_SPECIAL = re.compile(r"([<>&|`\\])")


def for_markdown(text: str, limit: int = NAME) -> str:
    """The text for Markdown: inert in a paragraph, a list item, a heading and a table cell.

    Ordinary words stay as they are. What could be markup, a link, a mention or a reference to an issue stands in a code
    span, since GitHub looks for mentions and addresses in the rendered text, where a backslash no longer protects.
    Characters that end a code span, a cell or begin HTML are written as character references.
    """
    words = [_markdown_word(word) for word in safe(text, limit).split(" ")]
    return " ".join(words).replace("` `", " ")


def _markdown_word(word: str) -> str:
    inner = word.lstrip("(")
    bare = inner.rstrip(".,;:)")
    if not bare:
        return word if word.strip(",;:") == "" else _markdown_part(word)
    before, after = word[: len(word) - len(inner)], inner[len(bare) :]
    if bare.isdigit() and after[:1] in (".", ")"):
        return f"{before}`{bare}`{after}"  # not the start of a numbered list
    return before + "".join(_markdown_part(part) for part in _SPECIAL.split(bare) if part) + after


def _markdown_part(part: str) -> str:
    if _SPECIAL.fullmatch(part):
        return f"&#{ord(part)};"
    return part if _PLAIN.fullmatch(part) else f"`{part}`"


def for_html(text: str, limit: int = NAME) -> str:
    """The text for HTML, as content of an element or of a quoted attribute."""
    return html.escape(safe(text, limit), quote=True)


def for_csv(cell: JSON, limit: int = PROSE) -> str:
    """One cell of a CSV file, always quoted; text that a spreadsheet would take for a formula gets a leading `'`.

    See https://owasp.org/www-community/attacks/CSV_Injection
    """
    if cell is None:
        return '""'
    if isinstance(cell, bool):
        return f'"{str(cell).lower()}"'
    if isinstance(cell, int | float):
        return f'"{cell}"'
    text = safe(str(cell), limit)
    if text[:1] in tuple("=+-@＝＋－＠"):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"'
