"""What the guards must know besides the plan: the tenant around the leavers, and what other runs have done.

Read for the tenant as a whole and not per leaver, so that a thousand leavers cost no more than one. Every piece may be
`Unreadable`, and a guard that needs such a piece says stop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from offboard.facts import Unreadable
from offboard.permissions.roles import NAMES

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
SYNC_ACCOUNTS = frozenset({"d29b2b05-8046-44ba-8758-1e26182fcf32", "a92aed5d-d78a-4d16-b381-09adb37eb3b0"})
"""Roles of the accounts that synchronize with Active Directory. Template ids are the same in every tenant."""

Ids = frozenset[str]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in.

    Args:
        id: Object id of the person or the service principal; empty where nobody signs in (the sandbox).
        app: The name of the app that is signed in with.
        owners: Object ids of that app's owners.
    """

    id: str = ""
    app: str = ""
    owners: Ids | Unreadable = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """One role, held or to be had for the asking, by a person, a group or an app.

    Args:
        role: The role's template id.
        principal: Object id of the holder.
        scope: `/` for the whole tenant.
    """

    role: str
    principal: str
    scope: str = "/"


@dataclass(frozen=True, slots=True)
class RoleGroup:
    """A group that holds a role for its members.

    Args:
        id: Object id.
        name: For messages.
        members: Nested ones too; those who put themselves in for some hours among them.
        owners: Whoever owns it.
        eligible: Who may put themselves in, or make themselves an owner (Privileged Identity Management for groups).
    """

    id: str
    name: str
    members: Ids | Unreadable = frozenset()
    owners: Ids | Unreadable = frozenset()
    eligible: Ids | Unreadable = frozenset()


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of other runs in this tenant.

    Args:
        leavers: Whom runs have begun to act on within 24 hours, or are about to.
        earlier: Leavers of this very run on whom it acted before that.
        deletes: Users deleted within 24 hours.
        wipes: Devices wiped within 24 hours.
        pending: Leavers of other runs that are not over.
    """

    leavers: Ids = frozenset()
    earlier: Ids = frozenset()
    deletes: Ids = frozenset()
    wipes: Ids = frozenset()
    pending: Ids = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The tenant around the leavers, at one time.

    Args:
        now: Graph's clock.
        caller: Who is signed in.
        active: Roles in force.
        eligible: Roles that their holder may put in force (Privileged Identity Management).
        role_groups: Groups that hold one of these.
        protected: Members of each protected group, nested ones too, by the group's id.
        named: Object ids of the protected users who are configured by name; whoever is not in it does not exist.
        enabled_members: How many members of the tenant can sign in.
        administrators: Of those who hold Global Administrator: whether they can sign in, as far as that was told. Only read
            where it matters.
        shows_roles: Whether what is signed in with is shown a person's roles among the person's memberships.
        mailboxes: By leaver: what the mailbox is for (`userPurpose`), or why that was not told. Only read where the tenant
            wants that; who has no mailbox in the cloud is not in it.
        approvers: Ids and names of those who approved, or may approve, this plan.
        history: Other runs.
    """

    calls: ClassVar[tuple[str, ...]] = (
        "GET /roleManagement/directory/roleAssignments",
        "GET /roleManagement/directory/roleEligibilityScheduleInstances",
        "GET /groups",
        "GET /groups/{id}/transitiveMembers",
        "GET /groups/{id}/owners",
        "GET /users",
        "GET /servicePrincipals",
        "GET /servicePrincipals/{id}/owners",
        "GET /applications",
        "GET /applications/{id}/owners",
        "GET /users/{id}/mailboxSettings",
        "GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
    )

    now: datetime
    caller: SignedIn | Unreadable
    active: tuple[Held, ...] | Unreadable = ()
    eligible: tuple[Held, ...] | Unreadable = ()
    role_groups: tuple[RoleGroup, ...] | Unreadable = ()
    protected: Mapping[str, Ids | Unreadable] = field(default_factory=dict)
    named: Mapping[str, str] | Unreadable = field(default_factory=dict)
    enabled_members: int | Unreadable = 0
    administrators: Mapping[str, bool | None] | Unreadable = field(default_factory=dict)
    mailboxes: Mapping[str, str | Unreadable] = field(default_factory=dict)
    approvers: Ids = frozenset()
    history: History = History()
    shows_roles: bool = True

    def holders(self, role: str) -> Ids | Unreadable:
        """Who holds this role for the whole tenant and in force, directly or through a group."""
        if isinstance(self.active, Unreadable):
            return self.active
        if isinstance(self.role_groups, Unreadable):
            return self.role_groups
        direct = {held.principal for held in self.active if held.role == role and held.scope == "/"}
        found = set(direct)
        for group in self.role_groups:
            if group.id in direct:
                if isinstance(group.members, Unreadable):
                    return group.members
                found |= group.members
        return frozenset(found)

    def roles_of(self, id: str) -> list[str]:
        """What this person holds, or may come to hold, ready to be listed; of what could be read."""
        groups = self.role_groups if isinstance(self.role_groups, tuple) else ()
        mine = {id: ""}
        for group in groups:
            if isinstance(group.members, frozenset) and id in group.members:
                mine[group.id] = f" through the group {group.name}"
            elif isinstance(group.owners, frozenset) and id in group.owners:
                mine[group.id] = f" as owner of the group {group.name}"
            elif isinstance(group.eligible, frozenset) and id in group.eligible:
                mine[group.id] = f" through the group {group.name}, for which eligible"
        found = dict.fromkeys(self._worded(self.active, mine, ""))
        found |= dict.fromkeys(self._worded(self.eligible, mine, " (eligible)"))
        return list(found)

    def _worded(self, held: tuple[Held, ...] | Unreadable, mine: Mapping[str, str], how: str) -> Iterator[str]:
        for each in held if isinstance(held, tuple) else ():
            if each.principal in mine:
                where = "" if each.scope == "/" else " in a part of the tenant"
                name = NAMES.get(each.role, f"the role {each.role}")
                yield f"{name}{how}{where}{mine[each.principal]}"

    def unread_roles(self) -> Unreadable | None:
        """Why it is not known who holds which role; None when it is."""
        for piece in (self.active, self.eligible, self.role_groups):
            if isinstance(piece, Unreadable):
                return piece
        for group in self.role_groups if isinstance(self.role_groups, tuple) else ():
            for members in (group.members, group.owners, group.eligible):
                if isinstance(members, Unreadable):
                    return members
        return None


def is_one_of(names: Collection[str], *identities: str | None) -> bool:
    """Whether one of these identities is among the names, whatever the case of their letters."""
    wanted = {name.casefold() for name in names}
    return any(identity and identity.casefold() in wanted for identity in identities)
