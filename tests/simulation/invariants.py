"""The rules that hold whatever happens, judged from the wire, the tenant's journal and the audit."""

from __future__ import annotations

from offboard.audit import AuditError, verify
from offboard.errors import OffboardError
from offboard.model import Doing, Outcome
from tests.simulation import promises, records
from tests.simulation.life import QUIET, Life, Try
from tests.simulation.process import PowerCutError
from tests.simulation.tape import Steered
from tests.simulation.wording import BrokenError


def judge(life: Life, found: Try) -> None:
    """After each process."""
    _ended_well(life, found)
    verified = verify(life.folder / "audit.jsonl")
    if not verified.ok and not _torn(found):
        raise BrokenError("I8", f"the audit does not verify after process {found.process}: {verified.problem}")
    promises.nothing_after_the_end(life, found)
    promises.nothing_after_the_lease(life, found)
    promises.patience(life, found)
    if found.outcome is not None:
        promises.success_holds(life, found)
        promises.nothing_in_silence(found)
        promises.success_is_whole(life, found)


def judge_whole(life: Life) -> None:
    """At the very end."""
    assert life.plan is not None
    promises.nothing_resent_unread(life)
    promises.nothing_against_a_hand(life)
    records.intents_and_outcomes(life)
    records.once(life)
    records.only_what_was_planned(life)
    records.nobody_deleted_who_was_enabled(life)
    promises.no_secret(life)
    _converged(life)


def _ended_well(life: Life, found: Try) -> None:
    if found.error is not None and not isinstance(found.error, OffboardError | PowerCutError):
        stopped = found.attempt.ending is not None and found.attempt.ending.kind == "stop"
        if not (stopped and type(found.error).__name__ == "CancelledError"):
            raise BrokenError("bug", f"process {found.process} ended with {found.error!r}") from found.error
    if life.unheard:
        raise BrokenError("bug", f"nobody heard of {life.unheard}")
    if isinstance(found.error, AuditError) and found.attempt.ending is None:
        raise BrokenError("bug", f"process {found.process} cannot write its audit: {found.error}")


def _torn(found: Try) -> bool:
    ending = found.attempt.ending
    return isinstance(found.error, PowerCutError) and ending is not None and ending.when == "torn"


def _converged(life: Life) -> None:
    """One undisturbed process ends what the disturbed ones left."""
    last = life.tries[-1]
    if last.outcome is None:
        if last.attempt is QUIET and getattr(last.error, "exit_code", 0) != 3:
            raise BrokenError("convergence", f"undisturbed, and yet: {last.error!r}")
        return
    if last.attempt.ending is not None and last.attempt.ending.kind == "stall":
        return  # the process that has gone on instead brought it to its end
    if last.outcome.exit_code() == 5:
        if last.attempt is not QUIET:
            return  # canceled meanwhile, or cut off while another process brought it to its end
        raise BrokenError("convergence", "undisturbed, and yet stopped")
    if life.meddles() or _blind(life) or (last.attempt is not QUIET and _steered(life, "cancel")):
        return
    if life.earlier and _steered(life, "reschedule"):
        return  # somebody who waits for weeks to be restored may be gone for good by then
    for each in last.outcome.leavers:
        bad = [r for r in each.results if r.outcome in (Outcome.FAILED, Outcome.DRIFTED)]
        if each.refused and all("cannot be told" in why for why in each.refused) and _kept_from_looking(life):
            continue  # a guard that was kept from looking said stop, as it must; a new plan is the way on
        if each.refused and life.earlier and (life.scenario.planning.lag or "no longer exists" in each.refused[0]):
            continue  # planned on a copy from before the last chapter's end, and found out; or thirty days were over
        if each.refused or each.not_started or bad:
            raise BrokenError("convergence", f"undisturbed, and yet: {each.refused or each.not_started or bad}")


def _steered(life: Life, verb: str) -> bool:
    return any(isinstance(event, Steered) and event.verb == verb for event in life.tape)


def _kept_from_looking(life: Life) -> bool:
    """Whether a read may have been refused: that is an answer, and not asked again."""
    return any(fault["fault"].get("status") in (400, 403, 409) for found in life.tries for fault in found.attempt.faults)


def _blind(life: Life) -> bool:
    """Whether the plan was made without seeing everything; then it is refused when more can be seen."""
    assert life.plan is not None
    notes = [note for each in life.plan.leavers for planned in each.steps for note in planned.notes]
    return any(note.doing is Doing.UNKNOWN for note in notes)
