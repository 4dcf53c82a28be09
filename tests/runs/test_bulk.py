"""Many leavers at once: breadth first, in full batches, within the quota, and each for himself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offboard.audit import verify
from offboard.errors import UsageError
from offboard.graph.pace import PER_SECONDS, WRITES, Bucket
from offboard.model import Plan
from offboard.runs import planning
from offboard.sandbox.crowd import person_id, person_name
from tests.desk import begin
from tests.world import SEED, World, a_world, fault, outcomes, steps

pytestmark = pytest.mark.anyio
MANY = 40


async def planned(world: World, many: int = MANY) -> Plan:
    """A plan of the article's steps for so many people of a crowd."""
    world.sandbox.reset(people=many)
    world.tenant = replace(
        world.tenant, guards=replace(world.tenant.guards, max_leavers=many, max_deletes=many, max_percent=100)
    )
    return await world.plan(steps(*SEED), *(person_name(n) for n in range(1, many + 1)))


async def test_everybody_is_disabled_and_signed_out_before_anybodys_licenses_are_touched(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        outcome = await world.apply(await planned(world))
        verbs = [entry.effect["verb"] for entry in world.journal()]

        assert {"changed"} == {end for each in outcome.leavers for _, _, end in outcomes(each.results)}
        assert MANY == verbs.count("revoke") == verbs.count("assignLicense") == verbs.count("delete")
        last_revoke = max(n for n, verb in enumerate(verbs) if verb == "revoke")
        assert last_revoke < min(n for n, verb in enumerate(verbs) if verb == "assignLicense")
        assert len(verbs) == len(world.records("intent")) == len(world.records("outcome"))
        assert verify(tmp_path / "audit.jsonl").ok


async def test_each_leavers_steps_keep_their_order(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.apply(await planned(world))

        for number in range(1, MANY + 1):
            mine = [path for _, path in world.writes() if f"/users/{person_id(number)}" in path]
            kinds = [path.rpartition("/")[2] for path in mine]
            assert [person_id(number), person_id(number), "revokeSignInSessions"] == kinds[:3]
            assert [person_id(number)] == kinds[-1:]


async def test_calls_of_many_leavers_share_batches(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await planned(world)
        before = world.http_requests()
        await world.apply(plan)

        assert world.http_requests() - before <= 3 * MANY


@pytest.mark.parametrize(
    "rules", [(), (fault("/subscribedSkus", "GET", status=403, times="all"),)], ids=["told", "refused"]
)
async def test_the_names_of_products_are_asked_once_for_all(tmp_path: Path, rules: tuple[dict[str, object], ...]) -> None:
    async with a_world(tmp_path) as world:
        plan = await planned(world, 10)
        world.misbehave(*rules)
        before = len(world.sandbox.requests())
        await world.apply(plan)

        asked = [entry for entry in world.sandbox.requests()[before:] if "/subscribedSkus" in entry.path]
        assert len(asked) == 1


async def test_one_leaver_that_graph_refuses_does_not_stop_the_others(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await planned(world)
        world.misbehave(fault(f"/users/{person_id(7)}", "PATCH", status=403, times="all"))
        outcome = await world.apply(plan)
        bad = [each.index for each in outcome.leavers if any(end == "failed" for _, _, end in outcomes(each.results))]

        assert bad == [6]
        assert sum(1 for entry in world.journal() if entry.effect["verb"] == "delete") == MANY - 1
        assert outcome.exit_code() == 1


@pytest.mark.parametrize(
    "rule",
    [
        fault("/$batch", "POST", nth=20, times=3, status=429, retry_after=5.5),
        fault("/$batch", "POST", nth=25, reset="after"),
        fault("/users/*/revokeSignInSessions", "POST", nth=5, times=9, status=429, retry_after=2),
        fault("/users/*", "PATCH", nth=8, times=4, drop_item=True),
    ],
    ids=str,
)
async def test_trouble_in_a_shared_batch_is_found_out_for_each_leaver(tmp_path: Path, rule: dict[str, object]) -> None:
    async with a_world(tmp_path) as world:
        plan = await planned(world)
        world.misbehave(rule)
        outcome = await world.apply(plan)
        verbs = [entry.effect["verb"] for entry in world.journal()]

        assert {"changed"} == {end for each in outcome.leavers for _, _, end in outcomes(each.results)}
        assert MANY == verbs.count("assignLicense") == verbs.count("delete")
        assert len(world.records("intent")) == len(world.records("outcome"))


async def test_writes_never_run_ahead_of_the_published_quota(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await planned(world)
        begun = world.time.moment
        applier = world.applier("run-1", plan)
        applier.tools.reader.sender.quota.size = 30.0
        await applier.check(plan)
        await begin(applier, plan, "run-1")
        seconds = (world.time.moment - begun).total_seconds()

        writes = len(world.journal())
        assert seconds >= (writes - 30) / (WRITES / PER_SECONDS) - 1
        assert seconds <= 1.3 * (writes - 30) / (WRITES / PER_SECONDS) + 10


def test_a_bucket_gives_back_evenly_and_never_more_than_it_holds() -> None:
    time = [0.0]
    bucket = Bucket(size=10, per_second=2, ticks=lambda: time[0])

    assert bucket.take(12) == 10
    time[0] = 0.4
    assert bucket.take(1) == 0
    time[0] = 0.5
    assert bucket.take(5) == 1
    assert bucket.wait(10) == 5.0
    time[0] = 100.0
    assert bucket.level() == 10
    assert bucket.take(10, reserve=4) == 6, "the reserve is left for what is more urgent"
    bucket.hold_until(3.0)
    assert bucket.take(1) == 0
    assert bucket.wait(1) == 3.0


async def test_people_who_are_read_in_portions_are_planned_for_as_if_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(tmp_path) as world:
        world.sandbox.reset(people=9)
        names = [person_name(n) for n in range(1, 10)]
        book = steps("disable-user", "remove-groups", "unown-devices", "remove-licenses", "delete-user")
        whole = await world.plan(book, *names)
        monkeypatch.setattr(planning, "AT_A_TIME", 4)
        portions = await world.plan(book, *names)
        with pytest.raises(UsageError) as unknown:
            await world.plan(book, *names[:4], "nobody@contoso.com", *names[4:], "noone@contoso.com")

    assert portions.leavers == whole.leavers
    assert "nobody@contoso.com" in str(unknown.value.what)
    assert "noone@contoso.com" in str(unknown.value.what)


async def test_twenty_one_changes_of_a_leaver_are_read_back_once_and_a_deleted_one_is_not_asked_for_groups(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as world:
        await planned(world)  # raises the caps
        book = steps(*SEED[:-1], "remove-groups", "remove-sign-in-methods", SEED[-1])
        plan = await world.plan(book, *(person_name(n) for n in range(1, MANY + 1)))
        before = len(world.sandbox.requests())
        outcome = await world.apply(plan)
        seen = [f"{r.method} {r.path.rpartition('/')[2]} {r.status}" for r in world.sandbox.requests()[before:]]

        assert {"changed"} == {end for each in outcome.leavers for _, _, end in outcomes(each.results)}
        assert seen.count("GET methods 200") == 2 * MANY  # before and after; lists of methods there are none
        assert not [call for call in seen if call in ("GET methods 404", "GET memberOf 404", "GET ownedDevices 404")]
