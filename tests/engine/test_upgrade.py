"""A run that an earlier version left half done goes on under this one; a store of a later version is left alone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from offboard.audit import verify
from offboard.errors import UsageError
from offboard.runs.store import Store
from tests.cli.conftest import Offboard
from tests.desk import carry_on
from tests.engine.record import RUN
from tests.engine.test_steering import deleted
from tests.world import SAWYER, Time, World, a_world

HISTORIES = sorted(path.parent for path in (Path(__file__).parent / "histories").rglob("runs.db"))
STATES = sorted((Path(__file__).parent / "states").iterdir())

pytestmark = pytest.mark.anyio


def execute(world: World) -> None:
    """What the run had executed in the tenant before it died."""
    world.graph("PATCH", f"/users/{SAWYER}", {"accountEnabled": False})
    world.graph("POST", f"/users/{SAWYER}/revokeSignInSessions")
    licenses = world.graph("GET", f"/users/{SAWYER}?$select=licenseAssignmentStates")["licenseAssignmentStates"]
    direct = [each["skuId"] for each in licenses if each["assignedByGroup"] is None]
    world.graph("POST", f"/users/{SAWYER}/assignLicense", {"addLicenses": [], "removeLicenses": direct})


@pytest.mark.parametrize("history", HISTORIES, ids=lambda path: f"{path.parent.name} {path.name}")
async def test_a_run_that_an_earlier_version_left_half_done_goes_on(tmp_path: Path, history: Path) -> None:
    for name in ("runs.db", "audit.jsonl"):
        shutil.copy(history / name, tmp_path / name)
        (tmp_path / name).chmod(0o600)
    async with a_world(tmp_path) as world:
        execute(world)
        before = world.writes()
        world.time.jump(minutes=5)
        first = await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)
        recovered = world.writes()
        world.time.jump(days=31)
        last = await carry_on(world.applier(RUN, world.store.run(RUN).plan), RUN)

        assert first is not None
        assert last is not None
        assert recovered == before, "what was executed is found out by reading, and not sent again"
        assert {(r.outcome.value, r.why) for r in first.leavers[0].results} == {
            ("changed", "recovered: found done on re-reading")
        }
        assert world.writes()[len(before) :] == [("DELETE", f"/users/{SAWYER}")]
        assert [share.state for share in world.store.shares(RUN)] == ["ended"]
        assert verify(tmp_path / "audit.jsonl").ok


@pytest.mark.parametrize("state", STATES, ids=lambda path: path.name)
@pytest.mark.parametrize("command", [("worker", "--once"), ("resume",)], ids=" ".join)
def test_what_an_earlier_version_queued_is_carried_out_in_its_time(
    offboard: Offboard, time: Time, tmp_path: Path, state: Path, command: tuple[str, ...]
) -> None:
    shutil.copytree(state, tmp_path / "state")
    for path in (tmp_path / "state", *(tmp_path / "state").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    time.jump(days=29)
    early = offboard(*command)
    kept = deleted(offboard)
    time.jump(days=2)
    said = offboard(*command)

    assert (early.code, kept) == (0, []), early.out + early.err
    assert said.code == 0, said.out + said.err
    assert deleted(offboard) == [SAWYER]


def test_there_is_a_history_of_every_format_so_far() -> None:
    from offboard.runs.engine.tables import FORMAT

    assert {path.name for path in HISTORIES} == {f"format-{n}" for n in range(1, FORMAT + 1)}


async def test_a_store_of_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Store(tmp_path / "runs.db").close()
    with sqlite3.connect(tmp_path / "runs.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / "runs.db").read_bytes()

    with pytest.raises(UsageError, match="newer version"):
        Store(tmp_path / "runs.db")
    assert (tmp_path / "runs.db").read_bytes() == before
