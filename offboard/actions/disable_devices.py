"""Disable the leaver's devices in Entra ID.

A disabled device can no longer get tokens: its primary refresh token is refused and Windows Hello for Business on it
stops working. Nothing is deleted, and enabling brings it back.

A device that also belongs to somebody else (another owner or registered user) is left alone and reported, because
disabling it would lock that person out. That holds also when the other one leaves in the same plan, who may stay after all
or leave later: disable such a device by hand when nobody needs it any more. A printer or another
object that is no registered device is left alone, too. A device that is mastered on-premises can be switched on again by
the next synchronization; the plan says so.

Source: https://learn.microsoft.com/graph/api/device-update
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.devices import chosen, parameter
from offboard.facts import Account, Device, Devices, Facts, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class DisableDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "disable-devices"
    effect = Effect.REVERSIBLE
    reads = (Account, Devices)
    calls = ("PATCH /devices/{id}",)
    permissions = Permissions(
        delegated=(("Directory.AccessAsUser.All",),),
        application=(("Device.ReadWrite.All",), ("Directory.ReadWrite.All",)),
        roles=("Cloud Device Administrator", "Intune Administrator"),
    )
    parameters = {"devices": parameter("owned", "registered")}
    example = "- action: disable-devices\n  with: {devices: registered}"
    outlives = True
    takes_effect = "New tokens are refused at once; a device that is offline keeps what is stored on it."
    verified_by = "The device's accountEnabled is read back as false."
    undo_text = "Enable the device again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        for found in chosen(facts, parameters):
            if isinstance(found, Note):
                yield found
            else:
                yield from self._device(facts.account, facts.get(Devices), found)

    def _device(self, account: Account, devices: Devices | Unreadable, device: Device) -> Iterator[Planned]:
        if device.enabled is False or isinstance(devices, Unreadable):
            return
        others = devices.others(device, account.id)
        if isinstance(others, Unreadable):
            yield Note(
                Doing.UNKNOWN,
                device.ref,
                f"cannot tell whether somebody else uses it: {others.reason}",
                "sharing-unknown",
                open=True,
            )
        elif others:
            leaving = {ref.id for ref in devices.leaving.get(device.id, ())}
            names = ", ".join(f"{ref.name} (who leaves as well)" if ref.id in leaving else ref.name for ref in others)
            yield Note(Doing.SKIP, device.ref, f"also used by {names}; stays enabled", "shared-device", open=True)
        elif device.profile_type not in (None, "RegisteredDevice"):
            yield Note(
                Doing.SKIP,
                device.ref,
                f"is a {device.profile_type}, which cannot be disabled here",
                "not-a-registered-device",
                open=True,
            )
        else:
            yield Change("disable", device.ref, before="enabled", after="disabled", effect=self.effect)
            if device.synced:
                yield Note(
                    Doing.ASK,
                    device.ref,
                    "is mastered on-premises: disable its computer account there too",
                    "synced-device",
                    open=True,
                )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        enabled = change.verb == "enable"
        return wire.request("PATCH", wire.graph.devices.by_device_id(change.target.id), {"accountEnabled": enabled})

    def fold(self, facts: Facts, change: Change) -> Facts:
        devices = facts.get(Devices)
        if isinstance(devices, Unreadable):
            return facts
        device = devices.by_id(change.target.id)
        return facts.put(devices.with_device(replace(device, enabled=False))) if device else facts

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("enable", change.target, before="disabled", after="enabled"))
