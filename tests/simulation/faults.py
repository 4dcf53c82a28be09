"""What Graph does wrong, drawn by a seed, in the words of the sandbox's fault scripts."""

from __future__ import annotations

from random import Random
from typing import Any

ANYTHING = [("", "**"), ("POST", "/$batch"), ("GET", "/**")]
READS = [
    ("GET", "/users/*"),
    ("GET", "/users/*/memberOf"),
    ("GET", "/users/*/ownedDevices"),
    ("GET", "/users/*/registeredDevices"),
    ("GET", "/devices/*"),
    ("GET", "/devices/*/registeredOwners"),
    ("GET", "/directory/deletedItems/*"),
    ("GET", "/organization"),
    ("GET", "/subscribedSkus"),
]
WRITES = [
    ("PATCH", "/users/*"),
    ("POST", "/users/*/revokeSignInSessions"),
    ("POST", "/users/*/assignLicense"),
    ("DELETE", "/users/*"),
    ("PATCH", "/devices/*"),
    ("DELETE", "/devices/*/registeredOwners/**"),
    ("DELETE", "/groups/*/members/**"),
]
RETRY_AFTER = (None, 0, 0.3, 1, 2.5, 7, 30, 45.25, 181, 250)
LAGS = (0.0, 0.0, 0.0, 0.6, 2.0, 9.0, 20.0, 28.0)
DELAYS = (None, (0.08, 0.15), (0.02, 1.4))


def draw_faults(rng: Random) -> list[dict[str, Any]]:
    """A fault script of none to six rules."""
    return [_rule(rng) for _ in range(rng.choice((0, 1, 1, 2, 3, 4, 6)))]


def _rule(rng: Random) -> dict[str, Any]:
    method, path = rng.choice(rng.choice((ANYTHING, READS, WRITES, WRITES)))
    match: dict[str, Any] = {"path": path, "nth": rng.randint(1, 10), "times": rng.choice((1, 1, 1, 2, 3, 8))}
    if method:
        match["method"] = method
    if rng.random() < 0.2:
        match["item"] = rng.random() < 0.7
    return {"match": match, "fault": _fault(rng)}


def _fault(rng: Random) -> dict[str, Any]:
    kind = rng.choices(("busy", "server", "reset", "lost", "refused"), (30, 25, 20, 20, 5))[0]
    when = rng.choice(("before", "after"))
    if kind == "busy":
        wait = rng.choice(RETRY_AFTER)
        status = {"status": rng.choice((429, 429, 503)), "when": "before"}
        return status if wait is None else {**status, "retry_after": wait}
    if kind == "server":
        return {"status": rng.choice((500, 502, 503, 504)), "when": when}
    if kind == "reset":
        return {"reset": when}
    if kind == "refused":
        return {"status": rng.choice((400, 403, 409)), "when": "before"}
    return rng.choice(({"truncate": True}, {"not_json": True}, {"html": True}, {"drop_item": True}))
