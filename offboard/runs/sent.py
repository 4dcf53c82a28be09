"""What was sent in one stage, what came back, and what that means. Pure.

An answer that was lost, or came as 5xx, leaves open whether the change was executed; so does a process that died after it
recorded an intent. As long as such a doubt may still come true on re-reading, nothing is said about the change.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from offboard.graph.answers import Answer
from offboard.model import Outcome
from offboard.runs.stages import Pending

VISIBLE_WITHIN = 60.0
"""Seconds within which what was executed can be read back; what cannot by then has failed."""
BEFORE = "it may have been sent before the run was interrupted"
Id = tuple[str, str]


@dataclass
class Sent:
    """What was sent in one stage, and what came back.

    Args:
        started: When the stage began, on a clock that only goes forward.
        interrupted: Changes that an earlier process may have sent.
        blocked: Per change: why the last reading did not tell whether it is so.
    """

    started: float
    interrupted: frozenset[Id] = frozenset()
    blocked: dict[Id, str] = field(default_factory=dict)
    _answers: dict[Id, Answer] = field(default_factory=dict)
    _first: dict[Id, float] = field(default_factory=dict)
    _attempts: dict[Id, int] = field(default_factory=dict)
    _accepted: dict[Id, float] = field(default_factory=dict)
    _doubts: dict[Id, tuple[float, Answer]] = field(default_factory=dict)
    _late: Counter[Id] = field(default_factory=Counter)

    def note(self, each: Pending, answer: Answer, at: float) -> None:
        """Remember an answer; 424 is none, because Graph executes nothing behind a failed predecessor."""
        if answer.status == 424:
            before = self._answers.get(each.id)
            if before is not None and not before.ambiguous:
                del self._answers[each.id]
            return
        self._answers[each.id] = answer
        self._first.setdefault(each.id, at)
        self._attempts[each.id] = self.attempts(each) + 1
        if answer.ok:
            self._accepted[each.id] = at
        elif answer.ambiguous:
            self._doubts[each.id] = at, answer

    def answer(self, each: Pending) -> Answer | None:
        """The newest answer, or None when it is to be sent (again)."""
        return self._answers.get(each.id)

    def attempts(self, each: Pending) -> int:
        """How often it was sent."""
        return self._attempts.get(each.id, 0)

    def tried(self, each: Pending, now: float) -> float:
        """Seconds since the first answer; waiting for the quota before that is not trying."""
        return now - self._first.get(each.id, now)

    def note_late(self, each: Pending) -> None:
        """Remember that it could have left, had what was read not been too old."""
        self._late[each.id] += 1

    def late(self, each: Pending) -> int:
        """How often that happened."""
        return self._late[each.id]

    def accepted(self, each: Pending) -> float:
        """When Graph accepted it."""
        return self._accepted.get(each.id, self.started)

    def may_show(self, each: Pending, now: float) -> bool:
        """Whether it was executed, or may have been, so lately that it need not be visible yet."""
        at = self._accepted.get(each.id)
        if at is None and each.id in self._doubts:
            at = self._doubts[each.id][0]
        if at is None and each.id in self.interrupted:
            at = self.started
        return at is not None and now - at < VISIBLE_WITHIN

    def found(self, each: Pending) -> tuple[Outcome, str]:
        """What it means that the change is no longer needed."""
        answer, doubt = self.answer(each), self._doubts.get(each.id)
        if each.id in self._accepted:
            return Outcome.CHANGED, ""
        if doubt is not None:
            return Outcome.CHANGED, f"recovered: {unsure(doubt[1])}, found done on re-reading"
        if each.id in self.interrupted:
            return Outcome.CHANGED, "recovered: found done on re-reading"
        if answer is None:
            return Outcome.UNCHANGED, "already so before anything was sent"
        return Outcome.UNCHANGED, f"already so: Graph answered {answer.status}"


def unsure(answer: Answer) -> str:
    """What an answer that is not a success said, as a clause."""
    return f"the answer was lost ({answer.lost})" if answer.status is None else f"Graph answered {answer.status}"
