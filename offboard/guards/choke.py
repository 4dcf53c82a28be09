"""The choke point: everything the guards say about a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from offboard.errors import Refused
from offboard.guards.limits import Limits
from offboard.model import Effect, LeaverPlan, Objection, Plan


def object_to(plan: Plan, limits: Limits) -> Plan:
    """The plan with everything the guards say about it."""
    whole = list(_whole(plan, limits))
    leavers = tuple(
        replace(each, objections=(*(whole if n == 0 else ()), *_one(each, limits))) for n, each in enumerate(plan.leavers)
    )
    return replace(plan, leavers=leavers)


def _whole(plan: Plan, limits: Limits) -> Iterator[Objection]:
    if len(plan.leavers) > limits.max_leavers:
        yield Objection(
            "max_leavers", "stop", f"{len(plan.leavers)} leavers, and the tenant allows {limits.max_leavers} in one run"
        )
    deletes = sum(1 for each in plan.leavers for c in each.changes if c.effect is not Effect.REVERSIBLE)
    if deletes > limits.max_deletes:
        yield Objection(
            "max_deletes", "stop", f"{deletes} deletions, and the tenant allows {limits.max_deletes} in one run"
        )


def _one(each: LeaverPlan, limits: Limits) -> Iterator[Objection]:
    leaver = each.leaver
    protected = {entry.casefold() for entry in limits.protected_users}
    if protected & {leaver.id.casefold(), leaver.user_principal_name.casefold()}:
        yield Objection("protected_users", "stop", f"{leaver.display_name} is protected by the tenant's configuration")
    groups = each.fingerprint.get("groups")
    if limits.protected_groups and groups is None:
        yield Objection("protected_groups", "stop", "the leaver's groups could not be read, so protection is unknown")
    elif hit := {g.casefold() for g in limits.protected_groups} & {str(g).casefold() for g in groups or ()}:
        yield Objection("protected_groups", "stop", f"{leaver.display_name} is in the protected group {min(hit)}")
    roles = leaver.about.get("roles")
    if isinstance(roles, list) and roles:
        yield Objection(
            "administrator", "warn", f"holds {', '.join(map(str, roles))}: acting on an administrator needs a higher role"
        )
    elif isinstance(roles, str):
        yield Objection("administrator", "warn", f"whether the leaver is an administrator {roles}")


def refuse_if_stopped(plan: Plan) -> None:
    """Refuse a plan that a guard stops.

    Raises:
        Refused: Naming every objection.
    """
    stops = [f"{o.guard}: {o.reason}" for each in plan.leavers for o in each.objections if o.severity == "stop"]
    if stops:
        raise Refused(
            "The tenant's guards stop this plan.",
            details=stops,
            todo="Nothing was written. Guards are set under [tenants.NAME.guards] in offboard.toml.",
        )
