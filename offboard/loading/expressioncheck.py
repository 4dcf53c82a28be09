"""What can be told of a `when:` condition from its words alone, before the CEL library is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from offboard.errors import UsageError
from offboard.facts import Account
from offboard.loading.source import near

MAX_LENGTH = 500
MAX_NESTING = 20
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
SAMPLE = Account(
    id="00000000-0000-0000-0000-000000000000",
    user_principal_name="someone@contoso.com",
    display_name="Someone",
    account_enabled=True,
    created=datetime(2020, 1, 1, tzinfo=UTC),
    mail="someone@contoso.com",
    given_name="Some",
    surname="One",
    department="Sales",
    job_title="Seller",
    employee_id="1",
).graph()
"""A leaver with a value in each field, so that a condition of the wrong type is found before there is a leaver."""

_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))"""
    r"|(?P<comment>//[^\n]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9][0-9.]*[uU]?)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[^\s])"
)


class ExpressionError(UsageError):
    """A condition cannot be used, or not be decided for this leaver.

    Args:
        what: What is wrong.
        offset: 0-based place in the condition, in characters.
        width: Characters concerned.
        todo: What to write instead.
    """

    def __init__(self, what: str, *, offset: int = 0, width: int = 1, todo: str = "") -> None:
        super().__init__(what, todo=todo)
        self.offset = offset
        self.width = width


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a condition: `text` (in quotes), `name`, `number` or `sign`, and its 0-based offset."""

    kind: str
    text: str
    offset: int


def tokens(text: str) -> list[Token]:
    """The condition in words; comments are left out, text in quotes is one word."""
    found = (Token(str(m.lastgroup), m.group(), m.start()) for m in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "comment"]


def check(text: str) -> list[tuple[str, int]]:
    """Refuse what the words alone give away.

    Returns:
        The parameters used, each with its 0-based offset.

    Raises:
        ExpressionError: Empty, too long, too deep, unknown fields, or the habits of other languages.
    """
    if not text.strip():
        raise ExpressionError("the condition is empty", todo="leave out `when:` to carry the step out always")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the condition has {len(text)} characters; {MAX_LENGTH} are allowed")
    words = tokens(text)
    _check_nesting(words)
    _check_habits(words)
    return list(_check_fields(words))


def _check_nesting(words: list[Token]) -> None:
    depth, macros = 0, 0
    for before, token in zip([None, *words], words, strict=False):
        if token.kind == "sign" and token.text in "([{":
            depth += 1
        elif token.kind == "sign" and token.text in ")]}":
            depth -= 1
        elif token.text in MACROS and before is not None and before.text == ".":
            macros += 1
        if depth > MAX_NESTING:
            raise ExpressionError(f"brackets are nested more than {MAX_NESTING} deep", offset=token.offset)
        if macros > 1:
            raise ExpressionError(
                f"a second list macro .{token.text}(); one is allowed", offset=token.offset, width=len(token.text)
            )


_HABITS = {"and": "&&", "or": "||", "not": "!", "=": "==", "&": "&&", "|": "||", "is": "==", "True": "true"}
_HABITS |= {"False": "false", "None": "null", "eq": "==", "ne": "!="}


def _check_habits(words: list[Token]) -> None:
    for before, token in zip([None, *words], words, strict=False):
        if token.kind in ("name", "sign") and token.text in _HABITS and (before is None or before.text != "."):
            raise ExpressionError(
                f"'{token.text}' is not CEL",
                offset=token.offset,
                width=len(token.text),
                todo=f"write {_HABITS[token.text]}",
            )


def _check_fields(words: list[Token]) -> Iterator[tuple[str, int]]:
    padded = [*words, Token("end", "", 0), Token("end", "", 0)]
    before: list[Token] = []
    for token, dot, name in zip(words, padded[1:], padded[2:], strict=False):
        before.append(token)
        if token.kind != "name" or token.text not in ("leaver", "parameters"):
            continue
        if len(before) > 1 and before[-2].text == ".":
            continue
        if dot.text != "." or name.kind != "name":
            raise ExpressionError(
                f"'{token.text}' alone says nothing",
                offset=token.offset,
                width=len(token.text),
                todo=f"write {token.text}.{'userType' if token.text == 'leaver' else 'NAME'}",
            )
        if token.text == "parameters":
            yield name.text, name.offset
        else:
            _check_field(name, [x.text for x in before[-3:-1]] == ["has", "("])


def _check_field(name: Token, in_has: bool) -> None:
    if name.text not in SAMPLE:
        word = near(name.text, SAMPLE)
        raise ExpressionError(
            f"unknown field 'leaver.{name.text}'",
            offset=name.offset,
            width=len(name.text),
            todo=f"did you mean 'leaver.{word}'?" if word else f"known are {', '.join(SAMPLE)}",
        )
    if in_has:
        raise ExpressionError(
            f"has(leaver.{name.text}) is always true: an empty field is there as null",
            offset=name.offset,
            width=len(name.text),
            todo=f"write leaver.{name.text} != null",
        )
