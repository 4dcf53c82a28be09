"""What a filter tree means for one object, which properties it may name, and which indexes can shorten the search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import clock
from .filters import AnyOf, Both, Call, Compare, In, Node, Not, Value
from .problems import GraphError, bad_request, bad_uri, unsupported_query
from .schema import EntityType, Property

# Literal kinds that fit a property kind. Graph takes guids quoted or bare, dates bare only.
_FITS = {
    "string": ("string", "null"),
    "guid": ("string", "guid", "null"),
    "id": ("string", "null"),
    "boolean": ("boolean", "null"),
    "int": ("number", "null"),
    "datetime": ("date", "null"),
    "strings": ("string", "null"),
}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EDM = {"string": "String", "guid": "Guid", "boolean": "Boolean", "int": "Int32", "datetime": "DateTimeOffset"}
# Paths below a complex property, which the declarations of types do not spell out.
_BELOW = {
    "skuId": "guid",
    "servicePlanId": "guid",
    "capabilityStatus": "string",
    "service": "string",
    "lastSignInDateTime": "datetime",
    "lastNonInteractiveSignInDateTime": "datetime",
    "lastSuccessfulSignInDateTime": "datetime",
    "issuer": "string",
    "issuerAssignedId": "string",
    "signInType": "string",
    "division": "string",
    "costCenter": "string",
}
_ENDS_WITH = ("mail", "otherMails", "proxyAddresses", "userPrincipalName")

Test = Callable[[Mapping[str, Any]], bool]


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree."""
    yield node
    children: tuple[Node, ...] = ()
    if isinstance(node, Both):
        children = node.parts
    elif isinstance(node, Not) or (isinstance(node, AnyOf) and node.condition is not None):
        children = (node.condition,) if node.condition is not None else ()
    for child in children:
        yield from walk(child)


def needs_advanced(node: Node) -> bool:
    """Whether Graph answers this filter only from its search index (ConsistencyLevel and $count)."""
    for part in walk(node):
        if isinstance(part, Not) or (isinstance(part, Call) and part.name == "endswith"):
            return True
        if isinstance(part, Compare) and (part.op == "ne" or part.path.endswith("/$count")):
            return True
    return False


def compile_filter(node: Node, type_: EntityType) -> Test:
    """A test over one object's properties; wrong names and kinds are Graph's 400."""
    if isinstance(node, Both):
        tests = [compile_filter(part, type_) for part in node.parts]
        combine = all if node.op == "and" else any
        return lambda item: combine(test(item) for test in tests)
    if isinstance(node, Not):
        inner = compile_filter(node.condition, type_)
        return lambda item: not inner(item)
    if isinstance(node, AnyOf):
        return _compile_any(node, type_)
    if isinstance(node, Compare) and node.path.endswith("/$count"):
        return _compile_count(node, type_)
    property_ = _resolve(node.path, type_)
    if property_.is_list:
        raise bad_uri(f"Invalid filter clause: '{node.path}' is a collection; use any().")
    path = node.path.split("/")
    test = _value_test(node, property_)
    return lambda item: test(_reach(item, path))


def _resolve(path: str, type_: EntityType) -> Property:
    head, _, rest = path.partition("/")
    declared = type_.properties.get(head)
    if declared is None:
        raise bad_uri(f"Could not find a property named '{head}' on type 'microsoft.graph.{type_.name}'.")
    if "f" not in declared.flags:
        raise unsupported_query(
            f"Unsupported or invalid query filter clause specified for property '{head}' of resource "
            f"'{type_.name[0].upper()}{type_.name[1:]}'."
        )
    if not rest:
        return declared
    if rest not in _BELOW or declared.kind != "complex":
        raise bad_uri(f"Could not find a property named '{rest}' on type of '{head}'.")
    return Property(path, _BELOW[rest], "f")


def _check(value: Value, kind: str) -> None:
    if value.kind not in _FITS.get(kind, ("null",)):
        raise bad_uri(
            "Invalid filter clause: A binary operator with incompatible types was detected. Found operand types "
            f"'Edm.{_EDM.get(kind, 'String')}' and 'Edm.{value.kind.capitalize()}'."
        )
    if kind in ("guid", "id") and value.kind == "string" and not GUID.fullmatch(str(value.value)):
        raise bad_request(f"Invalid object identifier '{value.value}'.")


