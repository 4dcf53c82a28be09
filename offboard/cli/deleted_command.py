"""`offboard deleted`: list, restore and purge deleted users."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import must_ask_or_yes, override_option, overrides
from offboard.errors import Stopped, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offboard.cli.session import Session
    from offboard.guards import Lift
    from offboard.model import Plan
    from offboard.runs.deleted import Bin


@click.group("deleted", epilog="Example:  offboard deleted list --sort oldest")
def command() -> None:
    """Manage the users in the tenant's deleted items, which are kept for 30 days."""


@command.command("list", epilog="Example:  offboard --json deleted list")
@click.option("--sort", type=click.Choice(["newest", "oldest", "name"]), default="newest", show_default=True)
@pass_app
def list_users(app: App, sort: str) -> int:
    """List deleted users: id, name, whether enabled, time of deletion, age in days, user type."""
    from offboard.actions.list_deleted_users import COLUMNS, rows
    from offboard.cli.session import run_async, session
    from offboard.model import Table

    async def main() -> int:
        async with session(app) as opened:
            users = await _bin(opened).users()
        table = Table("Deleted users", COLUMNS, rows(users, sort))
        if app.as_json:
            app.out_json([dict(row) for row in table.rows])
            return 0
        from offboard.render.tables import table_text

        app.out(table_text(table, width=app.width()))
        return 0

    return run_async(main)


@command.command("restore", epilog="Example:  offboard deleted restore AveryS@contoso.com --yes")
@click.argument("user")
@click.option("--new-name", metavar="UPN", help="Another user principal name, when the old one was taken meanwhile.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def restore(app: App, user: str, new_name: str | None, yes: bool) -> int:
    """Bring USER (object id, or the name before the deletion) back, with licenses and memberships.

    Sign-in stays as it was when the user was deleted; a disabled user comes back disabled.
    """
    from offboard.audit import read
    from offboard.cli.session import run_async, session
    from offboard.render.safe import safe
    from offboard.runs.deleted import former_name

    must_ask_or_yes(yes)

    async def main() -> int:
        async with session(app) as opened:
            found = _bin(opened)
            try:
                who = await found.find(user)
            except UsageError:
                if not await found.recovered(user, read(app.audit_path())):
                    raise
                return _restored(app, user, safe(user))
            name = f"{safe(who.display_name)} ({safe(former_name(who))}, {who.id})"
            if not yes and not click.confirm(f"Restore {name}?", default=False, err=True):
                raise Stopped("Not confirmed. Nothing was written.")
            await found.restore(who, new_name)
            return _restored(app, who.id, name)

    return run_async(main)


def _restored(app: App, id: str, name: str) -> int:
    if app.as_json:
        app.out_json({"outcome": "changed", "verb": "restore", "id": id})
    else:
        app.out(f"Restored {name}; read back.")
    return 0


@command.command("purge", epilog="Example:  offboard deleted purge dddddddd-3333-4444-5555-eeeeeeeeeeee --out purge.json")
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Only save the plan.")
@override_option
@click.option("--yes", is_flag=True, help="Do not ask. Lifts no guard.")
@pass_app
def purge(app: App, users: tuple[str, ...], out: Path | None, lifted: tuple[str, ...], yes: bool) -> int:
    """Delete each USER (object id, or the name before the deletion) for good, before the 30 days are over.

    Nobody can bring a purged user back. It is a plan like any other: with --out it is saved for review, approval (`approve`)
    and `apply`; without, it is shown and carried out at once, where the tenant asks for nobody's approval.
    """
    lifts = overrides(lifted)
    if out is None:
        must_ask_or_yes(yes)
    from offboard.cli.session import run_async, session

    async def main() -> int:
        async with session(app) as opened:
            plan = await _plan_purge(opened, users, lifts)
            if out is not None:
                return _save(app, plan, out)
            return await _carry_out_purge(opened, plan, yes)

    return run_async(main)


async def _plan_purge(opened: Session, users: Sequence[str], lifts: Sequence[Lift]) -> Plan:
    from offboard.cli.flow import show_plan
    from offboard.runs.deleted import purging
    from offboard.runs.planning import Wanted

    found = await _bin(opened).find_all(users)
    plan = await opened.plan_maker(lifts).make(purging(), [Wanted(user.id, None, {}) for user in found])
    show_plan(opened.app, plan)
    return plan


def _save(app: App, plan: Plan, out: Path) -> int:
    from offboard.cli.plan_command import save, saved
    from offboard.planfile import pieces

    save(out, pieces(plan))
    if not app.as_json:
        app.out(saved(app, plan, out))
    return 0


async def _carry_out_purge(opened: Session, plan: Plan, yes: bool) -> int:
    from offboard.cli.flow import carry_out
    from offboard.cli.session import new_run_id
    from offboard.render.safe import safe

    run = new_run_id()
    await opened.applier(lambda _l, _r: None, run=run, plan=plan.id).check(plan)
    if not yes:
        ids = [each.leaver.id for each in plan.leavers]
        names = ", ".join(safe(each.leaver.display_name) for each in plan.leavers)
        said = ids[0][:8] if len(ids) == 1 else str(len(ids))
        what = "the first eight characters of the id" if len(ids) == 1 else "the number of users"
        prompt = f"{names} can never be restored afterwards. Type {what} to go on"
        if click.prompt(prompt, default="", show_default=False, err=True).strip() != said:
            raise Stopped("Not confirmed. Nothing was written.")
    return await carry_out(opened, plan, run, ())


def _bin(opened: Session) -> Bin:
    from offboard.actions.base import Wire
    from offboard.cli.session import new_password, new_run_id
    from offboard.runs.deleted import Bin

    audit = opened.audit.bind(run=new_run_id(), actor=opened.actor)
    return Bin(opened.reader, Wire(opened.connection.graph, new_password), audit, opened.app.clock)
