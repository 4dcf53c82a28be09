"""A run that somebody waits for: its turns are carried out in this process, and what came of them is one outcome.

While the process lives nobody else begins a turn of the run; when it dies, any worker does.
"""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from offboard.errors import Busy
from offboard.graph.send import utc_now_of
from offboard.model import JSON, LeaverPlan, Plan
from offboard.runs.apply import Applier
from offboard.runs.engine.changes import CANCELED
from offboard.runs.engine.conductor import STOPPED, Conductor, begins_by_containing
from offboard.runs.engine.leases import LASTS
from offboard.runs.engine.outcomes import leavers_of, read_outcome
from offboard.runs.engine.port import AT_ONCE
from offboard.runs.engine.presence import Presence
from offboard.runs.engine.shares import Share
from offboard.runs.engine.turns import HANDFUL, Turn
from offboard.runs.outcome import LeaverOutcome, RunOutcome
from offboard.runs.store import RunRecord, Store
from offboard.runs.summary import not_started

FEW = 4
"""Turns at the same time of a very large run that do more than cut access: they hold everything that is known of their
leavers, and two hundred leavers keep the quota busy."""

IDLE = 3.0
"""Seconds without a lease after which a process that sits at a run is not believed to be at work any more."""
ELSEWHERE = "the rest was not begun here: another process may have gone on"


class Hands(Protocol):
    """What begins turns in this process."""

    @property
    def owner(self) -> str:
        """The process's name."""

    async def begin(self, id: str) -> JSON:
        """Carry out the turn that is called so; what came of it."""

    async def cancel(self, ids: Sequence[str]) -> None:
        """Nobody waits for these turns any more."""


