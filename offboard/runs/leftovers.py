"""What a leaver's run comes back to: what was left because it could not be read, and what no longer holds. Pure.

A reading that fails for a moment leaves a change undone. It is caught up on before a step that may lose something, and at the
end. What then still is not as it was approved, or cannot be read, has failed, whatever was said of it before; so the run stays
open, and can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from offboard.actions import ACTIONS
from offboard.actions.base import Since
from offboard.facts import Facts
from offboard.model import Change, Outcome, PlannedStep, Result
from offboard.planner import Answer, cannot_read, cannot_tell, compare, left_alone, replan
from offboard.runs.ledger import SO
from offboard.runs.sent import VISIBLE_WITHIN
from offboard.runs.stages import Asked, Pending

FRESH = timedelta(seconds=VISIBLE_WITHIN)
"""For so long a copy of the directory may show what was before."""
RESUME = "Resume the run; what is done stays done."
RESTORE = "Restore the user, then resume the run."


@dataclass(frozen=True, slots=True)
class Lapse:
    """A result that was fine, and has failed as the last reading shows.

    Args:
        place: Of the result.
        planned: Its step.
        event: The audit's word for it.
        why: In a sentence.
        todo: What the administrator does about it.
    """

    place: int
    planned: PlannedStep
    event: str
    why: str
    todo: str = ""


def caught_up(results: Sequence[Result], asked: Sequence[Asked]) -> tuple[list[Result], list[Pending]]:
    """What was left and can be done now.

    Args:
        results: So far.
        asked: The steps they belong to, asked again.

    Returns:
        The results that stand, and what is pending again.
    """
    todo = {(a.planned.step.id, c.key): (a.planned, c) for a in asked if _loses_nothing(a) for c in a.comparison.todo}
    kept: list[Result] = []
    again: dict[tuple[str, str], Pending] = {}
    for result in results:
        change = result.change
        found = todo.get((result.step, change.key)) if change and result.outcome is Outcome.SKIPPED else None
        if change is None or found is None:
            kept.append(result)
            continue
        planned, needed = found
        ids = {part.id for part in needed.parts}
        mine = tuple(part for part in change.parts if part.id in ids)
        rest = tuple(part for part in change.parts if part.id not in ids)
        if rest:
            kept.append(replace(result, change=change.only(rest)))
        if mine or not change.parts:
            before = again.get((result.step, change.key))
            parts = (*before.change.parts, *mine) if before else mine
            again[result.step, change.key] = Pending(planned, change.only(parts))
    return kept, list(again.values())


def _loses_nothing(asked: Asked) -> bool:
    return ACTIONS[asked.planned.step.action].effect.value == "reversible"


def lapses(
    results: Sequence[Result],
    due: Sequence[PlannedStep],
    facts: Facts,
    since: Callable[[PlannedStep], Since],
    values: Mapping[str, str],
    is_earlier: Callable[[Result], bool],
) -> Iterator[Lapse]:
    """What is not as it was told, by the last reading.

    What this process has found out was read back once. Of what an earlier one has found out (`is_earlier`) it knows nothing
    when it cannot read it.
    """
    for place, result in enumerate(results):
        planned = next((p for p in due if p.step.id == result.step), None)
        if planned is None or result.change is None or result.outcome not in (*SO, Outcome.SKIPPED):
            continue
        fresh = replan(planned.step, facts, since(planned), values, afterwards=True)
        if found := _lapsed(result.change, result, fresh, facts, gives=ACTIONS[planned.step.action].gives):
            event, why, todo = found
            yield Lapse(place, planned, event, why, todo)
        elif result.outcome in SO and is_earlier(result) and cannot_read(result.change, fresh):
            why = f"was so when it was read back, but cannot be read any more: {cannot_tell(result.change, fresh)}"
            yield Lapse(place, planned, "unverified", why, RESUME)


def _lapsed(change: Change, result: Result, fresh: Answer, facts: Facts, *, gives: bool) -> tuple[str, str, str] | None:
    """The audit's word, why, and what to do about it; None when the result stands."""
    needed = bool(compare([change], fresh.changes).todo)
    in_vain = gives and fresh.skipped is not None and _is_gone(facts)
    if result.outcome is Outcome.SKIPPED:
        # What could not be read for a moment was left; now that it can be, it is known to be missing.
        if needed:
            why = f"left, because {result.why}; read again at the end of the run it is still needed"
            return "step-skipped", why, RESUME
        if cannot_read(change, fresh):
            return "step-skipped", f"left, because {result.why}; it cannot be read at the end of the run either", RESUME
        if in_vain:
            return "step-skipped", f"{result.why}; nothing can be given to somebody who is not there", RESTORE
        return None
    if in_vain:
        return "undone", f"was so when it was read back, but {fresh.skipped}", RESTORE
    if left := left_alone(change, fresh):
        return "undone", f"was so when it was read back, but is left alone at the end of the run: {left}", ""
    if needed:
        return "undone", "was so when it was read back, but no longer holds at the end of the run: somebody undid it", ""
    return None


def _is_gone(facts: Facts) -> bool:
    return facts.account.gone or facts.account.deleted is not None


def is_fresh(at: datetime, now: datetime) -> bool:
    """Whether something was done so short a while ago that a copy of the directory may still show what was before."""
    return now - at < FRESH


def may_be_lag(found: Sequence[Lapse], results: Sequence[Result], now: datetime) -> bool:
    """Whether what seems undone may only be a copy of the directory that is behind."""
    done = (results[lapse.place].at for lapse in found if lapse.event == "undone")
    return any(at is not None and is_fresh(at, now) for at in done)
