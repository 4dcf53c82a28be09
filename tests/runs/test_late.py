"""What may lose something is decided on what was read a moment ago, and what may have been done has its time to show."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offboard.graph.pace import Bucket
from offboard.model import Outcome
from offboard.runs.engine.changes import Bar, News
from offboard.sandbox.crowd import person_name
from offboard.sandbox.wire import Request, Response
from tests.world import SAWYER, World, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio
LEAVER = "SawyerM@contoso.com"
LATER = ("disable-user", "{action: delete-user, due: T+30d}")


class PowerCutError(BaseException):
    """The program dies here; nothing of it may catch this."""


def enable(world: World) -> None:
    """Somebody enables the leaver again."""
    world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})


def before_the_deletion_leaves(world: World, do: Callable[[], None]) -> None:
    """Something happens once the intent stands."""
    write = world.store.changes.write

    def slow(news: Sequence[News]) -> list[Bar]:
        written = write(news)
        if any(change.verb == "delete" for each in news for *_, change in each.intents):
            do()
        return written

    world.store.changes.write = slow  # type: ignore[method-assign]


def enabled_and_behind(world: World, *wrong: dict[str, Any]) -> None:
    """Enabled a second after the reading, and from then on read from a copy that is ten seconds behind."""

    def happens() -> None:
        world.time.jump(seconds=1)
        enable(world)
        world.time.jump(seconds=19)
        world.misbehave(*wrong, lag=10)

    before_the_deletion_leaves(world, happens)


def deleted(world: World) -> bool:
    """Whether the deletion was executed."""
    return ("DELETE", f"/users/{SAWYER}") in world.writes()


async def test_a_deletion_with_a_lost_answer_has_its_time_to_show_before_it_is_told_as_held(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps(*LATER), LEAVER)).run
        world.time.jump(days=31)
        enabled_and_behind(world, fault("/users/*", "DELETE", status=504, when="after"))
        outcome = await world.resume(run)

        assert deleted(world)
        last = outcome.leavers[0].results[-1]
        assert (last.outcome, last.why) == (
            Outcome.CHANGED,
            "recovered: Graph answered 504, found done on re-reading",
        )


async def test_a_deletion_of_a_process_that_died_has_its_time_to_show_before_it_is_told_as_held(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps(*LATER), LEAVER)).run
        world.time.jump(days=31)
        enabled_and_behind(world)
        transmit = world.connection.http.send

        async def dying(request: Any, **options: Any) -> object:
            answer = await transmit(request, **options)
            if deleted(world):
                raise PowerCutError
            return answer

        world.connection.http.send = dying  # type: ignore[method-assign,assignment]
        with pytest.raises(PowerCutError):
            await world.resume(run)
        world.connection.http.send = transmit  # type: ignore[method-assign]
        world.time.jump(seconds=5)
        outcome = await world.resume(run)

        last = outcome.leavers[0].results[-1]
        assert (last.outcome, last.why) == (Outcome.CHANGED, "recovered: found done on re-reading")


async def test_what_cannot_be_read_quickly_enough_is_given_up_and_not_sent_on_old_facts(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "delete-user"), LEAVER)
        handle, slow, asked = world.sandbox.handle, list[bool](), [0]

        def handled(request: Request) -> Response:
            if slow and request.method == "POST" and b'"GET"' in request.body:
                asked[0] += 1
                if asked[0] % 2:  # each reading is told to wait for more than a minute
                    return Response(429, {"Retry-After": "61"}, b"")
            return handle(request)

        def happens() -> None:
            slow.append(True)
            world.time.jump(seconds=61)

        world.sandbox.handle = handled  # type: ignore[method-assign]
        before_the_deletion_leaves(world, happens)
        outcome = await world.apply(plan)

        assert not deleted(world)
        last = outcome.leavers[0].results[-1]
        assert last.outcome is Outcome.FAILED
        assert last.why == "not sent: 10 times what was read was more than a minute old before it could leave"
        assert outcome.exit_code() == 1


async def test_deletions_that_wait_for_the_quota_longer_than_a_reading_lasts_all_leave_on_a_new_one(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        people = 100
        world.sandbox.reset(people=people)
        wide = replace(world.tenant.guards, max_leavers=people, max_deletes=people, max_percent=100)
        world.tenant = replace(world.tenant, guards=wide)
        plan = await world.plan(steps("delete-user"), *(person_name(n) for n in range(1, people + 1)))
        applier = world.applier("run-1", plan)
        sender = applier.tools.reader.sender
        sender.quota = sender.pool.purse = Bucket(size=41, per_second=0.5, ticks=world.time.clock().monotonic)
        began = world.time.moment
        await applier.check(plan)
        applier.consume(plan, "run-1")
        outcome = await applier.carry_on(plan, "run-1", begins=True)

        assert {end for each in outcome.leavers for _, _, end in outcomes(each.results)} == {"changed"}
        assert len(world.writes()) == people
        assert (world.time.moment - began).total_seconds() <= 3 * people, "a token that was not used is not lost"


async def test_a_deletion_that_waited_for_somebody_to_sign_in_again_is_decided_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "delete-user"), LEAVER)
        handle, signed, refused = world.sandbox.handle, type(world.connection).signed, list[bool]()
        claims = base64.b64encode(json.dumps({"access_token": {"nbf": {"value": "1"}}}).encode()).decode()

        def handled(request: Request) -> Response:
            if request.method == "DELETE" and not refused:
                refused.append(True)
                return Response(401, {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'}, b"")
            return handle(request)

        async def waiting(self: Any, info: Any, claims: str | None = None) -> Any:
            if claims:
                world.time.jump(minutes=10)
                enable(world)
            return await signed(self, info)

        world.sandbox.handle = handled  # type: ignore[method-assign]
        monkeypatch.setattr(type(world.connection), "signed", waiting)
        outcome = await world.apply(plan)

        assert refused
        assert not deleted(world)
        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["failed", "drifted"]
