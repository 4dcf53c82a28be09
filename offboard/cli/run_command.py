"""`offboard run`: plan, show, ask, apply."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import find_and_load, must_ask_or_yes, override_option, overrides, wanted, who_options


@click.command("run", epilog="Example:  offboard run leaver SawyerM@contoso.com --dry-run")
@who_options
@override_option
@click.option("--dry-run", is_flag=True, help="Stop after showing the plan; nothing is written.")
@click.option("--yes", is_flag=True, help="Do not ask. Lifts no guard.")
@click.option("--accept", multiple=True, metavar="CODE", help="An open item that does not count against exit code 0.")
@pass_app
def command(
    app: App,
    playbook: str,
    users: tuple[str, ...],
    leavers: str | None,
    settings: tuple[str, ...],
    leave: str | None,
    lifted: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    accept: tuple[str, ...],
) -> int:
    """Plan PLAYBOOK for each USER, show the plan, ask, and carry it out.

    PLAYBOOK is a name (own folder first, then shipped) or a path. USER is a user principal name or an object id. Every
    change is read back before it counts as done; the run ends with a short verdict and an exit code.
    """
    book = find_and_load(playbook)
    lifts = overrides(lifted)
    people, remarks = wanted(book, users, leavers, settings, leave)
    if not dry_run:
        must_ask_or_yes(yes)
    for remark in remarks:
        app.say(remark)

    from offboard.cli.flow import carry_out, confirm, show_plan
    from offboard.cli.session import new_run_id, run_async, session

    async def main() -> int:
        async with session(app) as opened:
            app.say(f"Reading {len(people)} {'person' if len(people) == 1 else 'people'} …")
            plan = await opened.plan_maker(lifts).make(book, people)
            show_plan(app, plan)
            if dry_run:
                app.say("Dry run: nothing was written.")
                return 1 if plan.unplanned else 0
            run = new_run_id()
            await opened.applier(lambda _l, _r: None, run=run, plan=plan.id).check(plan)
            if not yes:
                confirm(plan)
            return await carry_out(opened, plan, run, accept)

    return run_async(main)
