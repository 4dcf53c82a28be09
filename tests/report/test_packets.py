"""Packets: every field is there in every scenario, and says so when it does not apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.audit import Verification, read, verify
from offboard.report.collect import collect
from offboard.report.data import report_json
from offboard.report.evidence import document
from offboard.report.html import report_html
from offboard.report.markdown import report_markdown
from offboard.report.measure import Terms
from offboard.report.packet import NONE, UNRECORDED, iso
from offboard.runs.engine.steering import Steering
from tests.report.test_report import collected
from tests.world import DANA, LYNNE, SAWYER, START, a_world, fault, shipped, steps

pytestmark = pytest.mark.anyio

FIELDS = {
    "identity": (
        "tenant_id id userPrincipalName displayName userType onPremisesSyncEnabled mail employeeId manager department "
        "jobTitle createdDateTime"
    ),
    "clock": (
        "leave run_began counted_from target_seconds disabled revoked contained punctual deleted_at restorable_until "
        "completed_at residual_access"
    ),
    "access": "roles_found groups_left sign_in_methods_removed password_replaced_at",
    "assets": "devices licenses_freed mailbox files",
}
AUTHORITY = (
    "request_reference requested_by planned_at valid_until approvals plan digest playbook playbook_digest overrides "
    "actions tool"
)
EXECUTED = "actor kind object_id app_id resumed resumed_by"
ENTRY = "seq step action outcome why intended at change read_back graph"
HISTORIES = sorted((Path(__file__).parents[1] / "engine" / "histories").glob("*/*/audit.jsonl"))


def gaps(found: dict[str, Any]) -> Iterator[str]:
    """Fields that are not there, or there with nothing in them."""
    for name in (*AUTHORITY.split(), *EXECUTED.split()):
        part = found["authority" if name in AUTHORITY.split() else "executed"]
        if part.get(name) in (None, "", [], {}):
            yield name
    for leaver in found["leavers"]:
        yield from (f"{part}.{x}" for part, names in FIELDS.items() for x in names.split() if _empty(leaver[part], x))
        yield from (f"entry.{name}" for entry in leaver["entries"] for name in ENTRY.split() if name not in entry)


def _empty(part: dict[str, Any], name: str) -> bool:
    return name not in part or (part[name] in (None, "", {}) and name != "roles_found")


SCENARIOS = {
    "everything": ("leaver-now", SAWYER),
    "later": ("leaver", "MeganB@contoso.com"),
    "nothing to do": ("leaver", "IsaiahL@contoso.com"),
    "guest": ("guest", DANA),
    "synced": ("leaver", LYNNE),
    "hostile": ("emergency", SAWYER),
    "administrator": ("leaver", "AlexW@contoso.com"),
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_field_is_there_or_says_that_it_does_not_apply(tmp_path: Path, name: str) -> None:
    book, user = SCENARIOS[name]
    async with a_world(tmp_path) as world:
        world.tenant = replace(world.tenant, guards=replace(world.tenant.guards, administrators="warn", synced="warn"))
        run = (await world.run(shipped(book), user)).run
        found = collected(world, run)
        assert list(gaps(report_json(found))) == []
        assert "None" not in report_markdown(document(found)).replace("None recorded", "")


async def test_a_run_that_failed_or_never_ended_has_every_field_too(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/users/{SAWYER}", "PATCH", status=403, times="all"))
        run = (await world.run(shipped("leaver-now"), SAWYER)).run
        records = list(read(world.folder / "audit.jsonl"))
        for kept in range(1, len(records) + 1):
            cut = collect(records[:kept], Verification(kept, "", ""), run)
            assert list(gaps(report_json(cut))) == [], kept
            assert report_html(document(cut))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.parent.name)
async def test_a_log_of_an_older_version_says_what_was_not_recorded(path: Path) -> None:
    started = [record for record in read(path) if record["event"] == "run-started"]
    for record in started:
        found = report_json(collect(read(path), verify(path), record["run"]))
        assert list(gaps(found)) == []
        assert found["authority"]["tool"] == UNRECORDED or found["authority"]["tool"].startswith("offboard")
        assert found["integrity"]["valid"] is True


async def test_what_was_read_back_is_the_tenants_own_word(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("revoke-sessions", "reset-password", "disable-user"), SAWYER)).run
        (sawyer,) = report_json(collected(world, run))["leavers"]
        seen = {entry["step"]: entry["read_back"] for entry in sawyer["entries"]}
        account = world.graph(
            "GET", f"/users/{SAWYER}?$select=signInSessionsValidFromDateTime,lastPasswordChangeDateTime"
        )

        def same(text: str) -> str:
            return text.replace("+00:00", "Z")

        assert (
            same(seen["revoke-sessions"]["signInSessionsValidFromDateTime"]) == account["signInSessionsValidFromDateTime"]
        )
        assert same(seen["reset-password"]["lastPasswordChangeDateTime"]) == account["lastPasswordChangeDateTime"]
        assert seen["disable-user"] == "disabled"


async def test_a_failed_change_has_no_state_that_was_read_back(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/users/{SAWYER}", "PATCH", status=403, times="all"))
        run = (await world.run(steps("disable-user"), SAWYER)).run
        (sawyer,) = report_json(collected(world, run))["leavers"]
        assert sawyer["entries"][0]["read_back"] == NONE
        assert sawyer["state"] == "failed steps"
        assert [(e["code"], e["owner"]) for e in sawyer["exceptions"]] == [("failed", "tester (carried it out)")]


async def test_a_delay_counts_from_the_leave_time_and_misses_the_target(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "revoke-sessions"), SAWYER)
        world.time.jump(hours=2)
        run = (await world.apply(plan)).run
        found = collected(world, run)
        clock = report_json(found)["leavers"][0]["clock"]

        assert clock["disabled"]["seconds"] >= 7200 > clock["disabled"]["since_run_began"]
        assert (clock["disabled"]["met"], clock["punctual"]) == (False, "late")
        assert report_json(found, Terms(timedelta(hours=3)))["leavers"][0]["clock"]["punctual"] == "in time"


async def test_residual_access_is_counted_from_the_later_of_block_and_revocation(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "{action: revoke-sessions, due: T+1d}"), SAWYER)).run
        world.time.jump(days=1, minutes=1)
        await world.resume(run)
        clock = report_json(collected(world, run))["leavers"][0]["clock"]
        assert clock["contained"]["at"] == clock["revoked"]["at"] > clock["disabled"]["at"]
        assert clock["residual_access"]["tokens_until"] > clock["revoked"]["at"]


async def test_a_signed_checkpoint_after_the_run_is_named(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        records = [r for r in read(world.folder / "audit.jsonl") if r["event"] != "checkpoint"]
        sealed = {**records[-1], "event": "checkpoint", "seq": records[-1]["seq"] + 1, "detail": {"signature": "ab12"}}
        found = collect([*records, {k: v for k, v in sealed.items() if k != "run"}], Verification(99, "", ""), run)
        bare = collect(records, Verification(99, "", ""), run)

        assert report_json(found)["integrity"]["checkpoint"] == {"seq": sealed["seq"], "signature": "ab12"}
        assert "signature ab12" in report_html(document(found))
        assert report_json(bare)["integrity"]["checkpoint"] == NONE
        assert json.dumps(report_json(found)["leavers"]) == json.dumps(report_json(bare)["leavers"])


async def test_a_guard_that_was_lifted_is_told_with_reason_and_by_whom(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        records = list(read(world.folder / "audit.jsonl"))
        lifted = {
            **records[0],
            "event": "guard-overridden",
            "leaver": {"id": SAWYER, "upn": "SawyerM@contoso.com"},
            "why": "agreed with the board",
            "detail": {"guard": "administrators", "by": "admin@contoso.com"},
        }
        found = collect([records[0], lifted, *records[1:]], Verification(99, "", ""), run)
        (sawyer,) = report_json(found)["leavers"]

        assert [(o["guard"], o["by"], o["reason"]) for o in sawyer["overrides"]] == [
            ("administrators", "admin@contoso.com", "agreed with the board")
        ]
        assert report_json(found)["authority"]["overrides"][0]["leaver"] == SAWYER
        assert "Guard administrators was lifted by admin@contoso.com: agreed with the board" in report_html(
            document(found)
        )
        assert sawyer["decisions"] == []


async def test_devices_are_named_with_what_was_done_to_them_and_what_was_not(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(shipped("leaver-now"), SAWYER)).run
        devices = {d["name"]: d for d in report_json(collected(world, run))["leavers"][0]["assets"]["devices"]}
        assert [each["said"] for each in devices["Woodgrove Desktop"]["done"]] == ["disabled", "unowned"]
        assert devices["Sawyer Laptop"]["left"] == ["also used by Adele Vance; stays enabled"]


async def test_whatever_is_left_has_an_owner_and_a_date(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/users/{SAWYER}/revokeSignInSessions", "POST", status=403, times="all"))
        book = steps(
            "disable-user", "disable-devices", "revoke-sessions", "delete-user", "{action: purge-user, due: T+30d}"
        )
        run = (await world.run(book, SAWYER)).run
        (sawyer,) = report_json(collected(world, run))["leavers"]
        ended = world.records("leaver-ended")[-1]["time"]
        dues = {each["code"]: (each["owner"], each["due"]) for each in sawyer["exceptions"]}

        day, fortnight = (f"2026-{date}T{ended[11:19]}" for date in ("11-24", "12-07"))
        assert dues["failed"] == ("tester (carried it out)", f"{day}.000Z")
        assert dues["not-started"] == ("tester (carried it out)", f"{day}.000Z")
        assert dues["shared-device"] == ("tester (carried it out)", f"{fortnight}.000Z")
        assert dues["due-later"] == ("whoever runs the worker", "2026-12-23T17:05:12.000Z")
        tokens = datetime.fromisoformat(sawyer["clock"]["contained"]["at"]) + timedelta(minutes=90)
        assert dues["residual-access"] == ("ends by itself", iso(tokens))


async def test_a_deletion_is_final_when_its_thirty_days_are_over(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(shipped("leaver-now"), SAWYER)).run
        (sawyer,) = report_json(collected(world, run))["leavers"]

        (restorable,) = [each for each in sawyer["exceptions"] if each["code"] == "restorable"]
        assert restorable["due"][:10] == "2026-12-23"
        assert (restorable["owner"], restorable["due"]) == ("ends by itself", sawyer["clock"]["restorable_until"])


async def test_owner_and_days_are_what_the_tenant_agreed(tmp_path: Path) -> None:
    terms = Terms(days=timedelta(days=3), owner="servicedesk@contoso.com")
    async with a_world(tmp_path) as world:
        book = replace(steps("disable-devices", "remove-licenses"), accept=("shared-device",))
        run = (await world.run(book, SAWYER)).run
        (sawyer,) = report_json(collected(world, run), terms)["leavers"]
        text = report_markdown(document(collected(world, run), terms))

        left = {each["code"]: each for each in sawyer["exceptions"] if each["owner"] != "ends by itself"}
        assert "servicedesk@contoso.com looks again" in left["shared-device"]["owner"]
        assert {each["owner"] for each in left.values() if each["code"] != "shared-device"} == {"servicedesk@contoso.com"}
        assert {each["due"][:10] for each in left.values()} == {"2026-11-26"}
        assert "2026-11-26 17:05Z" in text


async def test_what_is_held_waits_for_a_person_and_what_was_moved_has_its_new_date(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "revoke-sessions", "{action: delete-user, due: T+30d}"), SAWYER)).run
        record = world.store.run(run)

        def steer(reason: str) -> Steering:
            return Steering(world.store, world.audit.bind(actor="dana@contoso.com"), reason)

        def left() -> tuple[str, dict[str, Any]]:
            (sawyer,) = report_json(collected(world, run))["leavers"]
            found = [each for each in sawyer["exceptions"] if each["about"] == "step delete-user"]
            return sawyer["state"], found[0] if found else {}

        steer("HR moved the date").reschedule(record, START + timedelta(days=5))
        assert left()[1]["due"][:10] == "2026-12-28"
        steer("HR asks to wait").hold(record)
        state, held = left()
        assert (state, held["code"], held["owner"]) == ("held", "held", "tester (carried it out)")
        assert held["reason"] == "held by dana@contoso.com: HR asks to wait"
        steer("HR agrees").release(record)
        assert (left()[0], left()[1]["code"]) == ("steps to come", "due-later")
        steer("he stays").cancel(record)
        assert left() == ("canceled", {})
