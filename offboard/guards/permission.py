"""What the sign-in lacks, or has too much of, for a plan: shown in the plan, and refused before the first write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from offboard.errors import NotPermitted
from offboard.guards.limits import Limits
from offboard.model import LeaverPlan, Objection, OnFailure, Plan, Step
from offboard.permissions import Caller, Lack, Need, Surplus, lacks, needs, surplus
from offboard.permissions.roles import RESTRICTED, ROLES
from offboard.planfile import pack

Acting = Mapping[str, Mapping[str, Collection[str]]]


def acting(plan: Plan) -> Acting:
    """For each leaver: the steps that would change something, with the roles the leaver holds."""
    return {
        each.leaver.id: {planned.step.id: _roles(each) for planned in each.steps if planned.changes}
        for each in plan.leavers
    }


def _roles(each: LeaverPlan) -> tuple[str, ...]:
    """Roles the leaver holds; one that is only eligible counts, as it does for Graph."""
    found = each.leaver.about.get("roles")
    roles = tuple(_bare(str(role)) for role in found) if isinstance(found, list) else ()
    return (*roles, RESTRICTED) if each.leaver.about.get("isManagementRestricted") else roles


def _bare(role: str) -> str:
    """The role's name alone: eligible ones and those over a part of the tenant count, as they do for Graph.

    One that is held through a group stays as it is, and is no name: whoever is in such a group is out of reach for all but
    the highest.
    """
    return role if " the group " in role else next((name for name in ROLES if role.startswith(name)), role)


def needed(steps: Iterable[Step], limits: Limits) -> list[Need]:
    """What these steps need in a tenant with these guards.

    Args:
        steps: Of a playbook.
        limits: The tenant's configuration, which says what the guards read.
    """
    return needs(steps, pim_for_groups=limits.pim_for_groups, read_mailboxes=limits.read_mailboxes)


def lacking(plan: Plan, caller: Caller) -> list[Lack]:
    """What the sign-in lacks for the steps that would change something.

    Args:
        plan: As made.
        caller: Who is signed in.
    """
    leavers = acting(plan)
    steps = {step for found in leavers.values() for step in found}
    found = lacks((need for need in needs(plan.playbook.steps) if need.step in steps), caller, leavers)
    # What no app can do is an open item of the step already, for each thing that is left undone.
    return [each for each in found if each.kind != "delegated-only"]


def warn_of_lacking(plan: Plan, caller: Caller) -> Plan:
    """The plan, with a warning for each step that the sign-in may not carry out, and for what it holds in excess.

    What concerns everybody is said once, with the first leaver. What is needed is marked as held or not, where that is known.
    """
    found, needed = lacking(plan, caller), needs(plan.playbook.steps)
    too_much = surplus(needed, caller, acting(plan))
    if caller.told:
        lacked = {lack.step for lack in lacks(needed, caller, acting(plan))}
        plan = replace(plan, needs=tuple({**need, "held": need["step"] not in lacked} for need in plan.needs))

    about: dict[str, list[Lack]] = {}
    for lack in found:
        about.setdefault(lack.leaver, []).append(lack)

    def warned(n: int, each: LeaverPlan) -> LeaverPlan:
        mine = [_said(lack) for lack in (*(about.get("", ()) if n == 0 else ()), *about.get(each.leaver.id, ()))]
        mine += _excess(too_much) if n == 0 else []
        return replace(each, objections=(*each.objections, *mine))

    if not found and not too_much:
        return plan
    leavers = (warned(n, each) for n, each in enumerate(plan.leavers))
    return replace(plan, leavers=pack(leavers, len(plan.leavers)))


def _said(lack: Lack) -> Objection:
    return Objection("permission" if lack.kind == "consent" else "role", "warn", f"step {lack.step} {lack.said}")


def _excess(found: Iterable[Surplus]) -> list[Objection]:
    """Broad rights that nothing in the playbook needs; mere reading is not worth a warning."""
    names = {each.name: each.severity for each in found if each.severity != "remark"}
    if not names:
        return []
    worst = [name for name, severity in names.items() if severity == "danger"]
    more = f"; with {', '.join(worst)} it can give itself every right there is" if worst else ""
    return [Objection("surplus", "warn", f"the sign-in holds {', '.join(names)}, which nothing here needs{more}")]


def refuse_if_lacking(plan: Plan, caller: Caller) -> None:
    """Refuse a plan of which a step that matters certainly will not work, before the first write.

    A step with `on_failure: continue` may fail: its author said so, and the plan has warned of it.

    Raises:
        NotPermitted: Naming every such step and what it needs.
    """
    may_fail = {step.id for step in plan.playbook.steps if step.on_failure is OnFailure.CONTINUE}
    found = [lack for lack in lacking(plan, caller) if lack.certain and lack.step not in may_fail]
    if not found:
        return
    names = {each.leaver.id: each.leaver.user_principal_name for each in plan.leavers}
    raise NotPermitted(
        "The sign-in lacks a right that the plan needs. Nothing was written.",
        why="\n".join(dict.fromkeys(_line(lack, names) for lack in found)),
        todo=" ".join([*dict.fromkeys(lack.todo for lack in found), "Then make a new plan."]),
    )


def refused_steps(plan: Plan, caller: Caller) -> dict[str, dict[str, str]]:
    """For each leaver and step: why the step certainly will not work, now that it is about to be carried out.

    Args:
        plan: The part of it that is carried out.
        caller: Who is signed in now, which may be weeks after the plan was refused or not.
    """
    may_fail = {step.id for step in plan.playbook.steps if step.on_failure is OnFailure.CONTINUE}
    found: dict[str, dict[str, str]] = {}
    for lack in lacking(plan, caller):
        if not lack.certain or lack.step in may_fail:
            continue
        for each in plan.leavers if not lack.leaver else ():
            found.setdefault(each.leaver.id, {}).setdefault(lack.step, f"step {lack.step} {lack.said}. {lack.todo}")
        if lack.leaver:
            found.setdefault(lack.leaver, {}).setdefault(lack.step, f"step {lack.step} {lack.said}. {lack.todo}")
    return found


def _line(lack: Lack, names: Mapping[str, str]) -> str:
    who = f"{names[lack.leaver]}: " if lack.leaver else ""
    return f"{who}step {lack.step} {lack.said}."
