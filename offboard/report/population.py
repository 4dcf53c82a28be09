"""What a report about a period says: everybody first, then each leaver of the sample. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from offboard.render.words import count, exact, listed, stamp
from offboard.report.blocks import Block, Cell, Document, Facts, Glance, Items, Lines, Section, Table, Title
from offboard.report.evidence import about_run, authority_of, controls, leaver_section, seal, span, warnings
from offboard.report.period import Case, Period

HEAD = ("leaver", "leave time", "sign-in blocked", "sessions revoked", "state")


def period_document(period: Period) -> Document:
    """The report about a period.

    Args:
        period: As made.
    """
    until = f" until {stamp(period.until)}" if period.until else ""
    sections = [_population(period), *_lists(period)]
    told: set[str] = set()
    for run, leaver in period.packets:
        section = leaver_section(run, leaver, period.terms, page=True)
        about: list[Block] = [Facts([("run", f"{run.run}, as above")])]
        if run.run not in told:
            about = [*about_run(run), Title("Authority, and what was intended"), *authority_of(run)]
        told.add(run.run)
        sections.append(Section(section.title, [*section.blocks, *about], section.aside, section.state, True))
    if period.runs:
        sections += [controls(period.runs), seal(period.runs)]
    return Document(f"Offboarding since {stamp(period.since)}{until}", list(_head(period)), sections)


def _head(period: Period) -> Iterator[Block]:
    yield from warnings(period.runs)
    totals, times = period.totals(), [case.punctual for case in period.cases]
    late, never = times.count("late"), times.count("not blocked")
    unfinished = totals["unfinished"]
    yield Glance(
        [
            ("Leavers", str(len(period.cases)), "", count(len(period.runs), "run")),
            (
                "Blocked in time",
                str(times.count("in time")),
                "good",
                f"within {span(period.terms.target)} of the leave time",
            ),
            ("Late", str(late), "stop" if late else "good", "named below" if late else ""),
            ("Unfinished", str(unfinished), "stop" if unfinished else "good", "failed, refused or not ended"),
        ]
    )
    licenses = ", ".join(f"{name} {number}" for name, number in totals["licenses_freed"].items())
    states = ", ".join(f"{number} {name}" for name, number in totals["states"].items())
    already = times.count("already blocked")
    yield Facts(
        [
            ("states", states or "not applicable"),
            ("not blocked", f"{already} blocked before the run, {never} not blocked by it"),
            ("changes", f"{totals['changes']} made and read back"),
            ("deleted", count(totals["accounts_deleted"], "account")),
            ("licenses freed", licenses or "not applicable"),
            ("told in full", f"{len(period.packets)} of {len(period.cases)}"),
        ]
    )


def _population(period: Period) -> Section:
    rows = [_row(case) for case in period.cases]
    blocks: list[Block] = [Table(HEAD, rows, "population") if rows else Items(["Nobody: no run began in this period."])]
    return Section("Population: everybody whose run began in the period", blocks)


def _row(case: Case) -> list[Cell]:
    word, tone = case.state
    times = case.times
    return [
        Lines(case.leaver.name, [case.leaver.upn, f"run {case.run.run}"]),
        exact(times.leave) if times.leave else "not recorded",
        _after(case, times.took(times.disabled) if times.disabled else None, case.punctual),
        _after(case, times.took(times.revoked) if times.revoked else None, ""),
        Lines(word, [], tone),
    ]


def _after(case: Case, took: timedelta | None, word: str) -> Cell:
    if took is None:
        return word or "not by this run"
    return Lines(f"after {span(took)}", [word] if word else [], "stop" if took > case.times.target else "")


def _lists(period: Period) -> Iterator[Section]:
    late = [_called(case) for case in period.cases if case.punctual == "late"]
    open_door = [f"{_called(case)}: {case.state[0]}" for case in period.cases if case.punctual == "not blocked"]
    unfinished = [f"{_called(case)}: {case.state[0]}" for case in period.cases if case.unfinished]
    unplanned = [f"{user}, run {run.run}" for run in period.runs for user in run.unplanned]
    if period.expected is None:
        missing = ["Not applicable: no list of those who should be here was given (--expected FILE)."]
    else:
        missing = period.missing or [f"Nobody of the {len(period.expected)} expected."]
    blocks: list[Block] = [
        Title("Late"),
        Items(late or ["Nobody."]),
        Title("Sign-in not blocked by the run"),
        Items(open_door or ["Nobody."]),
        Title("Unfinished"),
        Items(unfinished or ["Nobody."]),
        Title("Expected, and not here"),
        Items(missing),
        Title("Asked for, and in no plan"),
        Items(unplanned or ["Nobody."]),
    ]
    if len(period.packets) < len(period.cases):
        drawn = "Drawn by the hash of each run's first record and the leaver's object id: anybody can draw it again."
        told = (
            f"Told in full: {listed([f'{leaver.name} ({leaver.upn}), run {run.run}' for run, leaver in period.packets])}."
        )
        blocks += [Title("Sample"), Items([drawn, told])]
    yield Section("Late, not blocked, unfinished, missing", blocks)


def _called(case: Case) -> str:
    return f"{case.leaver.name} ({case.leaver.upn}), run {case.run.run}"
