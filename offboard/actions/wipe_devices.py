"""Wipe the leaver's company devices through Intune: back to factory settings, everything on them is lost.

Use it for devices that do not come back, or that must be empty before they do. Personal devices are retired instead, which
takes away the company's data and leaves the person's: say `personal: wipe` only where that was agreed. A device of which
Intune does not know whose it is counts as personal.

A device that also belongs to somebody else (a primary user in Intune, an owner or registered user in Entra ID) is left alone
and reported, and so is one of which that cannot be told. Intune answers at once and acts when the device next checks in:
one that is offline keeps everything until then, which stays an open item (`accept: [wiped-later]`). A
device that is already being wiped is not asked again, one that leaves Intune or is managed elsewhere (Jamf, Exchange
ActiveSync) is named. Wipe before licenses are removed and devices are disabled: Intune must still reach them.

Nothing brings back what was wiped. The tenant's `max_wipes` limits how many devices a run, and a day, may lose.

Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-wipe
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.managed import PERMISSIONS, asked, listed, request, take
from offboard.facts import Account, Devices, Facts, ManagedDevices
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class WipeDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "wipe-devices"
    effect = Effect.IRREVERSIBLE
    reads = (Account, Devices, ManagedDevices)
    calls = (
        "POST /deviceManagement/managedDevices/{id}/wipe",
        "POST /deviceManagement/managedDevices/{id}/retire",
    )
    permissions = PERMISSIONS
    parameters = {
        "personal": {
            "description": "What happens to a device that is not known to be the company's.",
            "enum": ["retire", "wipe", "leave"],
            "default": "retire",
        }
    }
    example = '- action: wipe-devices\n  when: leaver.userType == "Member"'
    once = True
    needs_license = True
    takes_effect = "When the device next checks in with Intune; one that is offline keeps everything until then."
    verified_by = "Intune's managementState is read back as wipePending or wipeIssued, or the device is gone from Intune."
    undo_text = "What was on a wiped device is gone; enroll it anew."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        personal = parameters.get("personal", "retire")
        for found in listed(facts):
            if isinstance(found, Note):
                yield found
            elif found.ownership == "company" or personal == "wipe":
                yield from take(facts, found, "wipe")
            elif personal == "retire":
                yield from take(facts, found, "retire")
            else:
                reason = f"its ownership is {found.ownership}; it keeps the company's data"
                yield Note(Doing.SKIP, found.ref, reason, "personal-device", open=True)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return request(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        return asked(facts, change)

    def undo(self, change: Change) -> WayBack:
        return WayBack(None, f"A {change.verb} cannot be undone. {self.undo_text}")
