"""The way back from a run, judged by the tenant's own journal."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from offboard.errors import Refused, UsageError
from offboard.model import Outcome, Plan
from offboard.runs.planning import PlanMaker
from offboard.runs.undo import UndoMaker, find_run
from tests.world import DESKTOP, LAPTOP, SAWYER, World, a_world, fault, outcomes, shipped, steps

pytestmark = pytest.mark.anyio
SPE_E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"


def maker(world: World) -> UndoMaker:
    """As `offboard undo` makes it."""
    given = world.maker()
    return UndoMaker(**{each.name: getattr(given, each.name) for each in fields(PlanMaker)})


async def undo(world: World, run: str, *users: str) -> Plan | None:
    """The plan of the way back."""
    return await maker(world).undo(find_run(world.store.runs(), run), users)


def owners(world: World, device: str) -> list[str]:
    """Ids of the device's owners, as the tenant holds them."""
    return [each["id"] for each in world.graph("GET", f"/devices/{device}/registeredOwners")["value"]]


def holding(world: World) -> dict[str, object]:
    """What the way back is about, as the tenant holds it."""
    user = world.user(SAWYER, "accountEnabled", "userPrincipalName", "licenseAssignmentStates")
    groups = world.graph("GET", f"/users/{SAWYER}/memberOf?$select=id")["value"]
    return {
        "user": (user["accountEnabled"], user["userPrincipalName"]),
        "licenses": sorted((x["skuId"], x["assignedByGroup"] or "") for x in user["licenseAssignmentStates"]),
        "groups": sorted(group["id"] for group in groups),
        "owners": {device: owners(world, device) for device in (LAPTOP, DESKTOP)},
        "enabled": {
            device: world.graph("GET", f"/devices/{device}?$select=accountEnabled")["accountEnabled"]
            for device in (LAPTOP, DESKTOP)
        },
    }


async def test_a_whole_leaver_comes_back_as_before_and_a_second_undo_finds_nothing_to_do(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        before = holding(world)
        run = (await world.run(shipped("leaver-now"), "SawyerM@contoso.com")).run
        plan = await undo(world, run)
        assert plan is not None
        outcome = await world.apply(plan)
        writes = len(world.writes())
        again = await undo(world, run)

        assert {"changed"} == {each[2] for each in outcomes(outcome.leavers[0].results)}
        assert outcome.exit_code() == 0
        assert holding(world) == before
        assert again is not None
        assert again.leavers[0].changes == ()
        assert len(world.writes()) == writes


async def test_the_newest_change_is_undone_first_and_sign_in_last(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(shipped("leaver-now"), "SawyerM@contoso.com")).run
        before = len(world.writes())
        plan = await undo(world, run)
        assert plan is not None
        await world.apply(plan)

        assert world.writes()[before:] == [
            ("POST", f"/directory/deletedItems/{SAWYER}/restore"),
            ("POST", f"/users/{SAWYER}/assignLicense"),
            ("POST", f"/devices/{LAPTOP}/registeredOwners/$ref"),
            ("POST", f"/devices/{DESKTOP}/registeredOwners/$ref"),
            ("PATCH", f"/devices/{DESKTOP}"),
            ("PATCH", f"/users/{SAWYER}"),
        ]


async def test_what_has_no_way_back_is_named_with_the_reason(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "reset-password", "revoke-sessions")
        run = (await world.run(book, SAWYER)).run
        plan = await undo(world, run)

        assert plan is not None
        assert [change.verb for change in plan.leavers[0].changes] == ["enable"]
        said = [line for line in plan.leavers[0].consequences if line.startswith("Stays as it is")]
        assert [("reset-password" in line, "revoke-sessions" in line) for line in said] == [(True, False), (False, True)]


async def test_groups_that_were_left_are_joined_again(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        before = holding(world)
        run = (await world.run(steps("remove-groups"), SAWYER)).run
        assert holding(world) != before
        plan = await undo(world, run)
        assert plan is not None
        await world.apply(plan)

        assert holding(world)["groups"] == before["groups"]


async def test_only_what_the_run_itself_changed_is_undone(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": False})
        run = (await world.run(steps("disable-user", "unown-devices"), SAWYER)).run
        plan = await undo(world, run)
        assert plan is not None
        await world.apply(plan)

        assert world.user()["accountEnabled"] is False
        assert owners(world, LAPTOP) == [SAWYER]


async def test_a_run_that_changed_nothing_that_can_be_given_back_has_no_plan(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("revoke-sessions"), SAWYER)).run
        record = find_run(world.store.runs(), run)

        assert await undo(world, run) is None
        assert "signs in again" in maker(world).way_outs(record)[0].left[0]


async def test_what_was_given_back_by_somebody_else_meanwhile_is_not_given_back_twice(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "unown-devices"), SAWYER)).run
        plan = await undo(world, run)
        assert plan is not None
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
        before = len(world.writes())
        outcome = await world.apply(plan)

        assert ("PATCH", f"/users/{SAWYER}") not in world.writes()[before:]
        assert ("undo-disable-user", "Sawyer Miller", "unchanged") in outcomes(outcome.leavers[0].results)


