"""`offboard playbooks`: what can be run by name."""

from __future__ import annotations

from pathlib import Path

import click

from offboard.cli.context import App, pass_app
from offboard.errors import UsageError


@click.command("playbooks", epilog="Example:  offboard playbooks")
@pass_app
def command(app: App) -> int:
    """List the playbooks that can be run by name: own folder first, then shipped. Contacts nobody."""
    from offboard.loading.catalog import all_playbooks
    from offboard.loading.playbook import load
    from offboard.render.safe import safe

    rows = []
    for name, path, origin in all_playbooks(Path.cwd()):
        try:
            text = load(path).description
        except UsageError as error:
            text = f"cannot be used: {error.what}"
        rows.append({"name": name, "path": str(path), "origin": origin, "description": text})
    if app.as_json:
        app.out_json(rows)
        return 0
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        app.out(f"{safe(row['name']):<{width}}  {safe(row['description'], 200)}  ({row['origin']})")
    return 0
