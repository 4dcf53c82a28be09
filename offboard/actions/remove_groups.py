"""Take the leaver out of the groups that can be changed here.

Removes direct memberships of security groups and Microsoft 365 groups (Teams included). What Graph cannot change is left
and reported, with what to do instead: a dynamic group follows an attribute, a synchronized group is changed in Active
Directory, a mail-enabled security group or distribution list is changed in Exchange. Memberships through another group go
with that group and are not listed.

A role-assignable group is left too: changing it needs RoleManagement.ReadWrite.Directory, which gives power over every
administrator; take the leaver out by hand.

Licenses that come with a group go with the membership, minutes later. If they include the mailbox, it is disconnected and kept
for 30 days. Ownership is separate and is not touched.

Source: https://learn.microsoft.com/graph/api/group-delete-members
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.keeping import UNKNOWN_NAME, kept
from offboard.facts import Account, Facts, Group, Memberships, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned, Ref

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class RemoveGroups(Action):
    """See the module's docstring, which is the reference page."""

    name = "remove-groups"
    effect = Effect.REVERSIBLE
    reads = (Account, Memberships)
    calls = ("DELETE /groups/{id}/members/{id}/$ref",)
    undo_calls = ("POST /groups/{id}/members/$ref",)
    permissions = Permissions(
        delegated=(("GroupMember.ReadWrite.All",), ("Group.ReadWrite.All",), ("Directory.ReadWrite.All",)),
        application=(("GroupMember.ReadWrite.All",), ("Group.ReadWrite.All",), ("Directory.ReadWrite.All",)),
        roles=("Groups Administrator", "User Administrator"),
    )
    parameters = {
        "keep": {
            "description": "Groups to stay in, by display name or object id.",
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 256},
            "maxItems": 1000,
            "default": [],
        }
    }
    example = "- action: remove-groups\n  with: {keep: [Alumni]}"
    takes_effect = "In the directory at once; applications and Teams follow within minutes to a day."
    verified_by = "The group is no longer among the leaver's memberOf, read back."
    undo_text = "The leaver is added to the group again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        memberships = facts.get(Memberships)
        if isinstance(memberships, Unreadable):
            reason = f"the leaver's groups could not be read: {memberships.reason}"
            yield Note(Doing.UNKNOWN, None, reason, "groups-unknown", open=True)
            return
        for group in (g for g in memberships.items if g.kind == "group"):
            keep = kept(parameters, _ref(group))
            if group.bare:
                yield Note(
                    Doing.UNKNOWN, _ref(group), "Graph does not tell what kind of group it is", "group-unknown", open=True
                )
            elif keep:
                yield Note(Doing.KEEP, _ref(group), "the playbook keeps it", "kept-group")
            elif keep is None:
                yield Note(Doing.UNKNOWN, _ref(group), UNKNOWN_NAME, "group-name-unknown", open=True)
            elif note := _not_here(group):
                yield note
            else:
                yield Change(
                    "remove",
                    _ref(group),
                    before="member",
                    after="no member",
                    effect=self.effect,
                    data={"member": facts.account.id},
                )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        members = wire.graph.groups.by_group_id(change.target.id).members
        leaver = str(change.data["member"])
        if change.verb == "add":
            return wire.request("POST", members.ref, {"@odata.id": wire.directory_object(leaver)})
        return wire.request("DELETE", members.by_directory_object_id(leaver).ref)

    def fold(self, facts: Facts, change: Change) -> Facts:
        memberships = facts.get(Memberships)
        if isinstance(memberships, Unreadable):
            return facts
        return facts.put(replace(memberships, items=tuple(g for g in memberships.items if g.id != change.target.id)))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("add", change.target, before=change.after, after=change.before, data=change.data))


def _ref(group: Group) -> Ref:
    return Ref("group", group.id, group.name)


def _not_here(group: Group) -> Note | None:
    """Why Graph cannot change this group, and what to do instead."""
    reasons = (
        ("DynamicMembership" in group.group_types, "follows a rule: change the attribute it tests", "dynamic-group"),
        (group.synced, "is synchronized: take the leaver out in Active Directory", "synced-group"),
        (group.role_assignable, "can hold roles: take the leaver out by hand", "role-assignable-group"),
        (
            group.mail_enabled and "Unified" not in group.group_types,
            "is managed by Exchange: take the leaver out there",
            "exchange-group",
        ),
    )
    for applies, reason, code in reasons:
        if applies:
            return Note(Doing.ASK, _ref(group), reason, code, open=True)
    return None
