"""One turn of a run: take the leases, ask the guards again, carry out what is due, write down how far everybody is.

The lease is checked three times: when it is taken, in the transaction that records an intent, and just before a request
that may write leaves the process, against a clock that a pause does not stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from offboard.audit import Audit, AuditError
from offboard.clock import REAL
from offboard.errors import Busy, OffboardError
from offboard.graph.send import utc_now_of
from offboard.runs.apply import Applier
from offboard.runs.engine.askguards import hold_barred
from offboard.runs.engine.canceled import close_canceled
from offboard.runs.engine.changes import Interrupted
from offboard.runs.engine.leases import BEATS, LASTS
from offboard.runs.engine.shares import Share, after_turn
from offboard.runs.engine.turns import Turn
from offboard.runs.outcome import RunOutcome
from offboard.runs.scribe import Scribe
from offboard.runs.store import Store

if TYPE_CHECKING:
    import httpx


@dataclass
class Heart:
    """Keeps the leases of one process alive, and knows when they are not.

    Args:
        store: Where they stand.
        ticks: Seconds that a pause does not stop.
        audit: Signed by the minute while the process is at work, also when it waits for Graph.
    """

    store: Store
    ticks: Callable[[], float] = REAL.ticks
    audit: Audit | None = None
    until: float = field(init=False)
    lost: bool = False
    unwritten: OffboardError | None = None
    """Why the audit could not be signed, once it could not be."""

    def __post_init__(self) -> None:
        self.until = self.ticks() + LASTS

    async def beat(self) -> None:
        """Renew until canceled or lost."""
        while not self.lost:
            await asyncio.sleep(BEATS)
            began = self.ticks()
            try:
                self.lost = began >= self.until or not self.store.leases.renew()
            except OffboardError:
                continue  # the database is away: the leases run out by themselves
            if not self.lost:
                self.until = began + LASTS
            try:
                if self.audit is not None:
                    self.audit.seal()
            except OffboardError as error:
                self.unwritten = error

    async def check(self, request: httpx.Request) -> None:
        """Stop a request that may write when the leases are not certainly ours, or the audit cannot be written.

        Raises:
            Interrupted: They are not.
            AuditError: It cannot.
        """
        if request.method != "GET" and self.unwritten is not None:
            raise self.unwritten
        if request.method != "GET" and (self.lost or self.ticks() >= self.until):
            self.lost = True
            raise Interrupted("Nothing more was sent: this process lost its lease, and another may have gone on.")


@asynccontextmanager
async def leased(applier: Applier, run: str, tenant: str, leavers: Sequence[str]) -> AsyncIterator[None]:
    """Nobody else acts on these leavers meanwhile.

    Raises:
        Busy: Somebody does already.
    """
    store, http = applier.tools.store, applier.tools.reader.sender.connection.http
    # Its time runs from before the lease is written, so it ends no later than the lease.
    heart = Heart(store, applier.tools.clock.ticks, applier.tools.audit)
    if busy := store.leases.take(run, tenant, leavers):
        holder = next(iter(busy.values()))
        raise Busy(
            f"Another process is carrying out run {holder}" + (" for the same person." if holder != run else "."),
            todo=f"Wait until it is done, or look: offboard status {holder[:8]}. Nothing of run {run[:8]} was sent for this "
            f"person; it is open, and goes on with a worker, or with: offboard resume {run[:8]}.",
        )
    beating = asyncio.ensure_future(heart.beat())
    hooks = http.event_hooks
    http.event_hooks = {**hooks, "request": [*hooks.get("request", []), heart.check]}
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        now = http.event_hooks
        http.event_hooks = {**now, "request": [hook for hook in now["request"] if hook != heart.check]}
        with suppress(OffboardError):  # a lease that cannot be given back runs out
            store.leases.release(tenant, leavers)


async def carry_turn(applier: Applier, turn: Turn) -> RunOutcome | None:
    """Carry out one turn: whatever is due for the leavers whose shares name it.

    Returns:
        The outcome for these leavers; None when nobody waits for this turn (any more).

    Raises:
        Busy: A leaver is in another process's hands.
        AuditError: The audit cannot be written; nothing (more) was sent.
    """
    tools, store, begins = applier.tools, applier.tools.store, turn.deal == 1
    record, found = store.run(turn.run), _wanted(store, turn)
    close_canceled(store, tools.audit, record.plan.tenant.id)
    if not found:
        return None
    async with leased(applier, turn.run, record.plan.tenant.id, [s.leaver for s in found]), _all_stop(tools.scribe):
        # Read once more: what another process did between the look and the lease must not be done again.
        known = {share.leaver for share in found}
        shares = [share for share in _wanted(store, turn) if share.leaver in known]
        now = utc_now_of(tools.reader.sender)
        if not shares:
            return None
        if turn.again:
            tools.told = tools.audit.told(turn.run, [share.leaver for share in shares])
        if turn.again or (turn.deal > 1 and turn.part != "rest"):
            tools.audit.write("run-resumed", leavers=len(shares))
        part, whole = store.plan_of(record, shares), store.outline(turn.run)
        contain = turn.part == "contain"
        outcome = await applier.carry_on(part, turn.run, whole=whole, begins=begins, contain=contain)
        pairs = list(zip(shares, outcome.leavers, strict=True))
        free = [(share, each) for share, each in pairs if begins or each.barred is None]
        passed = replace(outcome, leavers=tuple(each for _, each in free))
        _settle(applier, [share for share, _ in free], passed, now)
        if not begins:
            hold_barred(applier, shares, outcome)
        return outcome


@asynccontextmanager
async def _all_stop(scribe: Scribe) -> AsyncIterator[None]:
    """When one turn cannot write its audit, the others of this process send nothing more either."""
    try:
        yield
    except AuditError as error:
        scribe.fail(error)
        raise


def _wanted(store: Store, turn: Turn) -> list[Share]:
    return [s for s in store.turns.shares(turn.id) if not s.over or s.exit_code is None]


def _settle(applier: Applier, shares: Sequence[Share], outcome: RunOutcome, now: datetime) -> None:
    done = []
    for share, each in zip(shares, outcome.leavers, strict=True):
        code = RunOutcome(outcome.run, outcome.plan, (each,)).exit_code(applier.accepted)
        done.append(replace(share, exit_code=code) if share.over else after_turn(share, each, code, now))
    applier.tools.store.settle(done)
