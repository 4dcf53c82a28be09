"""The worker: carries out what becomes due, turn after turn, until it is stopped.

What is due stands in the store, so any number of workers may look; the lease decides who goes on with a leaver. A worker
that died is recovered by whoever looks after its leases ran out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from offboard.errors import Busy, GraphUnavailable, NotPermitted, OffboardError
from offboard.runs.engine.shares import Share
from offboard.runs.outcome import RunOutcome
from offboard.runs.store import Store

HANDFUL = 50
"""Leavers of one turn: enough to fill batches, few enough for several workers to share a run."""
AGAIN = 60.0
"""Seconds before a leaver whose turn was stopped is tried again."""

Turn = Callable[[str, Sequence[str]], Awaitable[RunOutcome | None]]


def stop_if_asked() -> None:
    """Go on stopping after a turn: it ends in order when the process is told to stop, and the word must not be lost.

    Raises:
        CancelledError: The process was told to stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@dataclass
class Worker:
    """Carries out what becomes due in one tenant.

    Args:
        store: Where the runs stand.
        tenant: The tenant's id.
        soon: The time until which it is worth asking Graph for its own.
        now: Asks Graph for its time; what is due is decided by that clock.
        turn: Carries on these leavers of a run.
        ticks: Seconds that only go forward.
        say: Told what goes wrong, in one line.
    """

    store: Store
    tenant: str
    soon: Callable[[], datetime]
    now: Callable[[], Awaitable[datetime]]
    turn: Turn
    ticks: Callable[[], float]
    say: Callable[[str], None]
    codes: list[int] = field(default_factory=list)
    _not_before: dict[tuple[str, str], float] = field(default_factory=dict)

    async def round(self) -> int:
        """Carry out everything that is due now; how many leavers that were.

        Raises:
            AuditError: The audit cannot be written; nothing more was sent.
        """
        done = 0
        while self._next(self.soon()):
            now = await self.now()
            handful = self._next(now)
            if not handful:
                break
            done += len(handful)
            await self._carry(handful[0].run, [share.leaver for share in handful], now)
        return done

    def _next(self, now: datetime) -> list[Share]:
        found = [s for s in self.store.due(self.tenant, now) if self._ripe(s)]
        found.sort(key=lambda s: (s.due or now, s.run, s.place))
        return [s for s in found if s.run == found[0].run][:HANDFUL]

    def _ripe(self, share: Share) -> bool:
        return self.ticks() >= self._not_before.get((share.run, share.leaver), 0.0)

    async def _carry(self, run: str, leavers: Sequence[str], now: datetime) -> None:
        try:
            outcome = await self.turn(run, leavers)
        except Busy:
            self._later(run, leavers, self.ticks() + 1.0)  # another worker was quicker
            return
        except (GraphUnavailable, NotPermitted) as error:
            self.say(" ".join(error.lines()))
            self.codes.append(error.exit_code)
            self._later(run, leavers, self.ticks() + AGAIN)
            return
        if outcome is not None:
            self.codes.append(outcome.exit_code())
        stop_if_asked()
        # What is still due after its own turn was stopped: not again before a pause.
        left = [s.leaver for s in self.store.shares(run) if s.leaver in leavers and s.due is not None and s.due <= now]
        self._later(run, left, self.ticks() + AGAIN)

    def _later(self, run: str, leavers: Sequence[str], at: float) -> None:
        for leaver in leavers:
            self._not_before[run, leaver] = at

    async def forever(self, poll: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Round after round, until canceled.

        Args:
            poll: Seconds between two looks.
            sleep: Waits.
        """
        while True:
            try:
                await self.round()
            except (GraphUnavailable, NotPermitted) as error:
                self.say(" ".join(error.lines()))
            except OffboardError as error:
                if error.exit_code != 5:
                    raise
                self.say(" ".join(error.lines()))
            await sleep(poll)
