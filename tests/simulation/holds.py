"""Whether a change is so in the tenant, asked of the tenant itself and not of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from offboard.model import Change
from tests.simulation.life import Life
from tests.simulation.tape import Asked


def holds(life: Life, leaver: str, change: Change) -> bool:
    """Whether what the change is about is so now."""
    return RULES[f"{change.verb} {change.target.kind}"](life, leaver, change)


def _user(life: Life, id: str) -> Mapping[str, Any] | None:
    """The living user; None when deleted, which ends everything a user has."""
    found = life.get(f"/users/{id}?$select=accountEnabled,licenseAssignmentStates")
    return found[1] if found[0] == 200 else None


def _disabled_user(life: Life, leaver: str, change: Change) -> bool:
    user = _user(life, leaver)
    return user is None or user["accountEnabled"] is False


def _deleted(life: Life, leaver: str, change: Change) -> bool:
    return life.get(f"/users/{leaver}")[0] == 404


def _done_once(verb: str) -> Callable[[Life, str, Change], bool]:
    """Acts without a lasting state: that they were executed, by whomever, is what can be judged."""

    def judged(life: Life, leaver: str, change: Change) -> bool:
        for event in (event for each in (*life.earlier, life) for event in each.tape):
            for effect in getattr(event, "effects", ()):
                mine = effect.path == f"/v1.0/users/{leaver}{'/revokeSignInSessions' if verb == 'revoke' else ''}"
                done = verb == "revoke" or "lastPasswordChangeDateTime" in effect.effect.get("changed", {})
                if mine and done and (verb == "revoke" or isinstance(event, Asked)):
                    return True
        return _user(life, leaver) is None

    return judged


def _freed(life: Life, leaver: str, change: Change) -> bool:
    user = _user(life, leaver)
    if user is None:
        return True
    direct = {s["skuId"] for s in user["licenseAssignmentStates"] if s.get("assignedByGroup") is None}
    return not direct & {part.id for part in change.parts}


def _disabled_device(life: Life, leaver: str, change: Change) -> bool:
    status, device = life.get(f"/devices/{change.target.id}")
    return status == 404 or device["accountEnabled"] is False


def _unowned(life: Life, leaver: str, change: Change) -> bool:
    status, owners = life.get(f"/devices/{change.target.id}/registeredOwners")
    return status == 404 or leaver not in {owner["id"] for owner in owners["value"]}


def _removed(life: Life, leaver: str, change: Change) -> bool:
    status, members = life.get(f"/groups/{change.target.id}/members")
    return status == 404 or leaver not in {member["id"] for member in members["value"]}


def _without_method(life: Life, leaver: str, change: Change) -> bool:
    status, methods = life.get(f"/users/{leaver}/authentication/methods")
    return status == 404 or change.target.id not in {method["id"] for method in methods["value"]}


def _enabled_user(life: Life, leaver: str, change: Change) -> bool:
    user = _user(life, leaver)
    return user is not None and user["accountEnabled"] is True


def _assigned(life: Life, leaver: str, change: Change) -> bool:
    user = _user(life, leaver) or {"licenseAssignmentStates": ()}
    direct = {s["skuId"] for s in user["licenseAssignmentStates"] if s.get("assignedByGroup") is None}
    return {part.id for part in change.parts} <= direct


def _restored(life: Life, leaver: str, change: Change) -> bool:
    return _user(life, leaver) is not None


def _enabled_device(life: Life, leaver: str, change: Change) -> bool:
    status, device = life.get(f"/devices/{change.target.id}")
    return status == 200 and device["accountEnabled"] is True


def _owned(life: Life, leaver: str, change: Change) -> bool:
    return not _unowned(life, leaver, change)


def _added(life: Life, leaver: str, change: Change) -> bool:
    return not _removed(life, leaver, change)


RULES: dict[str, Callable[[Life, str, Change], bool]] = {
    "disable user": _disabled_user,
    "delete user": _deleted,
    "set user": _done_once("set"),
    "revoke user": _done_once("revoke"),
    "free user": _freed,
    "disable device": _disabled_device,
    "unown device": _unowned,
    "remove group": _removed,
    "remove signInMethod": _without_method,
    "enable user": _enabled_user,
    "assign user": _assigned,
    "restore user": _restored,
    "enable device": _enabled_device,
    "own device": _owned,
    "add group": _added,
}
