"""Playbooks: YAML in, values out, and every problem of a file named at once with its place.

Loading is three questions, each to its own file: is it strict YAML (`yamlsource`), does it have the shape the schema asks
for (`complaints`), does it make sense (`playbookcheck`). Harmful orders are no errors; `findings` explains them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from offboard.errors import Problem, UsageError
from offboard.loading.complaints import complaints
from offboard.loading.playbookcheck import check
from offboard.loading.source import Fields, Items, Node, data, near, refuse, shown
from offboard.loading.texts import fill
from offboard.loading.yamlsource import MAX_BYTES, read
from offboard.model import JSON, Due, OnFailure, Parameter, Playbook, Step

__all__ = ["fill", "load", "resolve_parameters"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_USER = re.compile(
    r"[^\s@]{1,200}@[^\s@/]{1,200}|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
)
MAX_VALUE = 1000
"""Characters of a parameter's value."""


def load(path: Path | str, text: bytes | None = None) -> Playbook:
    """A playbook from its file.

    Args:
        path: As the user named it; it stands in messages as given.
        text: The file's bytes, when they were read already.

    Raises:
        SourceError: The file is not a playbook; all its problems, with line and column.
        UsageError: The file cannot be read.
    """
    name = str(path)
    content = _bytes(name) if text is None else text
    source = read(name, content)
    problems = {_same(problem): problem for problem in (*complaints(source), *check(source))}
    if problems:
        raise refuse(list(problems.values()))
    assert isinstance(source.root, Fields)
    return _build(source.root, "sha256:" + hashlib.sha256(content).hexdigest(), name)


def _same(problem: Problem) -> tuple[int, int, str]:
    return problem.line, problem.column, problem.message


def _bytes(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"{name}: there is no such file.", todo="List playbooks with: offboard playbooks") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{name}: the playbook cannot be read.", why=f"{reason}.") from error


def _build(root: Fields, digest: str, path: str) -> Playbook:
    document = data(root)
    steps = root.get("steps")
    assert isinstance(steps, Items)
    return Playbook(
        name=document["playbook"],
        description=document.get("description", ""),
        steps=_steps(steps),
        parameters=tuple(
            Parameter(
                name=name,
                type=about.get("type", "text"),
                required=about.get("required", False),
                default=about.get("default"),
                description=about.get("description", ""),
            )
            for name, about in document.get("parameters", {}).items()
        ),
        accept=tuple(document.get("accept", ())),
        digest=digest,
        path=path,
    )


def _steps(node: Items) -> tuple[Step, ...]:
    written = [data(item) for item in node.items]
    taken = {step["id"] for step in written if isinstance(step, dict) and "id" in step}
    steps = []
    for step, item in zip(written, node.items, strict=True):
        found = _step(step if isinstance(step, dict) else {"action": step}, item, taken)
        taken.add(found.id)
        steps.append(found)
    return tuple(steps)


def _step(step: Mapping[str, JSON], item: Node, taken: set[str]) -> Step:
    return Step(
        id=step["id"] if "id" in step else _id(step["action"], taken),
        action=step["action"],
        parameters=step.get("with", {}),
        when=step.get("when"),
        on_failure=OnFailure(step.get("on_failure", OnFailure.STOP)),
        due=Due.parse(step.get("due", "T")),
        line=item.mark.line,
    )


def _id(action: str, taken: set[str]) -> str:
    number = 1
    while (id := action if number == 1 else f"{action}-{number}") in taken:
        number += 1
    return id


def resolve_parameters(playbook: Playbook, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters' values for one leaver; a parameter with neither value nor default is left out.

    Args:
        playbook: Which declares them.
        given: From `--set` and the leavers file. An empty value counts as none.

    Raises:
        UsageError: Unknown names, required ones without a value, values that do not fit; all of them.
    """
    declared = {parameter.name: parameter for parameter in playbook.parameters}
    wrong = [_unknown(playbook, name) for name in given if name not in declared]
    values = {}
    for name, parameter in declared.items():
        value = given.get(name) or parameter.default
        if value is not None:
            values[name] = value
            wrong += _misfit(parameter, value)
        elif parameter.required:
            about = f" ({parameter.description})" if parameter.description else ""
            wrong.append(f"playbook {playbook.name} needs the parameter {name!r}{about}: --set {name}=…")
    if wrong:
        raise UsageError("; ".join(wrong) + ".", todo=_declared(playbook))
    return values


def _unknown(playbook: Playbook, name: str) -> str:
    word = near(name, [parameter.name for parameter in playbook.parameters])
    hint = f" (did you mean {word!r}?)" if word else ""
    return f"playbook {playbook.name} has no parameter {shown(name)}{hint}"


def _misfit(parameter: Parameter, value: str) -> list[str]:
    if len(value) > MAX_VALUE:
        return [f"the value of {parameter.name!r} has {len(value):,} characters; {MAX_VALUE:,} are allowed"]
    if _CONTROL.search(value):
        return [f"the value of {parameter.name!r} holds a control character"]
    if parameter.type == "user" and not _USER.fullmatch(value):
        return [f"{parameter.name!r} is a user; {shown(value)} is neither a user principal name nor an object id"]
    return []


def _declared(playbook: Playbook) -> str:
    names = ", ".join(p.name for p in playbook.parameters)
    return f"Its parameters are {names}." if names else "It has no parameters."
