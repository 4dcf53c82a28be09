"""`offboard cancel`: what is still to come of a run is not carried out."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.steering import steering, steering_options, tell


@click.command("cancel", epilog='Example:  offboard cancel 7f3a21c9 --reason "she stays"')
@steering_options
@pass_app
def command(app: App, run: str, reason: str, leaver: str | None) -> int:
    """Cancel what is still to come of RUN. What is done stays done. Contacts nobody.

    It takes effect before the next write, also when the run is being carried out at this moment.
    """
    with steering(app, run, reason) as (hand, record):
        return tell(app, record, hand.cancel(record, leaver), "canceled; what is done stays")
