"""A report about a period: everybody in it, the late, the unfinished, the missing, and a sample."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from offboard.audit import read, verify
from offboard.model import Unplanned
from offboard.planfile import seal
from offboard.report.collect import gather, survey
from offboard.report.data import period_json
from offboard.report.html import report_html
from offboard.report.markdown import report_markdown
from offboard.report.measure import AGREED, Times, punctual, state
from offboard.report.period import Period, cases_of, draw, in_full
from offboard.report.population import period_document
from offboard.report.sheet import period_csv
from offboard.runs.deleted import purging
from tests.cli.conftest import Offboard, offboard, time
from tests.world import SAWYER, START, World, a_world, fault, steps

__all__ = ["offboard", "time"]
CUT = ("disable-user", "revoke-sessions")
MONTH = START.replace(day=1, hour=0, minute=0, second=0)


def period(
    world: World,
    since: datetime = MONTH,
    until: datetime | None = None,
    sample: int | None = None,
    only: Sequence[str] = (),
    expected: Sequence[str] | None = None,
) -> Period:
    path = world.folder / "audit.jsonl"
    runs = survey(read(path), verify(path), since, until)
    drawn = draw(cases := cases_of(runs, AGREED), sample=sample, only=only)
    files = gather(read(path), runs, {case.run.run for case in drawn})
    return Period(since, until, AGREED, runs, cases, in_full(drawn, files), expected)


def everything(found: Period) -> tuple[str, str, str]:
    return report_html(period_document(found)), report_markdown(period_document(found)), json.dumps(period_json(found))


async def a_month(world: World) -> None:
    """Four leavers: one in time, one late, one failed, one the month after."""
    await world.run(steps(*CUT), SAWYER)
    late = await world.plan(steps(*CUT), "IsaiahL@contoso.com")
    world.time.jump(hours=3)
    await world.apply(late)
    world.misbehave(fault("/users/*", "PATCH", status=403, times="all"))
    await world.run(steps(*CUT), "MeganB@contoso.com")
    world.misbehave()
    world.time.jump(days=14)
    await world.run(steps(*CUT), "AdeleV@contoso.com")


@pytest.mark.anyio
async def test_everybody_of_the_period_is_in_it_with_the_late_and_the_unfinished_named(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await a_month(world)
        found = period_json(period(world, until=datetime(2026, 12, 1, tzinfo=UTC)))

        rows = {row["userPrincipalName"]: (row["punctual"], row["state"]) for row in found["population"]}
        assert rows["SawyerM@contoso.com"] == ("in time", "complete")
        assert rows["IsaiahL@contoso.com"] == ("late", "complete")
        assert rows["MeganB@contoso.com"][0] == "not blocked"
        assert len(rows) == 3
        assert [each["userPrincipalName"] for each in found["late"]] == ["IsaiahL@contoso.com"]
        assert [each["userPrincipalName"] for each in found["unfinished"]] == ["MeganB@contoso.com"]
        assert [each["userPrincipalName"] for each in found["not_blocked"]] == ["MeganB@contoso.com"]
        assert found["totals"]["leavers"] == 3
        assert found["integrity"]["valid"] is True


@pytest.mark.anyio
async def test_what_happens_to_a_run_after_the_period_belongs_to_it_and_later_runs_do_not(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps(*CUT, "{action: delete-user, due: T+30d}"), SAWYER)).run
        until = START + timedelta(days=7)
        assert period_json(period(world, until=until))["population"][0]["state"] == "steps to come"
        world.time.jump(days=31)
        await world.resume(run)
        await world.run(steps(*CUT), "AdeleV@contoso.com")
        (row,) = period_json(period(world, until=until))["population"]
        assert (row["state"], row["deleted_at"] > row["disabled_at"]) == ("complete", True)
        assert [r["userPrincipalName"] for r in period_json(period(world, since=until))["population"]] == [
            "AdeleV@contoso.com"
        ]


@pytest.mark.anyio
async def test_made_twice_it_is_the_same_to_the_byte(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await a_month(world)
        assert everything(period(world, sample=2)) == everything(period(world, sample=2))


@pytest.mark.anyio
async def test_a_sample_is_drawn_from_all_and_anybody_can_draw_it_again(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await a_month(world)
        drawn = [leaver.upn for _, leaver in period(world, sample=2).packets]
        assert len(drawn) == 2
        assert drawn == [leaver.upn for _, leaver in period(world, sample=2).packets]
        found = period_json(period(world, sample=2))
        assert (found["sample"], len(found["packets"]), len(found["population"])) == ("2 of 4", 2, 4)
        assert "anybody can draw it again" in everything(period(world, sample=2))[1]


@pytest.mark.anyio
async def test_only_those_asked_for_are_told_in_full_and_those_expected_are_missed(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await a_month(world)
        found = period(world, only=["SAWYERM@contoso.com"], expected=[SAWYER, "PradeepG@contoso.com"])
        assert [leaver.upn for _, leaver in found.packets] == ["SawyerM@contoso.com"]
        assert period_json(found)["missing"] == ["PradeepG@contoso.com"]
        assert "PradeepG@contoso.com" in everything(found)[1]
        assert period_json(period(world))["missing"] == "not_applicable"


@pytest.mark.anyio
async def test_a_period_with_nobody_in_it_says_so(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps(*CUT), SAWYER)
        nobody = period(world, since=START + timedelta(days=90))
        assert "Nobody: no run began in this period." in everything(nobody)[1]
        assert period_json(nobody)["totals"]["leavers"] == 0


def test_the_command_tells_a_period_and_a_last_day_is_in_it(offboard: Offboard, tmp_path: Path) -> None:
    offboard("run", "leaver", SAWYER, "--yes")
    (tmp_path / "hr.csv").write_text("user\nSawyerM@contoso.com\nnobody@contoso.com\n")
    day = START.date().isoformat()
    said = offboard("--json", "report", "--since", day, "--until", day, "--expected", "hr.csv")

    assert said.code == 0, said.err
    assert [row["id"] for row in said.json["population"]] == [SAWYER]
    assert said.json["missing"] == ["nobody@contoso.com"]
    assert offboard("report", "--since", day, "--format", "html").out.startswith("<!DOCTYPE html>")


@pytest.mark.anyio
async def test_a_sheet_has_a_line_for_each_leaver_and_no_formula(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        formula = '=HYPERLINK("https://evil.example","Sawyer, Miller")'
        world.graph("PATCH", f"/users/{SAWYER}", {"displayName": formula})
        await world.run(steps(*CUT), SAWYER, "IsaiahL@contoso.com")
        rows = list(csv.DictReader(io.StringIO(period_csv(period(world)), newline="")))

    assert [row["userPrincipalName"] for row in rows] == ["SawyerM@contoso.com", "IsaiahL@contoso.com"]
    assert rows[0]["displayName"] == f"'{formula}"
    assert {row["disabled_at"][:10] for row in rows} == {START.date().isoformat()}


def test_the_command_tells_a_period_as_a_sheet_and_a_run_not(offboard: Offboard) -> None:
    offboard("run", "leaver", SAWYER, "--yes")
    (row,) = csv.DictReader(io.StringIO(offboard("report", "--since", START.date().isoformat(), "--format", "csv").out))
    assert row["id"] == SAWYER
    assert offboard("report", row["run"], "--format", "csv").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("report", "abc", "--since", "2026-11-01"),
        ("report", "abc", "--sample", "3"),
        ("report", "--since", "yesterday"),
        ("report", "--since", "2026-11-02", "--until", "2026-11-01"),
    ],
)
def test_what_makes_no_sense_is_refused(offboard: Offboard, words: tuple[str, ...]) -> None:
    said = offboard(*words)
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.anyio
async def test_counting_and_telling_in_full_agree_about_everybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await a_month(world)
        found = period(world)
        counted = {(case.run.run, case.leaver.id): (case.state, case.punctual, case.times) for case in found.cases}
        told = {
            (run.run, leaver.id): (state(leaver), punctual(leaver, times), times)
            for run, leaver in found.packets
            for times in [Times.of(run.started, leaver, AGREED.target)]
        }
        assert counted == told
        assert len(counted) == 4
        for run, leaver in found.packets:
            mine = next(case.leaver for case in found.cases if case.run.run == run.run and case.leaver.id == leaver.id)
            assert mine.kinds.total() == len(leaver.done())


@pytest.mark.anyio
async def test_whoever_was_purged_could_not_sign_in_before(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(purging(), "AveryS@contoso.com")
        assert [case.punctual for case in period(world).cases] == ["already blocked"]


@pytest.mark.anyio
async def test_whoever_could_not_be_planned_is_named(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "AdeleV@contoso.com")
        lost = Unplanned("SawyerM@contoso.com", "Graph's answer makes no sense.", "Try again.")
        outcome = await world.apply(seal(replace(plan, unplanned=(lost,))))
        found = period(world)

        assert period_json(found)["unplanned"] == [{"run": outcome.run, "user": "SawyerM@contoso.com"}]
        assert f"`SawyerM@contoso.com`, run `{outcome.run}`" in report_markdown(period_document(found))
