"""Source files that people write: places, trees, and complaints that show the line they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from offboard.errors import Problem, SourceError
from offboard.model import JSON

MAX_PROBLEMS = 50
"""More complaints than this about one file help nobody."""

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FORBIDDEN = re.compile(
    "[^\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\ufeff]"
)
"""Control characters, and characters that reorder or hide text: what is reviewed must be what is read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: 1-based line and column, characters to underline, and the last line of what stands there."""

    line: int
    column: int
    width: int = 1
    last: int = 0


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, true, false or null."""

    mark: Mark
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping; keys are text and unique."""

    mark: Mark
    entries: tuple[tuple[Scalar, Node], ...]

    def key(self, name: str) -> Scalar | None:
        """The key of this name, as written."""
        return next((key for key, _ in self.entries if key.value == name), None)

    def get(self, name: str) -> Node | None:
        """The value under this key."""
        return next((value for key, value in self.entries if key.value == name), None)


Node = Scalar | Items | Fields


def data(node: Node) -> JSON:
    """The node as plain JSON values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [data(item) for item in node.items]
    return {str(key.value): data(value) for key, value in node.entries}


@dataclass(frozen=True, slots=True)
class Text:
    """A source file's text, for messages that show the line they are about."""

    path: str
    lines: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, path: str, text: str) -> Text:
        """The text, in lines as every editor counts them."""
        return cls(path, tuple(_BREAK.split(text)))

    def problem(self, mark: Mark, message: str, hint: str = "") -> Problem:
        """A complaint about this place."""
        quote = self.lines[mark.line - 1] if 0 < mark.line <= len(self.lines) else ""
        quote = "" if len(quote) > 500 else _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", quote)
        return Problem(self.path, mark.line, mark.column, message, hint=hint, quote=quote, width=max(1, mark.width))

    def within(self, mark: Mark, value: str, offset: int, width: int = 1) -> Mark:
        """The place of a character inside a text value, as far as the source shows it.

        Escapes, folding and indentation move characters about; the line is searched for as written, and where it is
        not found the whole value is meant.
        """
        start = value.rfind("\n", 0, offset) + 1
        end = value.find("\n", offset)
        part = value[start : end if end >= 0 else len(value)]
        for number in range(mark.line, max(mark.last, mark.line) + 1):
            line = self.lines[number - 1] if number <= len(self.lines) else ""
            found = line.find(part, mark.column - 1 if number == mark.line else 0)
            if part and found >= 0:
                return Mark(number, found + 1 + offset - start, width)
        return mark


def refuse(problems: list[Problem], *, todo: str = "") -> SourceError:
    """One error for all complaints about a file, in the order of the file and at most `MAX_PROBLEMS` of them."""
    ordered = sorted(problems, key=lambda p: (p.line, p.column))
    if len(ordered) > MAX_PROBLEMS:
        rest = len(ordered) - MAX_PROBLEMS
        ordered = [*ordered[:MAX_PROBLEMS], Problem(ordered[0].path, 0, 0, f"{rest} more problems are not shown")]
    return SourceError(ordered, todo=todo)


def decode(path: str, content: bytes, limit: int) -> str:
    """The text of a file that a person wrote.

    Args:
        path: As the user named it.
        content: UTF-8, with or without a byte order mark.
        limit: The most bytes allowed.

    Raises:
        SourceError: Too large, empty, or not UTF-8.
    """
    if len(content) > limit:
        raise SourceError([Problem(path, 0, 0, f"is larger than {limit // 1024:,} KiB")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = "is UTF-16" if wide else f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise SourceError([Problem(path, line, column, what, hint="save the file as UTF-8")]) from error
    if not text.strip():
        raise SourceError([Problem(path, 0, 0, "is empty")])
    return text


def characters(source: Text, text: str, *, tabs: bool) -> Iterator[Problem]:
    """A complaint for each line that holds an invisible character.

    Args:
        source: The text in lines.
        text: The same as a whole; looked through first, because nearly every file is clean.
        tabs: Whether tabs are allowed.
    """
    if _FORBIDDEN.search(text.replace("\t", "") if tabs else text) is None:
        return
    for number, line in enumerate(source.lines, 1):
        for found in _FORBIDDEN.finditer(line):
            mark, char = Mark(number, found.start() + 1), found.group()
            if char != "\t":
                yield source.problem(mark, f"the invisible character U+{ord(char):04X}", "remove it")
            elif not tabs:
                yield source.problem(mark, "a tab; YAML is indented with spaces", "write spaces")
            else:
                continue
            break


def shown(value: object, limit: int = 60) -> str:
    """A value in a message: in quotes, on one line, and not longer than a person reads."""
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return repr(text) if isinstance(value, str) else text


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ""."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    if word.casefold() in folded:
        return folded[word.casefold()]
    from difflib import get_close_matches

    # Comparing is quadratic in the length; nobody mistypes a word of a hundred letters.
    found = get_close_matches(word[:100], names, 1, 0.6)
    return found[0] if found else ""
