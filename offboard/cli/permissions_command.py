"""`offboard permissions`: the least permissions of a playbook, and what an app cannot do."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import complete_playbook, find_and_load


@click.command("permissions", epilog="Example:  offboard permissions leaver-now")
@click.argument("playbook", shell_complete=complete_playbook)
@pass_app
def command(app: App, playbook: str) -> int:
    """Print the least delegated and application permissions of PLAYBOOK, with the step that needs each.

    Says which steps an app without a signed-in person cannot do at all. What the chosen tenant's guards are set to read
    counts. Contacts nobody.
    """
    from offboard.guards import needed
    from offboard.permissions import as_json, least, not_for_apps

    book = find_and_load(playbook)
    found = needed(book.steps, app.tenant.guards)
    if app.as_json:
        app.out_json(
            {
                "playbook": book.name,
                "delegated": least(found, "delegated"),
                "application": least(found, "application"),
                "delegated_only": [need.step for need in not_for_apps(found)],
                "needs": as_json(found),
            }
        )
        return 0
    from offboard.pages import permissions_page

    app.out(permissions_page(book, found))
    return 0
