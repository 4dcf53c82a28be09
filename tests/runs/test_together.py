"""What a run does to one leaver never makes another leaver's review untrue; what is told as done is so at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.audit import Audit
from offboard.runs.engine.steering import Steering
from offboard.sandbox.wire import Request, Response
from tests.world import ADELE, DESKTOP, SAWYER, World, a_world, outcomes, steps

pytestmark = pytest.mark.anyio
MEGAN = "a0000000-0000-4000-8000-000000000002"
PEOPLE = ("SawyerM@contoso.com", "AdeleV@contoso.com")


def share(world: World, device: str, person: str) -> None:
    """Somebody becomes a user of a device."""
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{person}"}
    world.graph("POST", f"/devices/{device}/registeredUsers/$ref", link)


def enabled(world: World, device: str) -> bool:
    """Whether a device is enabled."""
    return bool(world.graph("GET", f"/devices/{device}?$select=accountEnabled")["accountEnabled"])


async def test_a_device_of_two_leavers_stays_as_reviewed_when_one_of_them_is_deleted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        share(world, DESKTOP, ADELE)
        plan = await world.plan(steps("disable-devices", "delete-user"), *PEOPLE)
        notes = [note.reason for each in plan.leavers for step in each.steps for note in step.notes if note.target]
        assert any("Adele Vance (who leaves as well)" in reason for reason in notes)
        outcome = await world.apply(plan)
        again = await world.resume(outcome.run)

        for each in (*outcome.leavers, *again.leavers):
            assert each.refused == ()
            assert {end for _, _, end in outcomes(each.results)} <= {"changed", "skipped", "unchanged"}
        assert {("DELETE", f"/users/{id}") for id in (SAWYER, ADELE)} <= set(world.writes())
        assert enabled(world, DESKTOP)


async def test_a_device_given_away_before_the_end_is_not_told_as_disabled(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-devices", "{action: revoke-sessions, due: T+1h}"), PEOPLE[0])
        outcome = await world.apply(plan)
        share(world, DESKTOP, MEGAN)
        world.graph("PATCH", f"/devices/{DESKTOP}", {"accountEnabled": True})
        world.time.jump(hours=2)
        again = await world.resume(outcome.run)

        told = {r.change.target.id: r for r in again.leavers[0].results if r.change}
        assert told[DESKTOP].outcome.value == "failed"
        assert "also used by Megan Bowen" in told[DESKTOP].why
        assert again.exit_code() == 1
        assert [r["change"]["target"]["id"] for r in world.records("undone")] == [DESKTOP]


async def test_a_device_enabled_again_after_the_deletion_is_not_told_as_disabled(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(
            steps("disable-devices", "delete-user", "{action: list-deleted-users, due: T+1h}"), PEOPLE[0]
        )
        outcome = await world.apply(plan)
        world.graph("PATCH", f"/devices/{DESKTOP}", {"accountEnabled": True})
        world.time.jump(hours=2)
        again = await world.resume(outcome.run)

        told = {r.change.target.id: r.outcome.value for r in again.leavers[0].results if r.change}
        assert told[DESKTOP] == "failed"
        assert again.exit_code() == 1


async def test_a_hold_stops_the_next_write_and_what_was_sent_is_told(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "reset-password", "remove-licenses"), *PEOPLE)
        hand = Audit.open(tmp_path / "audit.jsonl", now=world.time.clock().now)
        handle, seen = world.sandbox.handle, list[int]()

        def handled(request: Request) -> Response:
            answer = handle(request)
            if b'accountEnabled": false' in request.body and not seen:
                seen.append(1)
                Steering(world.store, hand, "wait").hold(world.store.runs()[0])
            return answer

        world.sandbox.handle = handled  # type: ignore[method-assign]
        outcome = await world.apply(plan)
        hand.close()

        assert sorted(path for _, path in world.writes()) == [f"/users/{SAWYER}", f"/users/{ADELE}"]
        told = [out for each in outcome.leavers for out in outcomes(each.results)]
        assert {end for step, _, end in told if step == "disable-user"} == {"changed"}
        assert {end for step, _, end in told if step != "disable-user"} == {"skipped"}
        assert outcome.exit_code() == 5
        assert len(world.records("intent")) == len(world.records("outcome"))
