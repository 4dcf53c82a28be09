"""Remove the leaver as registered owner of devices.

A registered owner may see the device's BitLocker keys and manage it as "my device"; the ownership also keeps the leaver's
name on it in every inventory. Removing it neither unjoins nor disables the device: `disable-devices` does that.

Graph allows this only to a signed-in person (delegated, Directory.AccessAsUser.All): no app can do it. The plan says so
before anything is written. Hybrid-joined devices usually have no owner, so an empty list is normal.

The request always ends in `/$ref`. Without it, Graph would delete the user instead of the reference.

Source: https://learn.microsoft.com/graph/api/device-delete-registeredowners
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


class UnownDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "unown-devices"
    effect = Effect.REVERSIBLE
    reads = (Account, Devices)
    calls = ("DELETE /devices/{id}/registeredOwners/{id}/$ref",)
    undo_calls = ("POST /devices/{id}/registeredOwners/$ref",)
    permissions = Permissions(
        delegated=(("Directory.AccessAsUser.All",),),
        application=(),
        roles=("Intune Administrator", "Windows 365 Administrator"),
        remark="Graph offers no application permission for this; sign in as a person.",
    )
    parameters = {"devices": parameter("owned")}
    example = "- action: unown-devices\n  with: {devices: {display_name: Sawyer Laptop}}"
    takes_effect = "At once in the directory."
    verified_by = "The leaver is no longer among the device's registeredOwners, read back."
    undo_text = "The owner is added again, by a signed-in person."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        for found in chosen(facts, parameters):
            if isinstance(found, Note):
                yield found
            else:
                yield from self._device(facts.account, found)

    def _device(self, account: Account, device: Device) -> Iterator[Planned]:
        if isinstance(device.owners, Unreadable):
            yield Note(
                Doing.UNKNOWN,
                device.ref,
                f"its owners could not be read: {device.owners.reason}",
                "owners-unknown",
                open=True,
            )
        elif any(owner.id == account.id for owner in device.owners):
            yield Change(
                "unown",
                device.ref,
                before={"owners": [owner.name for owner in device.owners]},
                after={"owners": [owner.name for owner in device.owners if owner.id != account.id]},
                effect=self.effect,
                data={"owner": account.id},
            )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        owners = wire.graph.devices.by_device_id(change.target.id).registered_owners
        if change.verb == "own":
            return wire.request("POST", owners.ref, {"@odata.id": wire.directory_object(str(change.data["owner"]))})
        return wire.request("DELETE", owners.by_directory_object_id(str(change.data["owner"])).ref)

    def fold(self, facts: Facts, change: Change) -> Facts:
        devices = facts.get(Devices)
        if isinstance(devices, Unreadable):
            return facts
        device = devices.by_id(change.target.id)
        if device is None or isinstance(device.owners, Unreadable):
            return facts
        left = tuple(owner for owner in device.owners if owner.id != change.data["owner"])
        return facts.put(devices.with_device(replace(device, owners=left)))

    def undo(self, change: Change) -> WayBack:
        back = Change("own", change.target, before=change.after, after=change.before, data=change.data)
        return WayBack(back)
