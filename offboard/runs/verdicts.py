"""What becomes of a change that is not so yet: wait, send it (again), or end it, and how. Pure.

Asked after each re-reading. Nothing is sent again whose answer leaves open whether it was executed, before it has had
its time to show; and what fails ends the leaver's later steps, unless its step says `on_failure: continue`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from offboard.actions import ACTIONS
from offboard.graph.answers import Answer
from offboard.graph.trouble import Trouble
from offboard.model import Effect, OnFailure, Outcome
from offboard.runs.sent import BEFORE, VISIBLE_WITHIN, Sent, unsure
from offboard.runs.stages import Pending

OFTEN = 10
"""How often what may lose something is read anew because it could not leave in time, before it is given up."""
LATER = "Resume the run later; what is done stays done."
LOOK = "Look at the object in the admin center, then resume the run."


class Next(Enum):
    """What is next for a change."""

    LOOK = "look again"
    SEND = "send"
    SEND_LATE = "send behind the others of its step"
    END = "end"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one change.

    Args:
        each: The change.
        next: What is next.
        outcome: How it ended.
        why: And why.
        todo: What the administrator does about it.
        answered: Whether Graph's answer is part of the outcome.
        halts: Whether nothing later is started.
    """

    each: Pending
    next: Next
    outcome: Outcome = Outcome.FAILED
    why: str = ""
    todo: str = ""
    answered: bool = False
    halts: bool = False


@dataclass(frozen=True)
class Case:
    """How things stand after a re-reading.

    Args:
        left: What is not so yet, in order.
        sent: What was sent, and what came back.
        now: On a clock that only goes forward.
        halted: The step that failed, if any.
        called_off: Why a person wants nothing more to be sent, if so.
        deadline: Seconds after which a throttled or unanswered change is given up.
        last_stand: The same for what cuts access.
        explain: What a refusal means.
        held: Why a change that may lose something is not to leave (again), by the last reading; empty when it may.
        fresh: Whether the run has changed something so lately that a reading may show what was before.
    """

    left: Sequence[Pending]
    sent: Sent
    now: float
    halted: str
    called_off: str
    deadline: float
    last_stand: float
    explain: Callable[[Answer, Pending], Trouble] = field(repr=False)
    held: Callable[[Pending], str] = field(repr=False)
    fresh: bool


def verdicts(case: Case) -> list[Verdict]:
    """What becomes of each change, in order: one that fails also decides for those behind it."""
    found = []
    for each in case.left:
        verdict = _verdict(case, each)
        leaves = verdict.next in (Next.SEND, Next.SEND_LATE)
        if leaves and each.change.effect is not Effect.REVERSIBLE and (why := case.held(each)):
            open_yet = case.fresh or case.sent.may_show(each, case.now)
            verdict = Verdict(each, Next.LOOK) if open_yet else _held(case, each, why)
        found.append(verdict)
        if found[-1].halts:
            case = replace(case, halted=case.halted or each.planned.step.id)
    return found


def sends(found: Sequence[Verdict]) -> list[Pending]:
    """What is to be sent, with what must come last in its step put behind the others of that step."""
    send = [verdict.each for verdict in found if verdict.next is Next.SEND]
    for late in (verdict.each for verdict in found if verdict.next is Next.SEND_LATE):
        place = max(n for n, other in enumerate(send) if other.planned is late.planned)
        send.insert(place + 1, late)
    return send


