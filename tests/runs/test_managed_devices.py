"""Wiping and retiring through Intune: once, alone, and never what somebody else needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from offboard.cli.session import new_run_id
from offboard.errors import Refused
from offboard.report.packet import devices
from offboard.runs.undo import way_out
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.wire import Json
from tests.guards.scenes import limit
from tests.report.test_report import collected
from tests.runs.test_crash import PowerCutError
from tests.world import ADELE, SAWYER, World, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio
ISAIAH, JONI = "a0000000-0000-4000-8000-000000000016", "a0000000-0000-4000-8000-000000000019"
DESKTOP = "e0000000-0000-4000-8000-000000000002"
WIPE = "/deviceManagement/managedDevices/*/wipe"


def managed(name: str, owner: str, **more: object) -> Json:
    """A device of a seed, managed by Intune."""
    return {"displayName": name, "owner": owner, "managed": more}


@asynccontextmanager
async def with_devices(folder: Path, *devices: Json) -> AsyncIterator[World]:
    """Contoso, with these devices besides its own."""
    async with a_world(folder) as world:
        seed = contoso()
        seed["devices"] += devices
        world.sandbox.reset(seed)
        yield world


def effects(world: World) -> list[str]:
    """What Intune was asked to do."""
    kinds = ("wipe", "retire")
    return [f"{e.effect['verb']} {e.effect['id']}" for e in world.journal() if e.effect["verb"] in kinds]


def state(world: World, id: str = DESKTOP) -> str:
    """The managed device's state."""
    return str(world.graph("GET", f"/deviceManagement/managedDevices/{id}")["managementState"])


async def test_the_leavers_own_device_is_wiped_and_the_shared_one_is_left(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps("wipe-devices"), SAWYER)
        left = {note.code: note.reason for note in outcome.leavers[0].open_items(())}

        assert outcomes(outcome.leavers[0].results) == [("wipe-devices", "Woodgrove Desktop", "changed")]
        assert effects(world) == [f"wipe {DESKTOP}"]
        assert "also used by Adele Vance" in left["shared-device"]
        assert "Woodgrove Desktop is wiped when it next checks in" in left["wiped-later"]
        assert outcome.exit_code() == 1, "until it has checked in, everything is still on it"


async def test_the_report_and_the_way_back_say_what_became_of_a_device(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("wipe-devices"), SAWYER)).run
        told = {each["name"]: each for each in devices(collected(world, run).leavers[0])}
        recorded = world.store.changes.recorded(run, SAWYER)
        way = way_out(world.store.whole(run).leavers[0], recorded)

        assert [each["said"] for each in told["Woodgrove Desktop"]["done"]] == ["wipe queued"]
        assert told["Sawyer Laptop"]["done"] == []
        assert way.steps == ()
        assert any("A wipe cannot be undone" in sentence for sentence in way.left)


async def test_what_happens_to_a_wiped_device_is_followed_to_its_end(tmp_path: Path) -> None:
    async with with_devices(tmp_path, managed("Kiosk", "IsaiahL@contoso.com")) as world:
        book = steps("wipe-devices", head="accept: [wiped-later]\n")
        assert (await world.run(book, ISAIAH)).exit_code() == 0
        device = effects(world)[0].removeprefix("wipe ")
        assert state(world, device) == "wipePending"
        world.time.jump(minutes=20)
        assert state(world, device) == "wipeIssued"
        assert (await world.plan(book, ISAIAH)).leavers[0].changes == ()
        world.time.jump(hours=1)
        again = await world.run(book, ISAIAH)

        assert effects(world) == [f"wipe {device}"]
        assert again.leavers[0].open_items(()) == ()


async def test_a_personal_device_is_retired_and_keeps_what_is_the_persons(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.run(steps("wipe-devices"), ADELE)

        assert outcomes(outcome.leavers[0].results) == [("wipe-devices", "Adele Phone", "changed")]
        assert [entry.split()[0] for entry in effects(world)] == ["retire"]


async def test_a_wipe_never_travels_in_a_batch(tmp_path: Path) -> None:
    devices = [managed(f"{who} {n}", f"{who}@contoso.com") for who in ("IsaiahL", "JoniS") for n in (1, 2)]
    async with with_devices(tmp_path, *devices) as world:
        outcome = await world.run(steps("disable-user", "revoke-sessions", "wipe-devices"), ISAIAH, JONI)
        wipes = [r for r in world.sandbox.requests() if r.path.endswith("/wipe")]

        assert [end for each in outcome.leavers for _, _, end in outcomes(each.results)] == ["changed"] * 8
        assert [r.item for r in wipes] == [False] * 4


@pytest.mark.parametrize(
    "rule",
    [
        fault(WIPE, "POST", reset="after"),
        fault(WIPE, "POST", status=503, when="after"),
        fault(WIPE, "POST", reset="before"),
        fault(WIPE, "POST", status=500),
        fault(WIPE, "POST", status=429, retry_after=7),
    ],
    ids=["lost on the way back", "executed and misreported", "lost on the way", "not executed", "throttled"],
)
@pytest.mark.parametrize("lag", [0.0, 25.0], ids=["", "and reads lag behind"])
async def test_whatever_is_answered_a_device_is_asked_to_wipe_once(tmp_path: Path, rule: Json, lag: float) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("wipe-devices"), SAWYER)
        world.misbehave(rule, lag=lag)
        outcome = await world.apply(plan)

        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["changed"]
        assert effects(world) == [f"wipe {DESKTOP}"]
        assert len(world.records("intent")) == len(world.records("outcome")) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("lag", [0.0, 25.0], ids=["", "and reads lag behind"])
