"""What this process does with a turn that is handed to it: carry it out, write down what came of it, and deal what is next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from offboard.actions import ACTIONS
from offboard.audit import AuditError
from offboard.clock import Clock
from offboard.errors import Busy, OffboardError
from offboard.model import JSON, Playbook
from offboard.runs.apply import Applier
from offboard.runs.engine.carry import carry_turn
from offboard.runs.engine.leases import LASTS
from offboard.runs.engine.outcomes import outcome_json
from offboard.runs.engine.turns import HANDFUL, Turn
from offboard.runs.outcome import RunOutcome
from offboard.runs.store import RunRecord, Store

AGAIN = timedelta(seconds=60)
"""Before a leaver whose turn was stopped is tried again."""
STOPPED = "stopped on request"


class Queue(Protocol):
    """Where turns wait that this process does not carry out now."""

    async def enqueue(self, id: str, priority: int, delay: float) -> None:
        """Put it there, once."""


@dataclass
class Conductor:
    """Carries out turns, any number at the same time.

    Args:
        store: Where the runs stand.
        clock: Time.
        now: Asks Graph for its time; what is due is decided by that clock.
        applier: Makes what carries out a turn of this run.
        told: Told of a turn that has ended, but for `contain` parts.
        queue: Where turns wait that are not carried out here and now.
    """

    store: Store
    clock: Clock
    now: Callable[[], Awaitable[datetime]]
    applier: Callable[[RunRecord], Applier]
    told: Callable[[RunOutcome], None]
    queue: Queue | None = None
    mine: Callable[[Turn], bool] = lambda _turn: False
    """Takes a turn that this process carries out itself, without the queue."""
    waits: bool = True
    """Whether a lease is waited for. Not where somebody waits and the holder, alive or paused, can be seen."""
    errors: list[BaseException] = field(default_factory=list)
    stopping: bool = False
    _tasks: set[asyncio.Task[object]] = field(default_factory=set)

    async def work(self, id: str) -> JSON:
        """Carry out the turn that is called so; never raises, because whoever handed it out could only hand it out again."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await self._work(Turn.of(id))
        except asyncio.CancelledError:
            with suppress(OffboardError):
                self.store.turns.stop(id, STOPPED)
        except Exception as error:
            self.errors.append(error)
        finally:
            self._tasks.discard(task)
        return None

    async def _work(self, turn: Turn) -> JSON:
        if self.stopping:  # told to stop before this one was begun
            self.store.turns.stop(turn.id, STOPPED)
            return None
        if not self.store.turns.shares(turn.id):
            return None
        now = await self.now()
        if turn.deal > 1 and turn.at > now:  # the queue's clock is ahead of Graph's
            self.store.turns.forget([turn.id])
            await self.deal(self.store.run(turn.run), now)
            return None
        record = self.store.run(turn.run)
        applier = self.applier(record)
        try:
            outcome = await self._carry(applier, turn)
        except AuditError:
            raise
        except OffboardError:
            await self._again_later(record, turn, now)
            raise
        finally:
            getattr(applier.tools.progress, "end", lambda: None)()
        if outcome is None:
            return None
        if turn.part != "contain":
            self.told(outcome)
        await self._go_on(record, turn, outcome, now)
        return outcome_json(outcome, compact=record.leavers > HANDFUL)

    async def _carry(self, applier: Applier, turn: Turn) -> RunOutcome | None:
        """Carry it out; a lease that nobody renews any more is waited for, because its holder is dead or away.

        Raises:
            Busy: Another process is at work.
        """
        waited, seen = 0.0, self._ends(turn)
        while True:
            try:
                return await carry_turn(applier, turn)
            except Busy:
                ends = self._ends(turn)
                if not self.waits or waited > LASTS + 5 or any(at > seen.get(one, at) for one, at in ends.items()):
                    raise
                seen = {**ends, **seen}
            await self.clock.sleep(1.0)
            waited += 1.0

    def _ends(self, turn: Turn) -> dict[str, float]:
        shares = self.store.turns.shares(turn.id)
        return {s.leaver: at for s in shares if (at := self.store.leases.ends(s.tenant, s.leaver)) is not None}

    async def _again_later(self, record: RunRecord, turn: Turn, now: datetime) -> None:
        with suppress(OffboardError):
            self.store.turns.forget([turn.id])
            await self.deal(record, now + AGAIN, pause=True, again=True)

    async def _go_on(self, record: RunRecord, turn: Turn, outcome: RunOutcome, now: datetime) -> None:
        """Deal what is next for these leavers: the rest at once, what was stopped after a pause, what is later in its time."""
        if self.stopping:
            return  # whoever goes on deals anew
        ids = {each.index: outcome.plan.leavers[each.index].leaver.id for each in outcome.leavers}
        if turn.part == "contain":
            fine = {ids[each.index] for each in outcome.leavers if not each.ended_early}
            await self.deal(record, now, among=fine, part="rest", again=turn.again)
        stopped = {ids[each.index] for each in outcome.leavers if each.stopped}
        if stopped:
            await self.deal(record, now + AGAIN, among=stopped, pause=True, again=True)
        await self.deal(record, now, among=set(ids.values()))

    async def deal(
        self,
        record: RunRecord,
        at: datetime,
        *,
        among: Collection[str] | None = None,
        part: str = "",
        pause: bool = False,
        again: bool = False,
    ) -> None:
        """Deal who has no turn, and have the turns carried out."""
        split = begins_by_containing(record.plan.playbook)
        turns = self.store.turns.deal(record.id, at, among=among, part=part, pause=pause, split=split, again=again)
        await self.hand_over(record, turns, at - AGAIN if pause else at)

    async def hand_over(self, record: RunRecord, turns: Sequence[Turn], now: datetime) -> None:
        """Carry these turns out here, or let them wait in the queue for whoever listens."""
        assert self.queue is not None
        for turn in turns:
            if turn.at <= now and self.mine(turn):
                continue
            delay = max(0.0, (turn.at - now).total_seconds())
            await self.queue.enqueue(turn.id, turn.priority(record.leavers), delay)

    async def stop(self) -> bool:
        """Stop what is being carried out: nothing more is sent, and every leaver is resumable. Whether there was any."""
        self.stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return bool(tasks)


def begins_by_containing(playbook: Playbook) -> bool:
    """Whether the first thing that is done cuts access."""
    return bool(playbook.steps) and ACTIONS[playbook.steps[0].action].contains
