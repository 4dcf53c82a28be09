"""`offboard reschedule`: what is still to come of a run moves to another leave time."""

from __future__ import annotations

import click

from offboard.cli.context import App, pass_app
from offboard.cli.steering import steering, steering_options, tell


@click.command(
    "reschedule", epilog='Example:  offboard reschedule 7f3a21c9 --leave 2026-12-31T17:00+01:00 --reason "stays a month"'
)
@steering_options
@click.option("--leave", required=True, metavar="TIME", help="The new leave time T, with zone.")
@pass_app
def command(app: App, run: str, reason: str, leaver: str | None, leave: str) -> int:
    """Move every step of RUN that was not begun: its due time is counted from the new leave time.

    The plan stays as it was reviewed; only the times change, and the audit says why. Contacts nobody.
    """
    from offboard.loading.times import parse_time

    when = parse_time(leave)
    with steering(app, run, reason) as (hand, record):
        return tell(app, record, hand.reschedule(record, when, leaver), "moved")
