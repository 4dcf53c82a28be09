"""`offboard hold`: nothing more of a run is carried out for now."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.steering import steering, steering_options, tell


@click.command("hold", epilog='Example:  offboard hold 7f3a21c9 --reason "the account is still needed"')
@steering_options
@pass_app
def command(app: App, run: str, reason: str, leaver: str | None) -> int:
    """Hold RUN: nothing more of it is carried out until `offboard release`. Contacts nobody.

    It takes effect before the next write, also when the run is being carried out at this moment.
    """
    with steering(app, run, reason) as (hand, record):
        return tell(app, record, hand.hold(record, leaver), "held")
