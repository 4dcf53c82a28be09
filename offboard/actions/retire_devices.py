"""Retire the leaver's devices through Intune: the company's apps, mail and data leave them, the person's own stay.

Use it where devices belong to the people who use them, or where a company device is handed on as it is. For company devices
that must be empty, use wipe-devices, which retires the personal ones by itself.

A device that also belongs to somebody else is left alone and reported, and so is one of which that cannot be told. Intune
answers at once and acts when the device next checks in: one that is offline keeps everything until then, which
stays an open item (`accept: [retired-later]`). Retire before licenses are removed and devices are disabled: Intune must
still reach them. A retired device leaves Intune; whoever uses it enrolls it anew.

Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-retire
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.managed import PERMISSIONS, asked, listed, request, take
from offboard.facts import Account, Devices, Facts, ManagedDevices
from offboard.model import JSON, Change, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class RetireDevices(Action):
    """See the module's docstring, which is the reference page."""

    name = "retire-devices"
    effect = Effect.IRREVERSIBLE
    reads = (Account, Devices, ManagedDevices)
    calls = ("POST /deviceManagement/managedDevices/{id}/retire",)
    permissions = PERMISSIONS
    example = '- action: retire-devices\n  when: leaver.userType == "Member"'
    once = True
    needs_license = True
    takes_effect = "When the device next checks in with Intune; one that is offline keeps everything until then."
    verified_by = (
        "Intune's managementState is read back as retirePending or retireIssued, or the device is gone from Intune."
    )
    undo_text = "Whoever uses the device enrolls it anew."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        for found in listed(facts):
            if isinstance(found, Note):
                yield found
            else:
                yield from take(facts, found, "retire")

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return request(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        return asked(facts, change)

    def undo(self, change: Change) -> WayBack:
        return WayBack(None, f"A retire cannot be undone. {self.undo_text}")
