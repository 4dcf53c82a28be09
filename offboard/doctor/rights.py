"""The sign-in, held against the playbook and the leavers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offboard.doctor.diagnosis import Check, State
from offboard.guards.permission import Acting
from offboard.model import Doing, Plan
from offboard.permissions import Caller, Lack, Need, lacks

STATES = {"consent": State.MISSING, "role": State.MISSING, "rank": State.MISSING, "delegated-only": State.IMPOSSIBLE}


def by_step(found: Sequence[Need], caller: Caller, leavers: Acting, names: Mapping[str, str]) -> list[Check]:
    """For each step, and for reading: whether it is permitted, and what lacks.

    Args:
        found: As from `needs`.
        caller: Who is signed in.
        leavers: As for `lacks`.
        names: User principal names, by object id.
    """
    if not caller.told:
        why = "the token does not tell" if caller.kind == "unknown" else "the token names no permission"
        return [Check("every step", State.UNKNOWN, f"{why}, so nothing can be compared", "Run it and see, or: --dry-run")]
    lacking = lacks(found, caller, leavers)
    checks = []
    for step in _steps(found):
        mine = [lack for lack in lacking if lack.step == step]
        checks += [Check(step, STATES[lack.kind], _said(lack, names), lack.todo) for lack in _once(mine)]
        if not mine:
            checks.append(_fine(step, found, caller))
    return checks


def _steps(found: Sequence[Need]) -> list[str]:
    return list(dict.fromkeys(need.step for need in found))


def _once(found: Sequence[Lack]) -> list[Lack]:
    return list({(lack.said, lack.leaver): lack for lack in found}.values())


def _said(lack: Lack, names: Mapping[str, str]) -> str:
    return f"{names.get(lack.leaver, lack.leaver)}: {lack.said}" if lack.leaver else lack.said


def _fine(step: str, found: Sequence[Need], caller: Caller) -> Check:
    decided_by_roles = any(n.step == step and (n.permissions.roles or n.permissions.app_roles) for n in found)
    if caller.unsure and decided_by_roles and (caller.kind == "delegated" or _needs_role_as_app(step, found)):
        return Check(step, State.UNKNOWN, f"consented; whether a role suffices is not known: {caller.unsure}")
    return Check(step, State.OK, "permitted")


def _needs_role_as_app(step: str, found: Sequence[Need]) -> bool:
    return any(need.step == step and need.permissions.app_roles for need in found)


def about_leavers(plan: Plan) -> list[Check]:
    """For each leaver: what a guard stops, and what is left to somebody else, besides rights."""
    checks = []
    for each in plan.leavers:
        name = each.leaver.user_principal_name
        checks += [
            Check(name, State.PROBLEM, f"{o.guard}: {o.reason}", "See the guards in offboard.toml.")
            for o in each.objections
            if o.severity == "stop"
        ]
        for planned in each.steps:
            for note in planned.notes:
                if note.doing in (Doing.ASK, Doing.UNKNOWN) and note.open:
                    what = note.target.name if note.target else "the step"
                    state = State.UNKNOWN if note.doing is Doing.UNKNOWN else State.WARNING
                    checks.append(Check(name, state, f"step {planned.step.id}: {what} {note.reason}"))
    return checks
