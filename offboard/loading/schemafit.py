"""Whether a value fits a JSON Schema: yes, or ask the library.

Why: the library takes 0.1 s to load, a third of what `validate` may take, and nearly every file is right. This knows the
keywords of our own schemas; whatever it does not know, or where JSON and Python differ, it does not decide. It says
"fits" only when the library would say so too, which the tests hold it to; explaining is left to the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from offboard.model import JSON

_TYPES: Mapping[str, type] = {"string": str, "object": dict, "array": list, "boolean": bool, "integer": int}
_WORDS = frozenset({"$schema", "$id", "title", "description", "default", "examples", "then", "else"})
"""Keywords that check nothing by themselves."""


class _Undecided(Exception):
    """A keyword or a value that this does not know."""


def fits(schema: Mapping[str, JSON], value: JSON) -> bool:
    """Whether the value certainly fits the schema; False means that it does not, or that the library must say.

    Args:
        schema: Of JSON Schema 2020-12.
        value: Of JSON's types.
    """
    try:
        return _fits(schema, value)
    except _Undecided:
        return False


def _fits(schema: Mapping[str, Any], value: JSON) -> bool:
    for keyword, argument in schema.items():
        if keyword in _WORDS:
            continue
        rule = _RULES.get(keyword)
        if rule is None:
            raise _Undecided(keyword)
        if not rule(argument, value, schema):
            return False
    return True


def _type(name: Any, value: JSON, _: Mapping[str, Any]) -> bool:
    # A float may be an integer to JSON, and true is one to Python.
    if name not in _TYPES or isinstance(value, float):
        raise _Undecided(name)
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _enum(allowed: Any, value: JSON, _: Mapping[str, Any]) -> bool:
    if not all(isinstance(each, str) for each in allowed):
        raise _Undecided("enum")
    return isinstance(value, str) and value in allowed


def _additional(schema: Any, value: JSON, whole: Mapping[str, Any]) -> bool:
    if not isinstance(value, dict):
        return True
    others = [each for name, each in value.items() if name not in whole.get("properties", {})]
    return not others if schema is False else all(_fits(schema, each) for each in others)


def _properties(schemas: Any, value: JSON, _: Mapping[str, Any]) -> bool:
    return not isinstance(value, dict) or all(
        _fits(schema, value[name]) for name, schema in schemas.items() if name in value
    )


def _unique(wanted: Any, value: JSON, _: Mapping[str, Any]) -> bool:
    if wanted is not True or (isinstance(value, list) and not all(isinstance(each, str) for each in value)):
        raise _Undecided("uniqueItems")
    return not isinstance(value, list) or len(set(value)) == len(value)


def _condition(schema: Any, value: JSON, whole: Mapping[str, Any]) -> bool:
    return _fits(whole.get("then" if _fits(schema, value) else "else", {}), value)


Rule = Callable[[Any, JSON, Mapping[str, Any]], bool]
"""What a keyword asks: its argument, the value, and the schema it stands in."""


def _sized(kind: type[str | list[JSON] | dict[str, JSON]], compare: Callable[[int, int], bool]) -> Rule:
    return lambda limit, value, _: not isinstance(value, kind) or compare(len(value), limit)


def _valued(compare: Callable[[float, float], bool]) -> Rule:
    return lambda limit, value, _: isinstance(value, bool) or not isinstance(value, int | float) or compare(value, limit)


def _at_least(found: float, limit: float) -> bool:
    return found >= limit


def _at_most(found: float, limit: float) -> bool:
    return found <= limit


_RULES: Mapping[str, Rule] = {
    "type": _type,
    "enum": _enum,
    "const": lambda wanted, value, whole: _enum([wanted], value, whole),
    "properties": _properties,
    "additionalProperties": _additional,
    "required": lambda names, value, _: not isinstance(value, dict) or all(name in value for name in names),
    "propertyNames": lambda schema, value, _: not isinstance(value, dict) or all(_fits(schema, name) for name in value),
    "items": lambda schema, value, _: not isinstance(value, list) or all(_fits(schema, each) for each in value),
    "uniqueItems": _unique,
    "pattern": lambda pattern, value, _: not isinstance(value, str) or re.search(pattern, value) is not None,
    "if": _condition,
    "allOf": lambda schemas, value, _: all(_fits(schema, value) for schema in schemas),
    "not": lambda schema, value, _: not _fits(schema, value),
    "minLength": _sized(str, _at_least),
    "maxLength": _sized(str, _at_most),
    "minItems": _sized(list, _at_least),
    "maxItems": _sized(list, _at_most),
    "minProperties": _sized(dict, _at_least),
    "maxProperties": _sized(dict, _at_most),
    "minimum": _valued(_at_least),
    "maximum": _valued(_at_most),
}
