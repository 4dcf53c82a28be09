"""A desk whose turns are carried out as they are dealt: the program's own, but for the engine that hands them out.

The engine is threads and a database of its own, which no clock of a test reaches. What it does for a desk is to begin a turn
here and now; what waits for another day is dealt anew by whoever comes then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offboard.graph.send import utc_now_of
from offboard.model import JSON, Plan
from offboard.runs.apply import Applier
from offboard.runs.engine.conductor import Conductor
from offboard.runs.engine.desk import Desk
from offboard.runs.outcome import RunOutcome
from offboard.runs.store import RunRecord


@dataclass
class AtOnce:
    """Begins turns in this process."""

    conductor: Conductor
    owner: str

    async def begin(self, id: str) -> JSON:
        """Carry it out now."""
        return await self.conductor.work(id)

    async def cancel(self, ids: Sequence[str]) -> None:
        """Nothing waits here."""

    async def enqueue(self, id: str, priority: int, delay: float) -> None:
        """Nothing waits here."""


def desk_of(applier: Applier) -> Desk:
    """A desk at which one run is carried out."""
    tools = applier.tools

    async def now() -> datetime:
        if tools.reader.sender.graph_now is None:
            await tools.reader.tenant(applier.alias)
        return utc_now_of(tools.reader.sender)

    def another(_record: RunRecord) -> Applier:  # each turn has its own
        return replace(applier, tools=replace(tools))

    conductor = Conductor(tools.store, tools.clock, now, another, lambda _outcome: None)
    port = AtOnce(conductor, tools.store.leases.owner)
    conductor.queue = port
    desk = Desk(tools.store, port, conductor)
    desk.attend()
    return desk


async def begin(applier: Applier, plan: Plan, run: str) -> RunOutcome:
    """As `offboard apply` begins a run, once the plan is checked."""
    return await desk_of(applier).begin(applier, plan, run)


async def carry_on(applier: Applier, run: str) -> RunOutcome | None:
    """As `offboard resume` goes on with one."""
    return await desk_of(applier).go_on(run)
