"""How a change looks on the wire and in the journal: written down once more here, not asked of the program."""

from __future__ import annotations

import re

from offboard.model import Change
from offboard.sandbox.journal import JournalEntry
from tests.simulation.tape import Call

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ADDRESSES = re.compile(
    rf"/users/{GUID}(/revokeSignInSessions|/assignLicense|/authentication/[a-zA-Z0-9]+Methods/{GUID})?"
    rf"|/devices/{GUID}(/registeredOwners(/{GUID})?/\$ref)?|/groups/{GUID}/members(/{GUID})?/\$ref"
    rf"|/directory/deletedItems/{GUID}/restore"
)
Key = tuple[str, str, str]
"""Verb, target, and whom it concerns."""


class BrokenError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


Verbs = tuple[str, ...]


def effect_key(effect: JournalEntry) -> tuple[Verbs, str, str]:
    """Verb, target and leaver of an executed write of ours; what changed nothing may have been either of two verbs."""
    parts = effect.path.removeprefix("/v1.0/").split("/")
    kind, id = parts[0], parts[1]
    match kind, parts[2:]:
        case "users", ["authentication", _, method]:
            return ("remove",), method, id
        case "users", rest:
            return _user_verbs(effect, rest), id, id
        case "devices", []:
            return _switched(effect), id, ""
        case "devices", ["registeredOwners", *_]:
            return ("own" if effect.method == "POST" else "unown",), id, effect.effect["target"]
        case "groups", _:
            return ("add" if effect.method == "POST" else "remove",), id, effect.effect["target"]
    return ("restore",), parts[2], parts[2]


def _user_verbs(effect: JournalEntry, rest: list[str]) -> Verbs:
    match effect.method, rest:
        case "DELETE", _:
            return ("delete",)
        case _, ["revokeSignInSessions"]:
            return ("revoke",)
        case _, ["assignLicense"]:
            given, taken = effect.effect["added"], effect.effect["removed"]
            return ("assign",) if given else ("free",) if taken else ("assign", "free")
    return ("set",) if "lastPasswordChangeDateTime" in effect.effect["changed"] else _switched(effect)


def _switched(effect: JournalEntry) -> Verbs:
    before_after = effect.effect["changed"].get("accountEnabled")
    return ("enable", "disable") if before_after is None else ("enable",) if before_after[1] else ("disable",)


METHODS = {"phone": "phoneMethods", "microsoftAuthenticator": "microsoftAuthenticatorMethods", "fido2": "fido2Methods"}
METHODS |= {"windowsHelloForBusiness": "windowsHelloForBusinessMethods", "softwareOath": "softwareOathMethods"}
METHODS |= {"email": "emailMethods", "temporaryAccessPass": "temporaryAccessPassMethods"}
METHODS |= {"platformCredential": "platformCredentialMethods", "external": "externalAuthenticationMethods"}


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
        "remove signInMethod": ("DELETE", f"/users/{change.data.get('user')}/authentication/{_methods(change)}/{id}", ""),
        "enable user": ("PATCH", f"/users/{id}", "enables"),
        "assign user": ("POST", f"/users/{id}/assignLicense", "addLicenses removeLicenses"),
        "restore user": ("POST", f"/directory/deletedItems/{id}/restore", ""),
        "enable device": ("PATCH", f"/devices/{id}", "enables"),
        "own device": ("POST", f"/devices/{id}/registeredOwners/$ref", str(change.data.get("owner"))),
        "add group": ("POST", f"/groups/{id}/members/$ref", str(change.data.get("member"))),
    }[f"{change.verb} {change.target.kind}"]


def _methods(change: Change) -> str:
    return METHODS.get(str(change.data.get("kind")), "")


def kind_of(call: Call) -> str:
    """What kind of body a call has; whom it names, when it names somebody."""
    if isinstance(call.body, dict) and set(call.body) == {"@odata.id"}:
        return str(call.body["@odata.id"]).rpartition("/")[2]
    if isinstance(call.body, dict) and call.body.get("accountEnabled", False) is not False:
        return "enables"
    return " ".join(sorted(call.body)) if isinstance(call.body, dict) else ""
