"""Every way in, at the limit and one beyond it: beyond it nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.model import Plan
from offboard.runs.outcome import RunOutcome
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from offboard.settings.tenantconfig import Freeze
from tests.cli.conftest import Offboard, Said
from tests.desk import begin, carry_on
from tests.guards.scenes import FINANCE_EVERYONE, PEOPLE, limit
from tests.world import SAWYER, START, World, a_world, fault, steps

LIMIT = 5
"""What the percentage allows in the sandbox, by default."""
DELAYED = ("disable-user", "{id: gone, action: delete-user, due: T+30d}")


def writes(offboard: Offboard) -> list[Any]:
    found: list[Any] = offboard("--json", "sandbox", "journal").json
    return found


def by_argument(offboard: Offboard, _folder: Path, people: tuple[str, ...]) -> Said:
    return offboard("run", "leaver", *people, "--yes")


def by_file(offboard: Offboard, folder: Path, people: tuple[str, ...]) -> Said:
    made = offboard("plan", "leaver", *people, "--out", str(folder / "plan.json"))
    assert made.code == 0, "a plan beyond a limit may be made and looked at"
    assert ("Apply will refuse this" in " ".join(made.out.split())) == (len(people) > LIMIT)
    return offboard("apply", str(folder / "plan.json"), "--yes")


def by_list(offboard: Offboard, folder: Path, people: tuple[str, ...]) -> Said:
    (folder / "list.csv").write_text("user\n" + "\n".join(people) + "\n")
    return offboard("run", "leaver", "--leavers", str(folder / "list.csv"), "--yes")


def by_stdin(offboard: Offboard, _folder: Path, people: tuple[str, ...]) -> Said:
    return offboard("run", "leaver", "--leavers", "-", "--yes", stdin="user\n" + "\n".join(people) + "\n")


def by_both(offboard: Offboard, folder: Path, people: tuple[str, ...]) -> Said:
    (folder / "list.csv").write_text("user\n" + "\n".join(people[2:]) + "\n")
    return offboard("run", "leaver", *people[:2], "--leavers", str(folder / "list.csv"), "--yes")


def one_after_the_other(offboard: Offboard, _folder: Path, people: tuple[str, ...]) -> Said:
    """The last one alone, after the others within the same day."""
    before = offboard("run", "leaver", *people[:-1], "--yes")
    assert before.code in (0, 1), before.err
    count = len(writes(offboard))
    said = offboard("run", "leaver", people[-1], "--yes")
    if said.code == 3:
        assert len(writes(offboard)) == count
        offboard("sandbox", "reset")
    return said


@pytest.mark.parametrize("way", [by_argument, by_file, by_list, by_stdin, by_both, one_after_the_other])
@pytest.mark.parametrize("many", [LIMIT, LIMIT + 1])
def test_nobody_is_touched_beyond_the_limit(
    offboard: Offboard, tmp_path: Path, way: Callable[..., Said], many: int
) -> None:
    said = way(offboard, tmp_path, PEOPLE[:many])

    if many <= LIMIT:
        assert said.code in (0, 1), said.err
        assert writes(offboard) != []
    else:
        assert said.code == 3, said.out + said.err
        assert f"max_percent: {'1 leaver' if way is one_after_the_other else f'{many} leavers'}," in " ".join(
            said.err.split()
        )
        assert writes(offboard) == []


def by_a_saved_plan(offboard: Offboard, folder: Path, people: tuple[str, ...]) -> Said:
    """Whatever the plan said, it is applied."""
    offboard("plan", "leaver", *people, "--out", str(folder / "plan.json"))
    return offboard("apply", str(folder / "plan.json"), "--yes")


@pytest.mark.parametrize("way", [by_argument, by_a_saved_plan, by_list, by_stdin, by_both])
@pytest.mark.parametrize(
    ("person", "guard"),
    [
        ("LynneR@contoso.com", "synced: Lynne Robbins"),
        ("info@contoso.com", "mailboxes: Contoso Information Desk"),
        ("AlexW@contoso.com", "administrators: Alex Wilber"),
    ],
)
def test_one_who_must_not_be_touched_stops_everybody_on_every_way_in(
    offboard: Offboard, tmp_path: Path, way: Callable[..., Said], person: str, guard: str
) -> None:
    said = way(offboard, tmp_path, (*PEOPLE[:2], person))

    assert said.code == 3, said.out + said.err
    assert guard in " ".join(said.err.split())
    assert writes(offboard) == []


def test_nobody_at_all_is_an_error_and_not_everybody(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("user\n")

    assert offboard("run", "leaver", "--yes").code == 2
    assert offboard("run", "leaver", "--leavers", str(tmp_path / "list.csv"), "--yes").code == 2
    assert offboard("sandbox", "journal").out.strip() in ("", "Nothing was written yet.") or writes(offboard) == []


def test_a_day_later_the_count_begins_anew(offboard: Offboard, time: Any) -> None:
    offboard("run", "leaver", *PEOPLE[:LIMIT], "--yes")
    time.jump(hours=23)
    assert offboard("run", "leaver", PEOPLE[LIMIT], "--yes").code == 3
    time.jump(hours=2)
    assert offboard("run", "leaver", PEOPLE[LIMIT], "--yes").code in (0, 1)


@pytest.mark.parametrize("way", [(), ("--out", "purge.json")], ids=["at once", "by a plan"])
def test_what_is_deleted_for_good_is_held_against_the_guards_too(
    offboard: Offboard, tmp_path: Path, way: tuple[str, ...]
) -> None:
    avery = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
    sandbox = Sandbox.open(None)
    with ServerThread(sandbox) as server:
        config = tmp_path / "offboard.toml"
        config.write_text(
            f'default = "t"\n[tenants.t]\nsign_in = "none"\ngraph_url = "{server.url}"\n'
            f'[tenants.t.guards]\napproval = "none"\nemergency_access = ["{avery}"]\n'
        )
        config.chmod(0o600)
        said = offboard("deleted", "purge", avery, *(way or ("--yes",)))
        if way:
            said = offboard("apply", "purge.json", "--yes")

    assert said.code == 3, said.out + said.err
    assert "emergency_access" in said.err
    assert sandbox.journal() == []
    sandbox.close()


# -- later turns ------------------------------------------------------------------------------------------------------


async def started(world: World, book: Any, *users: str, **more: Any) -> tuple[Plan, RunOutcome]:
    """A run, begun as the engine begins one."""
    plan = await world.plan(book, *users, **more)
    applier = world.applier("run-1", plan)
    await applier.check(plan)
    return plan, await begin(applier, plan, "run-1")


async def goes_on(world: World, plan: Plan) -> RunOutcome:
    """The next turn, under the guards as they are configured now."""
    outcome = await carry_on(world.applier("run-1", plan), "run-1")
    assert outcome is not None
    return outcome


@pytest.mark.anyio
@pytest.mark.parametrize(("allowed", "code"), [(2, 0), (1, 3)])
async def test_a_delayed_deletion_beyond_the_limit_is_held_and_not_carried_out(
    tmp_path: Path, allowed: int, code: int
) -> None:
    async with a_world(tmp_path) as world:
        plan, _ = await started(world, steps(*DELAYED), *PEOPLE[:2])
        before = len(world.writes())
        world.time.jump(days=31)
        limit(world, max_deletes=allowed)
        outcome = await goes_on(world, plan)

        assert outcome.exit_code() == code
        assert len(world.writes()) - before == (2 if code == 0 else 0)
        held = [share.hold for share in world.store.shares("run-1")]
        assert all(("max_deletes" in str(hold)) == (code == 3) for hold in held)


@pytest.mark.anyio
@pytest.mark.parametrize(("allowed", "code"), [(2, 0), (1, 3)])
async def test_a_run_of_another_day_is_held_against_the_limit_when_it_begins_to_act(
    tmp_path: Path, allowed: int, code: int
) -> None:
    async with a_world(tmp_path) as world:
        later = START + timedelta(days=3)
        plan, _ = await started(world, steps("disable-user"), *PEOPLE[:2], leave=later)
        assert world.writes() == []
        world.time.jump(days=4)
        limit(world, max_leavers=allowed)
        outcome = await goes_on(world, plan)

        assert outcome.exit_code() == code
        assert len(world.writes()) == (2 if code == 0 else 0)


@pytest.mark.anyio
@pytest.mark.parametrize(("allowed", "code"), [(2, 0), (1, 3)])
async def test_a_run_that_was_stopped_is_resumed_under_the_guards_of_today(
    tmp_path: Path, allowed: int, code: int
) -> None:
    async with a_world(tmp_path) as world:
        world.misbehave(fault("/users/*", "PATCH", status=503, times="all"))
        plan, first = await started(world, steps("disable-user"), *PEOPLE[:2])
        assert first.exit_code() != 0
        assert world.writes() == []
        world.misbehave()
        limit(world, max_leavers=allowed)
        outcome = await goes_on(world, plan)

        assert outcome.exit_code() == code
        assert len(world.writes()) == (2 if code == 0 else 0)


@pytest.mark.anyio
async def test_somebody_who_became_protected_meanwhile_is_not_deleted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan, _ = await started(world, steps(*DELAYED), SAWYER, "IsaiahL@contoso.com")
        before = len(world.writes())
        world.time.jump(days=31)
        limit(world, protected_groups=(FINANCE_EVERYONE,))
        outcome = await goes_on(world, plan)

        assert outcome.exit_code() == 1
        assert [path for _, path in world.writes()[before:]] == ["/users/a0000000-0000-4000-8000-000000000016"]
        holds = {share.leaver: share.hold or "" for share in world.store.shares("run-1")}
        assert "protected_groups" in holds[SAWYER]
        assert [record["leaver"]["id"] for record in world.records("refused")] == [SAWYER]


@pytest.mark.anyio
async def test_what_falls_due_in_a_freeze_waits_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        end = START + timedelta(days=40)
        limit(world, freeze=(Freeze(START + timedelta(days=20), end, "year end"),))
        plan, _ = await started(world, steps(*DELAYED), SAWYER)
        assert any("fall due while nothing is carried out" in o.reason for o in plan.leavers[0].objections)
        before = len(world.writes())
        world.time.jump(days=31)
        await goes_on(world, plan)
        (share,) = world.store.shares("run-1")
        assert (share.hold, share.due, len(world.writes())) == (None, end, before)

        world.time.jump(days=10)
        await goes_on(world, plan)
        assert world.writes()[before:] == [("DELETE", f"/users/{SAWYER}")]


# -- the name of somebody who left, given to somebody who came -------------------------------------------------------


def hand_over_the_name(world: World) -> str:
    """Sawyer is renamed, and a new hire gets the name."""
    world.graph("PATCH", f"/users/{SAWYER}", {"userPrincipalName": "Sawyer.Old@contoso.com"})
    body = {
        "accountEnabled": True,
        "displayName": "Sawyer Miller",
        "mailNickname": "SawyerM",
        "userPrincipalName": "SawyerM@contoso.com",
        "passwordProfile": {"password": "Aa1!aaaaaaaaaaaa"},
    }
    return str(world.graph("POST", "/users", body)["id"])


@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["apply", "resume", "delayed"])
async def test_whoever_got_the_name_of_a_leaver_is_never_written_to(tmp_path: Path, phase: str) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*DELAYED), "SawyerM@contoso.com")
        applier = world.applier("run-1", plan)
        if phase == "apply":
            newcomer = hand_over_the_name(world)
            count = len(world.writes())
            await begin(applier, plan, "run-1")
        else:
            if phase == "resume":
                world.misbehave(fault("/users/*", "PATCH", status=503, times="all"))
            await begin(applier, plan, "run-1")
            world.misbehave()
            newcomer = hand_over_the_name(world)
            count = len(world.writes())
            world.time.jump(days=31 if phase == "delayed" else 0, minutes=5)
            await goes_on(world, plan)

        assert [path for _, path in world.writes()[count:] if newcomer in path] == []
        assert all("SawyerM" not in path for _, path in world.writes()[count:])
        if phase != "resume":
            assert world.writes()[count:] == []
        assert world.user(newcomer)["accountEnabled"] is True
