"""`offboard actions`: the actions, and one's reference page."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import complete_action
from offboard.errors import UsageError


@click.command("actions", epilog="Example:  offboard actions revoke-sessions")
@click.argument("name", required=False, shell_complete=complete_action)
@pass_app
def command(app: App, name: str | None) -> int:
    """List the actions, or show the reference page of NAME. Contacts nobody."""
    from offboard.actions import ACTIONS
    from offboard.pages import action_json, action_page, summary

    if name is None:
        if app.as_json:
            app.out_json([action_json(action) for action in ACTIONS.values()])
            return 0
        width = max(map(len, ACTIONS))
        for action in ACTIONS.values():
            app.out(f"{action.name:<{width}}  {summary(action)}")
        return 0
    if name not in ACTIONS:
        from difflib import get_close_matches

        near = get_close_matches(name, ACTIONS, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"There is no action {name!r}.{hint}", todo="All actions: offboard actions")
    if app.as_json:
        app.out_json(action_json(ACTIONS[name]))
    else:
        app.out(action_page(ACTIONS[name]))
    return 0
