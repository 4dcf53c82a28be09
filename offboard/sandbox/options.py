"""Query options of a request: what is selected, filtered, ordered, expanded, counted, and from where to go on."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl

from .filters import Node, parse_filter
from .matching import needs_advanced
from .problems import bad_request, bad_uri, unsupported_query
from .schema import EntityType

MAX_TOP = 999
PAGE = 100

ENTITY = frozenset({"$select", "$expand"})
COLLECTION = frozenset({"$select", "$expand", "$filter", "$top", "$orderby", "$search", "$count", "$skiptoken", "$skip"})
NONE: frozenset[str] = frozenset()
COUNT = frozenset({"$filter", "$search"})
_KNOWN = COLLECTION | {"$format", "$apply", "$compute", "$deltatoken"}
_PLAIN_ORDER = {
    "user": ("displayName", "userPrincipalName"),
    "group": ("displayName",),
    "device": ("displayName",),
    "unifiedRoleDefinition": ("displayName",),
    "servicePrincipal": ("displayName",),
}
_SEARCH = re.compile(r'^"(?P<property>\w+):(?P<text>[^"]*)"$')


@dataclass(frozen=True)
class Expand:
    """One relationship to be carried along."""

    name: str
    select: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """The query of one request, understood but not yet held against a type."""

    select: tuple[str, ...] = ()
    expand: Expand | None = None
    filter: Node | None = None
    top: int | None = None
    order: tuple[tuple[str, bool], ...] = ()
    search: tuple[str, str] | None = None
    count: bool = False
    token: dict[str, int] = field(default_factory=dict)
    eventual: bool = False

    @property
    def advanced(self) -> bool:
        """Whether the request may use Graph's search index."""
        return self.eventual and (self.count or self.search is not None)


@lru_cache(4096)  # clients ask the same few questions about thousands of people
def read_options(query: str, consistency: str | None, allowed: frozenset[str]) -> Options:
    """Understand a query string; what Graph would refuse is refused."""
    pairs = _pairs(query)
    for name in pairs:
        if name not in _KNOWN:
            raise bad_uri(f"The query parameter '{name}' is not supported.")
        if name not in allowed:
            raise bad_request(f"The query option '{name}' is not allowed on this request.")
    if "$skip" in pairs:
        raise bad_request("'$skip' is not supported by the service.")
    return Options(
        select=_names(pairs.get("$select", "")),
        expand=_expand(pairs["$expand"]) if "$expand" in pairs else None,
        filter=parse_filter(pairs["$filter"]) if "$filter" in pairs else None,
        top=_top(pairs["$top"]) if "$top" in pairs else None,
        order=_order(pairs.get("$orderby", "")),
        search=_search(pairs["$search"]) if "$search" in pairs else None,
        count=_flag(pairs.get("$count", "false")),
        token=_token(pairs["$skiptoken"]) if "$skiptoken" in pairs else {},
        eventual=(consistency or "").lower() == "eventual",
    )


def _pairs(query: str) -> dict[str, str]:
    # OData lets the dollar be left out; parameters that are not its own are ignored, as Graph does.
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        lowered = name.lower()
        if not lowered.startswith("$"):
            if "$" + lowered not in _KNOWN:
                continue
            lowered = "$" + lowered
        if lowered in found:
            raise bad_uri(
                f"Query option '{lowered}' was specified more than once, but it must be specified at most once."
            )
        found[lowered] = value
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _expand(text: str) -> Expand:
    match = re.fullmatch(r"(?P<name>\w+)(?:\((?P<inner>[^()]*)\))?", text.strip())
    if match is None:
        raise bad_request("The $expand clause is not supported: one relationship, optionally with $select, is allowed.")
    inner = match["inner"]
    if not inner:
        return Expand(match["name"])
    option, _, value = inner.partition("=")
    if option.strip().lower() != "$select":
        raise bad_request(f"The option '{option.strip()}' is not supported inside $expand.")
    return Expand(match["name"], _names(value))


def _top(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise bad_uri(f"Invalid value '{text}' for $top query option found.")
    if not 1 <= int(text) <= MAX_TOP:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {MAX_TOP} inclusive.")
    return int(text)


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, direction = part.partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise bad_uri(f"Syntax error in the $orderby clause '{text}'.")
        found.append((name, direction.strip().lower() == "desc"))
    return tuple(found)


def _search(text: str) -> tuple[str, str]:
    match = _SEARCH.match(text.strip())
    if match is None:
        raise bad_request("Unrecognized query argument specified: '$search'. It must look like \"displayName:text\".")
    return match["property"], match["text"].lower()


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise bad_uri(f"Invalid value '{text}' for $count query option found.")
    return text.lower() == "true"


def make_token(state: dict[str, int]) -> str:
    """An opaque `$skiptoken`."""
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def _token(text: str) -> dict[str, int]:
    try:
        state = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = {str(name): int(value) for name, value in state.items()}
        if not all(0 <= value < 2**62 for value in found.values()):
            raise ValueError
        return found
    except (ValueError, AttributeError, TypeError, OverflowError):
        raise bad_request("The specified page token value is invalid or expired.") from None


def check(options: Options, type_: EntityType, *, cast: bool = False) -> None:
    """Hold the options against a type: names that exist, and the rules of advanced queries."""
    for name in options.select:
        if name not in type_.properties and name not in type_.expands:
            raise bad_uri(f"Could not find a property named '{name}' on type 'microsoft.graph.{type_.name}'.")
    if options.expand and options.expand.name not in type_.expands:
        raise bad_uri(f"Could not find a property named '{options.expand.name}' on type 'microsoft.graph.{type_.name}'.")
    for name, _ in options.order:
        if name not in type_.properties:
            raise bad_uri(f"Could not find a property named '{name}' on type 'microsoft.graph.{type_.name}'.")
    if options.search and not options.eventual:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special "
            "request header: 'ConsistencyLevel: eventual'"
        )
    if options.advanced and options.expand:
        raise unsupported_query("$expand is not supported together with advanced queries.")
    if not options.advanced and _wants_index(options, type_, cast):
        raise unsupported_query()


def _wants_index(options: Options, type_: EntityType, cast: bool) -> bool:
    plain = _PLAIN_ORDER.get(type_.name, ())
    return (
        (options.filter is not None and needs_advanced(options.filter))
        or (options.filter is not None and bool(options.order))
        or any(name not in plain for name, _ in options.order)
        or (cast and bool(options.select or options.filter or options.top or options.order))
    )
