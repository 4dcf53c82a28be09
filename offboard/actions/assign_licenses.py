"""Assign licenses directly to the person again.

The way back from `remove-licenses`, in one call, with the same service plans switched off as before. Seats must be free, and the
person needs a usage location; otherwise Graph refuses the call as a whole and says which product it was.

Within 30 days the mailbox is connected again with the license that includes it.

Source: https://learn.microsoft.com/graph/api/user-assignlicense
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.objects import GUID, listed, named
from offboard.actions.remove_licenses import RemoveLicenses
from offboard.facts import Account, Facts, License, Licenses, Memberships, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class AssignLicenses(Action):
    """See the module's docstring, which is the reference page."""

    name = "assign-licenses"
    effect = Effect.REVERSIBLE
    gives = True
    reads = (Account, Licenses, Memberships)
    calls = RemoveLicenses.calls
    permissions = RemoveLicenses.permissions
    parameters = {
        "licenses": listed(
            "Which products, by skuId; the name is for the reader.",
            disabled_plans={
                "description": "Service plans to leave switched off, by servicePlanId.",
                "type": "array",
                "items": {"type": "string", "pattern": GUID},
                "maxItems": 200,
            },
        )
    }
    required = ("licenses",)
    example = "- action: assign-licenses\n  with: {licenses: [{id: 05e9a617-0261-4cee-bb44-138d3ef5d965, name: SPE_E3}]}"
    takes_effect = "Within minutes; a mailbox that was disconnected is back within an hour or so."
    verified_by = "licenseAssignmentStates, read back, holds a direct assignment of these products."
    undo_text = "Reclaim the licenses again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        known = facts.get(Licenses)
        if isinstance(known, Unreadable):
            reason = f"licenses could not be read: {known.reason}"
            yield Note(Doing.UNKNOWN, None, reason, "licenses-unknown", open=True)
            return
        held = {x.sku_id.lower() for x in known.items if x.group is None}
        lacking = tuple(sku for sku in named(parameters, "licenses", "license") if sku.id not in held)
        off = {str(x["id"]).lower(): list(x.get("disabled_plans", ())) for x in parameters.get("licenses", ())}
        if lacking:
            yield Change(
                "assign",
                facts.account.ref,
                before="not assigned",
                after={sku.id: {"disabledPlans": off[sku.id]} for sku in lacking},
                effect=self.effect,
                parts=lacking,
            )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return RemoveLicenses().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        known = facts.get(Licenses)
        if isinstance(known, Unreadable):
            return facts
        again = (License(p.id, p.name, None, tuple(change.after[p.id]["disabledPlans"])) for p in change.parts)
        return facts.put(replace(known, items=(*known.items, *again)))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("free", change.target, before=change.after, after=change.before, parts=change.parts))
