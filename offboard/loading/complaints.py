"""What a schema validator found, in a person's words and at its place in the file.

The validator knows paths and keywords; the author of a playbook knows lines and what she meant. Each keyword that the
playbook's schema uses has one sentence here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from offboard.actions import ACTIONS
from offboard.actions.base import Action
from offboard.errors import Problem
from offboard.loading.grammar import playbook_schema, with_schema
from offboard.loading.schemafit import fits
from offboard.loading.source import Fields, Items, Mark, Node, Scalar, data, near, shown
from offboard.loading.yamlsource import Source
from offboard.model import JSON

MAX_COMPLAINTS = 200
"""Looking for the near word takes time; a file with more is no playbook."""

_TYPES = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
_PATTERNS = {
    "due": ("is no due time", "write T, T+30d, T-7d, T+12h, T+90m (minutes) or T+2w"),
    "accept": ("is no code of an open item", "codes look like license-by-group; a plan names them"),
    "parameters": ("cannot be a parameter's name", "use letters, digits and _, beginning with a letter"),
}
_NAME = ("cannot be a name", "use up to 64 letters, digits, dots, dashes and _")


@dataclass(frozen=True, slots=True)
class _Case:
    """One finding of the validator.

    Args:
        error: As the validator gives it.
        owner: Whose keys are concerned: an action, or `a step`, `a playbook` …
    """

    error: Any
    owner: str

    @property
    def value(self) -> JSON:
        """What was found."""
        return self.error.instance

    @property
    def known(self) -> list[str]:
        """Keys that may stand there."""
        return list(self.error.schema.get("properties", ()))


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence, a hint, and the key it is about when it is not the value as a whole."""

    message: str
    hint: str = ""
    key: str | None = None


def complaints(source: Source) -> Iterator[Problem]:
    """Everything in which the file differs from the playbook schema.

    Args:
        source: The file's tree.
    """
    document = data(source.root)
    if fits(playbook_schema(), document):
        return
    found = _validator().iter_errors(document)
    yield from islice((problem for error in found for problem in _explain(source, error, document)), MAX_COMPLAINTS)


@functools.cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(playbook_schema())


def mismatches(action: Action, parameters: Mapping[str, JSON]) -> list[str]:
    """In which parameters differ from what the action takes, as sentences without places."""
    schema = with_schema(action)
    if fits(schema, dict(parameters)):
        return []
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema).iter_errors(dict(parameters))
    return [said.message for error in errors for said in _say(_Case(error, action.name))]


def _explain(source: Source, error: Any, document: JSON) -> Iterator[Problem]:
    path = list(error.absolute_path)
    node, mark = _locate(source.root, path)
    for said in _say(_Case(error, _owner(path, document))):
        key = node.key(said.key) if said.key is not None and isinstance(node, Fields) else None
        yield source.text.problem(key.mark if key else mark, said.message, said.hint)


def _owner(path: list[str | int], document: JSON) -> str:
    if len(path) == 3 and path[0] == "steps" and path[2] == "with":
        return str(document["steps"][path[1]].get("action"))
    return _name(path)


def _locate(root: Node, path: Sequence[str | int]) -> tuple[Node, Mark]:
    """The node at a path, and where to point; a value that is not written is pointed at by its key."""
    node, mark = root, root.mark
    for part in path:
        if isinstance(node, Items) and isinstance(part, int):
            node = node.items[part]
            mark = node.mark
        elif isinstance(node, Fields) and isinstance(part, str):
            key, value = node.key(part), node.get(part)
            assert key is not None
            assert value is not None
            node, mark = value, value.mark
            if isinstance(value, Scalar) and value.value is None:
                mark = key.mark
    if isinstance(node, Fields) and node.entries:
        mark = node.entries[0][0].mark
    return node, mark


def _say(case: _Case) -> Iterator[_Said]:
    speak = _SPEAKERS.get(case.error.validator)
    if speak is None:
        yield _Said(f"{_called(case)}: {shown(case.error.message, 200)}")
    else:
        yield from speak(case)


def _called(case: _Case) -> str:
    return _name(list(case.error.absolute_path))


def _name(path: list[str | int]) -> str:
    """What a value is called: its key, or `a step`."""
    if not path:
        return "a playbook"
    if len(path) == 2 and path[0] in ("steps", "parameters"):
        return "a step" if path[0] == "steps" else f"parameter {path[1]}"
    words = [part for part in path if isinstance(part, str)]
    return words[-1] if path[-1] == words[-1] else f"an entry of {words[-1]}"


