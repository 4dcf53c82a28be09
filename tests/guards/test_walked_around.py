"""Ways around the guards that a review found: what is deleted for good, what falls due together, what nobody was told."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.errors import Refused, UsageError
from offboard.graph.token import Kind, TokenInfo
from offboard.model import Outcome, Plan
from offboard.runs.apply import Applier
from offboard.runs.deleted import purging
from offboard.runs.engine.desk import Desk
from offboard.runs.outcome import RunOutcome
from offboard.runs.planning import Wanted
from offboard.sandbox.transport import SandboxTransport
from tests.desk import AtOnce, desk_of
from tests.guards.scenes import BREAKGLASS, CONSOLE, FINANCE_EVERYONE, PATTI, PEOPLE, SYNC, limit
from tests.hostile.poison import Poison, Spoil, body, instead, top
from tests.world import ADELE, SAWYER, START, World, a_world, steps

pytestmark = pytest.mark.anyio
LATER = steps("disable-user", "{id: gone, action: delete-user, due: T+30d}")
REFUSED = instead({"error": {"code": "Authorization_RequestDenied", "message": "no"}}, 403)
WHO_CAN_SIGN_IN = r"^GET /users\?.*%20in%20.*accountEnabled|^GET /users\?.*accountEnabled.*%20in%20"


LAST = "last_global_administrators"
SERVICE = "e0000000-0000-4000-8000-00000000000f"
SHOW = ("Directory.Read.All", "Directory.ReadWrite.All", "RoleManagement.Read.Directory", "RoleManagement.Read.All")


def without_roles(answer: dict[str, Any]) -> None:
    """Memberships as they are shown to whoever may not see roles."""
    if answer["status"] == 200:
        found = answer["body"]["value"]
        answer["body"]["value"] = [each for each in found if each["@odata.type"] != "#microsoft.graph.directoryRole"]


def deletions(world: World) -> list[str]:
    """Paths of the executed deletions."""
    return [path for method, path in world.writes() if method == "DELETE"]


def stops(plan: Plan) -> dict[str, str]:
    """What stops the first leaver, by the guard's name."""
    return {each.guard: each.reason for each in plan.leavers[0].objections if each.severity == "stop"}


# -- what a day may lose ---------------------------------------------------------------------------------------------


async def test_a_purge_counts_in_the_deletions_of_a_day(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, max_deletes=1)
        for person in (SAWYER, ADELE):
            world.graph("DELETE", f"/users/{person}")
        first = await world.apply(await world.plan(purging(), SAWYER))
        assert [result.outcome for result in first.leavers[0].results] == [Outcome.CHANGED]
        before = deletions(world)

        plan = await world.plan(purging(), ADELE)
        with pytest.raises(Refused) as refused:
            await world.apply(plan)
        assert "max_deletes: 1 deletion now, and with those of the last 24 hours 2" in "\n".join(refused.value.lines())
        assert deletions(world) == before

        world.time.jump(hours=25)
        later = await world.apply(await world.plan(purging(), ADELE))
        assert [result.outcome for result in later.leavers[0].results] == [Outcome.CHANGED]


async def test_a_purge_counts_for_a_deletion_and_a_deletion_for_a_purge(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, max_deletes=1)
        await world.apply(await world.plan(steps("delete-user"), SAWYER))
        world.graph("DELETE", f"/users/{ADELE}")
        with pytest.raises(Refused, match="guards stop"):
            await world.apply(await world.plan(purging(), ADELE))

        world.time.jump(hours=25)
        await world.apply(await world.plan(purging(), ADELE))
        with pytest.raises(Refused, match="guards stop"):
            await world.apply(await world.plan(steps("delete-user"), PEOPLE[1]))


def desk_in_this_process(applier: Applier) -> Desk:
    """A desk that goes by the name under which this process begins runs, as the program's own does."""
    desk = desk_of(applier)
    assert isinstance(desk.port, AtOnce)
    desk.port.owner = applier.tools.store.leases.owner
    return desk


async def begun(world: World) -> list[Plan]:
    """Two runs, two leavers each, whose deletions fall due at the same time."""
    limit(world, max_deletes=9, max_leavers=100, max_percent=100)
    plans = []
    for run, people in {"run-0": PEOPLE[:2], "run-1": PEOPLE[2:4]}.items():
        plans.append(await world.plan(LATER, *people))
        applier = world.applier(run, plans[-1])
        await applier.check(plans[-1])
        await desk_in_this_process(applier).begin(applier, plans[-1], run)
    assert deletions(world) == []
    world.time.jump(days=30, hours=1)
    return plans


async def together(world: World, plans: list[Plan]) -> list[RunOutcome]:
    """Both are carried on at once."""
    desks = [desk_in_this_process(world.applier(f"run-{n}", plan)) for n, plan in enumerate(plans)]
    found = await asyncio.gather(*(desk.go_on(f"run-{n}") for n, desk in enumerate(desks)))
    return [outcome for outcome in found if outcome is not None]


