"""Texts with fields: `Dear ${manager.displayName}`.

A fixed list of fields, one pass, no code: what a field's value contains is never parsed again, so a leaver whose display
name is `${parameters.password}` is only a leaver with a strange name. `$${` writes `${`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from offboard.actions import ACTIONS
from offboard.errors import UsageError
from offboard.facts import Account
from offboard.loading.source import near, shown
from offboard.model import JSON, Step

FIELDS = (
    "leaver.displayName",
    "leaver.userPrincipalName",
    "leaver.id",
    "leaver.mail",
    "leaver.givenName",
    "leaver.surname",
    "leaver.department",
    "leaver.jobTitle",
    "manager.displayName",
    "manager.userPrincipalName",
)
"""All fields besides `parameters.NAME`, under Graph's property names."""

_FIELD = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")


class TextError(UsageError):
    """A text cannot be filled in for this leaver."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a text, and where in it (0-based offset, characters)."""

    offset: int
    width: int
    message: str
    hint: str = ""


def fields(text: str) -> Iterator[tuple[str, int, int]]:
    """The fields a text names, each with its 0-based offset and its width."""
    for found in _FIELD.finditer(text):
        if found.group(1) is not None and found.group(2):
            yield found.group(1), found.start(), len(found.group())


def flaws(text: str, parameters: frozenset[str]) -> Iterator[Flaw]:
    """What is wrong with a text: unknown fields, fields that are not closed.

    Args:
        text: As written in the playbook.
        parameters: The names the playbook declares.
    """
    known = [*FIELDS, *(f"parameters.{name}" for name in sorted(parameters))]
    for found in _FIELD.finditer(text):
        name, width = found.group(1), len(found.group())
        if name is None or name in known:
            if name is None or found.group(2):
                continue
            yield Flaw(found.start(), 2, "'${' is not closed", "write }, or $${ to mean the characters ${")
        elif not found.group(2):
            yield Flaw(found.start(), 2, "'${' is not closed", "write }, or $${ to mean the characters ${")
        elif name.startswith("parameters."):
            yield Flaw(found.start(), width, f"no parameter {shown(name[11:])} is declared", _meant(name, known))
        else:
            yield Flaw(
                found.start(),
                width,
                f"unknown field {shown(name)}",
                _meant(name, known) or f"known are {', '.join(FIELDS)} and parameters.NAME",
            )


def _meant(name: str, known: list[str]) -> str:
    word = near(name.strip(), known)
    return f"did you mean '{word}'?" if word else "declare it under parameters" if name.startswith("param") else ""


def values(parameters: Mapping[str, str], account: Account, *, manager_upn: str | None = None) -> dict[str, str]:
    """The value of every field for one leaver; a field without a value is left out.

    Args:
        parameters: As resolved for this leaver.
        account: The leaver.
        manager_upn: The manager's user principal name, where it was read.
    """
    graph = account.graph()
    found = {name: graph[name.removeprefix("leaver.")] for name in FIELDS if name.startswith("leaver.")}
    if account.manager is not None:
        found |= {"manager.displayName": account.manager.name, "manager.userPrincipalName": manager_upn}
    filled = {name: str(value) for name, value in found.items() if value}
    return filled | {f"parameters.{name}": value for name, value in parameters.items()}


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in, in one pass.

    Args:
        text: As written in the playbook; its fields were checked when it was loaded.
        values: By full field name, see `values`.

    Raises:
        TextError: A field has no value for this leaver.
    """

    def put(found: re.Match[str]) -> str:
        name = found.group(1)
        if name is None:
            return "${"
        if name not in values:
            raise TextError(
                f"the text {shown(text)} needs {name}, which has no value",
                todo=f"Give a value with --set {name[11:]}=…" if name.startswith("parameters.") else "",
            )
        return values[name]

    return _FIELD.sub(put, text)


def fill(step: Step, values: Mapping[str, str]) -> Step:
    """The step with the fields in its texts filled in, in one pass.

    Args:
        step: As written.
        values: By full field name (`parameters.laptop`, `leaver.mail`), see `values`.

    Raises:
        TextError: A field has no value for this leaver.
        UsageError: With the values filled in, the step is not what its action takes.
    """
    filled = {name: _filled(value, values) for name, value in step.parameters.items()}
    if filled == step.parameters:
        return step
    # Needed by the few steps with fields only, and dear to load.
    from offboard.loading.complaints import mismatches

    wrong = mismatches(ACTIONS[step.action], filled)
    if wrong:
        raise UsageError(f"step {step.id}, with its parameters filled in: {'; '.join(wrong)}.")
    return replace(step, parameters=filled)


def _filled(value: JSON, values: Mapping[str, str]) -> JSON:
    if isinstance(value, str):
        return fill_text(value, values) if "${" in value else value
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, values) for name, item in value.items()}
    return value


def fill_step(step: Step, account: Account, parameters: Mapping[str, str]) -> Step:
    """The step, filled in for one leaver.

    A step whose condition does not hold is left as written where a field has no value: `when: has(parameters.successor)`
    guards a text that names the successor.

    Args:
        step: As written.
        account: The leaver.
        parameters: As resolved for this leaver.

    Raises:
        TextError: A field has no value for this leaver.
        UsageError: With the values filled in, the step is not what its action takes.
    """
    try:
        return fill(step, values(parameters, account))
    except TextError:
        if step.when is None or _holds(step.when, account, parameters):
            raise
        return step


def _holds(when: str, account: Account, parameters: Mapping[str, str]) -> bool:
    from offboard.loading.expression import ExpressionError, compile_expression

    try:
        return compile_expression(when).holds(account.graph(), parameters)
    except ExpressionError:
        return False
