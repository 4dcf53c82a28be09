"""Nothing is lost and nothing is repeated when the program dies between two lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.audit import verify
from offboard.cli.session import new_run_id
from tests.world import SAWYER, SEED, a_world, outcomes, steps

pytestmark = pytest.mark.anyio


class PowerCutError(BaseException):
    """The program dies here; nothing of it may catch this."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("request_number", range(1, 9))
async def test_a_run_killed_around_any_request_converges_when_resumed(
    tmp_path: Path, request_number: int, after: bool
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        run, transmit, seen = new_run_id(), world.connection.http.send, [0]

        async def dying(request: object, **options: object) -> object:
            seen[0] += 1
            if seen[0] == request_number and not after:
                raise PowerCutError
            answer = await transmit(request, **options)  # type: ignore[arg-type]
            if seen[0] == request_number:
                raise PowerCutError
            return answer

        world.connection.http.send = dying  # type: ignore[method-assign,assignment]
        died = False
        try:
            await world.apply(plan, run)
        except PowerCutError:
            died = True
        world.connection.http.send = transmit  # type: ignore[method-assign]
        started = world.store.consumed_by(plan.id) is not None
        outcome = await (world.resume(run) if started else world.apply(plan, run))

        assert died or request_number > 6
        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        paths = world.writes()
        assert paths.count(("DELETE", f"/users/{SAWYER}")) == 1
        assert paths.count(("POST", f"/users/{SAWYER}/assignLicense")) == 1
        assert len(paths) == len(world.records("intent")) == len(world.records("outcome"))
        assert verify(tmp_path / "audit.jsonl").ok