def _folded(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _moment(value: object) -> object:
    try:
        return clock.parse(str(value)).timestamp()
    except ValueError:
        raise bad_uri(f"Invalid filter clause: '{value}' is not a date and time.") from None


def _value_test(node: Compare | In | Call, property_: Property) -> Callable[[Any], bool]:
    values = node.values if isinstance(node, In) else (node.value,)
    for value in values:
        _check(value, property_.kind)
    if isinstance(node, Call):
        return _text_test(node, property_)
    # The directory compares text without regard to case, except inside proxyAddresses.
    fold = _moment if property_.kind == "datetime" else (str if property_.name == "proxyAddresses" else _folded)
    wanted = [None if v.value is None else fold(v.value) for v in values]
    if isinstance(node, In):
        return lambda found: (None if found is None else fold(found)) in wanted
    return _comparison(node.op, wanted[0], fold, property_)


def _comparison(op: str, wanted: Any, fold: Callable[[Any], Any], property_: Property) -> Callable[[Any], bool]:
    if op in ("eq", "ne"):
        return lambda found: ((None if found is None else fold(found)) == wanted) is (op == "eq")
    if property_.kind == "boolean" or wanted is None:
        raise bad_uri(f"Invalid filter clause: operator '{op}' is not supported for '{property_.name}'.")
    orders: dict[str, Callable[[Any], bool]] = {
        "ge": lambda found: bool(found >= wanted),
        "gt": lambda found: bool(found > wanted),
        "le": lambda found: bool(found <= wanted),
        "lt": lambda found: bool(found < wanted),
    }
    return lambda found: found is not None and orders[op](fold(found))


def _text_test(node: Call, property_: Property) -> Callable[[Any], bool]:
    if node.name == "contains":
        raise unsupported_query("Unsupported Query. The function 'contains' is not supported for this resource.")
    if node.name == "endswith" and property_.name not in _ENDS_WITH:
        raise unsupported_query(f"Operator 'endsWith' is not supported for property '{property_.name}'.")
    if property_.kind not in ("string", "strings"):
        raise bad_uri(f"Invalid filter clause: No function signature for '{node.name}' fits '{property_.name}'.")
    wanted = str(node.value.value or "").lower()
    if node.name == "startswith":
        return lambda found: str(found or "").lower().startswith(wanted)
    return lambda found: str(found or "").lower().endswith(wanted)


def _compile_any(node: AnyOf, type_: EntityType) -> Test:
    declared = _resolve(node.path, type_)
    if not declared.is_list:
        raise bad_uri(f"Invalid filter clause: '{node.path}' is not a collection.")
    if node.condition is None:
        return lambda item: bool(item.get(node.path))
    test = _element_test(node.condition, node.variable, declared)
    return lambda item: any(test(element) for element in item.get(node.path) or [])


def _element_test(node: Node, variable: str, declared: Property) -> Callable[[Any], bool]:
    if isinstance(node, Both):
        tests = [_element_test(part, variable, declared) for part in node.parts]
        combine = all if node.op == "and" else any
        return lambda element: combine(test(element) for test in tests)
    if isinstance(node, (Not, AnyOf)):
        raise unsupported_query("Nested lambda expressions are not supported.")
    head, _, rest = node.path.partition("/")
    if head != variable:
        raise _unknown_variable(head)
    if declared.kind == "strings" and not rest:
        return _value_test(node, Property(declared.name, "string", "f"))
    if declared.kind != "complexes" or rest not in _BELOW:
        raise bad_uri(f"Could not find a property named '{rest}' on the elements of '{declared.name}'.")
    test = _value_test(node, Property(rest, _BELOW[rest], "f"))
    return lambda element: test(element.get(rest))


def _unknown_variable(name: str) -> GraphError:
    return bad_uri(f"Invalid filter clause: Could not find a range variable named '{name}'.")


def _compile_count(node: Compare, type_: EntityType) -> Test:
    collection = node.path.removesuffix("/$count")
    if not _resolve(collection, type_).is_list or node.value.kind != "number":
        raise bad_uri(f"Invalid filter clause: '{node.path}' cannot be compared like that.")
    test = _comparison(node.op, node.value.value, lambda number: number, Property(node.path, "int"))
    return lambda item: test(len(item.get(collection) or []))


def _reach(item: Mapping[str, Any], path: list[str]) -> Any:
    found: Any = item
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def pinned(node: Node, path: str) -> list[str] | None:
    """The values that a property must have for the filter to hold, when the filter says so outright."""
    if isinstance(node, Compare) and node.op == "eq" and node.path == path and node.value.value is not None:
        return [str(node.value.value)]
    if isinstance(node, In) and node.path == path:
        return [str(value.value) for value in node.values]
    if isinstance(node, Both):
        found = [pinned(part, path) for part in node.parts]
        if node.op == "and":
            return next((values for values in found if values is not None), None)
        sure = [values for values in found if values is not None]
        return [value for values in sure for value in values] if len(sure) == len(found) else None
    return None
