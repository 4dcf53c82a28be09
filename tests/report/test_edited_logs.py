"""A report is made of any log, whatever somebody wrote into it; that it does not verify stands at its top."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from offboard.audit import Verification, read, verify
from offboard.errors import UsageError
from offboard.report.collect import collect, gather, survey
from offboard.report.data import period_json, report_json
from offboard.report.evidence import document
from offboard.report.html import report_html
from offboard.report.markdown import report_markdown
from offboard.report.measure import AGREED
from offboard.report.period import Period, cases_of, draw, in_full
from offboard.report.population import period_document
from offboard.report.shape import shaped
from offboard.report.source import records as records_of
from tests.cli.conftest import Offboard, offboard, time
from tests.world import SAWYER, a_world, shipped

__all__ = ["offboard", "time"]
ANYTHING: tuple[Any, ...] = (None, True, 0, -1, "", "x", [], ["a"], {}, {"a": 1}, [[]], 10**30, "2026-11-25T00:00:00Z")
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something else could be written."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def edited(records: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """The log with something else in one place, or with one thing missing."""
    found: list[dict[str, Any]] = json.loads(json.dumps(records))
    record = chance.choice(found)
    *way, last = chance.choice(list(places(record)))
    part: Any = record
    for key in way:
        part = part[key]
    if isinstance(part, dict) and chance.random() < 0.2:
        del part[last]
    else:
        part[last] = chance.choice(ANYTHING)
    return found


def made(records: list[dict[str, Any]], run: str) -> None:
    """Every kind of report."""
    vouched = Verification(len(records), "", "")
    found = collect(records, vouched, run)
    json.dumps(report_json(found))
    report_html(document(found))
    report_markdown(document(found))
    heads = survey(records, vouched, BEGAN, None)
    drawn = draw(cases := cases_of(heads, AGREED))
    files = gather(records, heads, {case.run.run for case in drawn})
    period = Period(BEGAN, None, AGREED, heads, cases, in_full(drawn, files))
    json.dumps(period_json(period))
    report_html(period_document(period))


@pytest.mark.anyio
async def test_whatever_is_written_into_a_log_a_report_is_made_or_the_run_is_not_found(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(shipped("leaver-now"), SAWYER)).run
    records = list(read(tmp_path / "audit.jsonl"))
    for seed in range(400):
        broken = edited(records, random.Random(seed))
        try:
            made(broken, run)
        except UsageError:
            assert not any(r.get("event") == "run-started" and r.get("run") == run for r in shaped(broken)), seed


@pytest.mark.anyio
async def test_a_log_that_was_not_edited_is_taken_as_it_is(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(shipped("leaver"), SAWYER)
        world.time.jump(days=31)
    records = list(read(tmp_path / "audit.jsonl"))
    assert all(one is other for one, other in zip(shaped(records), records, strict=True))


def test_lines_that_are_no_records_are_left_out_and_the_report_says_that_it_cannot_be_trusted(
    offboard: Offboard, tmp_path: Path
) -> None:
    offboard("run", "leaver", SAWYER, "--yes")
    (path,) = (tmp_path / "state").rglob("audit.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"{}\n", b'{"event":7}\n', *lines[3:]]))
    said = offboard("report", "--since", "2020-01-01")

    assert verify(path).problem is not None
    assert said.code == 3, said.err
    assert "does not verify" in said.out
    assert "SawyerM" in said.out


@pytest.mark.anyio
async def test_passing_over_other_runs_leaves_out_nothing_of_those_wanted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        first = (await world.run(shipped("leaver"), SAWYER)).run
        await world.run(shipped("leaver"), "MeganB@contoso.com")
    path = tmp_path / "audit.jsonl"
    everything = list(records_of(path))
    wanted = [record for record in everything if record.get("run") in (None, first)]

    assert list(records_of(path, runs={first}, verified=True)) == wanted
    assert list(records_of(path, runs={first}, verified=False)) == everything
    assert len(wanted) < len(everything)
