"""Make the person a member of groups again.

The way back from `remove-groups`. The groups are listed by object id, because a group that was left can no longer be found by
looking at the person. Licenses that come with a group come back with the membership, minutes later.

A membership gives access: list only groups that the person had. Graph refuses groups that follow a rule, come from Active
Directory, are managed by Exchange or can hold roles; the step then fails and says so.

Source: https://learn.microsoft.com/graph/api/group-post-members
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.objects import listed, named
from offboard.actions.remove_groups import RemoveGroups
from offboard.facts import Account, Facts, Group, Memberships, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class AddGroups(Action):
    """See the module's docstring, which is the reference page."""

    name = "add-groups"
    effect = Effect.REVERSIBLE
    gives = True
    reads = (Account, Memberships)
    calls = RemoveGroups.undo_calls
    undo_calls = RemoveGroups.calls
    permissions = RemoveGroups.permissions
    parameters = {"groups": listed("Which groups, by object id; the name is for the reader.")}
    required = ("groups",)
    example = "- action: add-groups\n  with: {groups: [{id: b0000000-0000-4000-8000-000000000002, name: Finance Team}]}"
    takes_effect = "In the directory at once; applications and Teams follow within minutes to a day."
    verified_by = "The group is among the person's memberOf, read back."
    undo_text = "The person is taken out of the group again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        known = facts.get(Memberships)
        if isinstance(known, Unreadable):
            reason = f"the person's groups could not be read: {known.reason}"
            yield Note(Doing.UNKNOWN, None, reason, "groups-unknown", open=True)
            return
        held = {group.id.lower() for group in known.items}
        for group in named(parameters, "groups", "group"):
            if group.id not in held:
                data = {"member": facts.account.id}
                yield Change("add", group, before="no member", after="member", effect=self.effect, data=data)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return RemoveGroups().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        known = facts.get(Memberships)
        if isinstance(known, Unreadable):
            return facts
        group = Group(change.target.id, change.target.name, "group")
        return facts.put(replace(known, items=(*known.items, group)))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("remove", change.target, before=change.after, after=change.before, data=change.data))
