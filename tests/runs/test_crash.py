"""Nothing is lost and nothing is repeated when the program dies between two lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.audit import AuditError, verify
from offboard.cli.session import new_run_id
from offboard.runs.undo import way_out
from tests.world import SAWYER, SEED, a_world, outcomes, steps

pytestmark = pytest.mark.anyio
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"


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


@pytest.mark.parametrize("number", range(1, 20))
async def test_an_audit_that_cannot_be_written_sends_nothing_more(tmp_path: Path, number: int) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        file, seen = world.audit._file, [0]
        stage = file.stage

        def full(line: bytes, hash: str, event: str) -> None:
            seen[0] += 1
            if seen[0] >= number:
                raise file.error("no space left on device")
            stage(line, hash, event)

        file.stage = full  # type: ignore[method-assign]
        run = new_run_id()
        failed = False
        try:
            await world.apply(plan, run)
        except AuditError:
            failed = True
        intents = [record["change"] for record in world.records("intent")]

        assert failed or number > 18
        assert len(world.writes()) <= len(intents)
        assert len(intents) - len(world.records("outcome")) <= 7, "at most one stage is in the air"
        file.stage = stage  # type: ignore[method-assign]
        started = world.store.consumed_by(plan.id) is not None
        outcome = await (world.resume(run) if started else world.apply(plan, run))
        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        assert world.writes().count(("DELETE", f"/users/{SAWYER}")) == 1
        assert verify(tmp_path / "audit.jsonl").ok


async def test_of_licenses_that_were_taken_by_a_run_that_died_one_given_again_gets_an_intent_of_its_own(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("remove-licenses"), "SawyerM@contoso.com")
        run, transmit = new_run_id(), world.connection.http.send

        async def dying(request: object, **options: object) -> object:
            if world.writes():
                raise PowerCutError
            return await transmit(request, **options)  # type: ignore[arg-type]

        world.connection.http.send = dying  # type: ignore[method-assign,assignment]
        with pytest.raises(PowerCutError):
            await world.apply(plan, run)
        world.connection.http.send = transmit  # type: ignore[method-assign]
        visio = {"addLicenses": [{"skuId": VISIO}], "removeLicenses": []}
        world.graph("POST", f"/users/{SAWYER}/assignLicense", visio)
        outcome = await world.resume(run)

        said = [
            (r["event"], r.get("outcome"), sorted(part["name"] for part in r["change"]["parts"]))
            for r in world.records("intent", "outcome")
        ]
        assert said == [
            ("intent", None, ["SPE_E3", "VISIOCLIENT"]),
            ("outcome", "changed", ["SPE_E3"]),
            ("intent", None, ["VISIOCLIENT"]),
            ("outcome", "changed", ["VISIOCLIENT"]),
        ]
        assert {end for _, _, end in outcomes(outcome.leavers[0].results)} == {"changed"}
        (back,) = way_out(plan.leavers[0], world.store.changes.recorded(run, SAWYER)).steps
        assert sorted(entry["name"] for entry in back.parameters["licenses"]) == ["SPE_E3", "VISIOCLIENT"]
        again = await world.resume(run)
        assert {end for _, _, end in outcomes(again.leavers[0].results)} == {"changed"}
        assert len(world.records("intent")) == 2
