"""A disk that fails or hangs at any write of a run: nothing is sent without its durable intent, and a resumed run ends well."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from offboard.audit import Audit, AuditError, Disk, verify
from offboard.audit.reading import _size
from offboard.audit.reserve import SIZE, Reserve
from offboard.cli.session import new_run_id
from tests.audit.conftest import ticking
from tests.world import SAWYER, World, a_world, steps

FAULTS = ("ENOSPC", "EROFS", "short", "EIO on sync", "hang on sync")
RUN = steps("disable-user", "revoke-sessions", "remove-licenses", "delete-user")


@dataclass
class BadDisk:
    """A disk that works until one write, and from then on fails in one way.

    Args:
        fault: The way.
        at: The first write that fails; 0 for none.
    """

    fault: str
    at: int
    writes: int = 0
    hit: bool = False
    free: threading.Event = field(default_factory=threading.Event)

    def disk(self) -> Disk:
        """As the log wants it."""
        return Disk(write=self.write, sync=self.sync, patience=0.2 if "hang" in self.fault else 60)

    @property
    def _bad(self) -> bool:
        return 0 < self.at <= self.writes

    def write(self, descriptor: int, view: memoryview, offset: int) -> int:
        self.writes += 1
        if not self._bad or "sync" in self.fault:
            return os.pwrite(descriptor, view, offset)
        self.hit = True
        if self.fault == "hang":
            self.free.wait()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self.fault == "nothing":
            return 0
        if self.fault == "short":
            os.pwrite(descriptor, view[: len(view) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        code = getattr(errno, self.fault)
        raise OSError(code, os.strerror(code))

    def sync(self, descriptor: int) -> None:
        if self._bad and "sync" in self.fault:
            self.hit = True
            if "hang" in self.fault:
                self.free.wait()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(descriptor)


@pytest.fixture
def bad_disk() -> Iterator[Callable[[str, int], BadDisk]]:
    """Makes bad disks; what hangs in them is let go in the end."""
    made: list[BadDisk] = []

    def make(fault: str, at: int) -> BadDisk:
        made.append(BadDisk(fault, at))
        return made[-1]

    yield make
    for each in made:
        each.free.set()


def intents_cover_writes(world: World) -> bool:
    """Whether each executed write has an intent in the audit; one change is one request."""
    return len(world.writes()) <= len(world.records("intent"))


async def run_on(world: World, disk: Disk, path: Path) -> tuple[str, AuditError | None]:
    """One leaver's run whose audit stands on that disk."""
    world.audit.close()
    world.audit = Audit.open(path, now=world.time.clock().now, disk=disk)
    plan, run = await world.plan(RUN, "SawyerM@contoso.com"), new_run_id()
    try:
        await world.apply(plan, run)
    except AuditError as error:
        return run, error
    return run, None


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_disk_that_fails_at_any_write_of_a_run_lets_nothing_out_unrecorded(
    tmp_path: Path, fault: str, bad_disk: Callable[[str, int], BadDisk]
) -> None:
    at, reached_the_end = 0, False
    while not reached_the_end:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        async with a_world(folder) as world:
            path, bad = folder / "audit.jsonl", bad_disk(fault, at)
            run, error = await run_on(world, bad.disk(), path)
            reached_the_end = not bad.hit
            assert (error is not None) == bad.hit
            assert intents_cover_writes(world), f"at write {at} something was sent without its intent"
            if error is not None:
                assert error.exit_code == 5
                assert "nothing is sent" in error.what
                await resumes_well(world, path, run, bad)
        assert at < 200
    assert at > 5, "the run has fewer writes than there are intents"


async def resumes_well(world: World, path: Path, run: str, bad: BadDisk) -> None:
    """With the disk mended, the run ends as if nothing had been, and nothing irreversible was done twice."""
    bad.at = 0
    bad.free.set()
    world.audit.close()
    world.audit = Audit.open(path, now=world.time.clock().now)
    if world.store.runs():  # the plan was consumed before the disk failed
        outcome = await world.resume(run)
        assert all(result.outcome.value != "failed" for each in outcome.leavers for result in each.results)
        assert world.writes().count(("DELETE", f"/users/{SAWYER}")) == 1
    assert verify(path).ok


@pytest.mark.parametrize("fault", ["nothing", "EIO", "hang"])
def test_a_write_that_never_gets_on_is_an_error(
    tmp_path: Path, fault: str, bad_disk: Callable[[str, int], BadDisk]
) -> None:
    with (
        Audit.open(tmp_path / "a", now=ticking(), disk=bad_disk(fault, 1).disk()) as audit,
        pytest.raises(AuditError, match="nothing is sent"),
    ):
        audit.write("intent")


def test_a_hanging_disk_is_given_up_and_the_log_says_nothing_more(
    tmp_path: Path, bad_disk: Callable[[str, int], BadDisk]
) -> None:
    bad = bad_disk("hang on sync", 2)
    with Audit.open(tmp_path / "a", now=ticking(), disk=bad.disk()) as audit:
        audit.write("run-started")
        with pytest.raises(AuditError) as seen:
            audit.write("intent")
        assert "did not answer within" in seen.value.why
        bad.free.set()
        with pytest.raises(AuditError):
            audit.write("stopped")


def test_a_log_that_another_process_holds_for_too_long_is_given_up(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "a", now=ticking(), disk=Disk(patience=0.1)) as audit:
        audit.write("run-started")
        with open(tmp_path / "a", "rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(AuditError, match="nothing is sent"):
                audit.write("intent")


def test_a_log_whose_writer_hangs_can_be_read_and_verified_all_the_same(dozen: Path) -> None:
    with open(dozen, "rb") as hanging, open(dozen, "rb") as mine:
        fcntl.flock(hanging, fcntl.LOCK_EX)
        assert _size(mine, patience=0.05) == dozen.stat().st_size


class Full:
    """A disk that is full for as long as the reserve holds room on it."""

    def __init__(self, log: Path) -> None:
        self.reserve, self.full = Reserve(log), False

    def write(self, descriptor: int, view: memoryview, offset: int) -> int:
        if self.full and self.reserve.path.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.pwrite(descriptor, view, offset)


def test_on_a_full_disk_the_reserve_lets_the_end_be_told_and_nothing_begin(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    disk = Full(path)
    with Audit.open(path, now=ticking(), disk=Disk(write=disk.write)) as audit:
        audit.write("run-started")
        audit.write("intent")
        assert disk.reserve.path.stat().st_blocks * 512 >= SIZE, "the room is only promised"
        disk.full = True
        with pytest.raises(AuditError, match="nothing is sent"):
            audit.write("intent")
        with pytest.raises(AuditError, match="nothing is sent"):
            audit.write_many([("outcome", {}), ("intent", {})])
        assert disk.reserve.ready(), "an intent has used up what is kept for the end"
        assert audit.write("outcome", outcome="changed")["seq"] == 3
        assert not disk.reserve.ready()
        assert audit.write("stopped", why="the disk is full")["seq"] == 4
    assert verify(path).ok


@pytest.mark.anyio
async def test_a_run_on_a_full_disk_records_that_it_stopped(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        disk = Full(tmp_path / "audit.jsonl")
        count = 0

        def write(descriptor: int, view: memoryview, offset: int) -> int:
            nonlocal count
            count += 1
            disk.full = count > 3
            return disk.write(descriptor, view, offset)

        _, error = await run_on(world, Disk(write=write), tmp_path / "audit.jsonl")
        assert error is not None
        last = world.records()[-1]
        assert last["event"] == "stopped"
        assert "No space left" in last["why"]
        assert intents_cover_writes(world)
