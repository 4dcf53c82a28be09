"""Nothing is lost and nothing is repeated when the program dies between two lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from offboard.audit import AuditError, verify
from offboard.cli.documents import status_json
from offboard.cli.session import new_run_id
from offboard.model import Plan
from offboard.runs.engine.changes import Bar, News
from offboard.runs.undo import way_out
from tests.world import SAWYER, SEED, World, a_world, fault, outcomes, steps

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


VISIO_AGAIN = {"addLicenses": [{"skuId": VISIO}], "removeLicenses": []}


async def licenses_taken_by_a_run_that_died(world: World) -> tuple[Plan, str]:
    """Both licenses are taken, and nobody has told so; then one of them is given again."""
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
    world.graph("POST", f"/users/{SAWYER}/assignLicense", VISIO_AGAIN)
    return plan, run


def told(world: World) -> list[tuple[str, str | None, list[str]]]:
    """What the audit says of the licenses."""
    return [
        (r["event"], r.get("outcome"), sorted(part["name"] for part in r["change"]["parts"]))
        for r in world.records("intent", "outcome")
    ]


async def test_of_licenses_that_were_taken_by_a_run_that_died_one_given_again_gets_an_intent_of_its_own(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        plan, run = await licenses_taken_by_a_run_that_died(world)
        outcome = await world.resume(run)

        assert told(world) == [
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


async def test_the_status_of_licenses_of_which_one_failed_is_failed(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        _, run = await licenses_taken_by_a_run_that_died(world)
        world.misbehave(fault("/users/*/assignLicense", "POST", status=403, times="all"))
        outcome = await world.resume(run)

        assert sorted(end for _, _, end in outcomes(outcome.leavers[0].results)) == ["changed", "failed"]
        (leaver,) = status_json(world.store.run(run), world.store)["leavers"]
        assert [(each["verb"], each["outcome"]) for each in leaver["changes"]] == [("free", "failed")]


async def test_licenses_that_were_told_as_taken_just_before_a_crash_are_not_told_twice(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("remove-licenses"), "SawyerM@contoso.com")
        run, write = new_run_id(), world.store.changes.write

        def dying(news: Sequence[News]) -> list[Bar]:
            if any(each.outcomes for each in news):
                raise RuntimeError
            return write(news)

        world.store.changes.write = dying  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            await world.apply(plan, run)
        world.store.changes.write = write  # type: ignore[method-assign]
        world.graph("POST", f"/users/{SAWYER}/assignLicense", VISIO_AGAIN)
        applier = world.applier(run, plan)
        applier.tools.told = world.audit.told(run, [SAWYER])
        await applier.tools.reader.tenant("sandbox")
        await applier.carry_on(world.store.whole(run), run)

        assert told(world) == [
            ("intent", None, ["SPE_E3", "VISIOCLIENT"]),
            ("outcome", "changed", ["SPE_E3", "VISIOCLIENT"]),
            ("intent", None, ["VISIOCLIENT"]),
            ("outcome", "changed", ["VISIOCLIENT"]),
        ]
