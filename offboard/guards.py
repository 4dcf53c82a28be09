"""Guards: pure checks over a plan, asked when it is made and again before it is carried out.

A guard says `stop` (the plan is refused) or `warn` (the reviewer must know). One choke point, `object_to`, is asked on
every way in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from offboard.errors import NotPermitted, Refused
from offboard.model import Effect, LeaverPlan, Objection, OnFailure, Plan
from offboard.permissions import Need, missing, needs


class Limits(Protocol):
    """What a tenant's configuration says under `[tenants.NAME.guards]`."""

    @property
    def protected_users(self) -> Sequence[str]:
        """Object ids or user principal names that no plan may touch."""

    @property
    def protected_groups(self) -> Sequence[str]:
        """Object ids of groups whose members no plan may touch."""

    @property
    def max_leavers(self) -> int:
        """Leavers in one run."""

    @property
    def max_deletes(self) -> int:
        """Deleted users in one run."""

    @property
    def approval(self) -> str:
        """`none`, `irreversible` or `all`: which plans need a second person."""


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


def lacking(plan: Plan, kind: str, granted: Collection[str]) -> list[Need]:
    """The steps that would change something and that the sign-in certainly may not carry out.

    Args:
        plan: As made.
        kind: What the token is: `delegated`, `application`, or `unknown`.
        granted: Its permissions.
    """
    acting = {planned.step.id for each in plan.leavers for planned in each.steps if planned.changes}
    found = [need for need in needs(plan.playbook.steps) if need.step in acting]
    return missing(found, kind, granted)


def warn_of_lacking(plan: Plan, kind: str, granted: Collection[str]) -> Plan:
    """The plan, with a warning for each step that the sign-in may not carry out."""
    found = tuple(Objection("permission", "warn", _lacks(need, kind)) for need in lacking(plan, kind, granted))
    leavers = tuple(replace(each, objections=(*each.objections, *found)) for each in plan.leavers)
    return replace(plan, leavers=leavers)


def refuse_if_lacking(plan: Plan, kind: str, granted: Collection[str]) -> None:
    """Refuse a plan of which a step that matters certainly will not work, before the first write.

    A step with `on_failure: continue` may fail: its author said so, and the plan has warned of it.

    Raises:
        NotPermitted: Naming every such step and what it needs.
    """
    may_fail = {step.id for step in plan.playbook.steps if step.on_failure is OnFailure.CONTINUE}
    found = [need for need in lacking(plan, kind, granted) if need.step not in may_fail]
    if found:
        raise NotPermitted(
            "The sign-in lacks a permission that the plan needs. Nothing was written.",
            why="\n".join(f"{_lacks(need, kind)}." for need in found),
            todo=f"Have an administrator consent to it ({kind}), sign in again, and make a new plan.",
        )


def _lacks(need: Need, kind: str) -> str:
    least = " + ".join(getattr(need.permissions, kind)[0])
    return f"step {need.step} needs {least} ({kind}), and nobody consented to it for this sign-in"


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


def refuse_if_unapproved(plan: Plan, limits: Limits) -> None:
    """Refuse a plan that needs a second person's signature.

    Raises:
        Refused: The tenant asks for an approval, which this version cannot check.
    """
    final = any(c.effect is Effect.IRREVERSIBLE for each in plan.leavers for c in each.changes)
    if limits.approval == "all" or (limits.approval == "irreversible" and final):
        raise Refused(
            f"The tenant asks for a second person's approval ({limits.approval}).",
            why="This version of offboard cannot check approvals yet, so it does not carry out such plans.",
            todo='Nothing was written. Set approval = "none" for the tenant if nobody needs to approve.',
        )
