"""`offboard undo`: a plan that takes back what a run changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import override_option, overrides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offboard.cli.session import Session
    from offboard.guards import Lift
    from offboard.model import Plan
    from offboard.runs.undo import UndoMaker, WayOut


@click.command("undo", epilog="Example:  offboard undo 7f3a21c9 --out back.json")
@click.argument("run")
@click.argument("users", nargs=-1, metavar="[USER]...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to save the plan.")
@override_option
@pass_app
def command(app: App, run: str, users: tuple[str, ...], out: Path | None, lifted: tuple[str, ...]) -> int:
    """Plan the way back from RUN, for all its leavers or for each USER: what it changed and can be given back, newest first.

    Nothing is written to the tenant. The saved plan is reviewed and applied like any other; what cannot be undone is named.
    """
    lifts = overrides(lifted)
    from offboard.cli.session import run_async, session

    async def main() -> int:
        async with session(app) as opened:
            return await _undo(opened, run, users, out, lifts)

    return run_async(main)


async def _undo(opened: Session, run: str, users: tuple[str, ...], out: Path | None, lifts: Sequence[Lift]) -> int:
    from offboard.runs.undo import find_run

    app, tenant = opened.app, await opened.reader.tenant(opened.app.tenant.alias)
    record = find_run([r for r in opened.store.runs() if r.plan.tenant.id == tenant.id], run)
    maker = _maker(opened, lifts)
    plan = await maker.undo(record, users)
    if plan is None or not any(each.changes or each.open_items() for each in plan.leavers):
        _nothing(app, record.id, maker.way_outs(record, users))
        return 0
    opened.audit.bind(plan=plan.id, actor=opened.actor).write(
        "playbook-planned", playbook=plan.playbook.name, digest=plan.digest, leavers=len(plan.leavers), undoes=record.id
    )
    _show(app, plan, out)
    return 0


def _maker(opened: Session, lifts: Sequence[Lift]) -> UndoMaker:
    from dataclasses import fields

    from offboard.runs.planning import PlanMaker
    from offboard.runs.undo import UndoMaker

    given = opened.plan_maker(lifts)
    return UndoMaker(**{each.name: getattr(given, each.name) for each in fields(PlanMaker)})


def _show(app: App, plan: Plan, out: Path | None) -> None:
    from offboard.cli.flow import show_plan
    from offboard.cli.plan_command import save, saved
    from offboard.planfile import pieces

    if out is not None:
        save(out, pieces(plan))
    show_plan(app, plan)
    if app.as_json:
        return
    if out is None:
        app.say("Not saved; add --out FILE to keep it for review and apply.")
    else:
        app.out(saved(app, plan, out))


def _nothing(app: App, run: str, ways: Sequence[WayOut]) -> None:
    """Nothing is left to be given back; what stays is said all the same."""
    from offboard.render.safe import PROSE, safe

    if app.as_json:
        found = [{"id": way.leaver.id, "left": list(way.left)} for way in ways]
        app.out_json({"event": "nothing-to-undo", "run": run, "leavers": found}, line=True)
        return
    app.out(f"Nothing is left to undo of run {run}.")
    for way in ways:
        for sentence in way.left:
            app.out(f"  {safe(way.leaver.display_name)}: stays as it is: {safe(sentence, PROSE)}")
