"""Who may act on whom: one process at a time, and none that was away."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from offboard.audit import Audit, AuditError, Disk
from offboard.errors import Busy
from offboard.runs.engine import carry
from offboard.runs.engine.carry import Heart
from offboard.runs.engine.changes import Interrupted
from offboard.runs.engine.leases import LASTS
from offboard.runs.store import Store
from tests.desk import begin, carry_on
from tests.engine.farm import ROOT, postgres
from tests.world import SAWYER, START, a_world, steps

TENANT = "t"


@dataclass
class Wall:
    """A clock of this machine."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a store stands."""
    if request.param == "sqlite":
        yield tmp_path / "runs.db"
    else:
        with postgres(tmp_path / "pg") as url:
            yield url


def test_two_processes_never_hold_the_same_leaver(place: Path | str) -> None:
    one, two = Store(place), Store(place)

    assert one.leases.take("r1", TENANT, ["ada", "bob"]) == {}
    assert two.leases.take("r2", TENANT, ["bob", "cyd"]) == {"bob": "r1"}
    assert two.leases.take("r2", TENANT, ["cyd"]) == {}, "all or none: cyd was not taken by the refused attempt"
    assert one.leases.blocked(TENANT, "ada") == ""
    assert "run r1" in two.leases.blocked(TENANT, "ada")
    one.leases.release(TENANT, ["ada", "bob"])
    assert two.leases.take("r2", TENANT, ["bob"]) == {}
    for store in (one, two):
        store.close()


def test_a_lease_that_ran_out_is_lost_even_if_nobody_took_it(tmp_path: Path) -> None:
    wall = Wall()
    one, two = (Store(tmp_path / "runs.db", wall=wall) for _ in range(2))
    one.leases.take("r1", TENANT, ["ada"])
    wall.at += LASTS - 1
    assert one.leases.renew()
    wall.at += LASTS + 1

    assert not one.leases.renew()
    assert "lost its lease" in one.leases.blocked(TENANT, "ada")
    assert two.leases.take("r1", TENANT, ["ada"]) == {}
    one.leases.release(TENANT, ["ada"])
    assert two.leases.blocked(TENANT, "ada") == "", "the old holder gives back nothing that is not its own"
    for store in (one, two):
        store.close()


@pytest.mark.anyio
async def test_a_request_that_may_write_does_not_leave_after_the_lease_ran_out(tmp_path: Path) -> None:
    wall, store = Wall(), Store(tmp_path / "runs.db")
    heart = Heart(store, ticks=wall)
    await heart.check(httpx.Request("PATCH", "https://graph.microsoft.com/v1.0/users/1"))
    wall.at += LASTS

    await heart.check(httpx.Request("GET", "https://graph.microsoft.com/v1.0/users/1"))
    with pytest.raises(Interrupted, match="lost its lease"):
        await heart.check(httpx.Request("PATCH", "https://graph.microsoft.com/v1.0/users/1"))
    store.close()


@pytest.mark.anyio
async def test_nothing_that_may_write_leaves_once_the_audit_could_not_be_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, patch = [START], httpx.Request("PATCH", "https://graph.microsoft.com/v1.0/users/1")
    full = False

    def write(descriptor: int, view: memoryview, offset: int) -> int:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwrite(descriptor, view, offset)

    monkeypatch.setattr(carry, "BEATS", 0.01)
    store = Store(tmp_path / "runs.db")
    with Audit.open(tmp_path / "audit.jsonl", now=lambda: moment[0], disk=Disk(write=write)) as audit:
        audit.bind(run="r-1").write("run-started")
        heart = Heart(store, audit=audit)
        await heart.check(patch)
        full = True
        moment[0] += timedelta(minutes=2)  # whoever waits for Graph for so long writes nothing else
        store.leases.take("r-1", TENANT, ["ada"])
        beating = asyncio.ensure_future(heart.beat())
        while heart.unwritten is None:
            await asyncio.sleep(0.01)

        with pytest.raises(AuditError, match="cannot be written"):
            await heart.check(patch)
        await heart.check(httpx.Request("GET", "https://graph.microsoft.com/v1.0/users/1"))
        beating.cancel()
    store.close()


@pytest.mark.anyio
async def test_a_run_in_another_process_is_left_alone(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "{action: delete-user, due: T+1d}"), "SawyerM@contoso.com")
        outcome = await world.apply(plan)
        world.time.jump(days=2)
        other, before = Store(tmp_path / "runs.db"), world.writes()
        other.leases.take(outcome.run, plan.tenant.id, [SAWYER])

        with pytest.raises(Busy, match="Another process"):
            await carry_on(world.applier(outcome.run, plan), outcome.run)
        assert world.writes() == before
        other.leases.release(plan.tenant.id, [SAWYER])
        await carry_on(world.applier(outcome.run, plan), outcome.run)
        assert world.writes()[len(before) :] == [("DELETE", f"/users/{SAWYER}")]
        other.close()


@pytest.mark.anyio
@pytest.mark.parametrize("event", ["hold", "cancel"])
async def test_a_decision_in_the_middle_of_a_run_stops_it_before_the_next_write(tmp_path: Path, event: str) -> None:
    from offboard.runs.engine.steering import Steering

    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user", "delete-user"), "SawyerM@contoso.com")
        transmit, run = world.connection.http.send, "0123456789abcdef"

        async def deciding(request: object, **options: object) -> object:
            answer = await transmit(request, **options)  # type: ignore[arg-type]
            if len(world.writes()) == 1 and not world.records("held", "canceled"):
                getattr(Steering(world.store, world.audit, "wait"), event)(world.store.run(run))
            return answer

        world.connection.http.send = deciding  # type: ignore[method-assign,assignment]
        applier = world.applier(run, plan)
        outcome = await begin(applier, plan, run)

        assert "wait" in outcome.leavers[0].stopped
        assert world.writes() == [("PATCH", f"/users/{SAWYER}")]
        assert len(world.records("outcome")) == 1


def test_what_a_killed_process_held_is_free_at_once_on_its_own_machine(tmp_path: Path) -> None:
    import subprocess
    import sys

    held = (
        "import os, sys; from pathlib import Path; from offboard.runs.store import Store\n"
        "store = Store(Path(sys.argv[1])); store.leases.take('r1', 't', ['ada']); os.kill(os.getpid(), 9)"
    )
    store = Store(tmp_path / "runs.db")
    done = subprocess.run([sys.executable, "-c", held, str(tmp_path / "runs.db")], cwd=ROOT, check=False)

    assert done.returncode == -9
    assert store.db.rows("SELECT expires > ? FROM lease", (store.db.seconds(),)) == [(1,)]
    assert store.leases.take("r1", TENANT, ["ada"]) == {}
    store.close()
    assert sorted(path.name for path in tmp_path.glob("*.alive")) == []