@pytest.mark.parametrize("request_number", range(1, 9))
async def test_a_run_killed_around_any_request_asks_a_device_to_wipe_once(
    tmp_path: Path, request_number: int, lag: float, after: bool
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "wipe-devices"), SAWYER)
        run, transmit, seen = new_run_id(), world.connection.http.send, [0]

        async def dying(request: object, **options: object) -> object:
            seen[0] += 1
            if seen[0] == request_number and not after:
                raise PowerCutError
            answer = await transmit(request, **options)  # type: ignore[arg-type]
            if seen[0] == request_number:
                raise PowerCutError
            return answer

        world.misbehave(lag=lag)
        world.connection.http.send = dying  # type: ignore[method-assign,assignment]
        with suppress(PowerCutError):
            await world.apply(plan, run)
        world.connection.http.send = transmit  # type: ignore[method-assign]
        started = world.store.consumed_by(plan.id) is not None
        outcome = await (world.resume(run) if started else world.apply(plan, run))

        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        assert effects(world) == [f"wipe {DESKTOP}"]
        assert len(world.records("intent")) == len(world.records("outcome")) == 2


async def test_a_device_that_somebody_else_was_given_meanwhile_is_not_wiped(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("wipe-devices"), SAWYER)
        world.graph(
            "POST", "/devices/d0000000-0000-4000-8000-000000000002/registeredUsers/$ref", {"@odata.id": f"/users/{ADELE}"}
        )
        outcome = await world.apply(plan)

        assert effects(world) == []
        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["skipped"]


async def test_devices_that_may_not_be_read_are_unknown_and_never_none(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/users/*/managedDevices", "GET", status=403, times="all"))
        outcome = await world.run(steps("wipe-devices"), SAWYER)

        assert [note.code for note in outcome.leavers[0].open_items(())] == ["managed-devices-unknown"]
        assert outcome.exit_code() == 1
        assert effects(world) == []


@pytest.mark.parametrize(("many", "code"), [(2, 1), (3, 3)])
async def test_more_devices_than_the_limit_are_not_wiped_in_one_run(tmp_path: Path, many: int, code: int) -> None:
    devices = [managed(f"Kiosk {n}", "IsaiahL@contoso.com") for n in range(many)]
    async with with_devices(tmp_path, *devices) as world:
        limit(world, max_wipes=2)
        plan = await world.plan(steps("wipe-devices"), ISAIAH)
        if code == 3:
            with pytest.raises(Refused, match="guards stop") as refused:
                await world.apply(plan)
            assert list(refused.value.details) == [
                "max_wipes: 3 wiped devices, and the tenant allows 2 in one run. Split the run, raise the limit in "
                "offboard.toml, or override it."
            ]
        else:
            assert (await world.apply(plan)).exit_code() == code
        assert len(effects(world)) == (many if code == 1 else 0)


@pytest.mark.parametrize(("hours", "refused"), [(23, True), (25, False)])
async def test_wipes_count_over_a_rolling_day(tmp_path: Path, hours: int, refused: bool) -> None:
    people = ("IsaiahL@contoso.com", "JoniS@contoso.com")
    async with with_devices(tmp_path, *(managed(f"Kiosk of {who}", who) for who in people)) as world:
        limit(world, max_wipes=1)
        await world.run(steps("wipe-devices"), ISAIAH)
        world.time.jump(hours=hours)
        plan = await world.plan(steps("wipe-devices"), JONI)
        if refused:
            with pytest.raises(Refused):
                await world.apply(plan)
        else:
            await world.apply(plan)

        assert len(effects(world)) == (1 if refused else 2)


async def test_a_retired_personal_device_is_no_wipe_to_count(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, max_wipes=0)
        await world.run(steps("wipe-devices"), ADELE)

        assert len(effects(world)) == 1
