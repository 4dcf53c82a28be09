"""Make the person a registered owner of devices again.

The way back from `unown-devices`. A registered owner may see the device's BitLocker keys. The devices are listed by object
id, because a device that has lost its owner can no longer be found by looking at the person.

Graph allows this only to a signed-in person (delegated, Directory.AccessAsUser.All): no app can do it. Only a device that
belongs to the person, or is named in the plan of `offboard undo`, can be looked at; another one is left alone and reported.
So is a device that has another owner: Graph lets it have one at most.

Source: https://learn.microsoft.com/graph/api/device-post-registeredowners
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.objects import devices, listed
from offboard.actions.unown_devices import UnownDevices
from offboard.facts import Account, Device, Devices, Facts, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class OwnDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "own-devices"
    effect = Effect.REVERSIBLE
    gives = True
    reads = (Account, Devices)
    calls = UnownDevices.undo_calls
    undo_calls = UnownDevices.calls
    permissions = UnownDevices.permissions
    parameters = {"devices": listed("Which devices, by object id; the name is for the reader.")}
    required = ("devices",)
    example = (
        "- action: own-devices\n  with: {devices: [{id: d0000000-0000-4000-8000-000000000001, name: Sawyer Laptop}]}"
    )
    takes_effect = "At once in the directory."
    verified_by = "The person is among the device's registeredOwners, read back."
    undo_text = "The owner is removed again, by a signed-in person."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        for found in devices(facts, parameters):
            if isinstance(found, Note):
                yield found
            else:
                yield from self._device(facts.account, found)

    def _device(self, account: Account, device: Device) -> Iterator[Planned]:
        if isinstance(device.owners, Unreadable):
            reason = f"its owners could not be read: {device.owners.reason}"
            yield Note(Doing.UNKNOWN, device.ref, reason, "owners-unknown", open=True)
        elif device.owners and account.id not in {owner.id for owner in device.owners}:
            names = ", ".join(owner.name for owner in device.owners)
            reason = f"belongs to {names}, and a device has one registered owner at most: settle whose it is"
            yield Note(Doing.ASK, device.ref, reason, "device-owned", open=True)
        elif not device.owners:
            yield Change(
                "own",
                device.ref,
                before={"owners": []},
                after={"owners": [account.display_name]},
                effect=self.effect,
                data={"owner": account.id},
            )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return UnownDevices().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        known = facts.get(Devices)
        device = None if isinstance(known, Unreadable) else known.by_id(change.target.id)
        if isinstance(known, Unreadable) or device is None or isinstance(device.owners, Unreadable):
            return facts
        return facts.put(known.with_device(replace(device, owners=(*device.owners, facts.account.ref))))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("unown", change.target, before=change.after, after=change.before, data=change.data))
