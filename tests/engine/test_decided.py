"""What a person decided while a process is at work stands, and a run that somebody waits for is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.audit import Audit
from offboard.errors import Busy
from offboard.runs.engine.changes import Bar, News
from offboard.runs.engine.presence import Presence
from offboard.runs.engine.steering import Steering
from offboard.runs.engine.worker import Round
from offboard.runs.store import Store
from tests.desk import begin, carry_on
from tests.world import SAWYER, START, World, a_world, steps

pytestmark = pytest.mark.anyio
LEAVER = "SawyerM@contoso.com"
LATER = ("disable-user", "{action: delete-user, due: T+30d}")
RUN = "run-1"


@pytest.fixture
async def world(tmp_path: Path) -> Iterator[World]:
    """A run of which the deletion is still to come."""
    async with a_world(tmp_path) as found:
        plan = await found.plan(steps(*LATER), LEAVER)
        await begin(found.applier(RUN, plan), plan, RUN)
        yield found


def hand(world: World) -> Steering:
    """A person at another keyboard."""
    return Steering(world.store, world.audit.bind(actor="somebody"), "she stays")


async def test_a_guard_that_objects_does_not_bring_back_whoever_was_canceled_meanwhile(world: World) -> None:
    (before,) = world.store.shares(RUN)
    hand(world).cancel(world.store.run(RUN))
    world.store.bar([replace(before, due=START + timedelta(days=32), exit_code=3)])

    (share,) = world.store.shares(RUN)
    assert (share.state, share.due) == ("canceled", None)


async def test_of_two_people_who_steer_at_the_same_time_the_one_who_cancels_wins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, record = Audit.write, world.store.run(RUN)

    def slow(self: Audit, event: str, **fields: Any) -> Any:
        if event == "held":
            hand(world).cancel(record)
        return write(self, event, **fields)

    monkeypatch.setattr(Audit, "write", slow)
    done = hand(world).hold(record)

    (share,) = world.store.shares(RUN)
    assert (share.state, share.hold, share.due, done) == ("canceled", None, None, [])


async def test_a_deletion_that_is_moved_while_its_turn_is_at_work_is_not_sent(world: World) -> None:
    world.time.jump(days=31)
    write = world.store.changes.write

    def moving(news: Sequence[News]) -> list[Bar]:
        if any(change.verb == "delete" for each in news for *_, change in each.intents):
            hand(world).reschedule(world.store.run(RUN), START + timedelta(days=60))
        return write(news)

    world.store.changes.write = moving  # type: ignore[method-assign]
    outcome = await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)

    assert outcome is not None
    assert "moved to another leave time" in outcome.leavers[0].stopped
    assert ("DELETE", f"/users/{SAWYER}") not in world.writes()
    world.store.changes.write = write  # type: ignore[method-assign]
    world.time.jump(days=60)
    await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)
    assert ("DELETE", f"/users/{SAWYER}") in world.writes()


async def test_a_run_that_a_living_process_carries_out_is_not_taken_from_it(world: World) -> None:
    world.time.jump(days=31)
    other = Store(world.folder / "runs.db")
    presence = Presence(other.db, other.leases.owner)
    presence.beat()
    assert other.turns.sit_down(RUN, other.leases.owner, presence.gone) is None
    other.leases.take(RUN, world.store.run(RUN).plan.tenant.id, ["somebody else of the run"])
    with pytest.raises(Busy, match="another process"):
        await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)
    assert world.store.turns.desk(RUN) == other.leases.owner
    other.leases.release(world.store.run(RUN).plan.tenant.id, ["somebody else of the run"])
    outcome = await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)
    assert outcome is not None
    assert outcome.exit_code() == 0
    assert world.time.slept[-3:] == [1.0, 1.0, 1.0], "it lived, and had nobody in hand for a while: it was paused"
    other.close()


async def test_whoever_is_fine_and_waits_for_a_later_day_is_not_judged_before(world: World) -> None:
    (before,) = world.store.shares(RUN)
    world.graph("PATCH", f"/users/{SAWYER}", {"userPrincipalName": "mistake@contoso.com"})
    records = len(world.records())

    assert await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN) is None
    assert world.store.shares(RUN) == [before]
    assert len(world.records()) == records


async def test_whoever_waited_for_nobody_is_found_by_a_worker_when_the_process_that_resumes_dies(world: World) -> None:
    (share,) = world.store.shares(RUN)
    world.store.settle([replace(share, due=None, exit_code=1)])
    assert world.store.turns.undealt(share.tenant) == []
    (turn,) = world.store.turns.deal(RUN, START, among={SAWYER}, everybody=True, again=True)

    assert world.store.turns.wanted(share.tenant) == {turn.id}


async def test_a_worker_that_goes_round_once_tries_whoever_keeps_stopping_once(world: World) -> None:
    world.time.jump(days=31)
    tried = []

    async def now() -> datetime:
        return world.time.moment

    async def turn(run: str, leavers: Sequence[str]) -> None:
        tried.append(list(leavers))
        world.time.jump(seconds=1)
        (share,) = world.store.shares(run)
        world.store.settle([replace(share, state="stopped", due=world.time.moment, exit_code=5)])

    (share,) = world.store.shares(RUN)
    round = Round(world.store, share.tenant, lambda: world.time.moment, now, turn, lambda _text: None)
    await round.carry_out()

    assert tried == [[SAWYER]]
