"""URL → route: segments, both key forms, and Graph's answer to a path or method it does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from .call import Handler, Key
from .permissions import Access
from .problems import GraphError, bad_uri, unknown_segment

_KEYED = re.compile(r"(?P<name>[\w.]+)\((?:(?P<key>\w+)=)?'(?P<value>(?:[^']|'')*)'\)", re.DOTALL)


@dataclass(frozen=True)
class Route:
    """One row of the table: what it answers to, who handles it, who may pass, what it costs."""

    method: str
    pattern: str
    handler: Handler
    access: Access
    cost: int = 1
    reads: bool = False


@dataclass
class _Branch:
    literals: dict[str, _Branch] = field(default_factory=dict)
    keyed: _Branch | None = None
    name: str = ""
    routes: dict[str, Route] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A route with the keys of the path that led to it."""

    route: Route
    params: dict[str, Key]


def split_version(path: str) -> tuple[str, str]:
    """`/v1.0/users/x` → `v1.0`, `/users/x`. The beta version has no segments here at all."""
    version, _, rest = path.lstrip("/").partition("/")
    if version.lower() == "beta":
        raise unknown_segment(rest.partition("/")[0] or "beta")
    if version.lower() != "v1.0":
        raise bad_uri("Invalid version: " + (version or "(none)"))
    return version.lower(), "/" + rest


def segments(path: str) -> list[Key | str]:
    """The parts of a path, percent-decoded once; `users('X')` becomes `users` and the key X."""
    found: list[Key | str] = []
    for raw in path.strip("/").split("/"):
        text = unquote(raw)
        match = _KEYED.fullmatch(text)
        if match:
            found += [match["name"], Key(match["value"].replace("''", "'"), match["key"] or "", True)]
        else:
            found.append(text)
    return found


class Router:
    """Finds routes by walking a tree of segments; names are matched without regard to case, as in Graph."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Branch()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        branch = self._root
        for part in route.pattern.strip("/").split("/"):
            if part.startswith("{"):
                branch.keyed = branch.keyed or _Branch()
                branch.name = part.strip("{}")
                branch = branch.keyed
            else:
                branch = branch.literals.setdefault(part.lower(), _Branch())
        assert route.method not in branch.routes, f"two routes for {route.method} {route.pattern}"
        branch.routes[route.method] = route

    def find(self, method: str, path: str) -> Found:
        """The route for a path below the version, or Graph's 400 or 405."""
        branch, params = self._root, dict[str, Key]()
        for part in segments(path):
            branch = self._step(branch, part, params)
        route = branch.routes.get(method)
        if not branch.routes:
            raise unknown_segment(str(part.value if isinstance(part, Key) else part))
        if route is None:
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        return Found(route, params)

    @staticmethod
    def _step(branch: _Branch, part: Key | str, params: dict[str, Key]) -> _Branch:
        if isinstance(part, str) and part.lower() in branch.literals:
            return branch.literals[part.lower()]
        if branch.keyed is None or part == "":
            raise unknown_segment(str(part.value if isinstance(part, Key) else part))
        params[branch.name] = part if isinstance(part, Key) else Key(part)
        return branch.keyed
