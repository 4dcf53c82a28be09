"""Reclaim the leaver's directly assigned licenses.

All of them are removed in one call, so that the product seats are free again. A license that comes with a group cannot be
removed from the user: it is reported with the group that brings it and goes when the membership goes.

Removing the license with the Exchange plan disconnects the mailbox, which is then kept for 30 days. Convert the mailbox
or export what is needed first. Deleting the user frees the licenses as well, so a playbook that deletes soon may not need
this step.

Source: https://learn.microsoft.com/graph/api/user-assignlicense
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.keeping import UNKNOWN_NAME, kept
from offboard.facts import Account, Facts, License, Licenses, Memberships, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class RemoveLicenses(Action):
    """See the module's docstring, which is the reference page."""

    name = "remove-licenses"
    effect = Effect.REVERSIBLE
    reads = (Account, Licenses, Memberships)
    calls = ("POST /users/{id}/assignLicense",)
    permissions = Permissions(
        delegated=(
            ("LicenseAssignment.ReadWrite.All",),
            ("User.ReadWrite.All",),
            ("Directory.ReadWrite.All",),
        ),
        application=(
            ("LicenseAssignment.ReadWrite.All",),
            ("User.ReadWrite.All",),
            ("Directory.ReadWrite.All",),
        ),
        roles=("License Administrator", "User Administrator"),
    )
    parameters = {
        "keep": {
            "description": "Products to leave assigned, by skuPartNumber (SPE_E3) or skuId.",
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 128},
            "maxItems": 100,
            "default": [],
        }
    }
    example = "- action: remove-licenses\n  with: {keep: [VISIOCLIENT]}"
    takes_effect = "The seat is free within minutes; the mailbox is disconnected and kept for 30 days."
    verified_by = "licenseAssignmentStates, read back, holds no direct assignment of these products."
    undo_text = "Assign the licenses again while seats are free, with the same disabled plans."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        licenses = facts.get(Licenses)
        if isinstance(licenses, Unreadable):
            yield Note(
                Doing.UNKNOWN,
                None,
                f"licenses could not be read: {licenses.reason}",
                "licenses-unknown",
                open=True,
            )
            return
        direct = {x: kept(parameters, x.ref) for x in licenses.items if x.group is None}
        free = tuple(x for x, keep in direct.items() if keep is False)
        if free:
            yield self._change(facts.account, free)
        for x, keep in direct.items():
            if keep:
                yield Note(Doing.KEEP, x.ref, "the playbook keeps it", "kept-license")
            elif keep is None:
                yield Note(Doing.UNKNOWN, x.ref, UNKNOWN_NAME, "license-name-unknown", open=True)
        for inherited in (x for x in licenses.items if x.group is not None):
            assert inherited.group is not None
            yield Note(
                Doing.KEEP,
                inherited.ref,
                f"comes with group {inherited.group.name}; leaves with it",
                "license-by-group",
                open=True,
            )

    def _change(self, account: Account, free: tuple[License, ...]) -> Change:
        return Change(
            "free",
            account.ref,
            before={x.sku_id: {"disabledPlans": list(x.disabled_plans)} for x in free},
            after="not assigned",
            effect=self.effect,
            parts=tuple(x.ref for x in free),
        )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        user = wire.graph.users.by_user_id(change.target.id)
        # Both arrays are always sent: Graph rejects the call when one is missing.
        if change.verb == "assign":
            again = [{"skuId": part.id, **change.after.get(part.id, {})} for part in change.parts]
            return wire.request("POST", user.assign_license, {"addLicenses": again, "removeLicenses": []})
        body = {"addLicenses": [], "removeLicenses": [part.id for part in change.parts]}
        return wire.request("POST", user.assign_license, body)

    def fold(self, facts: Facts, change: Change) -> Facts:
        licenses = facts.get(Licenses)
        if isinstance(licenses, Unreadable):
            return facts
        freed = {part.id for part in change.parts}
        left = tuple(x for x in licenses.items if x.group is not None or x.sku_id not in freed)
        return facts.put(replace(licenses, items=left))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("assign", change.target, before="not assigned", after=change.before, parts=change.parts))
