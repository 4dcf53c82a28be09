"""`offboard status`: how far one run has come."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app


@click.command("status", epilog="Example:  offboard status 7f3a21c9")
@click.argument("run")
@pass_app
def command(app: App, run: str) -> int:
    """Show RUN: each change with its outcome, and the steps that fall due later. Contacts nobody."""
    from offboard.cli.documents import status_json
    from offboard.render.safe import safe
    from offboard.runs.engine.steering import find_run

    store = app.open_store()
    try:
        document = status_json(find_run(store, run), store)
    finally:
        store.close()
    if app.as_json:
        app.out_json(document)
        return 0
    app.out(f"Run {document['run']}, playbook {safe(document['playbook'])}, {document['state']}")
    for approval in document["approvals"]:
        app.out(f"Approved by {safe(approval['approver'])}, {approval['approved']}, key {approval['fingerprint']}")
    for leaver in document["leavers"]:
        why = f" ({safe(leaver['why'], 200)})" if leaver["why"] else ""
        app.out(f"\n{safe(leaver['displayName'])}  {safe(leaver['userPrincipalName'])}  {leaver['state']}{why}")
        for change in leaver["changes"]:
            why = f"  {safe(change['why'], 200)}" if change["why"] else ""
            app.out(f"  {change['step']:<20} {change['outcome']:<10} {change['verb']} {safe(change['name'])}{why}")
        for step in leaver["later"]:
            app.out(f"  {step['step']:<20} {step['state']:<10} {step['due']}")
    for person in document["unplanned"]:
        app.out(f"\n{safe(person['user'], 160)} was not in the plan: {safe(person['what'], 400)}")
    if document["needs"]:
        app.out(f"\n{document['needs']}")
    return 0
