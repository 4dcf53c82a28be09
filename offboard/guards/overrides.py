"""Overrides: a named guard, a named leaver, a reason. They stand in the plan, under its digest, and in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offboard.errors import UsageError
from offboard.guards.choke import GUARDS
from offboard.model import LeaverPlan, Override, Plan
from offboard.planfile import pack

_EXAMPLE = 'Write it as --override administrators:AlexW@contoso.com="his roles end with this run, HR-4711".'


@dataclass(frozen=True, slots=True)
class Lift:
    """An override as asked for.

    Args:
        guard: The guard's name.
        user: User principal name or object id; empty where the run as a whole, or its only leaver, is meant.
        reason: Why.
    """

    guard: str
    user: str
    reason: str


def parse_override(text: str) -> Lift:
    """`GUARD[:USER]=REASON`.

    Raises:
        UsageError: It is not of that form, there is no such guard, or nobody may override it.
    """
    head, sign, reason = text.partition("=")
    name, _, user = (part.strip() for part in head.partition(":"))
    if not sign or not reason.strip() or len(reason) > 300 or any(ord(c) < 32 for c in text):
        raise UsageError(f"--override {text[:60]!r} gives no reason.", todo=_EXAMPLE)
    guard = GUARDS.get(name)
    if guard is None:
        raise UsageError(f"There is no guard {name[:40]!r}.", why=f"There are: {', '.join(GUARDS)}.", todo=_EXAMPLE)
    if not guard.overridable:
        raise UsageError(
            f"{name} cannot be overridden.",
            why=guard.text,
            todo="Take the person off the list, or mend what it says; nothing was contacted.",
        )
    if user and guard.each is None:
        raise UsageError(f"{name} is about the run as a whole, not about {user}.", todo=f"--override {name}=REASON")
    return Lift(name, user, reason.strip())


def with_overrides(plan: Plan, lifts: Sequence[Lift], by: str) -> Plan:
    """The plan with its overrides.

    Args:
        plan: As made.
        lifts: As asked for.
        by: Who asks.

    Raises:
        UsageError: An override names nobody of the plan, or leaves open whom it is for.
    """
    if not lifts:
        return plan
    leavers = list(plan.leavers)
    for lift in lifts:
        about_one = GUARDS[lift.guard].each is not None
        if about_one and not lift.user and len(leavers) > 1:
            raise UsageError(
                f"--override {lift.guard} does not say for whom of the {len(leavers)} leavers.", todo=_EXAMPLE
            )
        meant = [n for n, each in enumerate(leavers) if not lift.user or _is(each, lift.user)]
        if not meant:
            raise UsageError(f"--override {lift.guard}: {lift.user} is not among the leavers.", todo=_EXAMPLE)
        for n in meant:
            added = Override(lift.guard, lift.reason, by)
            leavers[n] = replace(leavers[n], overrides=(*leavers[n].overrides, added))
    return replace(plan, leavers=pack(leavers, len(leavers)))


def _is(each: LeaverPlan, user: str) -> bool:
    return user.casefold() in (each.leaver.id.casefold(), each.leaver.user_principal_name.casefold())
