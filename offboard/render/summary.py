"""The few sentences under a plan: how much changes, what stays open, what falls due later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from offboard.model import Change, Effect, LeaverPlan, Note, OnFailure, Plan, PlannedStep
from offboard.render.labels import Labels
from offboard.render.safe import safe
from offboard.render.words import count, distance, listed, stamp


def idle(step: PlannedStep) -> bool:
    """Whether the step has nothing to carry out."""
    return step.skipped is not None or not (step.changes or step.tables)


def summary(planned: LeaverPlan, labels: Labels, accept: tuple[str, ...], now: datetime) -> Iterator[str]:
    """The sentences about one leaver."""
    yield _counted(planned.changes)
    left = [(s, n) for s in planned.steps for n in s.notes if n.open and n.code not in accept]
    if left:
        stays = "thing stays open" if len(left) == 1 else "things stay open"
        yield f"{len(left)} {stays}: {_noted(left, labels)}."
    taken = [(s, n) for s in planned.steps for n in s.notes if n.open and n.code in accept]
    if taken:
        yield f"Stays open, accepted by the playbook: {_noted(taken, labels)}."
    for step in planned.steps:
        if step.due > now and not idle(step):
            yield f"Falls due later: {safe(step.step.id)}, {stamp(step.due)}, {distance(step.due, now)}."


def _noted(notes: Iterable[tuple[PlannedStep, Note]], labels: Labels) -> str:
    said = ((labels.of(note.target) if note.target else safe(step.step.id), note.code) for step, note in notes)
    return ", ".join(f"{label} [{safe(code)}]" for label, code in said)


def _counted(changes: Iterable[Change]) -> str:
    """`9 changes: 8 reversible, 1 recoverable until …`, worst last."""
    by, until = Counter[Effect](), set[datetime]()
    for change in changes:
        by[change.effect] += 1
        if change.effect is Effect.RECOVERABLE and change.until:
            until.add(change.until)
    if not by:
        return "Nothing would be changed."
    said = [f"{by[Effect.REVERSIBLE]} reversible"] if by[Effect.REVERSIBLE] else []
    if by[Effect.RECOVERABLE]:
        said.append(f"{by[Effect.RECOVERABLE]} recoverable" + (f" until {stamp(min(until))}" if until else ""))
    if by[Effect.IRREVERSIBLE]:
        said.append(f"{by[Effect.IRREVERSIBLE]} that cannot be undone")
    return f"{count(by.total(), 'change')}: {', '.join(said)}."


def total(plan: Plan, now: datetime) -> Iterator[str]:
    """The sentences about the plan as a whole."""
    if len(plan.leavers) > 1:
        yield f"{count(len(plan.leavers), 'leaver')}. " + _counted(c for each in plan.leavers for c in each.changes)
        yield from _left(plan, now)
    going_on = [safe(s.id) for s in plan.playbook.steps if s.on_failure is OnFailure.CONTINUE]
    if going_on:
        yield f"When {listed(going_on, 'or')} fails, the steps after it are carried out all the same."
    pausing = [safe(s.id) for s in plan.playbook.steps if s.on_failure is OnFailure.PAUSE]
    if pausing:
        yield f"When {listed(pausing, 'or')} fails, the run pauses."


def _left(plan: Plan, now: datetime) -> Iterator[str]:
    left = sum(len(each.open_items(plan.playbook.accept)) for each in plan.leavers)
    if left:
        yield f"{left} {'thing stays' if left == 1 else 'things stay'} open."
    later = [s.due for each in plan.leavers for s in each.steps if s.due > now and not idle(s)]
    if later:
        yield f"{count(len(later), 'step')} due later, the first {stamp(min(later))}, the last {stamp(max(later))}."
