"""What was reviewed is what is applied, or nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from offboard.errors import Refused, UsageError
from offboard.model import Outcome
from offboard.planfile import dump, load
from offboard.runs.engine.changes import Bar, News
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.wire import Request, Response
from tests.world import LAPTOP, SAWYER, SEED, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio


async def test_a_device_that_came_after_the_review_refuses_the_leaver(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        new = "d0000000-0000-4000-8000-000000000004"
        world.graph("DELETE", f"/devices/{new}/registeredOwners/a0000000-0000-4000-8000-000000000003/$ref")
        owner = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{SAWYER}"}
        world.graph("POST", f"/devices/{new}/registeredOwners/$ref", owner)
        before = world.writes()
        outcome = await world.apply(plan)

        assert before == world.writes()
        assert outcome.exit_code() == 3
        assert any("Conference Tablet" in line for line in outcome.leavers[0].refused)


async def test_a_user_enabled_after_the_review_refuses_the_leaver(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": False})
        plan = await world.plan(steps("disable-user", "remove-licenses"), "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
        before = world.writes()
        outcome = await world.apply(plan)

        assert before == world.writes()
        assert any("disable Sawyer Miller" in line for line in outcome.leavers[0].refused)


async def test_a_user_deleted_after_the_review_refuses_the_leaver(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        world.graph("DELETE", f"/users/{SAWYER}")
        outcome = await world.apply(plan)

        assert len(world.writes()) == 1
        assert "was deleted at" in outcome.leavers[0].refused[0]


async def test_a_user_purged_after_the_review_refuses_the_leaver(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        world.graph("DELETE", f"/users/{SAWYER}")
        world.graph("DELETE", f"/directory/deletedItems/{SAWYER}")
        outcome = await world.apply(plan)

        assert len(world.writes()) == 2
        assert "no longer exists" in outcome.leavers[0].refused[0]


async def test_a_name_given_to_somebody_else_does_not_reach_that_person(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*SEED), "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{SAWYER}", {"userPrincipalName": "old@contoso.com"})
        world.graph("PATCH", "/users/a0000000-0000-4000-8000-000000000016", {"userPrincipalName": "SawyerM@contoso.com"})
        before = world.writes()
        outcome = await world.apply(plan)

        assert before == world.writes()
        assert any("userPrincipalName was SawyerM@contoso.com" in line for line in outcome.leavers[0].refused)


async def test_what_somebody_did_already_is_unchanged_and_the_rest_is_done(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "unown-devices"), "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": False})
        world.graph("DELETE", f"/devices/{LAPTOP}/registeredOwners/{SAWYER}/$ref")
        outcome = await world.apply(plan)

        assert outcomes(outcome.leavers[0].results) == [
            ("disable-user", "Sawyer Miller", "unchanged"),
            ("unown-devices", "Sawyer Laptop", "unchanged"),
            ("unown-devices", "Woodgrove Desktop", "changed"),
        ]


async def test_a_plan_is_consumed_once(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        await world.apply(plan)
        with pytest.raises(Refused, match="already carried out by run"):
            await world.apply(plan)


async def test_a_plan_expires(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        world.time.jump(hours=24, seconds=1)
        with pytest.raises(Refused, match="expired"):
            await world.apply(plan)
        assert world.writes() == []


async def test_a_plan_of_another_tenant_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        world.sandbox.reset(
            seed={**contoso(), "tenant": {**contoso()["tenant"], "id": "bbbbbbbb-0000-4000-8000-000000000000"}}
        )
        with pytest.raises(Refused, match="plan for tenant"):
            await world.apply(plan)


async def test_every_single_byte_edit_of_a_plan_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        data = dump(await world.plan(steps("disable-user"), "SawyerM@contoso.com"))
        for place in range(len(data)):
            for change in (1, 0x20):
                edited = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
                with pytest.raises((Refused, UsageError)):
                    load(edited, "plan.json")


async def test_a_plan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(
            steps(*SEED, "list-deleted-users"), "SawyerM@contoso.com", "dana_fabrikam.com#EXT#@contoso.onmicrosoft.com"
        )

        assert plan == load(dump(plan), "plan.json")


async def test_a_user_enabled_in_the_middle_of_a_run_is_not_deleted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        playbook = steps("disable-user", "{action: delete-user, due: T+30d}")
        outcome = await world.run(playbook, "SawyerM@contoso.com")
        world.time.jump(days=31)
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
        held = await world.resume(outcome.run)

        assert ("PATCH", f"/users/{SAWYER}") == world.writes()[-1]
        assert ("delete-user", "Sawyer Miller", "drifted") in outcomes(held.leavers[0].results)
        assert held.exit_code() == 1


@pytest.mark.parametrize(
    "wrong", [{"status": 429, "retry_after": 5}, {"status": 429, "retry_after": 181}, {"status": 503}]
)
async def test_a_user_enabled_while_the_deletion_waits_for_graph_is_not_deleted(
    tmp_path: Path, wrong: dict[str, int]
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "delete-user"), "SawyerM@contoso.com")
        world.misbehave(fault("/users/*", "DELETE", **wrong, when="before"))
        handle = world.sandbox.handle

        def handled(request: Request) -> Response:
            answer = handle(request)
            if request.method == "DELETE":
                world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
            return answer

        world.sandbox.handle = handled  # type: ignore[method-assign]
        outcome = await world.apply(plan)

        assert ("DELETE", f"/users/{SAWYER}") not in world.writes()
        held = outcome.leavers[0].results[-1]
        assert held.outcome is Outcome.DRIFTED
        assert held.why.startswith("held: step disable-user no longer holds; Graph answered ")
        assert outcome.exit_code() == 1
        assert [r["outcome"] for r in world.records("outcome")] == ["changed", "drifted"]


@pytest.mark.parametrize("enabled", [False, True], ids=["as it was", "enabled meanwhile"])
async def test_a_deletion_that_had_to_wait_before_it_left_is_decided_on_a_new_reading(
    tmp_path: Path, enabled: bool
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "delete-user"), "SawyerM@contoso.com")
        write, waited = world.store.changes.write, list[int]()

        def slow(news: Sequence[News]) -> list[Bar]:
            written = write(news)
            if any(change.verb == "delete" for each in news for _, _, change in each.intents):
                world.time.jump(minutes=3)
                if enabled:
                    world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
                waited.append(len(world.sandbox.requests()))
            return written

        world.store.changes.write = slow  # type: ignore[method-assign]
        outcome = await world.apply(plan)

        asked = [entry.method for entry in world.sandbox.requests()[waited[0] :] if not entry.path.endswith("$batch")]
        assert asked[0] == "GET", "nothing leaves before it was read again"
        assert (("DELETE", f"/users/{SAWYER}") in world.writes()) is not enabled
        assert outcome.leavers[0].results[-1].outcome is (Outcome.DRIFTED if enabled else Outcome.CHANGED)
        assert len(world.records("intent")) == len(world.records("outcome"))


async def test_a_change_that_somebody_undoes_during_the_run_has_failed(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/users/*/assignLicense", "POST", status=503, times=2, item=None))
        plan = await world.plan(steps("disable-user", "remove-licenses"), "SawyerM@contoso.com")
        sleep = world.time.sleep

        async def meddle(seconds: float) -> None:
            world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": True})
            await sleep(seconds)

        world.time.sleep = meddle  # type: ignore[method-assign]
        outcome = await world.apply(plan)

        assert ("disable-user", "Sawyer Miller", "failed") in outcomes(outcome.leavers[0].results)
        assert outcome.exit_code() == 1


E3, VISIO = "05e9a617-0261-4cee-bb44-138d3ef5d965", "c5928f49-12ba-48f7-ada3-0d743a3601d5"


async def test_of_a_set_the_part_that_is_left_is_still_taken_away(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "remove-licenses"), "SawyerM@contoso.com")
        gone = {"addLicenses": [], "removeLicenses": [VISIO]}
        world.graph("POST", f"/users/{SAWYER}/assignLicense", gone)
        outcome = await world.apply(plan)

        states = world.user(SAWYER, "licenseAssignmentStates")["licenseAssignmentStates"]
        assert E3 not in [state["skuId"] for state in states if state["assignedByGroup"] is None]
        told = [(r.outcome.value, [p.id for p in r.change.parts]) for r in outcome.leavers[0].results if r.change]
        assert ("changed", [E3]) in told