def _unknown_key(case: _Case) -> Iterator[_Said]:
    of_action = case.owner in ACTIONS
    for name in case.value:
        if name not in case.known:
            kind, word = ("parameter", "of") if of_action else ("key", "in")
            yield _Said(f"unknown {kind} {shown(name)} {word} {case.owner}", _key_hint(name, case), name)


def _key_hint(name: str, case: _Case) -> str:
    if case.owner == "a step":
        if name in ACTIONS:
            return f"write 'action: {name}'"
        action = ACTIONS.get(str(case.value.get("action")))
        if action is not None and name in action.parameters:
            return f"write it under 'with': with: {{{name}: …}}"
    word = near(name, case.known)
    if word:
        return f"did you mean '{word}'?"
    if not case.known:
        return f"{case.owner} has no parameters"
    return f"known are {', '.join(case.known)}"


def _missing(case: _Case) -> Iterator[_Said]:
    others = [name for name in case.value if name not in case.known]
    for name in case.error.validator_value:
        # A mistyped or misplaced key is complained about already, with the right word.
        if name not in case.value and not any(_meant(other, name, case.known) for other in others):
            yield _Said(f"{_called(case)} without '{name}'")


def _meant(other: str, name: str, known: list[str]) -> bool:
    return near(other, known) == name or (name == "action" and other in ACTIONS)


def _wrong_type(case: _Case) -> Iterator[_Said]:
    wanted, value = case.error.validator_value, case.value
    words = _TYPES[wanted]
    if _called(case) == "a step":
        words = "an action's name, or a mapping with 'action:'"
    hint = "write it in quotes" if wanted == "string" and isinstance(value, bool | int | float) else ""
    yield _Said(f"{_called(case)}: expected {words}, found {_found(value)}", hint)


def _found(value: JSON) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return "a list" if isinstance(value, list) else "a mapping"


def _not_listed(case: _Case) -> Iterator[_Said]:
    value, allowed = case.value, [str(x) for x in case.error.validator_value]
    name = _called(case)
    if not isinstance(value, str):
        yield _Said(f"{name}: expected one of {', '.join(allowed)}, found {_found(value)}")
        return
    word = near(value, allowed)
    hint = f"did you mean '{word}'?" if word else f"expected one of {', '.join(allowed)}"
    action = name in ("action", "a step")
    yield _Said(f"unknown action {shown(value)}" if action else f"{name}: {shown(value)} is not allowed", hint)


def _no_match(case: _Case) -> Iterator[_Said]:
    words = [x for x in case.error.absolute_path if isinstance(x, str)]
    what, hint = _PATTERNS.get(words[-1] if words else "", _NAME)
    # The name of a key has no path of its own: its mapping is meant, and the key is what was found.
    yield _Said(f"{shown(case.value)} {what}", hint, case.value)


def _reserved(case: _Case) -> Iterator[_Said]:
    hint = "it is a column of the leavers file with a meaning of its own"
    yield _Said(f"{shown(case.value)} cannot be a parameter's name", hint, case.value)


def _size(words: str) -> Callable[[_Case], Iterator[_Said]]:
    def speak(case: _Case) -> Iterator[_Said]:
        if case.value in ("", [], {}):
            hint = f"give one of {', '.join(case.known)}" if case.known else ""
            yield _Said(f"{_called(case)} is empty", hint)
        else:
            yield _Said(f"{_called(case)}: {words.format(limit=f'{case.error.validator_value:,}')}")

    return speak


def _twice(case: _Case) -> Iterator[_Said]:
    yield _Said(f"{_called(case)}: an entry stands there twice", "remove one")


_SPEAKERS: dict[str, Callable[[_Case], Iterator[_Said]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_listed,
    "pattern": _no_match,
    "not": _reserved,
    "uniqueItems": _twice,
    "minLength": _size("at least {limit} characters are needed"),
    "maxLength": _size("at most {limit} characters are allowed"),
    "minItems": _size("at least {limit} entries are needed"),
    "maxItems": _size("at most {limit} entries are allowed"),
    "minProperties": _size("at least {limit} entry is needed"),
    "maxProperties": _size("only {limit} of its keys may be given"),
    "minimum": _size("must not be less than {limit}"),
    "maximum": _size("must not be more than {limit}"),
}
