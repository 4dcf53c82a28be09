"""Graph deletes the default sign-in method only when it is the last one, and does not say which it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from tests.world import ADELE, SAWYER, World, a_world, outcomes, steps

pytestmark = pytest.mark.anyio
METHODS = "remove-sign-in-methods"


def tried(world: World) -> list[str]:
    """Deletions as they reached the tenant: kind and status, in order."""
    return [
        f"{r.path.split('/')[5]} {r.status}"
        for r in world.sandbox.requests()
        if r.method == "DELETE" and "/authentication/" in r.path
    ]


async def test_the_default_method_is_refused_once_and_deleted_after_all_others(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps(METHODS), SAWYER)

        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["changed"] * 3
        assert tried(world)[0] == "microsoftAuthenticatorMethods 400"
        assert tried(world)[-1] == "microsoftAuthenticatorMethods 204"
        assert len(world.writes()) == 3


async def test_among_many_leavers_the_default_method_comes_last_too(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", METHODS), SAWYER, ADELE)
        outcome = await world.apply(plan)

        ends = [end for leaver in outcome.leavers for _, _, end in outcomes(leaver.results)]
        assert ends == ["changed"] * 8
        assert sum(one.endswith(" 400") for one in tried(world)) == 1


async def test_a_method_that_stays_refused_fails_and_is_not_tried_for_ever(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(METHODS), SAWYER)
        path = "/users/*/authentication/microsoftAuthenticatorMethods/*"
        rule = {"match": {"method": "DELETE", "path": path, "times": 9}, "fault": {"status": 400}}
        script = FaultScript.parse({"faults": [rule]})
        world.sandbox.behavior = Behavior(faults=script)
        outcome = await world.apply(plan)

        assert sorted(end for _, _, end in outcomes(outcome.leavers[0].results)) == ["changed", "changed", "failed"]
        assert sum(one.startswith("microsoftAuthenticator") for one in tried(world)) == 2