async def test_a_user_who_was_restored_since_the_review_is_drift(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("delete-user"), SAWYER)).run
        plan = await undo(world, run)
        assert plan is not None
        world.graph("POST", f"/directory/deletedItems/{SAWYER}/restore")
        outcome = await world.apply(plan)

        assert "restored since" in outcome.leavers[0].refused[0]


async def test_a_license_comes_back_with_the_same_plans_switched_off(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        (sku,) = [s for s in world.graph("GET", "/subscribedSkus")["value"] if s["skuId"] == SPE_E3]
        off = [sku["servicePlans"][0]["servicePlanId"]]
        body = {"addLicenses": [{"skuId": SPE_E3, "disabledPlans": off}], "removeLicenses": []}
        world.graph("POST", f"/users/{SAWYER}/assignLicense", body)
        run = (await world.run(steps("remove-licenses"), SAWYER)).run
        plan = await undo(world, run)
        assert plan is not None
        await world.apply(plan)

        states = world.user(SAWYER, "licenseAssignmentStates")["licenseAssignmentStates"]
        assert [s["disabledPlans"] for s in states if s["skuId"] == SPE_E3 and not s["assignedByGroup"]] == [off]


async def test_of_several_leavers_each_gets_back_the_own_things_and_nobody_elses(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "unown-devices", "remove-licenses")
        run = (await world.run(book, SAWYER, "MeganB@contoso.com")).run
        both = await undo(world, run)
        one = await undo(world, run, "meganb@contoso.com")

        assert both is not None
        assert one is not None
        assert [each.leaver.display_name for each in one.leavers] == ["Megan Bowen"]
        targets = [{c.target.name for c in each.changes if c.target.kind == "device"} for each in both.leavers]
        assert targets == [{"Sawyer Laptop", "Woodgrove Desktop"}, {"Conference Tablet"}]
        await world.apply(both)
        assert owners(world, LAPTOP) == [SAWYER]
        with pytest.raises(UsageError, match="not about"):
            await undo(world, run, "nobody@contoso.com")


async def test_the_plan_is_sealed_consumed_once_and_guarded_like_any_other(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        plan = await undo(world, run)
        assert plan is not None
        await world.apply(plan)

        with pytest.raises(Refused, match="already carried out"):
            await world.apply(plan)


async def test_a_plan_made_within_a_minute_of_a_run_says_that_it_may_have_been_read_too_early(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user"), SAWYER)).run
        world.time.jump(seconds=20)
        early = await undo(world, run)
        world.time.jump(minutes=1)
        late = await undo(world, run)

        assert early is not None
        assert late is not None
        said = set(early.leavers[0].consequences) - set(late.leavers[0].consequences)
        assert [f"Run {run[:8]} changed something for this person 20 s before" in each for each in said] == [True]


async def test_nothing_is_called_done_that_was_to_be_given_to_somebody_who_is_deleted_meanwhile(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        run = (await world.run(steps("disable-user", "remove-licenses"), SAWYER)).run
        world.time.jump(hours=1)
        plan = await undo(world, run)
        assert plan is not None
        world.misbehave(fault("/users/*/assignLicense", "POST", times="all", status=403))
        assert (await world.apply(plan, "back")).exit_code() != 0
        world.misbehave()
        world.graph("DELETE", f"/users/{SAWYER}")
        outcome = await world.resume("back")

        ended = {result.step: result for result in outcome.leavers[0].results}
        assert ended["undo-remove-licenses"].outcome is Outcome.FAILED
        assert ended["undo-remove-licenses"].todo == "Restore the user, then resume the run."
        assert outcome.exit_code() == 1


async def test_an_undone_user_can_leave_again(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        first = await world.run(shipped("leaver-now"), SAWYER)
        plan = await undo(world, first.run)
        assert plan is not None
        await world.apply(plan)
        world.time.jump(minutes=5)
        second = await world.run(shipped("leaver-now"), SAWYER)

        registered = "remove-sign-in-methods"  # nobody can register a way to sign in for somebody else again

        ends = [end for end in outcomes(second.leavers[0].results) if end[0] != registered]
        assert ends == [end for end in outcomes(first.leavers[0].results) if end[0] != registered]
