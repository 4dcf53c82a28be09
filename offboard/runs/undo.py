"""The way back from a run: a plan of the reverse changes, newest first.

What a run changed is in its record, and each action knows the way back from its own change. Here these ways back are
written as steps of ordinary actions that give something back, planned on fresh facts by the ordinary planner. So the plan
is reviewed, applied, verified and audited like any other, and finds by itself what has been undone already.

What has no way back (sessions that were revoked, a password that was replaced) is named with the reason, in the plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from offboard.actions import ACTIONS
from offboard.errors import UsageError
from offboard.facts import Account, Facts, FactType
from offboard.graph.read import Pins, Reader
from offboard.model import JSON, Change, Leaver, LeaverPlan, OnFailure, Outcome, Plan, Playbook, Step, Tenant
from offboard.planjson import canonical, step_json
from offboard.planner import never, plan_leaver
from offboard.runs.engine.changes import Recorded
from offboard.runs.planning import PlanMaker, Wanted
from offboard.runs.store import RunRecord

GIVES_BACK: dict[tuple[str, str], tuple[str, str]] = {
    ("restore", "user"): ("restore-user", ""),
    ("enable", "user"): ("enable-user", ""),
    ("assign", "user"): ("assign-licenses", "licenses"),
    ("add", "group"): ("add-groups", "groups"),
    ("own", "device"): ("own-devices", "devices"),
    ("enable", "device"): ("enable-devices", "devices"),
}
"""For the verb and kind of a reverse change: the action that plans it, and the parameter that lists the objects."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """What can be given back to one leaver of a run.

    Args:
        leaver: As the run's plan knew the person.
        steps: Newest first; empty when nothing can be given back.
        left: What stays as the run left it, and why, as sentences.
    """

    leaver: Leaver
    steps: tuple[Step, ...]
    left: tuple[str, ...]

    @property
    def devices(self) -> frozenset[str]:
        """Ids of devices, which can no longer be found by looking at the person."""
        return frozenset(str(entry["id"]) for step in self.steps for entry in step.parameters.get("devices", ()))


def way_out(mine: LeaverPlan, recorded: Mapping[tuple[str, str], Recorded]) -> WayOut:
    """The way back from what a run has recorded for one leaver. Pure.

    Args:
        mine: The leaver's part of the run's plan.
        recorded: Intents and outcomes, by step and change key.
    """
    left: dict[str, None] = {}
    dated: list[tuple[datetime, int, Step]] = []
    for place, planned in enumerate(mine.steps):
        written, backs = planned.step, []
        done = [each for (step, _), each in recorded.items() if step == written.id]
        for each in done:
            back, why = _back(written.action, each)
            if back is not None:
                backs.append(back)
            elif why:
                left[f"{written.id}, {each.change.verb} {each.change.target.name}: {why}"] = None
        if backs:
            newest = max(each.result.at for each in done if each.result and each.result.at)
            dated += [(newest, place, step) for step in _steps(written.id, backs)]
    ordered = sorted(dated, key=lambda found: found[:2], reverse=True)
    return WayOut(mine.leaver, tuple(step for _, _, step in ordered), tuple(left))


def _back(action: str, each: Recorded) -> tuple[Change | None, str]:
    """The reverse change, or why there is none; neither when the run changed nothing."""
    if each.result is None:
        return None, "whether it was done is not known yet; resume the run first"
    if each.result.outcome is not Outcome.CHANGED:
        return None, ""
    if action not in ACTIONS:
        return None, "this version of offboard does not know the action"
    found = ACTIONS[action].undo(each.change)
    if found.change is None:
        return None, found.why
    if (found.change.verb, found.change.target.kind) not in GIVES_BACK:
        return None, f"do it by hand ({ACTIONS[action].undo_text})"
    return found.change, ""


def _steps(id: str, backs: Sequence[Change]) -> list[Step]:
    """One step for each action that gives back what one step of the run took away."""
    found: dict[str, dict[str, list[JSON]]] = {}
    for back in backs:
        action, key = GIVES_BACK[back.verb, back.target.kind]
        parameters = found.setdefault(action, {key: []} if key else {})
        if key:
            parameters[key] += _entries(back)
    names = [f"undo-{id}" if n == 0 else f"undo-{id}-{n + 1}" for n in range(len(found))]
    return [
        Step(name, action, parameters, on_failure=OnFailure.CONTINUE if action != "restore-user" else OnFailure.STOP)
        for name, (action, parameters) in zip(names, found.items(), strict=True)
    ]


def _entries(back: Change) -> list[JSON]:
    if back.verb != "assign":
        return [{"id": back.target.id, "name": back.target.name}]
    before = back.after if isinstance(back.after, dict) else {}
    return [
        {"id": part.id, "name": part.name, "disabled_plans": list(before.get(part.id, {}).get("disabledPlans", ()))}
        for part in back.parts
    ]


@dataclass
class PinnedReader(Reader):
    """A reader that also looks at devices which nothing connects with the leaver any more."""

    pinned: Mapping[str, Pins] = field(default_factory=dict)

    async def facts(
        self, accounts: Sequence[Account], kinds: Iterable[FactType], pins: Mapping[str, Pins] | None = None
    ) -> list[Facts]:
        """As the reader does, with these devices for each leaver."""
        return await super().facts(accounts, kinds, {**self.pinned, **(pins or {})})


@dataclass
class UndoMaker(PlanMaker):
    """Makes the plan that undoes a run; everything that a plan is held to holds for this one too."""

    NAME: ClassVar[str] = "undo"
    ways: dict[str, WayOut] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    async def undo(self, record: RunRecord, users: Sequence[str] = ()) -> Plan | None:
        """The plan, sealed; None when the run changed nothing that can be given back.

        Args:
            record: The run.
            users: Only these of its leavers, by object id or user principal name.

        Raises:
            UsageError: No such leaver in the run, or the person is gone for good.
            NotPermitted: Signed in to another tenant, or not permitted to read.
        """
        self.ways = {way.leaver.id: way for way in self.way_outs(record, users)}
        going = [way for way in self.ways.values() if way.steps]
        if not going:
            return None
        if record.state not in ("ended", "canceled"):
            self.remarks = (f"Run {record.id} is still {record.state}: end it before this plan is applied.",)
        pins: dict[str, Pins] = {way.leaver.id: (frozenset(), frozenset(), way.devices) for way in going}
        self.reader = PinnedReader(self.reader.sender, pinned=pins)
        return await self.make(undo_playbook(record, going), [Wanted(way.leaver.id, None, {}) for way in going])

    def way_outs(self, record: RunRecord, users: Sequence[str] = ()) -> list[WayOut]:
        """What can and cannot be given back, leaver by leaver.

        Raises:
            UsageError: No such leaver in the run.
        """
        asked = {user.casefold() for user in users}
        chosen = [each for each in self.store.whole(record.id).leavers if not asked or names_of(each.leaver) & asked]
        unknown = asked - {name for each in chosen for name in names_of(each.leaver)}
        if unknown:
            raise UsageError(f"Run {record.id} is not about {', '.join(sorted(unknown))}.")
        return [way_out(each, self.store.changes.recorded(record.id, each.leaver.id)) for each in chosen]

    def _leaver(
        self, facts: Facts, playbook: Playbook, wanted: Wanted, tenant: Tenant, now: datetime, leaving: frozenset[str]
    ) -> LeaverPlan:
        way = self.ways[facts.account.id]
        mine = replace(playbook, steps=way.steps)
        made = plan_leaver(facts, mine, now, never, {}, fill=_as_it_is, leaving=leaving)
        left = tuple(f"Stays as it is: {sentence}" for sentence in way.left)
        return replace(made, consequences=(*made.consequences, *left, *self.remarks))


def _as_it_is(step: Step, _facts: Facts, _values: Mapping[str, str]) -> Step:
    return step


def names_of(leaver: Leaver) -> set[str]:
    """What a leaver may be called, in one case."""
    return {leaver.id.casefold(), leaver.user_principal_name.casefold()}


def undo_playbook(record: RunRecord, ways: Sequence[WayOut]) -> Playbook:
    """All steps of all ways back; what they list differs from leaver to leaver and stands in the leaver's own steps."""
    if len(ways) == 1:
        steps = ways[0].steps
    else:
        steps = tuple({step.id: replace(step, parameters={}) for way in ways for step in way.steps}.values())
    body = canonical([step_json(step) for step in steps])
    return Playbook(
        name=UndoMaker.NAME,
        description=f"The way back from run {record.id} (playbook {record.plan.playbook.name}).",
        steps=steps,
        digest="sha256:" + hashlib.sha256(body).hexdigest(),
    )


def find_run(records: Sequence[RunRecord], asked: str) -> RunRecord:
    """The run of this id, or the one whose id begins so.

    Raises:
        UsageError: There is none, or there are several.
    """
    found = [record for record in records if record.id.startswith(asked)]
    if len(found) != 1:
        what = "Several runs begin" if found else "No run begins"
        raise UsageError(f"{what} with {asked!r}.", todo="List them with: offboard runs")
    return found[0]
