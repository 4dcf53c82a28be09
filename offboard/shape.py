"""Whether a JSON value is shaped as it must be: the check that stands between a file and the classes made from it.

JSON Schema would say the same and more, in fifty times the time; a plan of ten thousand leavers has a million values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from offboard.model import JSON


@dataclass(frozen=True, slots=True)
class Maybe:
    """Null, or this."""

    inner: Any


@dataclass(frozen=True, slots=True)
class Known:
    """An object of which these keys, where they are there, have these shapes; others may stand beside them.

    Args:
        keys: Their shapes.
        all: Whether none of them may be missing.
    """

    keys: dict[str, Any]
    all: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """In an object of exactly these keys: one that may be left out."""

    inner: Any


ANY = object
_NAMES: dict[Any, str] = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object"}


def misfit(value: JSON, shape: Any, where: str = "") -> str:
    """Where and why the value is not of the shape, as `leavers.0.leaver.id is no text`; empty when it is.

    Args:
        value: As read from JSON.
        shape: `str`, `int`, `bool`, `dict` or `ANY`; a pattern for a text; `[shape]` for a list; a dictionary for an object of
            exactly these keys; `Maybe`, `Known` or `Left`.
        where: The value's own place.
    """
    if shape is ANY or (isinstance(shape, type) and type(value) is shape):
        return ""
    if isinstance(shape, dict):
        return _closed(value, shape, where)
    if isinstance(shape, list):
        if type(value) is not list:
            return f"{where or 'it'} is no list"
        return _first(misfit(each, shape[0], f"{where}.{number}") for number, each in enumerate(value))
    if isinstance(shape, Left):
        return misfit(value, shape.inner, where)
    if isinstance(shape, Maybe):
        return "" if value is None else misfit(value, shape.inner, where)
    if isinstance(shape, Known):
        if type(value) is not dict:
            return f"{where or 'it'} is no object"
        known = shape.keys
        if shape.all and (missing := sorted(known.keys() - value.keys())):
            return f"{where or 'it'} has no {missing[0]}"
        return _first(misfit(each, known[key], f"{where}.{key}") for key, each in value.items() if key in known)
    if isinstance(shape, re.Pattern):
        fits = type(value) is str and shape.fullmatch(value) is not None
        return "" if fits else f"{where or 'it'} is not what must stand there"
    return f"{where or 'it'} is not {_NAMES.get(shape, 'what must stand there')}"


def _closed(value: JSON, shape: dict[str, Any], where: str) -> str:
    if type(value) is not dict:
        return f"{where or 'it'} is no object"
    if value.keys() != shape.keys():
        missing = sorted(key for key in shape.keys() - value.keys() if not isinstance(shape[key], Left))
        more = sorted(value.keys() - shape.keys())
        if missing or more:
            wrong = f"has no {missing[0]}" if missing else f"has an unknown key {more[0][:40]!r}"
            return f"{where or 'it'} {wrong}"
    return _first(misfit(value[key], inner, f"{where}.{key}") for key, inner in shape.items() if key in value)


def _first(wrongs: Any) -> str:
    return next((wrong.removeprefix(".") for wrong in wrongs if wrong), "")
