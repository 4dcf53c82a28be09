"""The choke point: everything the guards say about a plan, asked on every way in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from offboard.errors import Refused
from offboard.guards.caps import CAPS
from offboard.guards.guard import Guard, Outline, Question, Said, tally
from offboard.guards.kinds import KINDS
from offboard.guards.limits import Limits
from offboard.guards.people import PEOPLE
from offboard.guards.roles import ROLES
from offboard.guards.surroundings import Surroundings
from offboard.model import LeaverPlan, Objection, Override, Plan
from offboard.planfile import pack

GUARDS: dict[str, Guard] = {guard.name: guard for guard in (*PEOPLE, *ROLES, *KINDS, *CAPS)}
LATER = "Apply will refuse this."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guards say.

    Args:
        whole: About the run as a whole.
        each: About each leaver who was asked about, by object id.
        until: When what stands against the run as a whole ends by itself, if all of it does.
    """

    whole: tuple[Objection, ...]
    each: Mapping[str, tuple[Objection, ...]]
    until: datetime | None = None

    def stops(self, leaver: str) -> list[str]:
        """Why nothing may be written for this leaver; empty when it may."""
        said = (*self.whole, *self.each.get(leaver, ()))
        return [f"{objection.guard}: {objection.reason}" for objection in said if objection.severity == "stop"]


def judge(
    plan: Plan,
    limits: Limits,
    around: Surroundings,
    *,
    binding: bool,
    acting: Collection[str] | None = None,
    whole: Outline | None = None,
) -> Verdict:
    """What every guard says.

    Args:
        plan: The whole plan, as reviewed, or the part of it that is carried out.
        limits: The tenant's configuration.
        around: The tenant around the leavers.
        binding: Whether something is about to be written; otherwise a plan is being made.
        acting: Object ids of the leavers who are acted on now; None means everybody.
        whole: Of the whole plan, when `plan` is a part.
    """
    counted = tally(plan, around.now, acting, whole)
    asked, shared = Question(counted, limits, around, binding), counted.lifted
    objections, untils = [], []
    for guard in GUARDS.values():
        for said in guard.whole(asked) if guard.whole else ():
            objections.append(_objection(guard, said, shared, binding=binding))
            if objections[-1].severity == "stop":
                untils.append(said.until)
    each = {one.leaver.id: tuple(_about(one, asked)) for one in plan.leavers if one.leaver.id in counted.acting}
    ends = [until for until in untils if until is not None]
    return Verdict(tuple(objections), each, max(ends) if ends and len(ends) == len(untils) else None)


def _about(one: LeaverPlan, asked: Question) -> Iterator[Objection]:
    for guard in GUARDS.values():
        for said in guard.each(one, asked) if guard.each else ():
            yield _objection(guard, said, one.overrides, binding=asked.binding)


def _objection(guard: Guard, said: Said, overrides: Collection[Override], *, binding: bool) -> Objection:
    if said.severity != "stop":
        return Objection(guard.name, said.severity, said.reason)
    lifted = next((each for each in overrides if each.guard == guard.name), None) if guard.overridable else None
    if lifted is not None:
        return Objection(guard.name, "warn", f"{said.reason} Overridden by {lifted.by}: {lifted.reason}")
    if guard.warns_in_plan and not binding:
        return Objection(guard.name, "warn", f"{said.reason} {LATER}")
    return Objection(guard.name, "stop", said.reason)


def object_to(plan: Plan, limits: Limits, around: Surroundings, *, binding: bool = False) -> Plan:
    """The plan with everything the guards say about it; what is about the whole run stands with the first leaver.

    Args:
        plan: As made.
        limits: The tenant's configuration.
        around: The tenant around the leavers.
        binding: Whether something is about to be written; otherwise a plan is being made.
    """
    said = judge(plan, limits, around, binding=binding)
    judged = (
        replace(one, objections=(*(said.whole if n == 0 else ()), *said.each[one.leaver.id]))
        for n, one in enumerate(plan.leavers)
    )
    return replace(plan, leavers=pack(judged, len(plan.leavers)))


def refuse_if_stopped(plan: Plan) -> None:
    """Refuse a plan that a guard stops.

    Raises:
        Refused: Naming every objection, and what may be overridden.
    """
    stops = [objection for each in plan.leavers for objection in each.objections if objection.severity == "stop"]
    if not stops:
        return
    names = list(dict.fromkeys(objection.guard for objection in stops))
    never = [name for name in names if not GUARDS[name].overridable]
    raise Refused(
        "The tenant's guards stop this plan.",
        details=[f"{objection.guard}: {objection.reason}" for objection in stops],
        todo=(
            "Nothing was written. Guards are set under [tenants.NAME.guards] in offboard.toml. "
            + (f"{' and '.join(never)} cannot be overridden." if never else _how(names[0]))
        ),
    )


def _how(guard: str) -> str:
    user = ":USER" if GUARDS[guard].each else ""
    return f"With good reason: plan again with --override {guard}{user}=REASON."
