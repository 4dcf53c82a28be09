"""What the evidence says, and that it says it from the audit alone."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from offboard.audit import read, verify
from offboard.errors import UsageError
from offboard.report.collect import RunFile, collect
from offboard.report.data import report_json
from offboard.report.evidence import document, span
from offboard.report.html import report_html
from offboard.report.markdown import report_markdown
from offboard.report.measure import Terms, exceptions, state
from tests.world import LAPTOP, SAWYER, World, a_world, fault, shipped, steps

pytestmark = pytest.mark.anyio


def collected(world: World, run: str) -> RunFile:
    """The run, from the file."""
    path = world.folder / "audit.jsonl"
    return collect(read(path), verify(path), run)


def everything(found: RunFile) -> tuple[str, str, str]:
    """All three formats."""
    return report_html(document(found)), report_markdown(document(found)), json.dumps(report_json(found))


async def test_a_report_names_person_authority_changes_open_items_and_hashes(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(shipped("leaver-now"), "SawyerM@contoso.com")
        found = report_json(collected(world, outcome.run))
        (sawyer,) = found["leavers"]
        outcomes = world.records("outcome")

        assert found["authority"]["digest"] == outcome.plan.digest
        assert found["started"]["actor"] == "tester"
        assert found["tenant"]["name"] == "contoso.com"
        identity = sawyer["identity"]
        assert (identity["id"], identity["displayName"]) == (SAWYER, "Sawyer Miller")
        assert (identity["employeeId"], identity["manager"]) == ("10001", "Megan Bowen")
        assert [e["change"] for e in sawyer["entries"]] == [record["change"] for record in outcomes]
        assert [e["graph"]["request_id"] for e in sawyer["entries"]] == [r["graph"]["request_id"] for r in outcomes]
        assert all(entry["intended"] <= entry["at"] for entry in sawyer["entries"])
        assert [item["code"] for item in sawyer["open_items"]] == ["shared-device"]
        assert sawyer["assets"]["licenses_freed"] == ["SPE_E3", "VISIOCLIENT"]
        assert found["integrity"]["last"]["hash"] == world.records("run-ended")[-1]["hash"]
        assert found["integrity"]["valid"]


async def test_made_twice_it_is_the_same_to_the_byte_also_after_later_runs(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(shipped("leaver-now"), SAWYER)).run
        first = everything(collected(world, run))
        world.time.jump(days=3)
        await world.run(steps("disable-user"), "AdeleV@contoso.com")

        assert everything(collected(world, run)) == first
        assert everything(collected(world, run[:6])) == first


async def test_times_to_disable_and_revoke_and_the_window_after_them_are_counted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(lag=3.0)
        run = (await world.run(steps("disable-user", "revoke-sessions"), SAWYER)).run
        found = collected(world, run)
        (sawyer,) = report_json(found)["leavers"]
        ended = next(r for r in world.records("outcome") if r["step"] == "disable-user")
        text = report_markdown(document(found, Terms(timedelta(seconds=0))))

        assert sawyer["clock"]["disabled"]["at"] == ended["time"]
        residual = sawyer["clock"]["residual_access"]
        assert residual["tokens_until"] > residual["evaluated_until"] > ended["time"]
        assert residual["estimate"] is True
        assert "target 1 h: met" in report_markdown(document(found))
        assert sawyer["clock"]["disabled"]["seconds"] >= 3
        assert text.count("target less than 1 s: missed") == 2


async def test_what_failed_was_skipped_and_is_left_is_shown_as_that(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/users/{SAWYER}", "PATCH", status=403, times="all"))
        run = (await world.run(steps("disable-user", "remove-groups"), SAWYER)).run
        found = collected(world, run)
        (sawyer,) = report_json(found)["leavers"]
        text = report_markdown(document(found))

        assert [entry["outcome"] for entry in sawyer["entries"]][:1] == ["failed"]
        assert sawyer["clock"]["disabled"] == "not_applicable"
        assert "not by this run" in text
        assert "failed" in text


async def test_what_falls_due_later_and_was_resumed_is_in_one_report(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "{action: delete-user, due: T+30d}"), SAWYER)).run
        before = report_json(collected(world, run))["leavers"][0]
        world.time.jump(days=31)
        await world.resume(run)
        after = report_json(collected(world, run))["leavers"][0]

        assert [step["step"] for step in before["later"]] == ["delete-user"]
        assert after["later"] == []
        assert [entry["step"] for entry in after["entries"]] == ["disable-user", "delete-user"]


async def test_what_had_failed_or_was_held_and_is_mended_by_a_resumed_run_is_open_no_longer(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "{action: delete-user, due: T+30d}"), SAWYER)).run
        world.time.jump(days=31)
        for enabled, said in ((True, {"failed", "drifted"}), (False, set[str]())):
            world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": enabled})
            await world.resume(run)
            found = collected(world, run)
            (sawyer,) = found.leavers

            assert {item.code for item in exceptions(found, sawyer, Terms())} & {"failed", "drifted"} == said
            assert state(sawyer) == (("failed steps", "stop") if enabled else ("complete", "good"))
            world.time.jump(hours=1)


async def test_what_failed_and_was_not_begun_again_is_not_told_as_mended(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "wipe-devices", "{action: remove-licenses, on_failure: continue}")
        plan = await world.plan(book, SAWYER)
        world.misbehave(
            fault("/users/*/managedDevices", "GET", status=403, times="all"),
            fault(f"/users/{SAWYER}/assignLicense", "POST", status=403, times="all"),
        )
        run = (await world.apply(plan)).run
        world.misbehave()
        world.time.jump(hours=1)
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
        resumed = await world.resume(run)
        found = collected(world, run)

        assert resumed.leavers[0].not_started == ("remove-licenses",)
        assert {"remove-licenses", "disable-user"} <= set(found.leavers[0].failed.values())


async def test_a_log_that_was_edited_is_said_to_be_in_every_format(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        path = world.folder / "audit.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"actor":"tester"', b'"actor":"nobody"', 1))
        found = collected(world, run)

        assert found.flaw is not None
        assert report_json(found)["integrity"]["valid"] is False
        assert all("does not verify" in text for text in everything(found)[:2])


async def test_names_from_the_tenant_are_text_and_never_markup(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.graph("PATCH", f"/devices/{LAPTOP}", {"displayName": "<img src=x onerror=alert(1)>|[a](b)\u202e"})
        run = (await world.run(steps("unown-devices"), SAWYER)).run
        html, markdown, _ = everything(collected(world, run))

        assert "<img" not in html
        assert "\u202e" not in html + markdown
        assert "[a](b)" not in re.sub("`[^`]*`", "", markdown)
        assert all(line.count("|") == 9 for line in markdown.splitlines() if "unown" in line.split("|")[2:3])


async def test_a_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        html = report_html(document(collected(world, run)))

        assert "default-src 'none'" in html
        assert not re.search(r"<(script|img|link|iframe)|https?://|url\(", html)


async def test_every_control_is_answered_for_a_run_without_leavers_records_too(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("list-deleted-users"), SAWYER)).run
        controls = report_json(collected(world, run))["controls"]

        names = " ".join(each["control"] for each in controls)
        assert all(x in names for x in ("PS-4", "AC-2", "A.5.11", "A.5.18", "A.6.5", "CIS", "6.2", "CC6.3"))
        assert all(each["shows"] for each in controls)


async def test_an_unknown_run_is_refused_by_name(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps("disable-user"), SAWYER)
        with pytest.raises(UsageError, match="knows no run"):
            collected(world, "zzzz")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "less than 1 s"), (2, "2 s"), (65, "1 min 5 s"), (3600, "1 h"), (90061, "1 d 1 h")]
)
def test_spans_are_said_in_at_most_two_units(seconds: float, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said
