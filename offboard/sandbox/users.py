"""People: read, create, change, delete, sign out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from . import bodies, lookup, privilege
from .call import Answer, Call
from .entity import Entity
from .listing import collection, count
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .problems import GraphError, bad_request, unsupported_query
from .recycle import soft_delete
from .render import single
from .schema import USER
from .wire import Json

_UPN = re.compile(r"[A-Za-z0-9'._!#^~-]+@(?P<domain>[A-Za-z0-9.-]+)")
_SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
    "currently undergoing migration."
)


def _candidates(call: Call, options: Options) -> Iterable[Entity]:
    """All living users, or fewer when the filter names ids or user principal names outright."""
    if options.filter is None:
        after = 0 if options.order or options.count else options.token.get("after", 0)
        return call.store.scan("user", after=after)
    keys = pinned(options.filter, "id") or pinned(options.filter, "userPrincipalName")
    if keys is None:
        names = pinned(options.filter, "displayName")
        found = [u for name in names for u in call.store.by_name("user", name)] if names else None
        return call.store.scan("user") if found is None else _living(found)
    return _living([user for key in keys if (user := lookup.find_user(call.store, key))])


def _living(found: list[Entity]) -> list[Entity]:
    unique = {user.seq: user for user in found if user.deleted is None}
    return [unique[seq] for seq in sorted(unique)]


def list_users(call: Call) -> Answer:
    """GET /users"""
    return collection(call, USER, lambda options: _candidates(call, options))


def count_users(call: Call) -> Answer:
    """GET /users/$count"""
    return count(call, USER, lambda options: _candidates(call, options))


def get_user(call: Call) -> Answer:
    """GET /users/{id}"""
    options = call.options(ENTITY)
    check(options, USER)
    privilege.demand_to_select(call, options.select)
    return Answer(200, single(call, lookup.user(call), options))


def create_user(call: Call) -> Answer:
    """POST /users"""
    call.options(NONE)
    body = bodies.changes(call.json_body(), USER)
    for name in ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"):
        if name not in body:
            raise bad_request(f"A value is required for property '{name}' of resource 'User'.")
    bodies.check_password_profile(body["passwordProfile"], USER)
    demand_free_name(call, body["userPrincipalName"])
    user = Entity(str(uuid.uuid4()), "user", {}, body["userPrincipalName"].lower())
    user.body = {
        **{name: value for name, value in body.items() if name != "passwordProfile"},
        "userType": body.get("userType") or "Member",
        "createdDateTime": call.stamp,
        "lastPasswordChangeDateTime": call.stamp,
        "signInSessionsValidFromDateTime": call.stamp,
    }
    call.store.put(user)
    call.effect("create", "user", user.id, userPrincipalName=user.body["userPrincipalName"])
    return Answer(201, single(call, user, Options()))


def demand_free_name(call: Call, name: str, *, own: str = "") -> None:
    """A user principal name must lie in a domain of the tenant and belong to nobody else."""
    match = _UPN.fullmatch(name)
    organization = next(iter(call.store.scan("organization")))
    domains = [domain["name"] for domain in organization.body["verifiedDomains"]]
    if match is None or match["domain"].lower() not in domains:
        raise bad_request(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the "
            "verified domain names in your organization."
        )
    holder = lookup.find_user(call.store, name)
    if holder is not None and holder.id != own:
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")


def patch_user(call: Call) -> Answer:
    """PATCH /users/{id}"""
    call.options(NONE)
    wanted = bodies.changes(call.json_body(), USER)
    user = lookup.user(call)
    privilege.demand_to_patch(call, user, wanted)
    if user.body.get("onPremisesSyncEnabled") and any("s" in USER.properties[name].flags for name in wanted):
        raise bad_request(_SYNCED)
    if "userPrincipalName" in wanted:
        demand_free_name(call, wanted["userPrincipalName"], own=user.id)
    changed = _apply(call, user, wanted)
    user.key = str(user.body["userPrincipalName"]).lower()
    call.store.put(user)
    call.effect("update", "user", user.id, changed=changed)
    return Answer(204)


def _apply(call: Call, user: Entity, wanted: Json) -> Json:
    """Write the properties; tell old and new of those that differ, never the password."""
    changed: Json = {}
    for name, value in wanted.items():
        if name == "passwordProfile":
            bodies.check_password_profile(value, USER)
            changed.update(set_password(call, user) if "password" in value else {name: "set"})
            continue
        before = user.body.get(name)
        if name == "onPremisesExtensionAttributes":
            value = _merge_extensions(before, value)
        if before != value:
            changed[name] = [before, value]
        user.body[name] = value
    return changed


def set_password(call: Call, user: Entity) -> Json:
    """Stamp a password change. The value itself is neither stored nor journaled."""
    before = user.body.get("lastPasswordChangeDateTime")
    user.body["lastPasswordChangeDateTime"] = call.stamp
    return {"passwordProfile": "set", "lastPasswordChangeDateTime": [before, call.stamp]}


def _merge_extensions(before: Json | None, value: Json | None) -> Json:
    for name, text in (value or {}).items():
        number = name.removeprefix("extensionAttribute")
        if "@" not in name and not (number.isdigit() and 1 <= int(number) <= 15 and isinstance(text, str | None)):
            raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
    return {**(before or {}), **(value or {})}


def delete_user(call: Call) -> Answer:
    """DELETE /users/{id}: into the recycle bin"""
    call.options(NONE)
    user = lookup.user(call)
    remove_user(call, user)
    return Answer(204)


def remove_user(call: Call, user: Entity) -> None:
    """Delete a person, wherever the request came from; the paths without `/$ref` end here too."""
    privilege.demand_to_delete(call, user)
    soft_delete(call, user)


def revoke_sessions(call: Call) -> Answer:
    """POST /users/{id}/revokeSignInSessions"""
    call.options(NONE)
    call.no_body()
    user = lookup.user(call)
    before = user.body.get("signInSessionsValidFromDateTime")
    changed: Json = {}
    # Guests sign in at home: Graph says yes and nothing happens.
    if user.body.get("userType") != "Guest":
        user.body["signInSessionsValidFromDateTime"] = call.stamp
        changed = {"signInSessionsValidFromDateTime": [before, call.stamp]}
        call.store.put(user)
    call.effect("revoke", "user", user.id, changed=changed)
    return Answer(200, {"@odata.context": call.context("Edm.Boolean"), "value": True})


def get_me(call: Call) -> Answer:
    """GET /me, reached with the caller's own id"""
    return get_user(call)


def refuse_me(call: Call) -> GraphError:
    """What an app or an unknown token hears from /me."""
    del call
    return GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def refuse_delta(call: Call) -> Answer:
    """Change tracking is not simulated, and says so."""
    raise unsupported_query(f"'{call.request.path}' is not offered by the sandbox.")
