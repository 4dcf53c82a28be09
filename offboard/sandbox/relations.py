"""From a person to what belongs to them: devices, groups, roles, manager, reports."""

from __future__ import annotations

from collections.abc import Callable

from . import lookup
from .call import Answer, Call, Handler
from .entity import Entity
from .listing import collection, count
from .options import ENTITY, NONE, check
from .problems import bad_request, not_found
from .render import EXPANDERS, single
from .rolebook import roles_of
from .schema import DIRECTORY_OBJECT, TYPES
from .store import Store

Find = Callable[[Store, Entity], list[Entity]]

_SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
    "currently undergoing migration."
)


def owned_devices(store: Store, user: Entity) -> list[Entity]:
    """Devices whose registered owner the person is."""
    return store.sources("registeredOwner", user.id)


def registered_devices(store: Store, user: Entity) -> list[Entity]:
    """Devices on which the person is registered; Graph returns no more than a hundred."""
    return store.sources("registeredUser", user.id)[:100]


def member_of(store: Store, entity: Entity) -> list[Entity]:
    """Groups and directory roles held directly."""
    return sorted([*store.sources("member", entity.id), *roles_of(store, entity.id)], key=lambda e: e.seq)


def transitive_member_of(store: Store, entity: Entity) -> list[Entity]:
    """Groups and roles held directly or through groups in groups."""
    found: dict[str, Entity] = {}
    waiting = member_of(store, entity)
    while waiting:
        one = waiting.pop()
        if one.id not in found:
            found[one.id] = one
            waiting += member_of(store, one) if one.type == "group" else []
    return sorted(found.values(), key=lambda e: e.seq)


def owned_objects(store: Store, user: Entity) -> list[Entity]:
    """Groups and service principals owned. Devices have their own list."""
    return store.sources("owner", user.id)


def direct_reports(store: Store, user: Entity) -> list[Entity]:
    """People whose manager the person is."""
    return store.sources("manager", user.id)


def list_related(find: Find, *, cast: str | None = None) -> Handler:
    """A list hanging on a user; `cast` narrows it to one type."""

    def handler(call: Call) -> Answer:
        found = find(call.store, lookup.user(call))
        if cast is None:
            return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)
        narrowed = [entity for entity in found if entity.type == cast]
        return collection(call, TYPES[cast], lambda _options: narrowed, cast=True)

    return handler


def count_related(find: Find, *, cast: str | None = None) -> Handler:
    """The `/$count` of such a list."""

    def handler(call: Call) -> Answer:
        found = [e for e in find(call.store, lookup.user(call)) if cast in (None, e.type)]
        return count(call, TYPES[cast] if cast else DIRECTORY_OBJECT, lambda _options: found)

    return handler


def _manager(store: Store, user: Entity) -> Entity | None:
    return next(iter(store.targets("manager", user.id)), None)


def get_manager(call: Call) -> Answer:
    """GET /users/{id}/manager"""
    options = call.options(ENTITY)
    check(options, TYPES["user"])
    manager = _manager(call.store, lookup.user(call))
    if manager is None:
        raise not_found("manager")
    return Answer(200, single(call, manager, options, "directoryObjects", typed=True))


def get_manager_ref(call: Call) -> Answer:
    """GET /users/{id}/manager/$ref"""
    call.options(NONE)
    manager = _manager(call.store, lookup.user(call))
    if manager is None:
        raise not_found("manager")
    link = f"{call.request.root}/{call.version}/directoryObjects/{manager.id}/Microsoft.DirectoryServices.User"
    return Answer(200, {"@odata.context": call.context("$ref"), "@odata.id": link})


def put_manager(call: Call) -> Answer:
    """PUT /users/{id}/manager/$ref"""
    call.options(NONE)
    user, manager = lookup.user(call), lookup.reference(call)
    _demand_cloud(user)
    if manager.type != "user" or manager.id == user.id:
        raise bad_request("Invalid value specified for property 'manager' of resource 'User'.")
    before = _manager(call.store, user)
    for former in call.store.targets("manager", user.id):
        call.store.unrelate("manager", user.id, former.id)
    call.store.relate("manager", user.id, manager.id)
    call.effect("set", "user", user.id, relation="manager", changed={"manager": [before and before.id, manager.id]})
    return Answer(204)


def delete_manager(call: Call) -> Answer:
    """DELETE /users/{id}/manager/$ref"""
    call.options(NONE)
    user = lookup.user(call)
    _demand_cloud(user)
    manager = _manager(call.store, user)
    if manager is None:
        raise not_found("manager")
    call.store.unrelate("manager", user.id, manager.id)
    call.effect("set", "user", user.id, relation="manager", changed={"manager": [manager.id, None]})
    return Answer(204)


def _demand_cloud(user: Entity) -> None:
    if user.body.get("onPremisesSyncEnabled"):
        raise bad_request(_SYNCED)


def get_member_groups(call: Call) -> Answer:
    """POST /users/{id}/getMemberGroups"""
    body = call.json_body()
    if not isinstance(body.get("securityEnabledOnly"), bool):
        raise bad_request("The parameter 'securityEnabledOnly' is required.")
    groups = [e for e in transitive_member_of(call.store, lookup.user(call)) if e.type == "group"]
    wanted = [g.id for g in groups if g.body.get("securityEnabled") or not body["securityEnabledOnly"]]
    return Answer(200, {"@odata.context": call.context("Collection(Edm.String)"), "value": wanted})


def check_member_groups(call: Call) -> Answer:
    """POST /users/{id}/checkMemberGroups"""
    ids = call.json_body().get("groupIds")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 20:
        raise bad_request("The parameter 'groupIds' must hold between 1 and 20 group ids.")
    held = {entity.id for entity in transitive_member_of(call.store, lookup.user(call))}
    found = [str(id_) for id_ in ids if str(id_).lower() in held]
    return Answer(200, {"@odata.context": call.context("Collection(Edm.String)"), "value": found})


EXPANDERS["user", "manager"] = lambda call, user: _manager(call.store, user)
EXPANDERS["user", "directReports"] = lambda call, user: direct_reports(call.store, user)
EXPANDERS["user", "ownedDevices"] = lambda call, user: owned_devices(call.store, user)
EXPANDERS["user", "registeredDevices"] = lambda call, user: registered_devices(call.store, user)
EXPANDERS["user", "ownedObjects"] = lambda call, user: owned_objects(call.store, user)
for _type in ("user", "device", "group", "servicePrincipal"):
    EXPANDERS[_type, "memberOf"] = lambda call, entity: member_of(call.store, entity)
EXPANDERS["user", "transitiveMemberOf"] = lambda call, user: transitive_member_of(call.store, user)
