"""A guard that cannot read what it needs says stop, never go."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.errors import Refused
from tests.guards.scenes import ALEX, FINANCE_EVERYONE, PATTI, limit, sign_in
from tests.world import SAWYER, World, a_world, fault, steps

pytestmark = pytest.mark.anyio
ELIGIBLE = "/roleManagement/directory/roleEligibilityScheduleInstances"


async def refused(world: World, user: str = SAWYER) -> list[str]:
    """What stops disabling this user; nothing was written."""
    plan = await world.plan(steps("disable-user"), user)
    with pytest.raises(Refused) as error:
        await world.apply(plan)
    assert world.writes() == []
    return list(error.value.details)


@pytest.mark.parametrize(
    ("path", "guard"),
    [
        ("/roleManagement/directory/roleAssignments", "administrators"),
        (ELIGIBLE, "administrators"),
        ("/groups", "administrators"),
        ("/groups/*/transitiveMembers", "administrators"),
        ("/groups/*/owners", "administrators"),
        ("/users", "max_percent"),
    ],
)
async def test_what_is_forbidden_to_read_is_never_taken_as_none(tmp_path: Path, path: str, guard: str) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(path, "GET", status=403, times="all"))
        found = await refused(world)

        assert {detail.partition(":")[0] for detail in found} == {guard}
        assert all("cannot be told" in detail for detail in found)


async def test_members_of_a_protected_group_that_cannot_be_read_are_everybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, protected_groups=(FINANCE_EVERYONE,))
        world.misbehave(fault(f"/groups/{FINANCE_EVERYONE}/transitiveMembers", "GET", status=403, times="all"))
        found = await refused(world, "IsaiahL@contoso.com")

        assert [detail.partition(":")[0] for detail in found] == ["protected_groups"]


async def test_a_protected_group_that_does_not_exist_stops_every_plan(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, protected_groups=("bbbbbbbb-0000-4000-8000-000000000000",))

        assert any("protected_groups" in detail for detail in await refused(world, "IsaiahL@contoso.com"))


async def test_protected_names_that_cannot_be_looked_up_are_everybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, protected_users=("PattiF@contoso.com",), max_percent=100)
        world.misbehave(fault("/users", "GET", status=403, times="all"))

        assert [detail.partition(":")[0] for detail in await refused(world)] == ["protected_users"]


async def test_whether_the_last_administrators_can_sign_in_must_be_known(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn", max_percent=100)
        world.misbehave(fault("/users", "GET", status=403, times="all"))

        assert [detail.partition(":")[0] for detail in await refused(world, PATTI)] == ["last_global_administrators"]


async def test_owners_of_the_app_that_cannot_be_read_are_everybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        sign_in(world, PATTI)
        world.misbehave(fault("/servicePrincipals", "GET", status=403, times="all"))

        assert [detail.partition(":")[0] for detail in await refused(world)] == ["app_owner"]


async def test_a_sign_in_that_does_not_say_who_it_is_may_be_anybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        sign_in(world, "")

        assert [detail.partition(":")[0] for detail in await refused(world)] == ["self"]


async def test_without_the_license_for_it_nobody_is_eligible(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(ELIGIBLE, "GET", status=403, code="AadPremiumLicenseRequired", times="all"))
        plan = await world.plan(steps("disable-user"), SAWYER)

        assert [o for o in plan.leavers[0].objections if o.severity == "stop"] == []


async def test_where_administrators_only_warn_so_does_not_knowing(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        world.misbehave(fault(ELIGIBLE, "GET", status=403, times="all"))
        plan = await world.plan(steps("disable-user"), ALEX)

        assert [o.severity for o in plan.leavers[0].objections if o.guard == "administrators"] == ["warn"]
