"""What a schema cannot say about a playbook: ids that clash, conditions, fields in texts, parameters that contradict."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.errors import Problem
from offboard.loading.source import Fields, Items, Mark, Node, Scalar, Text, near, shown
from offboard.loading.texts import fields, flaws
from offboard.loading.yamlsource import Source
from offboard.model import Due


def check(source: Source) -> Iterator[Problem]:
    """Problems of meaning. Parts that are of the wrong shape are left to the schema.

    Args:
        source: The file's tree.
    """
    root, text = source.root, source.text
    if not isinstance(root, Fields):
        return
    declared = _entries(root.get("parameters"))
    yield from _parameters(text, declared)
    names = frozenset(str(key.value) for key, _ in declared)
    always = frozenset(str(key.value) for key, value in declared if _always(value))
    steps = root.get("steps")
    items = [item for item in steps.items if isinstance(item, Fields)] if isinstance(steps, Items) else []
    yield from _ids(text, items)
    for step in items:
        yield from _due(text, step.get("due"))
        yield from _when(text, step.get("when"), names)
        guarded = step.get("when") is not None
        for leaf in _leaves(step.get("with")):
            yield from _texts(text, leaf, names, names if guarded else always)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Fields) else ()


def _value(node: Node | None, name: str) -> Scalar | None:
    found = node.get(name) if isinstance(node, Fields) else None
    return found if isinstance(found, Scalar) else None


def _always(parameter: Node) -> bool:
    """Whether the parameter has a value for every leaver."""
    required = _value(parameter, "required")
    return _value(parameter, "default") is not None or (required is not None and required.value is True)


def _parameters(text: Text, declared: tuple[tuple[Scalar, Node], ...]) -> Iterator[Problem]:
    for key, value in declared:
        required, default = _value(value, "required"), _value(value, "default")
        if default is not None and required is not None and required.value is True:
            yield text.problem(
                required.mark,
                f"parameter {shown(str(key.value))} is required and has a default",
                "a default is used when no value is given: keep one of the two",
            )


def _ids(text: Text, steps: list[Fields]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for step in steps:
        id = _value(step, "id")
        if id is None or not isinstance(id.value, str):
            continue
        if id.value in seen:
            hint = f"first in line {seen[id.value]}; ids name steps in plans and in the audit"
            yield text.problem(id.mark, f"the id {shown(id.value)} stands here again", hint)
        seen.setdefault(id.value, id.mark.line)


def _due(text: Text, node: Node | None) -> Iterator[Problem]:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return
    try:
        Due.parse(node.value)
    except ValueError as error:
        if "years" in str(error):
            yield text.problem(node.mark, str(error))


def _when(text: Text, node: Node | None, parameters: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return
    # Loaded here, because most playbooks have no condition.
    from offboard.loading.expression import ExpressionError, compile_expression

    try:
        expression = compile_expression(node.value)
    except ExpressionError as error:
        yield text.problem(text.within(node.mark, node.value, error.offset, error.width), error.what, error.todo)
        return
    for name, offset in expression.parameters:
        if name not in parameters:
            word = near(name, parameters)
            hint = f"did you mean 'parameters.{word}'?" if word else "declare it under parameters"
            place = text.within(node.mark, node.value, offset, len(name))
            yield text.problem(place, f"no parameter {shown(name)} is declared", hint)


def _leaves(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Items):
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, Fields):
        for _, value in node.entries:
            yield from _leaves(value)


def _texts(text: Text, node: Scalar, names: frozenset[str], given: frozenset[str]) -> Iterator[Problem]:
    if not isinstance(node.value, str) or "${" not in node.value:
        return
    for flaw in flaws(node.value, names):
        yield text.problem(_place(text, node, flaw.offset, flaw.width), flaw.message, flaw.hint)
    for field, offset, width in fields(node.value):
        name = field.removeprefix("parameters.")
        if field != name and name in names and name not in given:
            yield text.problem(
                _place(text, node, offset, width),
                f"parameter {shown(name)} may have no value here",
                f"make it required, give it a default, or give the step a condition: when: has(parameters.{name})",
            )


def _place(text: Text, node: Scalar, offset: int, width: int) -> Mark:
    return text.within(node.mark, str(node.value), offset, width)