@dataclass
class Desk:
    """Carries out one run at a time, while its caller waits.

    Args:
        store: Where the runs stand.
        port: Launched.
        conductor: Carries out turns.
    """

    store: Store
    port: Hands
    conductor: Conductor
    _run: RunRecord | None = None
    _waiting: list[tuple[int, int, int, Turn]] = field(default_factory=list)
    _said: dict[str, bytes] = field(default_factory=dict)
    """What came of each leaver, as JSON: of ten thousand, texts are a fifth of what they say."""

    def attend(self) -> None:
        """This process is for runs that somebody waits for."""
        self.conductor.mine = self._mine
        self.conductor.waits = self.store.db.shared

    async def begin(self, applier: Applier, plan: Plan, run: str) -> RunOutcome:
        """Consume the plan and carry out everything that is due.

        Raises:
            Busy: A leaver has an open run, or is in another process's hands.
            Refused: The plan was consumed by somebody else meanwhile.
            AuditError: The audit cannot be written; nothing (more) was sent.
        """
        now = utc_now_of(applier.tools.reader.sender)
        self.store.refuse_if_busy(plan, now)
        applier.consume(plan, run)
        outcome = await self._carry_out(self.store.run(run), self.store.shares(run), again=False)
        assert outcome is not None
        return replace(outcome, unplanned=plan.unplanned)

    async def go_on(self, run: str, leavers: Sequence[str] | None = None) -> RunOutcome | None:
        """Carry out what is due in a run that began: of these leavers, or of all who are neither held nor over.

        Returns:
            The outcome for these leavers; None when there was nobody to go on with.

        Raises:
            Busy: A leaver is in another process's hands.
            AuditError: The audit cannot be written; nothing (more) was sent.
        """
        shares = [s for s in self.store.shares(run) if not s.over and s.hold is None]
        if leavers is None:  # whoever is fine and waits for a later day is not looked at before
            now = await self.conductor.now()
            shares = [s for s in shares if s.due is None or s.due <= now or s.exit_code not in (None, 0)]
        else:
            shares = [s for s in shares if s.leaver in leavers]
        return await self._carry_out(self.store.run(run), shares, again=True)

    async def _carry_out(self, record: RunRecord, shares: Sequence[Share], *, again: bool) -> RunOutcome | None:
        if not shares:
            return None
        among = {share.leaver for share in shares}
        now = await self.conductor.now()
        self._run, self._said = record, {}
        self.conductor.stopping = False
        self.conductor.errors.clear()
        await self._sit_down(record.id)
        try:
            self.store.turns.take_back(record.id, among)
            split = begins_by_containing(record.plan.playbook)
            turns = self.store.turns.deal(record.id, now, among=among, everybody=True, split=split, again=again)
            await self.conductor.hand_over(record, turns, now)
            await self._all()
            await self._tidy(shares)
        finally:
            self._run = None
            self.store.turns.stand_up(record.id, self.port.owner)
        return self._outcome(record, among, now)

    async def _sit_down(self, run: str) -> None:
        """One process at a time carries a run out.

        Whoever holds no lease for a while is paused, or is dead and cannot be seen to be.
        """
        presence, waited, idle = Presence(self.store.db, self.port.owner), 0.0, 0.0

        def gone(other: str) -> bool:
            return idle >= IDLE or presence.gone(other)

        while (other := self.store.turns.sit_down(run, self.port.owner, gone)) is not None:
            at_work = self.store.leases.at_work(run, other)
            idle = 0.0 if at_work else idle + 1.0
            if at_work and (not self.conductor.waits or waited > LASTS + 5):
                raise Busy(
                    f"Run {run[:8]} is being carried out by another process, for somebody who waits for it.",
                    todo=f"Wait until it is done, or look: offboard status {run[:8]}. Nothing was written.",
                )
            await self.conductor.clock.sleep(1.0)
            waited += 1.0

    def _mine(self, turn: Turn) -> bool:
        if self._run is None or turn.run != self._run.id:
            return False
        heapq.heappush(self._waiting, (turn.priority(self._run.leavers), turn.deal, turn.place, turn))
        return True

    async def _all(self) -> None:
        """Turn after turn, so many at the same time, the most urgent first."""
        running: set[asyncio.Task[JSON]] = set()
        try:
            while self._waiting or running:
                while self._waiting and len(running) < self._room(self._waiting[0][-1]):
                    running.add(asyncio.ensure_future(self.port.begin(heapq.heappop(self._waiting)[-1].id)))
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                self._hear(done)
                if self.conductor.errors:
                    raise self.conductor.errors[0]
        except BaseException as error:
            await self._leave_off(running)
            if not isinstance(error, asyncio.CancelledError):
                raise

    def _room(self, turn: Turn) -> int:
        """How many turns there may be at the same time."""
        large = self._run is not None and self._run.leavers > AT_ONCE * HANDFUL
        return FEW if large and turn.part != "contain" else AT_ONCE

    def _hear(self, done: set[asyncio.Task[JSON]]) -> None:
        for task in done:
            found = leavers_of(task.result())
            self._said |= {leaver: json.dumps(said, separators=(",", ":")).encode() for leaver, said in found.items()}

    async def _leave_off(self, running: set[asyncio.Task[JSON]]) -> None:
        """What is in the middle ends in order, and what was not begun waits for whoever goes on."""
        await self.conductor.stop()
        if running:
            done, _ = await asyncio.wait(running)
            self._hear({task for task in done if task.exception() is None})
        for *_, turn in self._waiting:
            self.store.turns.stop(turn.id, STOPPED)
        self._waiting.clear()

    async def _tidy(self, shares: Sequence[Share]) -> None:
        """The turns that these leavers waited for before find nobody any more."""
        before = {share.turn for share in shares if share.turn}
        if before and not self.conductor.stopping:
            await self.port.cancel(sorted(before - self.store.turns.wanted(shares[0].tenant)))

    def _outcome(self, record: RunRecord, among: set[str], now: datetime) -> RunOutcome | None:
        shares = [share for share in self.store.shares(record.id) if share.leaver in among]
        shares = [s for s in shares if s.leaver in self._said or s.state == "stopped"]
        compact = record.leavers > HANDFUL
        plans: list[LeaverPlan] = []
        found: list[LeaverOutcome] = []
        for start in range(0, len(shares), HANDFUL):
            some = shares[start : start + HANDFUL]
            part = self.store.plan_of(record, some)
            for n, share in enumerate(some):
                said = self._said.get(share.leaver)
                known = LeaverOutcome(n, stopped=share.why) if said is None else read_outcome(part, n, json.loads(said))
                known = _cut_short(known, now, self._why_not(share))
                found.append(_light(replace(known, index=start + n)) if compact else replace(known, index=start + n))
            plans += map(_head, part.leavers) if compact else part.leavers
        return RunOutcome(record.id, replace(record.plan, leavers=tuple(plans)), tuple(found)) if found else None

    def _why_not(self, share: Share) -> str:
        """Why what was due for this leaver was not begun."""
        if share.state == "canceled":
            return f"{CANCELED} ({share.why})"
        if share.hold is not None:
            return f"the run is held ({share.hold})"
        return STOPPED if self.conductor.stopping else ELSEWHERE


def _cut_short(each: LeaverOutcome, now: datetime, why: str) -> LeaverOutcome:
    """Of one whose access was cut, and whose other steps were due and were not begun any more, just that."""
    left = [planned for planned in each.later if planned.due <= now]
    if not left or each.refused or each.stopped:
        return each
    missing = (*each.not_started, *not_started(left, each.results))
    later = tuple(planned for planned in each.later if planned.due > now)
    return replace(each, stopped=why, not_started=missing, later=later)


def _head(each: LeaverPlan) -> LeaverPlan:
    """Of one among thousands, who it is."""
    return replace(each, leaver=replace(each.leaver, about={}), fingerprint={}, steps=())


def _light(each: LeaverOutcome) -> LeaverOutcome:
    return replace(each, later=tuple(replace(p, changes=(), notes=(), tables=()) for p in each.later))
