"""Groups of every kind, their members and owners, and the kinds that Graph will not touch."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from . import bodies, lookup
from .call import Answer, Call, Handler
from .entity import Entity
from .licenses import disinherit, inherit
from .listing import collection, count
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .permissions import demand_any, demand_role
from .problems import bad_request, denied, not_found
from .recycle import soft_delete
from .render import EXPANDERS, single
from .schema import DIRECTORY_OBJECT, DIRECTORY_TYPES, GROUP, USER
from .store import Store
from .users import remove_user

_MAIL = "Cannot Update a mail-enabled security groups and or distribution list."
_LAST_OWNER = "The group must have at least one owner, hence this owner cannot be removed."
_EXISTS = "One or more added object references already exist for the following modified properties: '{}'."


def _candidates(call: Call, options: Options) -> Iterable[Entity]:
    ids = pinned(options.filter, "id") if options.filter else None
    names = pinned(options.filter, "displayName") if options.filter else None
    if ids is not None:
        found = [call.store.get("group", id_.lower()) for id_ in dict.fromkeys(ids)]
        return sorted((g for g in found if g and g.deleted is None), key=lambda g: g.seq)
    if names is not None:
        return [g for n in dict.fromkeys(names) for g in call.store.by_name("group", n) if g.deleted is None]
    return call.store.scan("group")


def list_groups(call: Call) -> Answer:
    """GET /groups"""
    return collection(call, GROUP, lambda options: _candidates(call, options))


def count_groups(call: Call) -> Answer:
    """GET /groups/$count"""
    return count(call, GROUP, lambda options: _candidates(call, options))


def get_group(call: Call) -> Answer:
    """GET /groups/{id}"""
    options = call.options(ENTITY)
    check(options, GROUP)
    return Answer(200, single(call, lookup.group(call), options))


def create_group(call: Call) -> Answer:
    """POST /groups"""
    call.options(NONE)
    body = bodies.changes(call.json_body(), GROUP)
    for name in ("displayName", "mailEnabled", "mailNickname", "securityEnabled"):
        if body.get(name) is None:
            raise bad_request(f"A value is required for property '{name}' of resource 'Group'.")
    unified = "Unified" in (body.get("groupTypes") or [])
    if body["mailEnabled"] and not unified:
        raise bad_request(
            "The service does not currently support writes of mail-enabled groups. "
            "Please ensure that the mail-enablement property is unset and the security-enablement "
            "property is set."
        )
    group = Entity(str(uuid.uuid4()), "group", {**body, "createdDateTime": call.stamp, "renewedDateTime": call.stamp})
    call.store.put(group)
    call.effect("create", "group", group.id, displayName=body["displayName"])
    return Answer(201, single(call, group, Options()))


def patch_group(call: Call) -> Answer:
    """PATCH /groups/{id}"""
    call.options(NONE)
    wanted = bodies.changes(call.json_body(), GROUP)
    group = lookup.group(call)
    if group.body.get("onPremisesSyncEnabled"):
        raise bad_request(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects "
            "or objects currently undergoing migration."
        )
    _demand_not_exchange(group)
    changed = {name: [group.body.get(name), value] for name, value in wanted.items() if group.body.get(name) != value}
    group.body.update(wanted)
    call.store.put(group)
    call.effect("update", "group", group.id, changed=changed)
    return Answer(204)


def delete_group(call: Call) -> Answer:
    """DELETE /groups/{id}: Microsoft 365 groups go to the bin, others are gone"""
    call.options(NONE)
    group = lookup.group(call)
    _demand_not_exchange(group)
    _demand_role_right(call, group)
    for member in call.store.targets("member", group.id):
        disinherit(call, member, group.id)
    if "Unified" in (group.body.get("groupTypes") or []):
        soft_delete(call, group)
    else:
        call.store.drop(group)
        call.effect("delete", "group", group.id, displayName=group.body.get("displayName"))
    return Answer(204)


def _demand_not_exchange(group: Entity) -> None:
    if group.body.get("mailEnabled") and "Unified" not in (group.body.get("groupTypes") or []):
        raise bad_request(_MAIL)


def _demand_role_right(call: Call, group: Entity) -> None:
    """Groups that can hold roles are for those who may hand out roles."""
    if call.enforcing and group.body.get("isAssignableToRole"):
        demand_any(call, (("RoleManagement.ReadWrite.Directory",),))
        if call.caller.delegated:
            demand_role(call, frozenset({"Privileged Role Administrator"}))


def _demand_writable(call: Call, group: Entity) -> None:
    if group.body.get("onPremisesSyncEnabled"):
        raise bad_request(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects "
            "or objects currently undergoing migration."
        )
    if "DynamicMembership" in (group.body.get("groupTypes") or []):
        raise denied("Insufficient privileges to complete the operation.")
    _demand_not_exchange(group)
    if call.enforcing and group.body.get("isManagementRestricted"):
        raise denied()
    _demand_role_right(call, group)


def list_members(call: Call) -> Answer:
    """GET /groups/{id}/members"""
    found = call.store.targets("member", lookup.group(call).id)
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def list_member_users(call: Call) -> Answer:
    """GET /groups/{id}/members/microsoft.graph.user"""
    found = [e for e in call.store.targets("member", lookup.group(call).id) if e.type == "user"]
    return collection(call, USER, lambda _options: found, cast=True)


def count_members(call: Call) -> Answer:
    """GET /groups/{id}/members/$count"""
    found = call.store.targets("member", lookup.group(call).id)
    return count(call, DIRECTORY_OBJECT, lambda _options: found)


def _transitive(store: Store, group: Entity) -> list[Entity]:
    found: dict[str, Entity] = {}
    waiting = store.targets("member", group.id)
    while waiting:
        one = waiting.pop()
        if one.id not in found:
            found[one.id] = one
            waiting += store.targets("member", one.id) if one.type == "group" else []
    return sorted(found.values(), key=lambda e: e.seq)


def list_transitive_members(call: Call) -> Answer:
    """GET /groups/{id}/transitiveMembers"""
    found = _transitive(call.store, lookup.group(call))
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def add_member(call: Call) -> Answer:
    """POST /groups/{id}/members/$ref"""
    call.options(NONE)
    group, target = lookup.group(call), lookup.reference(call)
    _demand_writable(call, group)
    if not call.store.relate("member", group.id, target.id):
        raise bad_request(_EXISTS.format("members"))
    inherit(call, target, group)
    call.effect("add", "group", group.id, relation="members", target=target.id)
    return Answer(204)


def remove_member(call: Call) -> Answer:
    """DELETE /groups/{id}/members/{id}/$ref"""
    call.options(NONE)
    group = lookup.group(call)
    _demand_writable(call, group)
    target = _held(call, group, "member")
    call.store.unrelate("member", group.id, target.id)
    disinherit(call, target, group.id)
    call.effect("remove", "group", group.id, relation="members", target=target.id)
    return Answer(204)


def _held(call: Call, group: Entity, kind: str) -> Entity:
    target = call.params["target"].value.lower()
    found = call.store.find(target, DIRECTORY_TYPES)
    if found is None or found.deleted is not None or not call.store.related(kind, group.id, target):
        raise not_found(group.id)  # Graph names the group here, not the person who is absent from it
    return found


def list_owners(call: Call) -> Answer:
    """GET /groups/{id}/owners"""
    found = call.store.targets("owner", lookup.group(call).id)
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def add_owner(call: Call) -> Answer:
    """POST /groups/{id}/owners/$ref"""
    call.options(NONE)
    group, target = lookup.group(call), lookup.reference(call)
    _demand_owners_writable(call, group)
    if not call.store.relate("owner", group.id, target.id):
        raise bad_request(_EXISTS.format("owners"))
    call.effect("add", "group", group.id, relation="owners", target=target.id)
    return Answer(204)


def remove_owner(call: Call) -> Answer:
    """DELETE /groups/{id}/owners/{id}/$ref: never the last one"""
    call.options(NONE)
    group = lookup.group(call)
    _demand_owners_writable(call, group)
    target = _held(call, group, "owner")
    others = [e for e in call.store.targets("owner", group.id) if e.type == "user" and e.id != target.id]
    if target.type == "user" and not others:
        raise bad_request(_LAST_OWNER)
    call.store.unrelate("owner", group.id, target.id)
    call.effect("remove", "group", group.id, relation="owners", target=target.id)
    return Answer(204)


def _demand_owners_writable(call: Call, group: Entity) -> None:
    """Owners of dynamic groups may change; synced and Exchange groups have none that Graph could write."""
    if group.body.get("onPremisesSyncEnabled"):
        raise bad_request(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects "
            "or objects currently undergoing migration."
        )
    _demand_not_exchange(group)
    _demand_role_right(call, group)


def delete_through(kind: str) -> Handler:
    """DELETE /groups/{id}/members/{id} without `/$ref`: Graph deletes the person, and so do we"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        victim = _held(call, lookup.group(call), kind)
        if victim.type != "user":
            raise denied()
        remove_user(call, victim)
        return Answer(204)

    return handler


EXPANDERS["group", "members"] = lambda call, group: call.store.targets("member", group.id)
EXPANDERS["group", "owners"] = lambda call, group: call.store.targets("owner", group.id)
