"""`offboard release`: a held run goes on."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.steering import steering, steering_options, tell


@click.command("release", epilog='Example:  offboard release 7f3a21c9 --reason "HR confirmed"')
@steering_options
@pass_app
def command(app: App, run: str, reason: str, leaver: str | None) -> int:
    """Let a held RUN go on; what has fallen due meanwhile is carried out next. Contacts nobody.

    It takes effect before the next write, also when the run is being carried out at this moment.
    """
    with steering(app, run, reason) as (hand, record):
        return tell(app, record, hand.release(record, leaver), "released")