def _verdict(case: Case, each: Pending) -> Verdict:
    sent, now, answer = case.sent, case.now, case.sent.answer(each)
    action = ACTIONS[each.planned.step.action]
    elsewhere = bool(case.called_off or (case.halted and case.halted != each.planned.step.id))
    accepted = answer is not None and answer.ok
    refused = answer is not None and not answer.ok and not answer.ambiguous and not answer.throttled
    if sent.blocked.get(each.id):
        if answer is None or sent.tried(each, now) >= VISIBLE_WITHIN:
            return _untold(case, each, answer)
        return Verdict(each, Next.LOOK)  # whether it is so cannot be read: it is never sent again
    if not elsewhere and _waits(case, each, answer):
        return Verdict(each, Next.SEND_LATE)
    if sent.may_show(each, now) and (elsewhere or refused or accepted or action.once):
        return Verdict(each, Next.LOOK)  # executed, or perhaps so, and not yet visible: replication takes its time
    if elsewhere and not accepted:
        return _dropped(case, each, answer)
    # What cuts access is not given up before the run's own deadline.
    patience = case.last_stand if action.contains else case.deadline
    if answer is None and sent.late(each) >= OFTEN:
        return _fails(
            each, f"not sent: {OFTEN} times what was read was more than a minute old before it could leave", LATER
        )
    if answer is None or (not refused and not accepted and sent.tried(each, now) < patience):
        return Verdict(each, Next.SEND)
    return _failed(case, each, answer)


def _waits(case: Case, each: Pending, answer: Answer | None) -> bool:
    """Whether a refusal may pass once others of the same step, not sent yet, are done."""
    action = ACTIONS[each.planned.step.action]
    others = any(o.planned is each.planned and case.sent.answer(o) is None for o in case.left)
    return answer is not None and others and not answer.ok and action.waits_for_others(answer.status or 0)


def _untold(case: Case, each: Pending, answer: Answer | None) -> Verdict:
    """What cannot be read is not done: never sent, it is left; sent, it has failed."""
    why = case.sent.blocked[each.id]
    if answer is None:
        again = each.id in case.sent.interrupted
        why = f"not sent again: {why}; {BEFORE}" if again else f"not sent: {why}"
        return Verdict(each, Next.END, Outcome.SKIPPED, why)
    said = f"Graph answered {answer.status}" if answer.status is not None else "the answer was lost"
    return _fails(each, f"{said}, and whether it is so cannot be read: {why}", LOOK)


def _dropped(case: Case, each: Pending, answer: Answer | None) -> Verdict:
    """What a failure before it keeps from being sent, or from being sent again."""
    because = case.called_off or f"step {case.halted} failed"
    if answer is not None:
        why = f"{unsure(answer)}, it is not so when read back, and it was not sent again, because {because}"
        return Verdict(each, Next.END, Outcome.FAILED, why, answered=True)
    if each.id in case.sent.interrupted:
        return Verdict(each, Next.END, Outcome.SKIPPED, f"not sent again, because {because}; {BEFORE}")
    return Verdict(each, Next.END, Outcome.SKIPPED, f"not sent: {because}")


def _held(case: Case, each: Pending, why: str) -> Verdict:
    """What may lose something is not sent again when meanwhile it would no longer be begun."""
    answer = case.sent.answer(each)
    if answer is not None:
        why = f"{why}; {unsure(answer)}, it is not so when read back, and it was not sent again"
    elif each.id in case.sent.interrupted:
        why = f"{why}; {BEFORE}"
    return Verdict(each, Next.END, Outcome.DRIFTED, f"held: {why}", answered=answer is not None, halts=True)


def _failed(case: Case, each: Pending, answer: Answer) -> Verdict:
    if answer.ok:
        waited = case.now - case.sent.accepted(each)
        why = f"Graph accepted it ({answer.status}), but after {waited:.0f} s it cannot be read back"
        return _fails(each, why, LOOK)
    if answer.ambiguous or answer.throttled:
        tried, attempts = case.sent.tried(each, case.now), case.sent.attempts(each)
        why = f"{unsure(answer)}; given up after {tried:.0f} s and {attempts} attempts"
        return _fails(each, why, LATER)
    trouble = case.explain(answer, each)
    return _fails(each, trouble.what, " ".join(x for x in (trouble.why, trouble.todo) if x))


def _fails(each: Pending, why: str, todo: str) -> Verdict:
    halts = each.planned.step.on_failure is not OnFailure.CONTINUE
    return Verdict(each, Next.END, Outcome.FAILED, why, todo, answered=True, halts=halts)
