"""How a change looks on the wire and in the journal: written down once more here, not asked of the program."""

from __future__ import annotations

import re

from offboard.model import Change
from offboard.sandbox.journal import JournalEntry
from tests.simulation.tape import Call

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ADDRESSES = re.compile(
    rf"/users/{GUID}(/revokeSignInSessions|/assignLicense)?|/devices/{GUID}(/registeredOwners/{GUID}/\$ref)?"
    rf"|/groups/{GUID}/members/{GUID}/\$ref"
)
Key = tuple[str, str, str]
"""Verb, target, and whom it concerns."""


class BrokenError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


def effect_key(effect: JournalEntry) -> Key:
    """Verb, target and leaver of an executed write of ours."""
    parts = effect.path.removeprefix("/v1.0/").split("/")
    kind, id = parts[0], parts[1]
    if kind == "users":
        return _user_verb(effect, parts), id, id
    if kind == "devices":
        return ("unown", id, parts[3]) if len(parts) > 3 else ("disable", id, "")
    return "remove", id, parts[3]


def _user_verb(effect: JournalEntry, parts: list[str]) -> str:
    if effect.method == "DELETE":
        return "delete"
    if len(parts) > 2:
        return {"revokeSignInSessions": "revoke", "assignLicense": "free"}[parts[2]]
    return "set" if "lastPasswordChangeDateTime" in effect.effect["changed"] else "disable"


def expected(change: Change) -> tuple[str, str, str]:
    """Method, path and kind of body of the one call that brings a planned change about."""
    id = change.target.id
    return {
        "disable user": ("PATCH", f"/users/{id}", "accountEnabled"),
        "set user": ("PATCH", f"/users/{id}", "passwordProfile"),
        "revoke user": ("POST", f"/users/{id}/revokeSignInSessions", ""),
        "free user": ("POST", f"/users/{id}/assignLicense", "addLicenses removeLicenses"),
        "delete user": ("DELETE", f"/users/{id}", ""),
        "disable device": ("PATCH", f"/devices/{id}", "accountEnabled"),
        "unown device": ("DELETE", f"/devices/{id}/registeredOwners/{change.data.get('owner')}/$ref", ""),
        "remove group": ("DELETE", f"/groups/{id}/members/{change.data.get('member')}/$ref", ""),
    }[f"{change.verb} {change.target.kind}"]


def kind_of(call: Call) -> str:
    """What kind of body a call has."""
    if isinstance(call.body, dict) and call.body.get("accountEnabled", False) is not False:
        return "enables"
    return " ".join(sorted(call.body)) if isinstance(call.body, dict) else ""
