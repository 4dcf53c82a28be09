"""The engine, as the commands open it that carry out runs. Only these load it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from offboard.cli.session import Session
from offboard.cli.teller import Teller
from offboard.graph.read import Reader
from offboard.graph.send import utc_now_of
from offboard.runs.apply import Applier
from offboard.runs.engine.canceled import close_canceled
from offboard.runs.engine.conductor import Conductor
from offboard.runs.engine.crew import Crew, crew
from offboard.runs.engine.desk import Desk
from offboard.runs.outcome import RunOutcome
from offboard.runs.store import RunRecord

Tellers = Callable[[RunRecord], Teller]


@asynccontextmanager
async def at_desk(session: Session, tenant: str, tellers: Tellers, accepted: tuple[str, ...]) -> AsyncIterator[Desk]:
    """Runs are carried out for somebody who waits."""

    async def now() -> datetime:
        if session.sender.graph_now is None:
            await ask_time(session)
        return utc_now_of(session.sender)

    close_canceled(session.store, session.audit.bind(actor=session.actor), tenant)
    conductor = _conductor(session, tellers, accepted, now, lambda _outcome: None)
    async with crew(session.store, session.app.engine_place(), tenant, conductor, listen=False) as found:
        found.desk.attend()
        yield found.desk


@asynccontextmanager
async def at_work(
    session: Session, tenant: str, tellers: Tellers, accepted: tuple[str, ...], told: Callable[[RunOutcome], None]
) -> AsyncIterator[Crew]:
    """Runs are carried out as the queue hands them out, for as long as it takes."""

    async def now() -> datetime:
        return await ask_time(session)

    close_canceled(session.store, session.audit.bind(actor=session.actor), tenant)
    conductor = _conductor(session, tellers, accepted, now, told)
    async with crew(session.store, session.app.engine_place(), tenant, conductor, listen=True) as found:
        yield found


async def ask_time(session: Session) -> datetime:
    """Graph's time, asked now."""
    await Reader(session.sender).tenant(session.app.tenant.alias)  # a new reader asks again, which tells Graph's time
    return utc_now_of(session.sender)


def _conductor(
    session: Session,
    tellers: Tellers,
    accepted: tuple[str, ...],
    now: Callable[[], Awaitable[datetime]],
    told: Callable[[RunOutcome], None],
) -> Conductor:
    def applier(record: RunRecord) -> Applier:
        return session.applier(tellers(record), run=record.id, plan=record.plan.id, accepted=accepted)

    return Conductor(session.store, session.app.clock, now, applier, told)
