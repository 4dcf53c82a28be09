"""Intune's managed devices: whose they are, and how a wipe or a retire goes its way.

An accepted action is pending until the device checks in, issued until it is carried out, and then the device is gone from
Intune. A device that is offline stays pending for ever. All this is worked out from the clock when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from . import bodies, clock, lookup
from .call import Answer, Call, Handler
from .entity import Entity
from .listing import collection
from .options import ENTITY, NONE, check
from .problems import GraphError
from .render import single
from .schema import MANAGED_DEVICE, USER

CHECKS_IN, CARRIED_OUT = timedelta(minutes=15), timedelta(hours=1)
"""How long after it was asked for."""
_PARAMETERS = {"keepEnrollmentData": bool, "keepUserData": bool, "macOsUnlockCode": str, "persistEsimDataPlan": bool}


def _now(device: Entity, now: datetime) -> Entity | None:
    """The device as it is at this time; None when it has left Intune."""
    asked = device.body.get("_asked")
    if not asked or device.body.get("_offline"):
        return device
    passed = now - clock.parse(asked)
    if passed >= CARRIED_OUT:
        return None
    state = str(device.body["managementState"])
    if passed >= CHECKS_IN:
        state = state.replace("Pending", "Issued")
    return replace(device, body={**device.body, "managementState": state})


def _present(call: Call, devices: Iterable[Entity]) -> list[Entity]:
    return [found for device in devices if (found := _now(device, call.now)) is not None]


def _device(call: Call) -> Entity:
    key = call.params["managed"].value.lower()
    device = call.store.get("managedDevice", key)
    found = _now(device, call.now) if device else None
    if found is None:
        raise GraphError(404, "ResourceNotFound", f"Resource '{key}' does not exist.")
    return found


def list_of_user(call: Call) -> Answer:
    """GET /users/{id}/managedDevices"""
    user = lookup.user(call)
    return collection(call, MANAGED_DEVICE, lambda _options: _present(call, call.store.sources("primaryUser", user.id)))


def list_managed(call: Call) -> Answer:
    """GET /deviceManagement/managedDevices"""
    return collection(call, MANAGED_DEVICE, lambda _options: _present(call, call.store.scan("managedDevice")))


def get_managed(call: Call) -> Answer:
    """GET /deviceManagement/managedDevices/{id}"""
    options = call.options(ENTITY)
    check(options, MANAGED_DEVICE)
    return Answer(200, single(call, _device(call), options))


def list_users(call: Call) -> Answer:
    """GET /deviceManagement/managedDevices/{id}/users"""
    device = _device(call)
    return collection(call, USER, lambda _options: call.store.targets("primaryUser", device.id))


def ask(verb: str) -> Handler:
    """POST /deviceManagement/managedDevices/{id}/wipe and /retire: queued, until the device checks in"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        if verb == "retire":
            call.no_body()
        elif call.request.body.strip():
            _check(bodies.parameters(call.json_body(), tuple(_PARAMETERS)))
        device = _device(call)
        before, after = device.body["managementState"], f"{verb}Pending"
        result = {
            "actionName": verb,
            "actionState": "pending",
            "startDateTime": call.stamp,
            "lastUpdatedDateTime": call.stamp,
        }
        results = [*(device.body.get("deviceActionResults") or []), result]
        device.body.update(managementState=after, deviceActionResults=results, _asked=call.stamp)
        call.store.put(device)
        call.effect(verb, "managedDevice", device.id, changed={"managementState": [before, after]})
        return Answer(204)

    handler.__doc__ = f"POST /deviceManagement/managedDevices/{{id}}/{verb}"
    return handler


def _check(body: dict[str, object]) -> None:
    for name, value in body.items():
        if name in _PARAMETERS and not isinstance(value, _PARAMETERS[name] | None):
            raise GraphError(400, "BadRequest", f"The parameter '{name}' is not of the expected type.")
