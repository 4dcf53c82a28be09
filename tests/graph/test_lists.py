"""What is asked together is answered as if each had asked alone, in a fraction of the requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offboard.facts import Devices, Licenses, Memberships, SignInMethods
from offboard.graph.read import Reader
from offboard.model import Outcome
from offboard.planner import fingerprint, pins
from offboard.sandbox.crowd import device_id, person_id, person_name
from offboard.sandbox.transport import SandboxTransport
from tests.hostile.poison import Poison, Spoil, instead, top
from tests.world import SEED, World, a_world, fault, steps

pytestmark = pytest.mark.anyio
MANY = 20
KINDS = frozenset({Devices, Licenses, Memberships, SignInMethods})
IDS = [person_id(n) for n in range(1, MANY + 1)]


def crowd(world: World) -> None:
    world.sandbox.reset(people=MANY)
    wide = replace(world.tenant.guards, max_leavers=MANY, max_deletes=MANY, max_percent=100)
    world.tenant = replace(world.tenant, guards=wide)


async def both(world: World) -> tuple[list[Any], list[Any], int, int]:
    """Facts asked alone and together, and the calls that each way took."""
    reader = Reader(world.sender)
    alone = await reader.again(IDS, KINDS, {})
    before = reader.sender.counters.calls
    pinned = {facts.account.id: pins(fingerprint(facts)) for facts in alone}
    together = await reader.again(IDS, KINDS, pinned, direct=False)
    again = await reader.again(IDS, KINDS, pinned)
    calls = reader.sender.counters.calls
    return again, together, before, calls


def timeless(facts: Any) -> Any:
    return replace(facts, read_at=facts.account.created)


async def test_lists_tell_the_same_as_asking_for_each(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        alone, together, _, _ = await both(world)

        assert [timeless(f) for f in alone] == [timeless(f) for f in together]
        assert {len(f.others[Devices].items) for f in together} == {2}
        assert {len(f.others[Memberships].items) for f in together} == {10}


async def test_lists_need_a_fraction_of_the_calls(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        reader = Reader(world.sender)
        await reader.again(IDS, KINDS - {SignInMethods}, {}, direct=False)
        listed = reader.sender.counters.calls
        await reader.again(IDS, KINDS - {SignInMethods}, {})

        assert listed <= (reader.sender.counters.calls - listed) / 5


async def test_more_than_a_list_carries_along_is_read_in_full(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        for n in range(25):
            group = world.graph("POST", "/groups", group_body(n))
            reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{IDS[3]}"}
            world.graph("POST", f"/groups/{group['id']}/members/$ref", reference)
            device = f"/devices/{device_id(5, 1)}/registeredUsers/$ref"
            if n < MANY and n != 4:
                reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{IDS[n]}"}
                world.graph("POST", device, reference)
        alone, together, _, _ = await both(world)

        assert len(together[3].others[Memberships].items) == 35
        assert [timeless(f) for f in alone] == [timeless(f) for f in together]
        shared = next(d for d in together[4].others[Devices].items if d.id == device_id(5, 1))
        assert len(shared.users) == MANY


def group_body(n: int) -> dict[str, Any]:
    return {
        "displayName": f"Extra {n}",
        "mailEnabled": False,
        "mailNickname": f"extra{n}",
        "securityEnabled": True,
        "groupTypes": [],
    }


async def test_who_is_not_in_a_list_is_looked_for_alone_before_anybody_says_gone(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        world.graph("DELETE", f"/users/{IDS[2]}")
        reader = Reader(world.sender)
        found = await reader.again(IDS, frozenset({Memberships}), {}, direct=False)

        assert [f.account.id for f in found if f.account.deleted] == [IDS[2]]
        assert not any(f.account.gone for f in found)


SPOILS: dict[str, Spoil] = {
    "refused": instead({"error": {"code": "Request_BadRequest", "message": "no"}}, 400),
    "forbidden": instead({"error": {"code": "Authorization_RequestDenied", "message": "no"}}, 403),
    "no list": top(value="none"),
    "texts": top(value=["x", "y"]),
    "half a page": top(odata_nextLink="https://evil.example/v1.0/users?$skiptoken=1"),
    "nothing": instead(None),
    "a redirect": instead(None, 302, Location="https://evil.example/v1.0/users"),
}


@pytest.mark.parametrize("name", SPOILS)
async def test_a_list_that_cannot_be_used_costs_requests_and_nothing_else(tmp_path: Path, name: str) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        crowd(world)
        plan = await world.plan(steps(*SEED), *(person_name(n) for n in range(1, MANY + 1)))
        poison.spoil(r"^GET /(users|devices)\?", SPOILS[name])
        outcome = await world.apply(plan)

        assert {r.outcome for each in outcome.leavers for r in each.results} == {Outcome.CHANGED}
        assert sum(1 for _, path in world.writes() if path.endswith("/assignLicense")) == MANY
        assert poison.hosts == {"graph.sandbox.invalid"}


async def test_a_list_that_lags_behind_only_costs_a_second_look(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        plan = await world.plan(steps(*SEED), *(person_name(n) for n in range(1, MANY + 1)))
        world.misbehave(lag=3.0)
        outcome = await world.apply(plan)

        assert {r.outcome for each in outcome.leavers for r in each.results} == {Outcome.CHANGED}
        assert len(world.records("intent")) == len(world.records("outcome")) == len(world.journal())


async def test_a_throttled_list_is_waited_for(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        crowd(world)
        plan = await world.plan(steps(*SEED), *(person_name(n) for n in range(1, MANY + 1)))
        world.misbehave(fault("/devices", "GET", times=3, status=429, retry_after=7.5))
        outcome = await world.apply(plan)

        assert {r.outcome for each in outcome.leavers for r in each.results} == {Outcome.CHANGED}
        assert max(world.time.slept) >= 7
