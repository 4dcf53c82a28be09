"""Which changes of one leaver leave together, and what their answers mean. Pure.

A stage is a stretch of consecutive steps whose changes lose nothing; a step that may lose something is a stage of its
own, so that it leaves only after everything before it was read back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from offboard.actions import ACTIONS
from offboard.actions.base import Since
from offboard.facts import Facts
from offboard.model import Change, Effect, PlannedStep
from offboard.planner import Answer as StepAnswer
from offboard.planner import Comparison, compare, fold, replan


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that is still to be brought about."""

    planned: PlannedStep
    change: Change

    @property
    def id(self) -> tuple[str, str]:
        """Its place in the run's record."""
        return self.planned.step.id, self.change.key


@dataclass(frozen=True, slots=True)
class Asked:
    """One step, asked again on fresh (and folded) facts."""

    planned: PlannedStep
    answer: StepAnswer
    comparison: Comparison


def containing(due: Sequence[PlannedStep]) -> list[PlannedStep]:
    """The steps that cut access, as far as they stand at the beginning."""
    return list(takewhile(lambda planned: ACTIONS[planned.step.action].contains, due))


def stages(steps: Sequence[PlannedStep]) -> list[list[PlannedStep]]:
    """The steps in order, cut into stages by what they were approved to lose."""
    found: list[list[PlannedStep]] = []
    for planned in steps:
        alone = any(map(_alone, planned.changes))
        reads = bool(planned.tables)  # what a read-only step shows must be read after everything before it
        if alone or reads or not found or closed(found[-1]):
            found.append([planned])
        else:
            found[-1].append(planned)
    return found


def _alone(change: Change) -> bool:
    """Whether everything before it must be read back first, and it before everything after it.

    A restored user is not there yet when Graph says so: whatever comes next would find nobody.
    """
    return change.effect is not Effect.REVERSIBLE or change.verb == "restore"


def closed(stage: Sequence[PlannedStep]) -> bool:
    """Whether the stage is one step by itself, before and after which everything is read back."""
    return any(planned.tables or any(map(_alone, planned.changes)) for planned in stage)


def ask(
    steps: Sequence[PlannedStep],
    facts: Facts,
    since: Callable[[PlannedStep], Since],
    values: Mapping[str, str],
) -> list[Asked]:
    """Ask these steps again, each on the facts as the approved changes of the steps before it would leave them."""
    found = []
    for planned in steps:
        # What was approved and outlives a deleted leaver is still looked at.
        answer = replan(planned.step, facts, since(planned), values, afterwards=bool(planned.changes))
        comparison = compare(planned.changes, answer.changes)
        found.append(Asked(planned, answer, comparison))
        facts = fold(planned.step, facts, comparison.todo)
    return found
