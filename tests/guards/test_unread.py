"""A guard that cannot read what it needs says stop, never go."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.errors import Refused
from offboard.sandbox.seedfile import contoso
from tests.guards.scenes import ALEX, CHRIS, CONSOLE, FINANCE_EVERYONE, PATTI, limit, sign_in
from tests.world import SAWYER, World, a_world, fault, steps

pytestmark = pytest.mark.anyio
JOINING = "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
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
        (JOINING, "administrators"),
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


async def test_a_mailbox_that_may_not_be_read_is_nobodys_in_particular(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, read_mailboxes=True)
        world.misbehave(fault("/users/*/mailboxSettings", "GET", status=403, times="all"))
        (said,) = await refused(world)

        assert said.startswith("mailboxes: whether the mailbox of Sawyer Miller")
        assert "MailboxSettings.Read" in said


async def test_of_an_app_with_very_many_owners_all_are_known(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        seed = contoso()
        crowd = [{"userPrincipalName": f"o{n}@contoso.com", "displayName": f"Owner {n}"} for n in range(21)]
        seed["people"] += crowd
        console = next(app for app in seed["apps"] if app["appId"] == CONSOLE)
        console["registration_owners"] = [each["userPrincipalName"] for each in crowd]
        world.sandbox.reset(seed)
        sign_in(world, PATTI)
        for name in ("o0@contoso.com", "o20@contoso.com"):
            assert [detail.partition(":")[0] for detail in await refused(world, name)] == ["app_owner"]

        world.misbehave(fault("/applications/*/owners", "GET", status=403, times="all"))
        assert [detail.partition(":")[0] for detail in await refused(world)] == ["app_owner"]


async def test_a_tenant_in_which_nobody_is_eligible_for_groups_is_not_asked(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, pim_for_groups=False)
        world.misbehave(fault(JOINING, "GET", status=403, times="all"))
        plan = await world.plan(steps("disable-user"), CHRIS)

        assert [o for o in plan.leavers[0].objections if o.severity == "stop"] == []
        assert all(JOINING not in request.path for request in world.sandbox.requests())
        assert all(need["action"] != "Eligible" for need in plan.needs)


async def test_who_is_eligible_cannot_be_told_without_the_permission_which_is_named(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(JOINING, "GET", status=403, times="all"))
        (said,) = await refused(world, CHRIS)

        assert "PrivilegedEligibilitySchedule.Read.AzureADGroup" in said
        assert "pim_for_groups = false" in said


@pytest.mark.parametrize("path", ["/servicePrincipals", "/applications"])
async def test_owners_of_the_app_that_cannot_be_read_are_everybody(tmp_path: Path, path: str) -> None:
    async with a_world(tmp_path) as world:
        sign_in(world, PATTI)
        world.misbehave(fault(path, "GET", status=403, times="all"))

        assert [detail.partition(":")[0] for detail in await refused(world)] == ["app_owner"]


async def test_a_sign_in_that_does_not_say_who_it_is_may_be_anybody(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        sign_in(world, "")

        assert [detail.partition(":")[0] for detail in await refused(world)] == ["self"]


@pytest.mark.parametrize("path", [ELIGIBLE, JOINING])
async def test_without_the_license_for_it_nobody_is_eligible(tmp_path: Path, path: str) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(path, "GET", status=403, code="AadPremiumLicenseRequired", times="all"))
        plan = await world.plan(steps("disable-user"), SAWYER)

        assert [o for o in plan.leavers[0].objections if o.severity == "stop"] == []


async def test_where_administrators_only_warn_so_does_not_knowing(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        world.misbehave(fault(ELIGIBLE, "GET", status=403, times="all"))
        plan = await world.plan(steps("disable-user"), ALEX)

        assert [o.severity for o in plan.leavers[0].objections if o.guard == "administrators"] == ["warn"]
