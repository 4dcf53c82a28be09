"""PyYAML's events, built into a tree under limits; imported by `yamlsource.read` only.

The events come from libyaml where the installed PyYAML has it; its parser is flat, so depth cannot crash it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from offboard.errors import Problem
from offboard.yamlsource import MAX_DEPTH, MAX_NODES, Fields, Items, Mark, Node, Scalar, Text, scalar

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS = {
    "mapping values are not allowed in this context": (
        "a colon that begins a value does not fit here",
        "check the indentation, or put the text in quotes",
    ),
    "did not find expected key": ("this fits nowhere: a key was expected", "check the indentation and the quotes"),
    "did not find expected '-' indicator": (
        "this fits nowhere: the next '- ' of the list was expected",
        "check the indentation",
    ),
    "could not find expected ':'": ("a key without a colon", "write a colon and a space after the key"),
    "found character that cannot start any token": ("a text cannot begin with this character", "put it in quotes"),
    "found unexpected end of stream": ("a quote that is opened here is never closed", "close the quote"),
    "did not find expected ',' or ']'": ("a list in [ ] that is not closed, or a missing comma", "write a comma or ]"),
    "did not find expected ',' or '}'": ("a mapping in { } that is not closed, or a missing comma", "write a comma or }"),
    "block sequence entries are not allowed in this context": (
        "a list cannot begin here",
        "put the '- ' on a line of its own",
    ),
    "found unknown escape character": ("an unknown escape in double quotes", "write \\\\ for a backslash"),
}


class _TooMuch(Exception):
    """A limit was passed; the complaint is already written."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    mark: Mark
    mapping: bool
    nodes: list[Node] = field(default_factory=list)

    def close(self, source: Text, problems: list[Problem]) -> Node:
        if not self.mapping:
            return Items(self.mark, tuple(self.nodes))
        pairs, seen = [], dict[str, int]()
        for key, value in zip(self.nodes[::2], self.nodes[1::2], strict=True):
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                shown = "this" if not isinstance(key, Scalar) else repr(key.value)
                problems.append(source.problem(key.mark, f"a key must be text; {shown} is not", "put it in quotes"))
                continue
            first = seen.setdefault(key.value, key.mark.line)
            if first == key.mark.line and key.value not in {str(k.value) for k, _ in pairs[-1:]} and len(seen) > len(pairs):
                pairs.append((key, value))
            else:
                problems.append(_duplicate(source, key, first))
        return Fields(self.mark, tuple(pairs))
