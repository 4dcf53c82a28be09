"""The recycle bin: deletion that can be taken back for thirty days, restoration, purging."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from . import bodies, clock, lookup, privilege
from .call import Answer, Call
from .entity import Entity
from .licenses import inherit
from .listing import collection, count
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .problems import GraphError, bad_request, not_found
from .render import single
from .schema import GROUP, USER, EntityType
from .seats import release_seats, take_seats
from .store import Store

RETENTION_DAYS = 30
_UNTYPED = "Resource type must be specified: use /directory/deletedItems/microsoft.graph.user."


def mangled(user: Entity) -> str:
    """The name that a deleted user bears, so that the old one is free again."""
    return user.id.replace("-", "") + str(user.body["userPrincipalName"])


def soft_delete(call: Call, entity: Entity) -> None:
    """Into the bin. Memberships, licenses and owned devices stay recorded but no longer show or count."""
    before = entity.body.get("userPrincipalName")
    entity.deleted = call.stamp
    if entity.type == "user":
        release_seats(call.store, entity)
        entity.body["userPrincipalName"] = mangled(entity)
        entity.key = str(entity.body["userPrincipalName"]).lower()
    call.store.put(entity)
    named = {"userPrincipalName": before} if before else {"displayName": entity.body.get("displayName")}
    call.effect("delete", entity.type, entity.id, **named)


def expire(store: Store, now: datetime) -> None:
    """After thirty days things are gone by themselves."""
    for entity in store.deleted_before(clock.days_before(now, RETENTION_DAYS)):
        store.drop(entity)


def _bin(call: Call, type_: EntityType, options: Options) -> Iterable[Entity]:
    ids = pinned(options.filter, "id") if options.filter else None
    if ids is None:
        return call.store.scan(type_.name, deleted=True)
    found = [call.store.get(type_.name, id_.lower()) for id_ in dict.fromkeys(ids)]
    return sorted((e for e in found if e and e.deleted), key=lambda e: e.seq)


def list_deleted_users(call: Call) -> Answer:
    """GET /directory/deletedItems/microsoft.graph.user"""
    return collection(call, USER, lambda options: _bin(call, USER, options))


def count_deleted_users(call: Call) -> Answer:
    """GET /directory/deletedItems/microsoft.graph.user/$count"""
    return count(call, USER, lambda options: _bin(call, USER, options))


def list_deleted_groups(call: Call) -> Answer:
    """GET /directory/deletedItems/microsoft.graph.group"""
    return collection(call, GROUP, lambda options: _bin(call, GROUP, options))


def refuse_untyped(call: Call) -> Answer:
    """GET /directory/deletedItems: the type cast is mandatory"""
    del call
    raise bad_request(_UNTYPED)


def _deleted(call: Call) -> Entity:
    key = call.params["item"].value
    found = call.store.find(key.lower(), ("user", "group"))
    if found is None or found.deleted is None:
        raise not_found(key)
    return found


def get_deleted(call: Call) -> Answer:
    """GET /directory/deletedItems/{id}"""
    entity = _deleted(call)
    type_ = USER if entity.type == "user" else GROUP
    options = call.options(ENTITY)
    check(options, type_)
    return Answer(200, single(call, entity, options, "directoryObjects", typed=True))


def get_deleted_user(call: Call) -> Answer:
    """GET /directory/deletedItems/{id}/microsoft.graph.user"""
    entity = _deleted(call)
    if entity.type != "user":
        raise not_found(entity.id)
    options = call.options(ENTITY)
    check(options, USER)
    return Answer(200, single(call, entity, options))


def restore(call: Call) -> Answer:
    """POST /directory/deletedItems/{id}/restore"""
    call.options(NONE)
    entity = _deleted(call)
    known = ("autoReconcileProxyConflict", "newUserPrincipalName")
    body = bodies.parameters(call.json_body(), known) if call.request.body.strip() else {}
    privilege.demand_to_delete(call, entity)
    entity.deleted = None
    if entity.type == "user":
        _rename_back(call, entity, body.get("newUserPrincipalName"))
        take_seats(call.store, entity)
    call.store.put(entity)
    for member in call.store.targets("member", entity.id) if entity.type == "group" else ():
        inherit(call, member, entity)
    named = entity.body.get("userPrincipalName") or entity.body.get("displayName")
    call.effect("restore", entity.type, entity.id, name=named)
    return Answer(200, single(call, entity, Options(), "directoryObjects", typed=True))


def _rename_back(call: Call, user: Entity, new_name: object) -> None:
    if not isinstance(new_name, str | None) or "@" not in (new_name or "@"):
        raise bad_request("Invalid value specified for parameter 'newUserPrincipalName'.")
    name = new_name or str(user.body["userPrincipalName"]).removeprefix(user.id.replace("-", ""))
    if lookup.find_user(call.store, name) is not None:
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "Another object with the same value for property userPrincipalName already exists.",
        )
    user.body["userPrincipalName"] = name
    user.key = name.lower()


def purge(call: Call) -> Answer:
    """DELETE /directory/deletedItems/{id}: for good"""
    call.options(NONE)
    entity = _deleted(call)
    privilege.demand_to_delete(call, entity)
    call.store.drop(entity)
    call.effect("purge", entity.type, entity.id)
    return Answer(204)
