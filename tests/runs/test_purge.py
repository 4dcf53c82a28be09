"""Deleting for good: once, only who is deleted, and known to be so whatever became of the answer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from offboard.audit import verify
from offboard.errors import Refused
from offboard.model import Outcome
from offboard.runs.deleted import purging
from tests.runs.test_crash import PowerCutError
from tests.world import ADELE, SAWYER, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio
AVERY = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
BIN = f"/directory/deletedItems/{AVERY}"


async def test_a_deleted_user_is_purged_and_a_second_run_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(purging(), AVERY)
        outcome = await world.apply(plan)

        assert outcomes(outcome.leavers[0].results) == [("purge", "Avery Smith", "changed")]
        assert outcome.exit_code() == 0
        with pytest.raises(Refused, match="already carried out"):
            await world.apply(plan)
        assert world.writes() == [("DELETE", BIN)]


@pytest.mark.parametrize("answer", [{"reset": "after"}, {"truncate": True}, {"status": 504, "when": "after"}])
async def test_a_purge_whose_answer_is_lost_is_known_by_reading(tmp_path: Path, answer: dict[str, object]) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(purging(), AVERY)
        world.misbehave(fault("/directory/deletedItems/*", "DELETE", **answer))
        outcome = await world.apply(plan)

        assert [result.outcome for result in outcome.leavers[0].results] == [Outcome.CHANGED]
        assert world.writes() == [("DELETE", BIN)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
async def test_a_purge_killed_around_any_request_is_done_once_when_resumed(
    tmp_path: Path, number: int, after: bool
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(purging(), AVERY)
        transmit, seen = world.connection.http.send, [0]

        async def dying(request: object, **options: object) -> object:
            seen[0] += 1
            if seen[0] == number and not after:
                raise PowerCutError
            answer = await transmit(request, **options)  # type: ignore[arg-type]
            if seen[0] == number:
                raise PowerCutError
            return answer

        world.connection.http.send = dying  # type: ignore[method-assign,assignment]
        with suppress(PowerCutError):
            await world.apply(plan, "r1")
        world.connection.http.send = transmit  # type: ignore[method-assign]
        if world.store.consumed_by(plan.id):
            outcome = await world.resume("r1")
        else:
            outcome = await world.apply(plan, "r1")

        assert [result.outcome for result in outcome.leavers[0].results] == [Outcome.CHANGED]
        assert world.writes() == [("DELETE", BIN)]
        assert len(world.records("intent")) == len(world.records("outcome")) == 1
        assert verify(tmp_path / "audit.jsonl").ok


async def test_somebody_restored_after_the_review_is_not_touched(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(purging(), AVERY)
        world.graph("POST", f"{BIN}/restore", {})
        outcome = await world.apply(plan)

        assert "has been restored since" in outcome.leavers[0].refused[0]
        assert world.writes() == [("POST", f"{BIN}/restore")]


async def test_who_is_not_deleted_is_left_alone_and_that_stays_open(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(purging(), ADELE)

        assert outcome.exit_code() == 1
        assert [note.code for note in outcome.leavers[0].open_items(())] == ["not-deleted"]
        assert world.writes() == []


async def test_deleted_now_and_purged_later_in_one_playbook(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("delete-user", "{action: purge-user, due: T+10d}")
        first = await world.run(book, SAWYER)
        world.time.jump(days=11)
        await world.resume(first.run)

        assert world.writes() == [("DELETE", f"/users/{SAWYER}"), ("DELETE", f"/directory/deletedItems/{SAWYER}")]


async def test_restored_before_the_purge_falls_due_is_not_purged(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("delete-user", "{action: purge-user, due: T+10d}")
        first = await world.run(book, SAWYER)
        world.graph("POST", f"/directory/deletedItems/{SAWYER}/restore", {})
        world.time.jump(days=11)
        await world.resume(first.run)

        assert [method for method, _ in world.writes()] == ["DELETE", "POST"]
