"""`offboard show`: a saved plan, for a terminal, a pull request, a browser or a program."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import read_plan


@click.command("show", epilog="Example:  offboard show sawyer.json --format html > sawyer.html")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(["text", "markdown", "html", "json"]), default="text")
@pass_app
def command(app: App, file: Path, form: str) -> int:
    """Show the plan in FILE. Works for ever, also for expired and consumed plans; contacts nobody."""
    from offboard.planjson import to_json

    plan = read_plan(file, to_apply=False)
    now = app.clock.now()
    if form == "json" or app.as_json:
        app.out_json(to_json(plan))
    elif form == "markdown":
        from offboard.render.markdown import plan_markdown

        app.out(plan_markdown(plan, now))
    elif form == "html":
        from offboard.render.html import plan_html

        app.out(plan_html(plan, now))
    else:
        from offboard.render.text import plan_text

        app.out(plan_text(plan, width=app.width(), color=app.color(sys.stdout), now=now))
    _tell_approvals(app, file)
    return 0


def _tell_approvals(app: App, file: Path) -> None:
    """What stands beside the plan; whether it is good depends on the tenant, and apply decides it."""
    from offboard.approval.files import read_offers
    from offboard.approval.statement import Statement

    for offer in read_offers(file):
        said = Statement.parse(offer.text)
        about = f"{said.approver}, {said.approved:%Y-%m-%d %H:%MZ}" if said else "not the text of an approval"
        app.say(f"Beside it: {offer.name} ({about}). `apply` checks it.")
