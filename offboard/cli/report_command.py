"""`offboard report`: evidence about a run or a period, from the audit alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from offboard.audit import Verification
    from offboard.model import JSON
    from offboard.report.blocks import Document
    from offboard.report.measure import Terms


@click.command("report", epilog="Example:  offboard report --since 2026-11-01 --sample 30 --format html > november.html")
@click.argument("run", required=False)
@click.option("--since", metavar="DATE", help="Everybody whose run began on this day or later.")
@click.option("--until", metavar="DATE", help="With --since: the last day that is in it, or a time.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="With --since: tell only N drawn leavers in full.")
@click.option("--leaver", "only", multiple=True, metavar="USER", help="With --since: tell only these in full.")
@click.option(
    "--expected",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --since: CSV of who left; names whoever is missing here.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown", "json", "csv"]),
    default="markdown",
    show_default=True,
    help="csv: of a period, a line for each leaver.",
)
@click.option(
    "--audit", "log", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Another audit log."
)
@click.option(
    "--target",
    type=click.IntRange(1, 525600),
    metavar="MINUTES",
    help="Within which access was to be ended; else what offboard.toml says, or 60.",
)
@click.option("--anchor", "line", metavar="LINE", help="What `audit anchor` printed, where older files were removed.")
@pass_app
def command(
    app: App,
    run: str | None,
    since: str | None,
    until: str | None,
    sample: int | None,
    only: tuple[str, ...],
    expected: Path | None,
    form: str,
    log: Path | None,
    target: int | None,
    line: str | None,
) -> int:
    """Say who was offboarded in RUN or in a period, on whose authority, what was read back, what is left open.

    Made from the audit alone: it contacts nobody, and made twice it is the same to the byte. Exit 3 when the audit is
    broken.
    """
    if (run is None) == (since is None):
        raise UsageError(
            "A run or a period?", todo="Write offboard report RUN, or offboard report --since DATE [--until DATE]."
        )
    if run is not None and (until or sample or only or expected):
        raise UsageError("--until, --sample, --leaver and --expected belong to a period.", todo="Add --since DATE.")
    if run is not None and form == "csv":
        raise UsageError("CSV has a line for each leaver of a period.", todo="Add --since DATE instead of RUN.")
    from offboard.audit import Anchor, verify

    path, terms = log or app.audit_path(), _terms(app, target)
    verified = verify(path, anchor=Anchor.parse(line) if line is not None else None)
    if run is not None:
        return _run(app, path, verified, run, form, terms)
    return _period(app, path, verified, _span(str(since), until), form, terms, sample, only, expected)


def _terms(app: App, target: int | None) -> Terms:
    from offboard.report.measure import Terms

    agreed = app.tenant.report
    minutes = agreed.target_minutes if target is None else target
    return Terms(timedelta(minutes=minutes), timedelta(days=agreed.open_items_days), agreed.open_items_owner)


def _run(app: App, path: Path, verified: Verification, run: str, form: str, terms: Terms) -> int:
    from offboard.report.collect import collect
    from offboard.report.data import report_json
    from offboard.report.evidence import document
    from offboard.report.source import records

    found = collect(records(path), verified, run)
    _say(app, form, lambda: report_json(found, terms), lambda: document(found, terms))
    return 3 if found.flaw else 0


def _period(
    app: App,
    path: Path,
    verified: Verification,
    span: tuple[datetime, datetime | None],
    form: str,
    terms: Terms,
    sample: int | None,
    only: tuple[str, ...],
    expected: Path | None,
) -> int:
    from offboard.report.collect import gather, survey
    from offboard.report.data import period_json
    from offboard.report.period import Period, cases_of, draw, in_full
    from offboard.report.population import period_document
    from offboard.report.sheet import period_csv
    from offboard.report.source import records

    names = _expected(expected) if expected else None
    runs = survey(records(path), verified, *span)
    cases = cases_of(runs, terms)
    drawn = draw(cases, sample=sample, only=only)
    wanted = {case.run.run for case in drawn}
    files = gather(records(path, runs=wanted, verified=verified.ok), runs, wanted)
    period = Period(*span, terms, runs, cases, in_full(drawn, files), names)
    if form == "csv" and not app.as_json:
        app.out(period_csv(period))
    else:
        _say(app, form, lambda: period_json(period), lambda: period_document(period))
    return 3 if verified.problem else 0


def _say(app: App, form: str, data: Callable[[], JSON], document: Callable[[], Document]) -> None:
    if form == "json" or app.as_json:
        app.out_json(data())
    elif form == "html":
        from offboard.report.html import report_html

        app.out(report_html(document()))
    else:
        from offboard.report.markdown import report_markdown

        app.out(report_markdown(document()))


def _span(since: str, until: str | None) -> tuple[datetime, datetime | None]:
    """First instant, and first instant after: a day as last means the whole of it.

    Raises:
        UsageError: One is no date or time, or they are the wrong way round.
    """
    begin, _ = _time(since, "--since")
    if until is None:
        return begin, None
    end, is_day = _time(until, "--until")
    end = end + timedelta(days=1) if is_day else end
    if end <= begin:
        raise UsageError(f"--until {until} is before --since {since}.", todo="Nothing can be in such a period.")
    return begin, end


def _time(text: str, option: str) -> tuple[datetime, bool]:
    from offboard.loading.times import parse_time

    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC), True
    except ValueError:
        pass
    try:
        return parse_time(text), False
    except UsageError as error:
        raise UsageError(
            f"{option} {text[:40]!r} is no date.", todo="Write a day in UTC, 2026-11-01, or a time with zone."
        ) from error


def _expected(path: Path) -> list[str]:
    """The users of a list of leavers.

    Raises:
        UsageError: It cannot be read.
    """
    from offboard.cli.options import bytes_of
    from offboard.loading.leavers import read_leavers

    return [row.user for row in read_leavers(str(path), bytes_of(str(path))).rows]
