"""When Graph refuses, throttles, lies or falls silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offboard.errors import GraphUnavailable, UsageError
from tests.world import DESKTOP, SAWYER, SEED, World, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio


def paired(world: World) -> bool:
    """Whether every intent has exactly one outcome."""
    intents = [(r["run"], r["step"], str(r["change"])) for r in world.records("intent")]
    ends = [(r["run"], r["step"], str(r["change"])) for r in world.records("outcome")]
    return len(set(intents)) == len(intents) and sorted(intents) == sorted(ends)


LOST: list[dict[str, Any]] = [
    fault("/users/*/assignLicense", "POST", reset="after"),
    fault("/users/*/assignLicense", "POST", drop_item=True),
    fault("/users/*/assignLicense", "POST", status=503, when="after"),
    fault("/users/*/assignLicense", "POST", status=504, when="before"),
    fault("/users/*/assignLicense", "POST", status=500, when="after"),
    fault("/users/*/assignLicense", "POST", status=429, retry_after=1.5),
    fault("/users/*/assignLicense", "POST", status=429, retry_after=200),
    fault("/$batch", "POST", nth=4, reset="after"),
    fault("/$batch", "POST", nth=4, reset="before"),
    fault("/$batch", "POST", nth=4, truncate=True),
    fault("/$batch", "POST", nth=4, not_json=True),
    fault("/$batch", "POST", nth=4, html=True),
    fault("/$batch", "POST", nth=4, status=429, retry_after=7),
    fault("/$batch", "POST", nth=4, status=503),
]


@pytest.mark.parametrize("rule", LOST, ids=str)
async def test_a_lost_or_throttled_write_is_found_out_by_re_reading(tmp_path: Path, rule: dict[str, Any]) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(rule)
        outcome = await world.run(steps(*SEED), "SawyerM@contoso.com")

        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        assert len([path for method, path in world.writes() if path == f"/users/{SAWYER}" and method == "DELETE"]) == 1
        assert len([path for _, path in world.writes() if path.endswith("/assignLicense")]) == 1
        assert paired(world)


async def test_nothing_is_sent_before_its_retry_after(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/$batch", "POST", nth=3, status=429, retry_after=200))
        await world.run(steps(*SEED), "SawyerM@contoso.com")
        throttled = next(n for n, r in enumerate(world.sandbox.requests()) if r.status == 429)
        before, after = world.sandbox.requests()[throttled], world.sandbox.requests()[throttled + 1]

        assert (_seconds(after.time) - _seconds(before.time)) >= 200


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


async def test_a_refused_step_stops_the_ones_after_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/devices/{DESKTOP}", "PATCH", status=403, times="all"))
        outcome = await world.run(steps(*SEED), "SawyerM@contoso.com")
        found = outcome.leavers[0]

        assert ("disable-devices", "Woodgrove Desktop", "failed") in outcomes(found.results)
        assert found.not_started == ("delete-user",)
        assert ("remove-licenses", "Sawyer Miller", "skipped") in outcomes(found.results)
        assert "DELETE" not in {method for method, path in world.writes() if path == f"/users/{SAWYER}"}
        assert outcome.exit_code() == 1
        assert paired(world)


async def test_a_refused_step_with_continue_lets_the_others_go_on(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/devices/{DESKTOP}", "PATCH", status=403, times="all"))
        playbook = steps("disable-user", "{action: disable-devices, on_failure: continue}", "remove-licenses")
        outcome = await world.run(playbook, "SawyerM@contoso.com")

        assert outcomes(outcome.leavers[0].results) == [
            ("disable-user", "Sawyer Miller", "changed"),
            ("disable-devices", "Woodgrove Desktop", "failed"),
            ("remove-licenses", "Sawyer Miller", "changed"),
        ]


async def test_the_authors_order_is_kept_also_behind_a_step_that_may_fail(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault(f"/users/{SAWYER}", "PATCH", nth=2, status=400))
        playbook = steps("disable-user", "{action: reset-password, on_failure: continue}", "revoke-sessions")
        outcome = await world.run(playbook, "SawyerM@contoso.com")

        assert [("PATCH", f"/users/{SAWYER}"), ("POST", f"/users/{SAWYER}/revokeSignInSessions")] == world.writes()
        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["changed", "failed", "changed"]
        assert paired(world)


async def test_one_refused_device_does_not_keep_the_other_devices_of_its_step_from_being_done(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/devices/*/registeredOwners/**", "DELETE", nth=1, status=403))
        outcome = await world.run(steps("unown-devices", "remove-licenses"), "SawyerM@contoso.com")

        assert outcomes(outcome.leavers[0].results) == [
            ("unown-devices", "Sawyer Laptop", "failed"),
            ("unown-devices", "Woodgrove Desktop", "changed"),
            ("remove-licenses", "Sawyer Miller", "skipped"),
        ]


async def test_replication_lag_is_waited_for(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(lag=9.0)
        outcome = await world.run(steps(*SEED), "SawyerM@contoso.com")

        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        assert len(world.writes()) == 8


async def test_an_effect_that_never_becomes_visible_is_a_failure(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(lag=500.0)
        outcome = await world.run(steps("disable-user", "delete-user"), "SawyerM@contoso.com")

        assert ("disable-user", "Sawyer Miller", "failed") in outcomes(outcome.leavers[0].results)
        assert outcome.leavers[0].not_started == ("delete-user",)
        assert "cannot be read back" in outcome.leavers[0].results[0].why


async def test_a_graph_that_stays_silent_ends_in_a_clear_error_and_nothing_is_written(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("**", times="all", reset="before"))
        with pytest.raises(GraphUnavailable, match="did not answer"):
            await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        assert world.writes() == []


async def test_one_silent_leaver_does_not_stop_the_others(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com", "AdeleV@contoso.com")
        world.misbehave(fault(f"/users/{SAWYER}", "GET", times="all", status=503, retry_after=60))
        outcome = await world.apply(plan)

        assert outcome.leavers[0].stopped
        assert [end for _, _, end in outcomes(outcome.leavers[1].results)] == ["changed"]
        assert outcome.exit_code() == 5


async def test_unknown_people_are_named_all_at_once(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        with pytest.raises(UsageError) as caught:
            await world.plan(steps("disable-user"), "nobody@contoso.com", "Chris Green", "SawyerM@contoso.com")

        assert "nobody@contoso.com" in caught.value.what
        assert "ambiguous" in caught.value.what
        assert "ChrisG2@contoso.com" in caught.value.what


async def test_the_same_person_named_twice_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        with pytest.raises(UsageError, match="the same person"):
            await world.plan(steps("disable-user"), "SawyerM@contoso.com", SAWYER)


async def test_an_apostrophe_reaches_exactly_the_right_person(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps("disable-user"), "Miles.O'Brien@contoso.com")

        assert world.writes() == [("PATCH", "/users/a0000000-0000-4000-8000-000000000013")]


async def test_forbidden_facts_are_unknown_and_stay_open(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/users/*/ownedDevices", "GET", times="all", status=403))
        outcome = await world.run(steps("disable-devices"), "SawyerM@contoso.com")

        assert world.writes() == []
        assert [note.code for note in outcome.leavers[0].open_items(())] == ["devices-unknown"]
        assert outcome.exit_code() == 1


async def test_what_cuts_access_is_not_given_up_where_other_steps_are(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "remove-licenses"), "SawyerM@contoso.com")
        world.misbehave(
            fault(f"/users/{SAWYER}", "PATCH", times=25, status=429, retry_after=100),
            fault("/users/*/assignLicense", "POST", times=25, status=429, retry_after=100),
        )
        outcome = await world.apply(plan)

        assert outcomes(outcome.leavers[0].results)[0] == ("disable-user", "Sawyer Miller", "changed")
        ended = {(result.step, result.outcome.value) for result in outcome.leavers[0].results}
        assert ("remove-licenses", "failed") in ended
        assert world.user(SAWYER)["accountEnabled"] is False


OWNED = "{action: disable-devices, with: {devices: owned}}"


async def test_what_could_not_be_read_for_a_moment_is_caught_up_on_before_the_deletion(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", OWNED, "delete-user"), SAWYER)
        world.misbehave(fault(f"/users/{SAWYER}/ownedDevices", "GET", status=403))  # once, and then it may be read again
        outcome = await world.apply(plan, "run-1")

        assert {end for _, _, end in outcomes(outcome.leavers[0].results)} == {"changed"}
        assert world.writes().index(("PATCH", f"/devices/{DESKTOP}")) < world.writes().index(
            ("DELETE", f"/users/{SAWYER}")
        )
        assert [record["outcome"] for record in world.records("step-skipped")] == ["skipped"]
        assert paired(world)


async def test_a_device_that_could_not_be_read_to_the_end_is_disabled_by_resume_although_its_owner_is_deleted(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", OWNED, "delete-user"), SAWYER)
        denied = (fault(path, "GET", times="all", status=403) for path in ("/users/*/ownedDevices", "/devices/*"))
        world.misbehave(*denied)
        outcome = await world.apply(plan, "run-1")

        left = next(result for result in outcome.leavers[0].results if result.step == "disable-devices")
        assert (left.outcome.value, left.todo) == ("failed", "Resume the run; what is done stays done.")
        assert outcome.exit_code() == 1
        assert world.writes()[-1] == ("DELETE", f"/users/{SAWYER}")
        world.misbehave()
        resumed = await world.resume("run-1")
        assert {end for _, _, end in outcomes(resumed.leavers[0].results)} == {"changed"}
        assert world.writes()[-1] == ("PATCH", f"/devices/{DESKTOP}")
        assert paired(world)


async def test_what_an_earlier_process_did_and_nobody_can_read_any_more_is_not_told_as_done(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "disable-devices"), SAWYER)
        await world.apply(plan, "run-1")
        world.time.jump(hours=1)
        world.misbehave(fault("/users/*/ownedDevices", "GET", times="all", status=403))
        unread = await world.resume("run-1")
        world.misbehave()
        read = await world.resume("run-1")

        assert [end for _, _, end in outcomes(unread.leavers[0].results)] == ["changed", "failed"]
        assert [r["step"] for r in world.records("unverified")] == ["disable-devices"]
        assert unread.exit_code() == 1
        assert {end for _, _, end in outcomes(read.leavers[0].results)} == {"changed"}
        assert [len(r["detail"]["failed"]) for r in world.records("leaver-ended")] == [0, 1, 0]
        assert len(world.writes()) == 2


async def test_a_copy_of_the_directory_that_is_behind_is_not_taken_for_somebody_who_undid_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "remove-licenses"), SAWYER)
        await world.apply(plan, "run-1")
        world.misbehave(lag=20)  # what is read now may be as old as that
        resumed = await world.resume("run-1")

        assert {end for _, _, end in outcomes(resumed.leavers[0].results)} == {"changed"}
        assert world.records("undone") == []
        assert len(world.writes()) == 2


async def test_what_another_run_did_a_moment_ago_is_not_taken_for_already_so(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": False})
        world.time.jump(hours=1)
        world.misbehave(lag=1)
        await world.run(steps("enable-user"), SAWYER)
        world.misbehave()
        disable = await world.plan(steps("disable-user"), SAWYER)
        world.misbehave(lag=30)  # a copy from before she was enabled
        outcome = await world.apply(disable)

        assert [end for _, _, end in outcomes(outcome.leavers[0].results)] == ["changed"]
        assert world.user()["accountEnabled"] is False
