"""Enable devices in Entra ID again.

The way back from `disable-devices`. The devices are listed by object id, because a device that has lost its owner can no
longer be found by looking at the person. Whoever uses the device signs in to it again.

Only a device that belongs to the person, or is named in the plan of `offboard undo`, can be looked at; another one is left
alone and reported. A device that is mastered on-premises can be switched off again by the next synchronization.

Source: https://learn.microsoft.com/graph/api/device-update
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.disable_devices import DisableDevices
from offboard.actions.objects import devices, listed
from offboard.facts import Account, Devices, Facts, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class EnableDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "enable-devices"
    effect = Effect.REVERSIBLE
    reads = (Account, Devices)
    calls = DisableDevices.calls
    permissions = DisableDevices.permissions
    parameters = {"devices": listed("Which devices, by object id; the name is for the reader.")}
    required = ("devices",)
    example = "- action: enable-devices\n  with: {devices: [{id: d0000000-0000-4000-8000-000000000002, name: Woodgrove Desktop}]}"
    takes_effect = "The device gets tokens again at its next sign-in."
    verified_by = "The device's accountEnabled is read back as true."
    undo_text = "Disable the device again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        for found in devices(facts, parameters):
            if isinstance(found, Note):
                yield found
            elif found.enabled is None:
                yield Note(Doing.UNKNOWN, found.ref, "accountEnabled could not be read", "enabled-unknown", open=True)
            elif not found.enabled:
                yield Change("enable", found.ref, before="disabled", after="enabled", effect=self.effect)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return DisableDevices().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        known = facts.get(Devices)
        device = None if isinstance(known, Unreadable) else known.by_id(change.target.id)
        if isinstance(known, Unreadable) or device is None:
            return facts
        return facts.put(known.with_device(replace(device, enabled=True)))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("disable", change.target, before="enabled", after="disabled"))
