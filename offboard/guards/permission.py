"""What the sign-in lacks for a plan: said when it is made, and refused before the first write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from offboard.errors import NotPermitted
from offboard.model import Objection, OnFailure, Plan
from offboard.permissions import Need, missing, needs


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
