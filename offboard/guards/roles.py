"""People who hold the tenant together: administrators, and the accounts that synchronize it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from offboard.facts import Unreadable
from offboard.guards.guard import Guard, Question, Said, cannot_read, who
from offboard.guards.surroundings import GLOBAL_ADMINISTRATOR, SYNC_ACCOUNTS, Held, Surroundings
from offboard.model import LeaverPlan

ENOUGH = 2
"""Global Administrators who must be left, accounts for emergencies not counted."""


def _surely_none(each: LeaverPlan, around: Surroundings) -> bool:
    """Whether the leaver's own memberships, which were read, show no role in force and no group that could hold one."""
    told = not isinstance(each.leaver.about.get("roles"), str)
    return around.shows_roles and told and each.fingerprint.get("roles") == []


def _sync_accounts(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    active = asked.around.active
    if isinstance(active, Unreadable):
        if not _surely_none(each, asked.around):
            yield Said(cannot_read(f"whether {who(each)} synchronizes the directory cannot be told", active))
    elif any(held.principal == each.leaver.id and held.role in SYNC_ACCOUNTS for held in active):
        yield Said(
            f"{who(each)} is the account that synchronizes the tenant with Active Directory. Take it out of use in "
            "Microsoft Entra Connect."
        )


def _administrators(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    severity = asked.limits.administrators
    known = each.leaver.about.get("roles")
    found = asked.around.roles_of(each.leaver.id)
    listed = [str(role) for role in known] if isinstance(known, list) else []
    found += [role for role in listed if not any(role in each for each in found)]
    if found:
        yield Said(
            f"{who(each)} is an administrator: {', '.join(found)}. Have the roles taken away first, or override it; "
            "acting on an administrator needs a higher role.",
            severity,
        )
    elif (unread := asked.around.unread_roles()) is not None:
        yield Said(cannot_read(f"whether {who(each)} is an administrator cannot be told", unread), severity)


def with_roles(each: LeaverPlan, around: Surroundings) -> LeaverPlan:
    """The leaver with all roles that the tenant knows of: eligible ones, and those through groups, count like any other."""
    known = each.leaver.about.get("roles")
    found = around.roles_of(each.leaver.id)
    listed = [str(role) for role in known] if isinstance(known, list) else []
    more = [role for role in found if role not in listed]
    if not more or isinstance(known, str):
        return each
    return replace(each, leaver=replace(each.leaver, about={**each.leaver.about, "roles": [*listed, *more]}))


def _last_global_administrators(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    around, id = asked.around, each.leaver.id
    holders = around.holders(GLOBAL_ADMINISTRATOR)
    if isinstance(holders, Unreadable):
        if not _surely_none(each, around):
            yield Said(cannot_read(f"how many Global Administrators {who(each)} would leave cannot be told", holders))
        return
    if id not in holders:
        return
    enabled, temporary = around.administrators, _for_a_time(asked)
    for piece in (enabled, temporary):
        if isinstance(piece, Unreadable):
            yield Said(cannot_read(f"how many Global Administrators {who(each)} would leave cannot be told", piece))
            return
    assert not isinstance(enabled, Unreadable)
    assert not isinstance(temporary, Unreadable)
    if enabled.get(id) is None:
        untold = Unreadable("Graph does not say whether the account is enabled")
        yield Said(cannot_read(f"how many Global Administrators {who(each)} would leave cannot be told", untold))
        return
    if not enabled[id]:
        return  # cannot sign in as it is: nobody is lost
    leaving = asked.plan.leavers | around.history.pending
    emergency = {one.casefold() for one in asked.limits.emergency_access}
    left = {one for one in holders if enabled.get(one)} - leaving - emergency - temporary
    if len(left) < ENOUGH:
        yield Said(
            f"{who(each)} is a Global Administrator, and {len(left)} would be left who can sign in at any time, all "
            f"pending runs and accounts for emergencies taken off; there must be {ENOUGH}. Appoint another one first."
        )


def _for_a_time(asked: Question) -> frozenset[str] | Unreadable:
    """Who has the role only because they put it in force for some hours: who is eligible for it too, or for its group."""
    around = asked.around
    eligible, active, groups = around.eligible, around.active, around.role_groups
    for piece in (eligible, active, groups):
        if isinstance(piece, Unreadable):
            return piece
    assert isinstance(eligible, tuple)
    assert isinstance(active, tuple)
    assert isinstance(groups, tuple)
    found = {held.principal for held in eligible if _whole(held)}
    always = {held.principal for held in active if _whole(held)}
    for group in groups:
        if group.id in always:
            if isinstance(group.eligible, Unreadable):
                return group.eligible
            found |= group.eligible - always
    return frozenset(found)


def _whole(held: Held) -> bool:
    return held.role == GLOBAL_ADMINISTRATOR and held.scope == "/"


ROLES = (
    Guard("sync_accounts", "Accounts that synchronize the directory.", _sync_accounts, overridable=False),
    Guard("administrators", "Holders of directory roles, eligible ones and through groups too.", _administrators),
    Guard(
        "last_global_administrators",
        "Two Global Administrators must be left, all pending runs counted.",
        _last_global_administrators,
        overridable=False,
    ),
)
