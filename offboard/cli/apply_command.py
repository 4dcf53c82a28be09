"""`offboard apply`: carry out exactly the plan that was reviewed."""

from __future__ import annotations

from pathlib import Path

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import must_ask_or_yes, read_plan


@click.command("apply", epilog="Example:  offboard apply sawyer.json")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask. Lifts no guard.")
@click.option("--accept", multiple=True, metavar="CODE", help="An open item that does not count against exit code 0.")
@pass_app
def command(app: App, file: Path, yes: bool, accept: tuple[str, ...]) -> int:
    """Carry out exactly the plan in FILE: nothing that it does not name, and nothing that is no longer true.

    Facts are read afresh first. A plan of another tenant, an edited, expired or already consumed one is refused.
    """
    plan = read_plan(file, to_apply=True)
    must_ask_or_yes(yes)

    from offboard.cli.flow import approvals_of, carry_out, confirm, left
    from offboard.cli.session import new_run_id, run_async, session

    approvals = approvals_of(app, plan, file)
    app.say(f"Plan {plan.short_id} is {left(app, plan)}.")

    async def main() -> int:
        async with session(app) as opened:
            run = new_run_id()
            await opened.applier(lambda _l, _r: None, run=run, plan=plan.id, approvals=approvals).check(plan)
            if not yes:
                confirm(plan)
            return await carry_out(opened, plan, run, accept, approvals=approvals)

    return run_async(main)
