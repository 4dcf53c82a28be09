"""`offboard resume`: carry on a run that stopped, or whose later steps are due; then end."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.errors import Busy, UsageError


@click.command("resume", epilog="Example:  offboard resume 7f3a21c9")
@click.argument("run", required=False)
@click.option("--accept", multiple=True, metavar="CODE", help="An open item that does not count against exit code 0.")
@pass_app
def command(app: App, run: str | None, accept: tuple[str, ...]) -> int:
    """Carry on RUN (or every open run of the tenant): what was interrupted, and what has fallen due since.

    Facts are read afresh and guards are asked again before anything is done; what a crash left uncertain is found out by
    re-reading. What is held or canceled is left alone.
    """
    from offboard.cli.engine import at_desk
    from offboard.cli.flow import carry_on
    from offboard.cli.session import run_async, session
    from offboard.cli.teller import teller_for
    from offboard.runs.engine.canceled import close_canceled
    from offboard.runs.engine.worker import stop_if_asked

    async def main() -> int:
        async with session(app) as opened:
            tenant = await opened.reader.tenant(app.tenant.alias)
            close_canceled(opened.store, opened.audit.bind(actor=opened.actor), tenant.id)
            over = ("ended", "canceled")
            found = [r for r in opened.store.runs() if r.plan.tenant.id == tenant.id and r.state not in over]
            chosen = [r for r in found if run is None or r.id.startswith(run)]
            if not chosen:
                if run is not None:
                    raise UsageError(f"There is no open run {run!r}.", todo="List them with: offboard runs")
                app.say("No run is open.")
                return 0
            if run is not None and len(chosen) > 1:
                raise UsageError(f"Several open runs begin with {run!r}.", todo="List them with: offboard runs")
            codes = []
            async with at_desk(opened, tenant.id, lambda r: teller_for(app, r.leavers, opened.sender), accept) as desk:
                for each in reversed(chosen):
                    try:
                        codes.append(await carry_on(opened, desk, each, accept))
                    except Busy as error:
                        if run is not None:
                            raise
                        app.say(f"Run {each.id[:8]}: {error.what}")
                    stop_if_asked()
            return max(codes, default=0)

    return run_async(main)
