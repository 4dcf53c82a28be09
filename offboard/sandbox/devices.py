"""Devices: read, change, delete; their registered owners and users."""

from __future__ import annotations

from collections.abc import Iterable

from . import bodies, lookup
from .call import Answer, Call, Handler
from .entity import Entity
from .listing import collection, count
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .problems import bad_request, not_found
from .render import EXPANDERS, single
from .schema import DEVICE, DIRECTORY_OBJECT, USER
from .users import remove_user

_EXISTS = "One or more added object references already exist for the following modified properties: '{}'."


def _candidates(call: Call, options: Options) -> Iterable[Entity]:
    names = pinned(options.filter, "displayName") if options.filter else None
    ids = pinned(options.filter, "id") if options.filter else None
    keys = pinned(options.filter, "deviceId") if options.filter else None
    if ids is not None:
        found = [call.store.get("device", id_.lower()) for id_ in dict.fromkeys(ids)]
        return sorted((device for device in found if device), key=lambda device: device.seq)
    if keys is not None:
        return [device for key in dict.fromkeys(keys) for device in call.store.by_key("device", key.lower())]
    if names is not None:
        return [device for name in dict.fromkeys(names) for device in call.store.by_name("device", name)]
    return call.store.scan("device")


def list_devices(call: Call) -> Answer:
    """GET /devices"""
    return collection(call, DEVICE, lambda options: _candidates(call, options))


def count_devices(call: Call) -> Answer:
    """GET /devices/$count"""
    return count(call, DEVICE, lambda options: _candidates(call, options))


def get_device(call: Call) -> Answer:
    """GET /devices/{id}"""
    options = call.options(ENTITY)
    check(options, DEVICE)
    return Answer(200, single(call, lookup.device(call), options))


def patch_device(call: Call) -> Answer:
    """PATCH /devices/{id}"""
    call.options(NONE)
    wanted = bodies.changes(call.json_body(), DEVICE)
    device = lookup.device(call)
    changed = {name: [device.body.get(name), value] for name, value in wanted.items() if device.body.get(name) != value}
    device.body.update(wanted)
    call.store.put(device)
    call.effect("update", "device", device.id, changed=changed)
    return Answer(204)


def delete_device(call: Call) -> Answer:
    """DELETE /devices/{id}: for good, there is no recycle bin for devices"""
    call.options(NONE)
    device = lookup.device(call)
    call.store.drop(device)
    call.effect("delete", "device", device.id, displayName=device.body.get("displayName"))
    return Answer(204)


def list_registered(kind: str, *, cast: bool = False) -> Handler:
    """GET /devices/{id}/registeredOwners and /registeredUsers, plain or cast to user"""
    plural = kind + "s"

    def handler(call: Call) -> Answer:
        found = call.store.targets(kind, lookup.device(call).id)
        if cast:
            return collection(call, USER, lambda _options: found, cast=True)
        return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)

    handler.__doc__ = f"GET /devices/{{id}}/{plural}"
    return handler


def add_registered(kind: str) -> Handler:
    """POST /devices/{id}/registeredOwners/$ref"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        device, target = lookup.device(call), lookup.reference(call)
        if target.type != "user":
            raise bad_request(f"Object reference of type '{target.type}' is not allowed in '{kind}s'.")
        if kind == "registeredOwner" and call.store.targets(kind, device.id):
            # A device has at most one registered owner.
            raise bad_request(_EXISTS.format("registeredOwners"))
        if not call.store.relate(kind, device.id, target.id):
            raise bad_request(_EXISTS.format(kind + "s"))
        call.effect("add", "device", device.id, relation=kind + "s", target=target.id)
        return Answer(204)

    return handler


def remove_registered(kind: str) -> Handler:
    """DELETE /devices/{id}/registeredOwners/{id}/$ref"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        device, target = lookup.device(call), call.params["target"].value.lower()
        living = {entity.id for entity in call.store.targets(kind, device.id)}
        if target not in living or not call.store.unrelate(kind, device.id, target):
            raise not_found(target)
        call.effect("remove", "device", device.id, relation=kind + "s", target=target)
        return Answer(204)

    return handler


def delete_through_registered(kind: str) -> Handler:
    """DELETE /devices/{id}/registeredOwners/{id} without `/$ref`: Graph deletes the person, and so do we"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        device, target = lookup.device(call), call.params["target"].value.lower()
        victim = next((entity for entity in call.store.targets(kind, device.id) if entity.id == target), None)
        if victim is None:
            raise not_found(target)
        remove_user(call, victim)
        return Answer(204)

    return handler


EXPANDERS["device", "registeredOwners"] = lambda call, device: call.store.targets("registeredOwner", device.id)
EXPANDERS["device", "registeredUsers"] = lambda call, device: call.store.targets("registeredUser", device.id)
