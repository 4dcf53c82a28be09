"""People whom no plan may touch: protected ones, accounts for emergencies, and whoever is at work here."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.facts import Unreadable
from offboard.guards.guard import Guard, Question, Said, cannot_read, who
from offboard.guards.surroundings import SignedIn, is_one_of
from offboard.model import LeaverPlan


def _emergency_access(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    if is_one_of(asked.limits.emergency_access, each.leaver.id):
        yield Said(f"{who(each)} is an account for emergencies; no plan may touch it. Take the person off the list.")


def _no_emergency_access(asked: Question) -> Iterator[Said]:
    caller, plan = asked.around.caller, asked.plan
    if asked.limits.emergency_access or not (plan.deletes or plan.wipes):
        return
    if isinstance(caller, SignedIn) and not caller.id:
        return  # nobody signs in to a simulated tenant, and nobody is locked out of it
    yield Said(
        "the plan loses what cannot be brought back for ever, and the tenant names no account for emergencies, which no "
        "plan may ever touch. Write the object ids of yours into offboard.toml: "
        'emergency_access = ["…", "…"] under [tenants.NAME.guards].',
        "warn",
    )


def _protected_users(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    leaver, named = each.leaver, asked.around.named
    ids = tuple(named.values()) if not isinstance(named, Unreadable) else ()
    if is_one_of((*asked.limits.protected_users, *ids), leaver.id, leaver.user_principal_name):
        yield Said(f"{who(each)} is protected by the tenant's configuration (protected_users).")
    elif isinstance(named, Unreadable):
        yield Said(cannot_read(f"whether {who(each)} is a protected user cannot be told", named))


def _protected_names(asked: Question) -> Iterator[Said]:
    named = asked.around.named
    if isinstance(named, Unreadable):
        return
    lost = [name for name in asked.limits.protected_users if "@" in name and name.casefold() not in named]
    if lost:
        yield Said(
            f"protected_users names {', '.join(lost)}, and nobody in the tenant has that name: whoever had it is not "
            "protected any more. Write the object id into offboard.toml; it stays when a name changes.",
            "warn",
        )


def _protected_groups(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    reviewed = {str(group).casefold() for group in each.fingerprint.get("groups") or ()}
    if asked.limits.protected_groups and each.fingerprint.get("deleted") and _purges(each):
        untold = Unreadable("the groups of a deleted user are not shown")
        yield Said(cannot_read(f"whether {who(each)} was in a protected group cannot be told", untold))
        return
    for group in asked.limits.protected_groups:
        members = asked.around.protected.get(group, Unreadable("nobody has read its members"))
        if group.casefold() in reviewed or (isinstance(members, frozenset) and each.leaver.id in members):
            yield Said(f"{who(each)} is in the protected group {group}, directly or through another group.")
        elif isinstance(members, Unreadable):
            yield Said(cannot_read(f"whether {who(each)} is in the protected group {group} cannot be told", members))


def _purges(each: LeaverPlan) -> bool:
    return any(change.verb == "purge" for planned in each.steps for change in planned.changes)


def _self(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    caller = asked.around.caller
    if isinstance(caller, Unreadable):
        yield Said(cannot_read(f"whether {who(each)} is whoever is signed in cannot be told", caller))
    elif is_one_of((caller.id,), each.leaver.id):
        yield Said(f"{who(each)} is who is signed in here: nobody offboards themselves. Have somebody else do it.")


def _app_owner(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    caller = asked.around.caller
    if isinstance(caller, Unreadable):
        return  # `self` says so already
    if isinstance(caller.owners, Unreadable):
        yield Said(cannot_read(f"whether {who(each)} owns the app that is signed in with cannot be told", caller.owners))
    elif each.leaver.id in caller.owners:
        yield Said(f"{who(each)} is an owner of {caller.app}, with which offboard is signed in. Give it another owner.")


def _approver(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    mail = each.leaver.about.get("mail")
    names = (each.leaver.id, each.leaver.user_principal_name, mail if isinstance(mail, str) else None)
    if is_one_of(asked.around.approvers, *names):
        yield Said(f"{who(each)} approves this plan: nobody approves their own. Have somebody else approve it.")


PEOPLE = (
    Guard("emergency_access", "Accounts for emergencies.", _emergency_access, _no_emergency_access, overridable=False),
    Guard("protected_users", "Users whom the configuration protects.", _protected_users, _protected_names),
    Guard("protected_groups", "Members of protected groups, nested ones too.", _protected_groups),
    Guard("self", "Whoever is signed in.", _self, overridable=False),
    Guard("app_owner", "Owners of the app that is signed in with.", _app_owner),
    Guard("approver", "Whoever approves the plan.", _approver, overridable=False),
)