@pytest.mark.parametrize("most", [2, 3])
async def test_two_runs_that_go_on_at_once_delete_no_more_than_a_day_may_lose(tmp_path: Path, most: int) -> None:
    async with a_world(tmp_path) as world:
        plans = await begun(world)
        limit(world, max_deletes=most)
        found = await together(world, plans)

        assert len(deletions(world)) == most
        assert sorted(outcome.exit_code() for outcome in found) == [0, 5]
        stopped = [leaver.stopped for outcome in found for leaver in outcome.leavers if leaver.not_started]
        assert len(stopped) == 4 - most
        assert all(f"one too many: max_deletes is {most}" in why for why in stopped)
        assert len([intent for intent in world.records("intent") if intent["step"] == "gone"]) == most


async def test_what_was_one_too_many_is_deleted_on_another_day(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plans = await begun(world)
        limit(world, max_deletes=2)
        await together(world, plans)
        assert len(deletions(world)) == 2
        world.time.jump(hours=25)
        await together(world, plans)

        assert len(deletions(world)) == len(set(deletions(world))) == 4


async def test_nobody_is_planned_for_twice_under_the_same_name(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        name, later = PEOPLE[0], START + timedelta(days=30)
        with pytest.raises(UsageError, match=f"{name} and {name} are the same person"):
            await world.maker().make(LATER, [Wanted(name, None, {}), Wanted(name, later, {})])


# -- what was not told -----------------------------------------------------------------------------------------------


def without(person: str) -> Spoil:
    """A list in which somebody is missing."""

    def how(answer: dict[str, Any]) -> None:
        answer["body"]["value"] = [each for each in answer["body"]["value"] if each["id"] != person]

    return how


def signed_in(world: World, kind: Kind, *granted: str) -> None:
    """What the token says of itself."""
    scopes, roles = (frozenset(), frozenset(granted)) if kind == "application" else (frozenset(granted), frozenset())
    world.connection._credential.info = TokenInfo(kind, scopes, roles, oid=SERVICE, appid=CONSOLE)


SPOILS: dict[str, Spoil] = {
    "not in the list": without(PATTI),
    "null": body(accountEnabled=None),
    "nobody is in the list": top(value=[]),
}


@pytest.mark.parametrize("name", SPOILS)
async def test_a_global_administrator_of_whom_nobody_says_that_they_can_sign_in_is_not_taken_for_disabled(
    tmp_path: Path, name: str
) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        limit(world, administrators="warn", emergency_access=(BREAKGLASS,))
        poison.spoil(WHO_CAN_SIGN_IN, SPOILS[name])
        plan = await world.plan(steps("disable-user"), PATTI)

        assert any(re.search(WHO_CAN_SIGN_IN, line) for line in poison.lines)
        assert "cannot be told: Graph does not say whether the account is enabled" in stops(plan)[LAST]
        with pytest.raises(Refused, match="guards stop"):
            await world.apply(plan)
        assert world.writes() == []


async def test_a_global_administrator_who_is_told_to_be_disabled_is_no_loss(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn", emergency_access=(BREAKGLASS,))
        world.graph("PATCH", f"/users/{PATTI}", {"accountEnabled": False})

        assert stops(await world.plan(steps("revoke-sessions"), PATTI)) == {}


@pytest.mark.parametrize("person", [SAWYER, PATTI, SYNC])
@pytest.mark.parametrize("kind", ["application", "delegated"])
async def test_memberships_that_do_not_show_roles_are_no_proof_that_there_are_none(
    tmp_path: Path, kind: Kind, person: str
) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        limit(world, administrators="warn")
        signed_in(world, kind, "User.ReadWrite.All", "GroupMember.ReadWrite.All")
        poison.spoil(r"^GET /roleManagement/directory/roleAssignments", REFUSED)
        poison.spoil(r"^GET /users/[^/]+/memberOf", without_roles)
        plan = await world.plan(steps("disable-user"), person)

        assert plan.leavers[0].fingerprint["roles"] == []
        found = stops(plan)
        assert "cannot be told" in found["sync_accounts"]
        assert "cannot be told" in found[LAST]


@pytest.mark.parametrize("granted", sorted(SHOW))
async def test_memberships_that_show_roles_are_proof_enough_when_the_assignments_are_refused(
    tmp_path: Path, granted: str
) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        limit(world, administrators="warn")
        signed_in(world, "application", "User.ReadWrite.All", granted)
        poison.spoil(r"^GET /roleManagement/directory/roleAssignments", REFUSED)

        assert stops(await world.plan(steps("disable-user"), SAWYER)) == {}


@pytest.mark.parametrize("person", [SAWYER, ADELE])
async def test_whether_a_deleted_user_was_in_a_protected_group_cannot_be_told(tmp_path: Path, person: str) -> None:
    async with a_world(tmp_path) as world:
        limit(world, protected_groups=(FINANCE_EVERYONE,))
        world.graph("DELETE", f"/users/{person}")
        before = world.writes()
        plan = await world.plan(purging(), person)

        assert "was in a protected group cannot be told" in stops(plan)["protected_groups"]
        with pytest.raises(Refused, match="guards stop"):
            await world.apply(plan)
        assert world.writes() == before


async def test_a_deleted_user_is_purged_where_no_group_is_protected(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.graph("DELETE", f"/users/{SAWYER}")
        plan = await world.plan(purging(), SAWYER)

        assert plan.leavers[0].objections == ()
        await world.apply(plan)
        assert world.writes()[-1] == ("DELETE", f"/directory/deletedItems/{SAWYER}")
