"""The processes that carry out a tenant's runs, as one of them sees it: itself alive, its turns, and what others left behind.

Whatever should be under way and is not, is dealt anew: turns that a crash kept from being queued, that were queued by
nobody, or that a dead process had in its hands. Whatever is queued and wanted by nobody any more is taken out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from offboard.audit import AuditError
from offboard.errors import OffboardError
from offboard.runs.engine.conductor import AGAIN, Conductor
from offboard.runs.engine.desk import Desk
from offboard.runs.engine.leases import BEATS
from offboard.runs.engine.port import UNDER_WAY, Known, Port
from offboard.runs.engine.presence import Presence
from offboard.runs.engine.turns import Turn
from offboard.runs.store import Store

AHEAD = timedelta(minutes=5)
"""How far this machine's clock may be behind Graph's without anything being late."""
KEPT = timedelta(days=7)
"""For so long the engine's own record of a turn that is over is kept; what a run did stands in the store and in the audit."""


@dataclass
class Crew:
    """This process among those of its tenant.

    Args:
        store: Where the runs stand.
        port: Launched.
        conductor: Carries out turns.
        presence: Who lives.
        desk: For runs that somebody waits for.
    """

    store: Store
    port: Port
    conductor: Conductor
    presence: Presence
    desk: Desk

    async def beat(self) -> None:
        """Show that this process lives, until canceled."""
        while True:
            with suppress(OffboardError):  # the database is away: others will think that this process is
                self.presence.beat()
            await asyncio.sleep(BEATS)

    async def look_after(self) -> None:
        """See to it that everything that goes on by itself is under way."""
        under_way, turns, tenant = await self.port.under_way(), self.store.turns, self.port.tenant
        now = await self.conductor.now() if self._near(under_way) else None
        dead = {id for id, known in under_way.items() if self._died(known)}
        missing = sorted(id for id in turns.wanted(tenant) - under_way.keys() if not self._attended(Turn.of(id).run))
        known = await self.port.known(missing)
        lost = {id for id in missing if id in known and known[id].state not in UNDER_WAY}
        turns.forget(sorted(dead | lost))
        await self.port.cancel(sorted(dead))
        for id in missing:
            if id not in known:
                await self._enqueue(Turn.of(id))
        await self._deal({Turn.of(id).run for id in lost})
        stale = {id for id, known in under_way.items() if known.state != "PENDING"} - turns.wanted(tenant)
        await self.port.cancel(sorted(stale))
        for id, state in under_way.items():
            if now is not None and state.state == "DELAYED" and id not in stale and Turn.of(id).at <= now:
                await self.port.hasten(id)

    async def clear_away(self) -> None:
        """Forget in the engine what has been over for long, so that its database does not grow for ever."""
        with suppress(OffboardError):  # the next process will
            wanted = self.store.turns.named(self.port.tenant)
            await self.port.clear_away(self.conductor.clock.now() - KEPT, wanted)

    async def _deal(self, paused: set[str]) -> None:
        for run in self.store.turns.undealt(self.port.tenant):
            if not self._attended(run):
                record, now = self.store.run(run), await self.conductor.now()
                at = now + AGAIN if run in paused else now
                await self.conductor.deal(record, at, pause=run in paused, again=True)

    async def _enqueue(self, turn: Turn) -> None:
        now = await self.conductor.now()
        await self.conductor.hand_over(self.store.run(turn.run), [turn], now)

    def _near(self, under_way: dict[str, Known]) -> bool:
        """Whether it is worth asking Graph for its time: something that waits may be due by it."""
        return any(known.state == "DELAYED" and Turn.of(id).at <= self._soon() for id, known in under_way.items())

    def _soon(self) -> datetime:
        return self.conductor.clock.now() + AHEAD

    def _died(self, known: Known) -> bool:
        return known.state == "PENDING" and self.presence.gone(known.executor)

    def _attended(self, run: str) -> bool:
        """Whether a living process carries it out for somebody who waits."""
        desk = self.store.turns.desk(run)
        return desk is not None and not self.presence.gone(desk)

    async def forever(self, poll: float, say: Callable[[str], None]) -> None:
        """Look after everything, and carry out what the queue hands out, until canceled.

        Args:
            poll: Seconds between two looks.
            say: Told what goes wrong, in one line.

        Raises:
            AuditError: The audit cannot be written; nothing more was sent.
        """
        cleared = self.conductor.clock.now()
        while True:
            if self.conductor.clock.now() - cleared > KEPT / 7:
                cleared = self.conductor.clock.now()
                await self.clear_away()
            try:
                await self.look_after()
            except OffboardError as error:
                if error.exit_code not in (4, 5):
                    raise
                say(" ".join(error.lines()))
            for trouble in self._errors():
                say(" ".join(trouble.lines()))
            await asyncio.sleep(poll)

    def _errors(self) -> list[OffboardError]:
        found, self.conductor.errors[:] = list(self.conductor.errors), []
        for error in found:
            if isinstance(error, AuditError) or not isinstance(error, OffboardError):
                raise error
        return [error for error in found if isinstance(error, OffboardError)]


@asynccontextmanager
async def crew(
    store: Store, place: Path | str, tenant: str, conductor: Conductor, *, listen: bool
) -> AsyncIterator[Crew]:
    """This process carries out turns, as long as the block lasts.

    Args:
        store: Where the runs stand.
        place: Where turns are kept: a file, or `postgresql://…`.
        tenant: The tenant's id.
        conductor: Carries out turns; its queue is set here.
        listen: Whether turns are taken from the tenant's queue.
    """
    presence = Presence(store.db, store.leases.owner)
    presence.beat()
    port = Port(place, store.leases.owner, tenant, conductor.work)
    conductor.queue = port
    found = Crew(store, port, conductor, presence, Desk(store, port, conductor))
    beating = asyncio.ensure_future(found.beat())
    try:
        await port.launch(listen=listen)
        await found.clear_away()
        yield found
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await conductor.stop()
        await port.close()
        with suppress(OffboardError):
            presence.leave()
