"""How a run ended: per leaver, and as a whole. Pure values, made once, read by the renderer and the exit code."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from offboard.model import Note, Outcome, Plan, PlannedStep, Result, Table, Unplanned


@dataclass(frozen=True, slots=True)
class Barred:
    """Why nothing may be written for a leaver.

    Args:
        reasons: Guard and reason, each.
        until: When that ends by itself; None when a person must look.
        lacks: By step: what the sign-in certainly lacks for it; that counts only while the step is still to be done.
    """

    reasons: tuple[str, ...]
    until: datetime | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)

    def of(self, steps: Collection[str]) -> Barred | None:
        """What of it keeps these steps from being done; None when nothing does."""
        if self.reasons:
            return replace(self, lacks={})
        lacks = {step: said for step, said in self.lacks.items() if step in steps}
        return replace(self, reasons=tuple(dict.fromkeys(lacks.values())), lacks=lacks) if lacks else None

    @property
    def code(self) -> int:
        """The exit code that it stands for: refused, or not permitted."""
        return 4 if self.lacks else 3


@dataclass(frozen=True, slots=True)
class LeaverOutcome:
    """How the run ended for one leaver.

    Args:
        index: Place of the leaver in the plan.
        results: One per change, and one per step that was skipped as a whole, in playbook order.
        refused: Why nothing was done for this leaver, headline first; empty when something was.
        not_started: Ids of steps that a failure kept from being started.
        notes: What is left as it is, as seen by the last reading.
        tables: Rows of read-only steps, by step id.
        later: Steps that fall due later.
        stopped: Why the run stopped in the middle; empty when it went to its end.
        barred: What the guards said, when it was they who refused.
        code: The exit code that a refusal stands for.
        fine: Of a run of many: how many changes that are not among `results` ended in which way, none of them badly.
        times: Of a run of many: what `at` answers, by verb.
    """

    index: int
    results: tuple[Result, ...] = ()
    refused: tuple[str, ...] = ()
    not_started: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[tuple[str, Table], ...] = ()
    later: tuple[PlannedStep, ...] = ()
    stopped: str = ""
    barred: Barred | None = None
    code: int = 3
    fine: Mapping[Outcome, int] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)

    def at(self, verb: str) -> datetime | None:
        """When the change of the user with this verb was known to be so, by this run."""
        if verb in self.times:
            return self.times[verb]
        times = [
            r.at
            for r in self.results
            if r.change and (r.change.verb, r.change.target.kind) == (verb, "user") and r.outcome is Outcome.CHANGED
        ]
        return max((t for t in times if t), default=None)

    @property
    def failed(self) -> bool:
        """Whether something did not work, or was kept from being started."""
        return bool(self.not_started) or any(each.outcome is Outcome.FAILED for each in self.results)

    @property
    def ended_early(self) -> bool:
        """Whether something keeps the next part of what is due from being carried out at once."""
        return bool(self.failed or self.refused or self.stopped)

    @property
    def unfinished(self) -> bool:
        """Whether a resumed run would have something to do."""
        return self.failed or bool(self.later)

    def open_items(self, accepted: Sequence[str]) -> tuple[Note, ...]:
        """What is left open and was not accepted."""
        return tuple(note for note in self.notes if note.open and note.code not in accepted)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How the whole run ended.

    Args:
        run: Its id.
        plan: What was carried out.
        leavers: One per leaver of the plan.
        unplanned: Where the run begins: who was asked for, and is in no plan.
    """

    run: str
    plan: Plan
    leavers: tuple[LeaverOutcome, ...]
    unplanned: tuple[Unplanned, ...] = ()

    def exit_code(self, accepted: Sequence[str] = ()) -> int:
        """0 done, 1 something failed or is open, 3 all was refused, 4 all lacks a right, 5 stopped in the middle."""
        accept = (*self.plan.playbook.accept, *accepted)
        if any(each.stopped for each in self.leavers):
            return 5
        if self.leavers and all(each.refused for each in self.leavers):
            return min(each.code for each in self.leavers)
        bad = bool(self.unplanned) or any(
            each.refused or each.not_started or each.open_items(accept) or any(_bad(r) for r in each.results)
            for each in self.leavers
        )
        return 1 if bad else 0


def _bad(result: Result) -> bool:
    return result.outcome in (Outcome.FAILED, Outcome.DRIFTED)
