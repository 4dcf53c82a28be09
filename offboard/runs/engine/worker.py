"""One round over everything that is due: what `worker --once` does, run by run, until nothing is left that it could do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from offboard.errors import Busy, GraphUnavailable, NotPermitted
from offboard.runs.engine.shares import Share
from offboard.runs.outcome import RunOutcome
from offboard.runs.store import Store

Turn = Callable[[str, Sequence[str]], Awaitable[RunOutcome | None]]


def stop_if_asked() -> None:
    """Go on stopping after a run: it ends in order when the process is told to stop, and the word must not be lost.

    Raises:
        CancelledError: The process was told to stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@dataclass
class Round:
    """Carries out what is due in one tenant.

    Args:
        store: Where the runs stand.
        tenant: The tenant's id.
        soon: The time until which it is worth asking Graph for its own.
        now: Asks Graph for its time; what is due is decided by that clock.
        turn: Carries on these leavers of a run.
        say: Told what goes wrong, in one line.
    """

    store: Store
    tenant: str
    soon: Callable[[], datetime]
    now: Callable[[], Awaitable[datetime]]
    turn: Turn
    say: Callable[[str], None]
    codes: list[int] = field(default_factory=list)
    _tried: set[tuple[str, str, datetime | None]] = field(default_factory=set)
    _whom: set[tuple[str, str]] = field(default_factory=set)

    async def carry_out(self) -> None:
        """Carry out everything that is due now, each once.

        Raises:
            AuditError: The audit cannot be written; nothing more was sent.
        """
        while self._next(self.soon()):
            shares = self._next(await self.now())
            if not shares:
                break
            self._tried |= {(share.run, share.leaver, share.due) for share in shares}
            self._whom |= {(share.run, share.leaver) for share in shares}
            await self._carry(shares[0].run, [share.leaver for share in shares])

    def _next(self, now: datetime) -> list[Share]:
        due = self.store.due(self.tenant, now)
        # Whoever was stopped is due again at once, and would be for ever.
        found = [s for s in due if not (s.state == "stopped" and (s.run, s.leaver) in self._whom)]
        found = [s for s in found if (s.run, s.leaver, s.due) not in self._tried]
        found.sort(key=lambda s: (s.due or now, s.run, s.place))
        return [s for s in found if s.run == found[0].run]

    async def _carry(self, run: str, leavers: Sequence[str]) -> None:
        try:
            outcome = await self.turn(run, leavers)
        except Busy:
            return  # another worker was quicker
        except (GraphUnavailable, NotPermitted) as error:
            self.say(" ".join(error.lines()))
            self.codes.append(error.exit_code)
            return
        if outcome is not None:
            self.codes.append(outcome.exit_code())
        stop_if_asked()
