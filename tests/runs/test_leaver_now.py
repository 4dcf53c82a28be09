"""The main job, judged by the tenant's own journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offboard.audit import verify
from offboard.model import Outcome
from tests.world import DESKTOP, LAPTOP, SAWYER, SEED, a_world, outcomes, steps

pytestmark = pytest.mark.anyio


async def test_the_whole_article_happens_to_sawyer_and_to_nobody_else(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps(*SEED), "SawyerM@contoso.com")

        assert [
            ("PATCH", f"/users/{SAWYER}"),
            ("PATCH", f"/users/{SAWYER}"),
            ("POST", f"/users/{SAWYER}/revokeSignInSessions"),
            ("DELETE", f"/devices/{LAPTOP}/registeredOwners/{SAWYER}/$ref"),
            ("DELETE", f"/devices/{DESKTOP}/registeredOwners/{SAWYER}/$ref"),
            ("PATCH", f"/devices/{DESKTOP}"),
            ("POST", f"/users/{SAWYER}/assignLicense"),
            ("DELETE", f"/users/{SAWYER}"),
        ] == world.writes()
        assert {"changed"} == {each[2] for each in outcomes(outcome.leavers[0].results)}
        assert [item["id"] for item in world.graph("GET", "/directory/deletedItems/microsoft.graph.user")["value"]].count(
            SAWYER
        ) == 1


async def test_what_is_left_open_is_said_and_turns_the_exit_code_to_one(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps(*SEED[:-1]), "SawyerM@contoso.com")

        assert {("shared-device", "Sawyer Laptop"), ("license-by-group", "POWER_BI_PRO")} == {
            (note.code, note.target.name) for note in outcome.leavers[0].open_items(()) if note.target
        }
        assert outcome.exit_code() == 1
        assert outcome.exit_code(("shared-device", "license-by-group")) == 0


async def test_every_effect_has_one_intent_before_it_and_one_outcome_after_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps(*SEED), "SawyerM@contoso.com")
        intents, ends = world.records("intent"), world.records("outcome")

        assert len(world.journal()) == len(intents) == len(ends)
        for (method, path), end in zip(world.writes(), ends, strict=True):
            assert (method, path) == (end["graph"]["method"], end["graph"]["path"])
            before = [i for i in intents if i["change"] == end["change"] and i["step"] == end["step"]]
            assert len(before) == 1
            assert before[0]["seq"] < end["seq"]
            assert end["graph"]["request_id"]
            assert end["graph"]["client_request_id"]
        assert verify(tmp_path / "audit.jsonl").ok


async def test_one_leaver_costs_at_most_seven_http_requests(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps(*SEED), "SawyerM@contoso.com")

        assert world.http_requests() <= 12


async def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps(*SEED[:-1]), "SawyerM@contoso.com")
        before = world.writes()
        world.time.jump(minutes=10)
        again = await world.run(steps(*SEED[:-1]), "SawyerM@contoso.com")

        assert before == world.writes()
        assert {"unchanged", "skipped"} >= {each[2] for each in outcomes(again.leavers[0].results)}


async def test_a_second_run_after_the_deletion_finds_the_deleted_user_and_changes_nothing(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps(*SEED), "SawyerM@contoso.com")
        before = world.writes()
        again = await world.run(steps(*SEED), "SawyerM@contoso.com")

        assert before == world.writes()
        assert again.plan.leavers[0].leaver.id == SAWYER
        assert again.exit_code() == 0


async def test_a_user_who_was_enabled_again_gets_a_full_second_run(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        playbook = steps("disable-user", "revoke-sessions", "reset-password")
        await world.run(playbook, "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
        again = await world.run(playbook, "SawyerM@contoso.com")

        assert [(step, end) for step, _, end in outcomes(again.leavers[0].results)] == [
            ("disable-user", "changed"),
            ("revoke-sessions", "changed"),
            ("reset-password", "changed"),
        ]


async def test_the_new_password_is_long_and_stands_nowhere_but_in_the_tenant(tmp_path: Path) -> None:
    sent: list[str] = []
    async with a_world(tmp_path) as world:
        world.connection.http.event_hooks["request"] = [_remember(sent)]
        await world.run(steps("reset-password"), "SawyerM@contoso.com")
        world.audit.close()
        world.store.close()

        assert len(sent) == 1
        assert len(sent[0]) >= 32
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or sent[0].encode() not in path.read_bytes()


def _remember(sent: list[str]) -> object:
    import json
    import re

    async def hook(request: object) -> None:
        body = bytes(request.content)  # type: ignore[attr-defined]
        for found in re.findall(r'"password": ?("(?:[^"\\]|\\.)*")', body.decode()):
            sent.append(json.loads(found))

    return hook


async def test_a_guest_is_told_what_does_not_work(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(
            steps("disable-user", "revoke-sessions", "reset-password"), "dana_fabrikam.com#EXT#@contoso.onmicrosoft.com"
        )

        assert len(world.writes()) == 1
        assert [note.code for note in outcome.leavers[0].open_items(())] == ["guest-sessions"]


async def test_a_synced_user_is_not_written_to_where_active_directory_decides(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.tenant = replace(world.tenant, guards=replace(world.tenant.guards, synced="warn"))
        outcome = await world.run(steps("disable-user", "reset-password", "delete-user"), "LynneR@contoso.com")

        assert world.writes() == []
        assert outcome.exit_code() == 1


async def test_a_read_only_step_returns_its_rows_after_what_came_before_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps("delete-user", "list-deleted-users"), "SawyerM@contoso.com")
        (step, table) = outcome.leavers[0].tables[0]

        assert step == "list-deleted-users"
        assert [row["displayName"] for row in table.rows] == ["Sawyer Miller", "Avery Smith"]
        assert [row["age_days"] for row in table.rows] == [0, 3]


async def test_a_later_step_waits_for_its_time(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        playbook = steps("disable-user", "{action: delete-user, due: T+30d}")
        outcome = await world.run(playbook, "SawyerM@contoso.com")
        run = outcome.run

        assert [planned.step.id for planned in outcome.leavers[0].later] == ["delete-user"]
        assert outcome.exit_code() == 0
        world.time.jump(days=29)
        await world.resume(run)
        assert len(world.writes()) == 1
        world.time.jump(days=1, minutes=1)
        done = await world.resume(run)
        assert ("DELETE", f"/users/{SAWYER}") == world.writes()[-1]
        assert done.exit_code() == 0
        assert all(r.outcome is Outcome.CHANGED for r in done.leavers[0].results)
