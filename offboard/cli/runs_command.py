"""`offboard runs`: the runs, newest first."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app


@click.command("runs", epilog="Example:  offboard --json runs")
@pass_app
def command(app: App) -> int:
    """List the runs of all tenants, newest first. Contacts nobody."""
    from offboard.cli.documents import run_json
    from offboard.render.safe import safe

    store = app.open_store()
    try:
        found = store.runs()
        if app.as_json:
            app.out_json([run_json(record, store.shares(record.id)) for record in found])
            return 0
    finally:
        store.close()
    if not found:
        app.out("No run yet.")
    for record in found:
        who = safe(record.first) + (f" and {record.leavers - 1} more" if record.leavers > 1 else "")
        state = record.state if record.exit_code is None else f"{record.state}, exit {record.exit_code}"
        app.out(
            f"{record.id}  {record.started:%Y-%m-%d %H:%M:%SZ}  {state:<16}  {safe(record.plan.playbook.name)}  {who}"
            + (f"  goes on {record.next:%Y-%m-%d %H:%MZ}" if record.next else "")
        )
    return 0
