"""`offboard report`: evidence about a run, from the audit alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from offboard.cli.context import App, pass_app


@click.command("report", epilog="Example:  offboard report 7f3a21c9 --format html > sawyer.html")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["html", "markdown", "json"]), default="markdown", show_default=True)
@click.option(
    "--audit", "log", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Another audit log."
)
@click.option(
    "--target",
    type=click.IntRange(1, 525600),
    default=60,
    show_default=True,
    metavar="MINUTES",
    help="Within which access was to be ended.",
)
@pass_app
def command(app: App, run: str, form: str, log: Path | None, target: int) -> int:
    """Say who was offboarded in RUN, on whose authority, what was done and read back, what is left, and whether to trust it.

    Made from the audit alone: it contacts nobody, and made twice it is the same to the byte. Exit 3 when the audit is
    broken.
    """
    from offboard.audit import read, verify
    from offboard.report.collect import collect

    path, within = log or app.audit_path(), timedelta(minutes=target)
    found = collect(read(path), verify(path), run)
    if form == "json" or app.as_json:
        from offboard.report.data import report_json

        app.out_json(report_json(found, within))
    elif form == "html":
        from offboard.report.evidence import document
        from offboard.report.html import report_html

        app.out(report_html(document(found, within)))
    else:
        from offboard.report.evidence import document
        from offboard.report.markdown import report_markdown

        app.out(report_markdown(document(found, within)))
    return 3 if found.flaw else 0
