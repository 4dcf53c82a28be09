"""Strict YAML: bytes in, a tree with places out.

Why our own reader on top of PyYAML's events: the loader keeps the last of two equal keys, turns `no` into false, `1:30`
into 90 and `010` into 8, expands merge keys exponentially, and its composer crashes the process on deep nesting. Events
are flat, so limits are checked before anything is built, and every node knows its line and column.

What is left is JSON with comments: mappings, lists, text, numbers, true, false and null. Each thing YAML would guess is
refused with what to write instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from offboard.errors import Problem, SourceError
from offboard.loading.source import Fields, Items, Mark, Node, Scalar, Text, characters, decode, refuse, shown
from offboard.loading.yamlscalar import Trap, typed

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 5_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: ten times faster, and its parser is flat, so depth cannot crash it."""

_QUOTED = "while scanning a quoted scalar"
_PLAINLY = {
    "mapping values are not allowed": (
        "a colon that begins a value does not fit here",
        "check the indentation, or put the text in quotes",
    ),
    "did not find expected key": ("a key was expected here", "check the indentation and the quotes"),
    "did not find expected '-'": ("the next '- ' of the list was expected here", "check the indentation"),
    "could not find expected ':'": ("a key without a colon", "write a colon and a space after the key"),
    "cannot start any token": ("a text cannot begin with this character", "put it in quotes"),
    "did not find expected ',' or ']'": ("a list in [ ] is not closed, or lacks a comma", "write a comma or ]"),
    "did not find expected ',' or '}'": ("a mapping in { } is not closed, or lacks a comma", "write a comma or }"),
    "block sequence entries are not": ("a list cannot begin here", "put the '- ' on a line of its own"),
    "never closed": ("a quote that is opened here is never closed", "close the quote"),
    "unknown escape": ("an unknown escape in double quotes", "write \\\\ for a backslash"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is strict YAML."""

    text: Text
    root: Node


class _TooMuch(Exception):
    """A limit was passed; the complaint is written already."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    mark: Mark
    mapping: bool
    nodes: list[Node] = field(default_factory=list)


def read(path: str, content: bytes) -> Source:
    """A tree from the bytes of a file.

    Args:
        path: As the user named it, for messages.
        content: The file's bytes.

    Raises:
        SourceError: It is not strict YAML, or too large, too deep, or of too many parts. All problems that can be told
            apart are named at once.
    """
    text = decode(path, content, MAX_BYTES)
    source = Text.of(path, text)
    problems = list(characters(source, text, tabs=False))
    if problems:
        raise refuse(problems)
    root = _Builder(source, problems).run(text)
    if problems:
        raise refuse(problems)
    if root is None or (isinstance(root, Scalar) and root.value is None):
        raise SourceError([Problem(path, 0, 0, "is empty: it holds nothing but comments")])
    return Source(source, root)


class _Builder:
    """Takes events one by one; complains instead of guessing."""

    def __init__(self, source: Text, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.nodes = 0
        self.documents = 0

    def run(self, text: str) -> Node | None:
        """The root, or what there is of it when there were problems."""
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                self._event(event)
        except _TooMuch:
            pass
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except Exception as error:
            # Whatever breaks inside the YAML library, the file is what broke it, and a person can mend it.
            self.problems.append(Problem(self.source.path, 0, 0, f"cannot be read as YAML: {shown(str(error), 200)}"))
        return self.root

    def _complain(self, mark: Mark, message: str, hint: str = "") -> None:
        self.problems.append(self.source.problem(mark, message, hint))

    def _stop(self, mark: Mark, message: str, hint: str = "") -> None:
        self._complain(mark, message, hint)
        raise _TooMuch

    def _event(self, event: Any) -> None:
        mark = _mark(event)
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event, mark)
        elif isinstance(event, yaml.AliasEvent):
            self._complain(
                mark, f"the alias *{(event.anchor or '')[:40]}", "write the value itself; aliases are not allowed"
            )
            self._add(Scalar(mark, ""))
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_marks(event, mark)
            self._count(mark)
            self._add(self._scalar(event, mark))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._refuse_marks(event, mark)
            self._count(mark)
            if len(self.stack) >= MAX_DEPTH:
                self._stop(mark, f"nested more than {MAX_DEPTH} deep")
            self.stack.append(_Open(mark, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._add(self._close(self.stack.pop()))

    def _document(self, event: Any, mark: Mark) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(mark, "a second document begins here", "one file holds one document; remove the '---' line")
        if event.version or event.tags:
            self._complain(Mark(1, 1), "a % directive", "remove the line; directives are not allowed")

    def _refuse_marks(self, event: Any, mark: Mark) -> None:
        if event.anchor:
            self._complain(mark, f"the anchor &{event.anchor[:40]}", "remove it; anchors and aliases are not allowed")
        if event.tag:
            tag = shown(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._complain(mark, f"the tag {tag}", "remove it; put text in quotes to make it text")

    def _count(self, mark: Mark) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._stop(mark, f"more than {MAX_NODES:,} keys and values")

    def _scalar(self, event: Any, mark: Mark) -> Scalar:
        if event.style:
            return Scalar(mark, event.value)
        if event.value == "<<" and self._expects_key():
            self._complain(mark, "a merge key", "write the keys themselves; merge keys are not allowed")
            return Scalar(mark, event.value)
        value = typed(event.value)
        if isinstance(value, Trap):
            self._complain(mark, value.message, value.hint)
            return Scalar(mark, event.value)
        return Scalar(mark, value)

    def _expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].mapping and len(self.stack[-1].nodes) % 2 == 0

    def _add(self, node: Node) -> None:
        if self.stack:
            self.stack[-1].nodes.append(node)
        else:
            self.root = node

    def _close(self, node: _Open) -> Node:
        if not node.mapping:
            return Items(node.mark, tuple(node.nodes))
        pairs: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(node.nodes[::2], node.nodes[1::2], strict=True):
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                self._complain(key.mark, "a key must be text", "put it in quotes")
            elif key.value in pairs:
                first = pairs[key.value][0].mark.line
                self._complain(
                    key.mark, f"the key {shown(key.value)} stands here again", f"first in line {first}; keep one of them"
                )
            else:
                pairs[key.value] = (key, value)
        return Fields(node.mark, tuple(pairs.values()))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark, problem = error.problem_mark, error.problem or "cannot be read"
        if error.context == _QUOTED and "end of stream" in problem:
            mark, problem = error.context_mark, "never closed"
        elif "flow sequence" in (error.context or "") or "flow mapping" in (error.context or ""):
            # What is missing is best seen where it was opened.
            mark = error.context_mark or mark
        message, hint = next(
            (plainly for words, plainly in _PLAINLY.items() if words in problem), (f"this is not YAML: {problem}", "")
        )
        place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(0, 0)
        if place.line >= len(self.source.lines) and "node content" in problem and self.stack:
            place, message = self.stack[-1].mark, "what is opened here is never closed"
        # libyaml names the line after the last one when the file ends too early.
        if place.line > len(self.source.lines):
            place = Mark(len(self.source.lines), 1)
        self._complain(place, message, hint)


def _mark(event: Any) -> Mark:
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 1
    last = end.line + (1 if end.column or end.line == start.line else 0)
    return Mark(start.line + 1, start.column + 1, max(1, width), max(last, start.line + 1))
