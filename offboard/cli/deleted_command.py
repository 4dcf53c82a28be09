"""`offboard deleted`: list, restore and purge deleted users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import must_ask_or_yes
from offboard.errors import Refused, Stopped

if TYPE_CHECKING:
    from offboard.cli.session import Session
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
    return _change(app, user, yes, new_name=new_name, purge=False)


@command.command("purge", epilog="Example:  offboard deleted purge dddddddd-3333-4444-5555-eeeeeeeeeeee")
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def purge(app: App, user: str, yes: bool) -> int:
    """Delete USER for good, before the 30 days are over. Nobody can bring a purged user back."""
    return _change(app, user, yes, new_name=None, purge=True)


def _change(app: App, asked: str, yes: bool, *, new_name: str | None, purge: bool) -> int:
    from offboard.cli.session import run_async, session
    from offboard.guards import refuse_to_purge
    from offboard.render.safe import safe
    from offboard.runs.deleted import former_name

    must_ask_or_yes(yes)
    if purge:
        _refuse_unapproved(app)
    verb, done = ("purge", "Purged") if purge else ("restore", "Restored")

    async def main() -> int:
        async with session(app) as opened:
            found = _bin(opened)
            user = await found.find(asked)
            if purge:
                refuse_to_purge(user.id, former_name(user), app.tenant.guards)
            name = f"{safe(user.display_name)} ({safe(former_name(user))}, {user.id})"
            if not yes:
                _confirm(name, user.id, purge=purge)
            await (found.purge(user) if purge else found.restore(user, new_name))
            if app.as_json:
                app.out_json({"outcome": "changed", "verb": verb, "id": user.id})
            else:
                app.out(f"{done} {name}; read back.")
        return 0

    return run_async(main)


def _refuse_unapproved(app: App) -> None:
    """A purge has no plan that a second person could sign, so where one must, it is not done here."""
    if app.tenant.guards.approval != "none":
        raise Refused(
            "A purge cannot be undone, and the tenant asks for a second person's approval of what cannot be undone.",
            why="A purge has no plan that could be approved.",
            todo="Nothing was written. The user is purged by itself 30 days after the deletion; or purge in the portal.",
        )


def _confirm(name: str, id: str, *, purge: bool) -> None:
    if purge:
        prompt = f"{name} can never be restored afterwards. Type the first eight characters of the id to go on"
        agreed = click.prompt(prompt, default="", show_default=False, err=True).strip() == id[:8]
    else:
        agreed = click.confirm(f"Restore {name}?", default=False, err=True)
    if not agreed:
        raise Stopped("Not confirmed. Nothing was written.")


def _bin(opened: Session) -> Bin:
    from offboard.actions.base import Wire
    from offboard.cli.session import new_password, new_run_id
    from offboard.runs.deleted import Bin

    audit = opened.audit.bind(run=new_run_id(), actor=opened.actor)
    return Bin(opened.reader, Wire(opened.connection.graph, new_password), audit, opened.app.clock)
