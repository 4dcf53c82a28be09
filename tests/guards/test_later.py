"""What became true after the review: each guard holds the step that falls due then, whoever carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.guards import GUARDS
from offboard.model import Plan
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests.cli.conftest import Offboard, Said
from tests.desk import begin, carry_on
from tests.guards.scenes import ADMIN, BREAKGLASS, FINANCE_EVERYONE, PATTI, limit, sign_in
from tests.world import SAWYER, Time, World, a_world, steps

DELAYED = ("disable-user", "{id: gone, action: delete-user, due: T+30d}")
REVERSIBLE = ("disable-user", "{id: again, action: revoke-sessions, due: T+30d}")
"""A role given meanwhile holds what loses something even without a guard."""
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
SYNCHRONIZING = "d29b2b05-8046-44ba-8758-1e26182fcf32"
WHY = ("--reason", "HR-4711")
Happens = Callable[[World], None]


def limited(**keys: Any) -> Happens:
    """Somebody changes the configuration."""
    return lambda world: limit(world, **keys)


def given(role: str, **keys: Any) -> Happens:
    """Sawyer is given a role."""

    def happens(world: World) -> None:
        limit(world, **keys)
        body = {"principalId": SAWYER, "roleDefinitionId": role, "directoryScopeId": "/"}
        world.graph("POST", "/roleManagement/directory/roleAssignments", body)

    return happens


@dataclass(frozen=True)
class Later:
    """Args: what happens before the second phase, to whom, in which playbook."""

    happens: Happens
    user: str = SAWYER
    book: tuple[str, ...] = DELAYED
    mailbox: str = ""


LATER: dict[str, Later] = {
    "emergency_access": Later(limited(emergency_access=(SAWYER,))),
    "protected_users": Later(limited(protected_users=(SAWYER,))),
    "protected_groups": Later(limited(protected_groups=(FINANCE_EVERYONE,))),
    "self": Later(lambda world: sign_in(world, SAWYER)),
    "app_owner": Later(lambda world: sign_in(world, PATTI), ADMIN),
    "sync_accounts": Later(given(SYNCHRONIZING, administrators="warn"), book=REVERSIBLE),
    "administrators": Later(given(USER_ADMINISTRATOR, administrators="stop"), book=REVERSIBLE),
    "last_global_administrators": Later(
        limited(emergency_access=(BREAKGLASS,)), PATTI, ("revoke-sessions", "{id: gone, action: delete-user, due: T+30d}")
    ),
    "mailboxes": Later(limited(read_mailboxes=True), mailbox="shared"),
    "max_wipes": Later(limited(max_wipes=0), book=("disable-user", "{id: gone, action: wipe-devices, due: T+30d}")),
    "max_deletes": Later(limited(max_deletes=0)),
}
ELSEWHERE = {
    "approver": "approvals are consumed with the plan",
    "synced": "as reviewed; whoever is synchronized since is another person than was reviewed, and is held: below",
    "guests": "only warns",
    "shared_devices": "the step itself leaves the device alone",
    "max_leavers": "test_ways_in: begun leavers count when they begin",
    "max_percent": "the same count",
    "freeze": "test_ways_in: waits",
}


def test_every_guard_is_asked_again_later_or_there_is_a_reason() -> None:
    assert set(LATER) | set(ELSEWHERE) == set(GUARDS)
    assert not set(LATER) & set(ELSEWHERE)


async def begun(world: World, later: Later) -> Plan:
    """The first phase is done, and a month has passed."""
    seed = contoso()
    if later.mailbox:
        next(each for each in seed["people"] if each["id"] == SAWYER)["mailbox"] = later.mailbox
    world.sandbox.reset(seed)
    limit(world, administrators="warn")
    plan = await world.plan(steps(*later.book), later.user)
    applier = world.applier("run-1", plan)
    await applier.check(plan)
    await begin(applier, plan, "run-1")
    assert len(world.writes()) == 1
    world.time.jump(days=31)
    return plan


@pytest.mark.anyio
@pytest.mark.parametrize("name", LATER)
async def test_the_later_step_is_held(tmp_path: Path, name: str) -> None:
    async with a_world(tmp_path) as world:
        plan = await begun(world, LATER[name])
        LATER[name].happens(world)
        before = world.writes()
        outcome = await carry_on(world.applier("run-1", plan), "run-1")

        assert outcome is not None
        assert outcome.exit_code() == 3
        assert world.writes() == before
        (share,) = world.store.shares("run-1")
        assert f"{name}: " in str(share.hold)


@pytest.mark.anyio
@pytest.mark.parametrize("name", LATER)
async def test_without_the_guard_the_later_step_is_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with a_world(tmp_path) as world:
        plan = await begun(world, LATER[name])
        LATER[name].happens(world)
        before = world.writes()
        monkeypatch.delitem(GUARDS, name)
        outcome = await carry_on(world.applier("run-1", plan), "run-1")

        assert outcome is not None
        assert len(world.writes()) > len(before)


@pytest.mark.anyio
async def test_whoever_is_synchronized_since_the_review_is_held_before_any_later_step(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await begun(world, Later(lambda _world: None, book=REVERSIBLE))
        tenant = world.sandbox._store  # synchronization is no call of Graph's
        person = tenant.get("user", SAWYER)
        assert person is not None
        with tenant.transaction():
            tenant.put(replace(person, body={**person.body, "onPremisesSyncEnabled": True}))
        before = world.writes()
        outcome = await carry_on(world.applier("run-1", world.store.runs()[0].plan), "run-1")

        assert outcome is not None
        assert outcome.exit_code() == 3
        assert world.writes() == before
        (share,) = world.store.shares("run-1")
        assert "synced: onPremisesSyncEnabled was false when reviewed and is true now" in str(share.hold)


# -- every command that carries on ---------------------------------------------------------------------------------


@pytest.fixture
def sandbox(time: Time) -> Iterator[Sandbox]:
    tenant = Sandbox.open(None, now=time.clock().now)
    yield tenant
    tenant.close()


@pytest.mark.parametrize("way", ["resume", "worker", "release and resume", "reschedule and resume"])
def test_whoever_carries_on_asks_the_guards_of_today(
    offboard: Offboard, tmp_path: Path, sandbox: Sandbox, time: Time, way: str
) -> None:
    with ServerThread(sandbox) as server:

        def configure(guards: str = "") -> None:
            path = tmp_path / "offboard.toml"
            path.write_text(
                f'default = "t"\n[tenants.t]\nsign_in = "none"\ngraph_url = "{server.url}"\n'
                f'[tenants.t.guards]\napproval = "none"\n{guards}\n'
            )
            path.chmod(0o600)

        def carry_on() -> Said:
            run = offboard("--json", "runs").json[0]["run"]
            if way == "worker":
                return offboard("worker", "--once")
            if way == "release and resume":
                assert offboard("hold", run, *WHY).code == 0
                assert offboard("release", run, *WHY).code == 0
            if way == "reschedule and resume":
                assert (
                    offboard("reschedule", run, "--leave", (time.moment - timedelta(days=31)).isoformat(), *WHY).code == 0
                )
            return offboard("resume", run)

        configure()
        (tmp_path / "p.yaml").write_text(
            "playbook: p\ndescription: d\nsteps:\n" + "".join(f"  - {step}\n" for step in DELAYED)
        )
        assert offboard("run", "p.yaml", SAWYER, "--yes").code == 0
        time.jump(days=31)
        before = len(sandbox.journal())
        configure(f'emergency_access = ["{SAWYER}"]')
        said = carry_on()
        assert said.code == 3, said.out + said.err
        assert len(sandbox.journal()) == before
        assert "emergency_access" in " ".join((said.out + said.err).split())

        configure()
        run = offboard("--json", "runs").json[0]["run"]
        assert offboard("release", run, *WHY).code == 0
        assert carry_on().code in (0, 1)
        assert sandbox.journal()[-1].method == "DELETE"
