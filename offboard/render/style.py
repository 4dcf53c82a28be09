"""Emphasis on a terminal. Colors carry nothing that words do not: without them the text is the same."""

from __future__ import annotations

from dataclasses import dataclass

_SPELLED = {"→": "->", "…": "...", "✓": "+", "✗": "x", "·": "-", "’": "'"}


@dataclass(frozen=True, slots=True)
class Style:
    """ANSI emphasis, or none.

    Args:
        color: Whether to emit escape sequences; `NO_COLOR` and the kind of terminal are the caller's business.
    """

    color: bool = False

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text

    def strong(self, text: str) -> str:
        """Names and headings."""
        return self._with("1", text)

    def dim(self, text: str) -> str:
        """Details that can be skipped at first."""
        return self._with("2", text)

    def good(self, text: str) -> str:
        """Done."""
        return self._with("32", text)

    def bad(self, text: str) -> str:
        """Failed, refused, cannot be undone."""
        return self._with("31", text)

    def warn(self, text: str) -> str:
        """Somebody has to look."""
        return self._with("33", text)


def for_encoding(text: str, encoding: str) -> str:
    """The text in characters that an output can take: `->` for an arrow, `<U+…>` for what has no spelling.

    Args:
        text: As rendered.
        encoding: Name of the output's encoding, such as `sys.stdout.encoding`.
    """
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join(_encodable(char, encoding) for char in text)
    return text


def _encodable(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _SPELLED.get(char, f"<U+{ord(char):04X}>")
    except LookupError:
        return char if char.isascii() else _SPELLED.get(char, f"<U+{ord(char):04X}>")
    return char
