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
    from offboard.cli.teller import Teller
    from offboard.runs.outcome import RunOutcome
    from offboard.runs.store import RunRecord

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
    from offboard.cli.engine import at_work
    from offboard.cli.flow import tell_outcome
    from offboard.cli.session import run_async, session
    from offboard.cli.teller import teller_for

    async def main() -> int:
        async with session(app) as opened:
            tenant = await opened.reader.tenant(app.tenant.alias)
            codes: list[int] = []

            def told(outcome: RunOutcome) -> None:
                tell_outcome(app, outcome, accept)
                codes.append(outcome.exit_code(accept))

            def teller(record: RunRecord) -> Teller:
                return teller_for(app, record.leavers, opened.sender)

            if once:
                return await _once(opened, tenant.id, accept)
            async with at_work(opened, tenant.id, teller, accept, told) as crew:
                app.say("Waiting for what falls due; stop with Ctrl-C.")
                with suppress(asyncio.CancelledError):
                    await crew.forever(poll, app.tell)
                busy = await crew.conductor.stop()
            app.say("Stopped. What was in the middle goes on with the next worker, or: offboard resume")
            return 5 if busy or codes[-1:] == [5] else 0

    return run_async(main)


async def _once(opened: Session, tenant: str, accept: tuple[str, ...]) -> int:
    """What is due now."""
    from offboard.cli.engine import ask_time, at_desk
    from offboard.cli.flow import tell_outcome
    from offboard.cli.teller import teller_for
    from offboard.runs.engine.worker import Round

    app = opened.app

    async with at_desk(opened, tenant, lambda r: teller_for(app, r.leavers, opened.sender), accept) as desk:

        async def turn(run: str, leavers: Sequence[str]) -> RunOutcome | None:
            outcome = await desk.go_on(run, leavers)
            if outcome is not None:
                tell_outcome(app, outcome, accept)
            return outcome

        def soon() -> datetime:
            return app.clock.now() + AHEAD

        found = Round(opened.store, tenant, soon, lambda: ask_time(opened), turn, app.tell)
        await found.carry_out()
        return max(found.codes, default=0)
