"""`offboard worker`: carry out what becomes due, until stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app

if TYPE_CHECKING:
    from offboard.cli.session import Session
    from offboard.runs.engine.worker import Worker
    from offboard.runs.outcome import RunOutcome

AHEAD = timedelta(minutes=5)
"""How far this machine's clock may be behind Graph's without anything being late."""


@click.command("worker", epilog="Example:  offboard worker --poll 5")
@click.option("--once", is_flag=True, help="Carry out what is due now, and end.")
@click.option(
    "--poll",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks.",
)
@click.option("--accept", multiple=True, metavar="CODE", help="An open item that does not count against exit code 0.")
@pass_app
def command(app: App, once: bool, poll: float, accept: tuple[str, ...]) -> int:
    """Carry out the steps of this tenant's runs as they fall due, and recover runs whose process died.

    Any number of workers may share one PostgreSQL (--database). SIGTERM and Ctrl-C stop it: nothing more is sent, and
    what was in the middle is resumable. Ends with 0 when it was idle, with 5 when it was not.
    """
    from offboard.cli.session import run_async, session

    async def main() -> int:
        async with session(app) as opened:
            worker = await _worker(opened, accept)
            if once:
                await worker.round()
                return max(worker.codes, default=0)
            app.say("Waiting for what falls due; stop with Ctrl-C.")
            with suppress(asyncio.CancelledError):
                await worker.forever(poll, asyncio.sleep)
            code = 5 if worker.codes[-1:] == [5] else 0
            app.say("Stopped. What was in the middle goes on with the next worker, or: offboard resume")
            return code

    return run_async(main)


async def _worker(opened: Session, accept: tuple[str, ...]) -> Worker:
    from offboard.cli.flow import tell_outcome
    from offboard.cli.teller import teller_for
    from offboard.graph.read import Reader
    from offboard.graph.send import utc_now_of
    from offboard.runs.engine.carry import carry_on
    from offboard.runs.engine.worker import Worker

    app, store = opened.app, opened.store
    tenant = await opened.reader.tenant(app.tenant.alias)

    async def now() -> datetime:
        await Reader(opened.sender).tenant(app.tenant.alias)  # a new reader asks again, which tells Graph's time
        return utc_now_of(opened.sender)

    async def turn(run: str, leavers: Sequence[str]) -> RunOutcome | None:
        record = store.run(run)
        teller = teller_for(app, record.plan, opened.sender)
        applier = opened.applier(teller, run=run, plan=record.plan.id, accepted=accept)
        try:
            outcome = await carry_on(applier, run, leavers)
        finally:
            teller.end()
        if outcome is not None:
            tell_outcome(app, outcome, accept)
        return outcome

    return Worker(store, tenant.id, lambda: app.clock.now() + AHEAD, now, turn, app.clock.monotonic, app.tell)
