"""Licenses: subscriptions of the tenant, licenses of a person, taking them away and giving them back."""

from __future__ import annotations

from typing import Any

from . import bodies, lookup
from .call import Answer, Call
from .entity import Entity
from .listing import collection
from .lookup import is_guid
from .options import NONE, Options
from .problems import bad_request, bad_uri
from .render import held_skus, single
from .schema import LICENSE_DETAILS, SUBSCRIBED_SKU
from .seats import find_sku, free_seats, recount, skus_of, state
from .wire import Json

_INHERITED = "User license is inherited from a group membership and it cannot be removed directly from the user."


def list_skus(call: Call) -> Answer:
    """GET /subscribedSkus"""
    return collection(call, SUBSCRIBED_SKU, lambda _options: call.store.scan("sku"))


def list_license_details(call: Call) -> Answer:
    """GET /users/{id}/licenseDetails"""
    user = lookup.user(call)
    found = []
    for number, sku_id in enumerate(held_skus(user.body.get("licenseAssignmentStates") or []), start=1):
        sku = find_sku(call.store, sku_id)
        body = {**(sku.body if sku else {}), "skuId": sku_id}
        found.append(Entity(f"{user.id}_{sku_id}", "licenseDetails", body, seq=number))
    plural = f"users('{user.id}')/licenseDetails"
    return collection(call, LICENSE_DETAILS, lambda _options: found, plural=plural)


def assign_license(call: Call) -> Answer:
    """POST /users/{id}/assignLicense: all of it, or nothing"""
    call.options(NONE)
    body = bodies.parameters(call.json_body(), ("addLicenses", "removeLicenses"))
    add, remove = _list_of(body, "addLicenses"), _list_of(body, "removeLicenses")
    user = lookup.user(call)
    before = skus_of(user)
    direct_before = _direct(user)
    for sku_id in remove:
        _take_away(user, sku_id)
    for license_ in add:
        _give(call, user, license_)
    after = skus_of(user)
    recount(call.store, before, after)
    call.store.put(user)
    direct = _direct(user)
    added, removed = sorted(direct - direct_before), sorted(direct_before - direct)
    call.effect("assignLicense", "user", user.id, added=added, removed=removed)
    return Answer(200, single(call, user, Options()))


def _list_of(body: Json, name: str) -> list[Any]:
    if name not in body:
        raise bad_uri(
            f"One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            f"The missing parameters are: {name}."
        )
    if not isinstance(body[name], list):
        raise bad_request(f"Invalid value specified for parameter '{name}'.")
    return list(body[name])


def _direct(user: Entity) -> set[str]:
    states = user.body.get("licenseAssignmentStates") or []
    return {state["skuId"] for state in states if state["assignedByGroup"] is None}


def _take_away(user: Entity, sku_id: object) -> None:
    if not isinstance(sku_id, str) or not is_guid(sku_id):
        raise bad_uri(f"Cannot convert the literal '{sku_id}' to the expected type 'Edm.Guid'.")
    states: list[Json] = user.body.get("licenseAssignmentStates") or []
    held = [state for state in states if state["skuId"] == sku_id.lower()]
    if not held:
        raise bad_request("User does not have a corresponding license.")
    if all(state["assignedByGroup"] for state in held):
        raise bad_request(_INHERITED)
    user.body["licenseAssignmentStates"] = [s for s in states if s not in held or s["assignedByGroup"]]


def _give(call: Call, user: Entity, license_: object) -> None:
    sku_id = license_.get("skuId") if isinstance(license_, dict) else None
    if not isinstance(license_, dict) or not isinstance(sku_id, str) or not is_guid(sku_id):
        raise bad_uri(f"Cannot convert the literal '{sku_id}' to the expected type 'Edm.Guid'.")
    sku = find_sku(call.store, sku_id)
    if sku is None:
        raise bad_request(f"License {sku_id} does not correspond to a valid company License.")
    if not user.body.get("usageLocation"):
        raise bad_request("License assignment cannot be done for user with invalid usage location.")
    if sku_id.lower() not in skus_of(user) and free_seats(sku) < 1:
        raise bad_request(f"Subscription with SKU {sku_id} does not have any available licenses.")
    plans = license_.get("disabledPlans") or []
    if not isinstance(plans, list) or not all(isinstance(plan, str) and is_guid(plan) for plan in plans):
        raise bad_uri("Cannot convert the literal of 'disabledPlans' to the expected type 'Collection(Edm.Guid)'.")
    states: list[Json] = user.body.get("licenseAssignmentStates") or []
    kept = [s for s in states if s["skuId"] != sku_id.lower() or s["assignedByGroup"]]
    fresh = state(sku_id.lower(), call.stamp, disabled=plans)
    user.body["licenseAssignmentStates"] = [*kept, fresh]


def inherit(call: Call, user: Entity, group: Entity) -> None:
    """A person joins a group which carries licenses."""
    licenses = group.body.get("assignedLicenses") or []
    if not licenses or user.type != "user":
        return
    before = skus_of(user)
    states = user.body.get("licenseAssignmentStates") or []
    fresh = [state(item["skuId"], call.stamp, group=group.id, disabled=item.get("disabledPlans")) for item in licenses]
    user.body["licenseAssignmentStates"] = [*states, *fresh]
    recount(call.store, before, skus_of(user))
    call.store.put(user)


def disinherit(call: Call, user: Entity, group_id: str) -> None:
    """A person leaves a group: what only the group gave is gone. Lagging reads show it later, as in Graph."""
    if user.type != "user":
        return
    before = skus_of(user)
    states = user.body.get("licenseAssignmentStates") or []
    kept = [s for s in states if s["assignedByGroup"] != group_id]
    if len(kept) != len(states):
        user.body["licenseAssignmentStates"] = kept
        recount(call.store, before, skus_of(user))
        call.store.put(user)
