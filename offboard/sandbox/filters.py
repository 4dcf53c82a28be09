"""OData `$filter`: text → tree. Only the grammar; what a tree means is decided next door in `matching`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .problems import GraphError, bad_request, bad_uri

Literal = str | bool | int | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    | (?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)
    | (?P<number>-?\d+)
    | (?P<word>[A-Za-z_@][\w.]*(?:/[$A-Za-z_][\w.]*)*)
    | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_COMPARE = ("eq", "ne", "gt", "ge", "lt", "le")
_FUNCTIONS = ("startswith", "endswith", "contains")
_DEPTH = 40


@dataclass(frozen=True)
class Value:
    """A literal with the kind it was written as: string, guid, date, number, boolean or null."""

    kind: str
    value: Literal


@dataclass(frozen=True)
class Compare:
    """`path op value`."""

    path: str
    op: str
    value: Value


@dataclass(frozen=True)
class In:
    """`path in (a, b)`."""

    path: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Call:
    """`startsWith(path, value)` and its kin; the name is lower-cased."""

    name: str
    path: str
    value: Value


@dataclass(frozen=True)
class AnyOf:
    """`path/any(v: condition)`, or `path/any()`."""

    path: str
    variable: str
    condition: Node | None


@dataclass(frozen=True)
class Not:
    """`not condition`."""

    condition: Node


@dataclass(frozen=True)
class Both:
    """`a and b`, or `a or b`."""

    op: str
    parts: tuple[Node, ...]


Node = Compare | In | Call | AnyOf | Not | Both


def _syntax(text: str, position: int) -> GraphError:
    return bad_uri(f"Invalid filter clause: Syntax error at position {position} in '{text}'.")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _syntax(text, position)
        found.append((match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        position = match.end()
    return found


def _limit(clauses: int) -> None:
    # Graph's own ceiling, for `in` lists as for chains of `or`.
    if clauses > 15:
        raise bad_request(
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{clauses}. Max allowed: 15."
        )


def parse_filter(text: str) -> Node:
    """Read a filter; anything but OData is Graph's 400."""
    parser = _Parser(text)
    node = parser.either()
    parser.finish()
    return node


class _Parser:
    """Recursive descent over the tokens; `or` binds weaker than `and`, `and` weaker than `not`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        index = self.at + ahead
        return self.tokens[index][:2] if index < len(self.tokens) else ("end", "")

    def fail(self) -> GraphError:
        at_end = self.at >= len(self.tokens)
        return _syntax(self.text, len(self.text) if at_end else self.tokens[self.at][2])

    def take(self, kind: str, text: str | None = None) -> str:
        found, value = self.peek()
        if found != kind or (text is not None and value != text):
            raise self.fail()
        self.at += 1
        return value

    def word_is(self, *words: str) -> bool:
        kind, value = self.peek()
        return kind == "word" and value.lower() in words

    def finish(self) -> None:
        if self.peek()[0] != "end":
            raise self.fail()

    def either(self) -> Node:
        return self.chain("or")

    def all_of(self) -> Node:
        return self.chain("and")

    def chain(self, op: str) -> Node:
        read = self.all_of if op == "or" else self.single
        parts = [read()]
        while self.word_is(op):
            self.at += 1
            parts.append(read())
        if op == "or":
            _limit(len(parts))
        return parts[0] if len(parts) == 1 else Both(op, tuple(parts))

    def single(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise bad_uri("The recursion limit has been exceeded in the filter clause.")
        try:
            return self.unwrapped()
        finally:
            self.depth -= 1

    def unwrapped(self) -> Node:
        if self.word_is("not"):
            self.at += 1
            return Not(self.single())
        if self.peek() == ("mark", "("):
            self.at += 1
            node = self.either()
            self.take("mark", ")")
            return node
        return self.term()

    def term(self) -> Node:
        path = self.take("word")
        if self.peek() == ("mark", "("):
            return self.lambda_(path) if path.lower().endswith("/any") else self.function(path)
        op = self.take("word").lower()
        if op == "in":
            return In(path, self.values())
        if op not in _COMPARE:
            self.at -= 1
            raise self.fail()
        return Compare(path, op, self.value())

    def function(self, name: str) -> Node:
        if name.lower() not in _FUNCTIONS:
            raise bad_uri(f"Invalid filter clause: An unknown function with name '{name}' was found.")
        self.take("mark", "(")
        path = self.take("word")
        self.take("mark", ",")
        value = self.value()
        self.take("mark", ")")
        if self.word_is("eq") and self.peek(1) in (("word", "true"), ("word", "false")):
            return self.compared(Call(name.lower(), path, value))
        return Call(name.lower(), path, value)

    def compared(self, call: Call) -> Node:
        """Some clients write `startswith(a,'b') eq true`."""
        wanted = self.peek(1)[1] == "true"
        self.at += 2
        return call if wanted else Not(call)

    def lambda_(self, path: str) -> Node:
        self.take("mark", "(")
        collection = path.rsplit("/", 1)[0]
        if self.peek() == ("mark", ")"):
            self.at += 1
            return AnyOf(collection, "", None)
        variable = self.take("word")
        self.take("mark", ":")
        condition = self.either()
        self.take("mark", ")")
        return AnyOf(collection, variable, condition)

    def values(self) -> tuple[Value, ...]:
        self.take("mark", "(")
        found = [self.value()]
        while self.peek() == ("mark", ","):
            self.at += 1
            found.append(self.value())
        self.take("mark", ")")
        _limit(len(found))
        return tuple(found)

    def value(self) -> Value:
        kind, text = self.peek()
        self.at += 1
        if kind == "string":
            return Value("string", text[1:-1].replace("''", "'"))
        if kind in ("guid", "date"):
            return Value(kind, text)
        if kind == "number":
            return Value("number", int(text))
        if kind == "word" and text.lower() in ("true", "false"):
            return Value("boolean", text.lower() == "true")
        if (kind, text) == ("word", "null"):
            return Value("null", None)
        self.at -= 1
        raise self.fail()
