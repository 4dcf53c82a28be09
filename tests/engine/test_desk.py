"""A run that somebody waits for, when not everything that was due is begun: that is told of each leaver, with why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from offboard.audit import Audit
from offboard.model import Outcome
from offboard.runs.engine import turns
from offboard.runs.engine.steering import Steering
from offboard.sandbox.wire import Request, Response
from tests.desk import begin
from tests.world import World, a_world, steps

pytestmark = pytest.mark.anyio
PEOPLE = ("SawyerM@contoso.com", "AdeleV@contoso.com")
HELD = "the run is held (Legal wants to look first)"


def after_the_last_revocation(world: World, do: Callable[[], None]) -> None:
    """Something happens once everybody's access is cut, and before anything else is begun."""
    handle, revoked = world.sandbox.handle, list[str]()

    def handled(request: Request) -> Response:
        answer = handle(request)
        now = [path for _, path in world.writes() if path.endswith("/revokeSignInSessions")]
        if len(now) == len(PEOPLE) and not revoked:
            revoked.extend(now)
            do()
        return answer

    world.sandbox.handle = handled  # type: ignore[method-assign]


async def test_whoever_was_only_cut_off_is_told_with_what_was_not_begun_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "HANDFUL", 1)  # so two people are two handfuls, as a hundred are
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "revoke-sessions", "remove-licenses"), *PEOPLE)
        hand = Audit.open(tmp_path / "audit.jsonl", now=world.time.clock().now)

        def hold() -> None:
            Steering(world.store, hand, "Legal wants to look first").hold(world.store.runs()[0])

        after_the_last_revocation(world, hold)
        outcome = await begin(world.applier("run-1", plan), plan, "run-1")
        hand.close()

        assert {each.stopped for each in outcome.leavers} == {HELD}
        assert {each.not_started for each in outcome.leavers} == {("remove-licenses",)}
        assert {r.outcome for each in outcome.leavers for r in each.results} == {Outcome.CHANGED}
        assert outcome.exit_code() == 5
        assert not [path for _, path in world.writes() if "assignLicense" in path]
