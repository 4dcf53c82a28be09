"""What an unquoted word means: text, or exactly JSON's numbers and words.

Everything that YAML 1.1 or 1.2 readers would take for something else than text is refused, because two readers disagree
about it: `no`, `1:30`, `010`, `2026-11-23`, `1e3`, `~`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_BOOL = frozenset({"yes", "no", "on", "off", "y", "n"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NUMBERLIKE = re.compile(
    r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[oO][0-7_]+|[-+]?0[bB][01_]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_MAX_DIGITS = 15
"""More digits than a double holds; such a number is an identifier and belongs in quotes."""


@dataclass(frozen=True, slots=True)
class Trap:
    """An unquoted word that would be guessed at."""

    message: str
    hint: str


def typed(value: str) -> str | int | float | bool | Trap | None:
    """The value of an unquoted word, or why it must be written otherwise."""
    if value in _WORDS:
        return _WORDS[value]
    found = _NUMBER.fullmatch(value)
    if found and sum(map(str.isdigit, value)) <= _MAX_DIGITS:
        return float(value) if found.group(1) else int(value)
    return _trap(value) or value


def _trap(value: str) -> Trap | None:
    shown = value if len(value) <= 40 else value[:40] + "…"
    lower = value.lower()
    if lower in _BOOL:
        instead = "true" if lower in ("yes", "on", "y") else "false"
        return Trap(f"unquoted {shown} is text to some readers and {instead} to others", _or(instead, value))
    if lower in ("true", "false", "null"):
        return Trap(f"{shown} is not written like this", _or(lower, value))
    if value == "~":
        return Trap("~ stands for nothing in some readers", _or("null", value))
    if value in ("<<", "="):
        return Trap(f"{shown} has a special meaning in some readers", _quote(value))
    if _DATE.fullmatch(value):
        return Trap(f"unquoted {shown} is a date to some readers", _quote(shown))
    if _SEXAGESIMAL.fullmatch(value):
        return Trap(f"unquoted {shown} is a number to base 60 to some readers", _quote(shown))
    if _NUMBERLIKE.fullmatch(value):
        return Trap(
            f"unquoted {shown} is a number that readers disagree about",
            f"{_quote(shown)}, or write a plain decimal number of at most {_MAX_DIGITS} digits",
        )
    return None


def _quote(value: str) -> str:
    return f'write "{value}" in quotes'


def _or(instead: str, value: str) -> str:
    return f'write {instead}, or "{value}" in quotes'
