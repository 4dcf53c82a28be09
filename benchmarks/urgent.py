"""Somebody has to go now, while a bulk run is under way in another process on the same state folder."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.results import Row
from benchmarks.served import SEED, NotDone, Process, run, served
from benchmarks.watch import Watch, disabled, signed_out, watched
from offboard.sandbox.crowd import person_id


def rows(repeat: int, people: int = 400) -> Iterator[Row]:
    """From the start of the urgent command until its leaver is disabled and signed out.

    Args:
        repeat: Repetitions, each with a bulk run of its own.
        people: Leavers of the bulk run: enough to empty the burst.
    """
    out, alone = [], []
    urgent = person_id(people + 1)
    for _ in range(repeat):
        with served(people + 2) as tenant, watched(tenant.folder / "tenant" / "sandbox") as watch:
            words = [str(SEED), "--leavers", str(tenant.leavers(1, people)), "--yes"]
            bulk = Process(tenant.offboard("-q", "run", *words)).start()
            wait_for(watch, min(3000, people * 7))
            begun = time.perf_counter()
            run(tenant.offboard("-q", "run", "emergency", urgent, "--yes")).must(0, 1)
            busy = not bulk.over()
            bulk.kill()
            bulk.end()
            if not busy:
                raise NotDone("the bulk run was over before the urgent one")
            time.sleep(0.2)
            out.append(_contained(watch, urgent) - begun)
        with served(people + 2) as tenant, watched(tenant.folder / "tenant" / "sandbox") as watch:
            begun = time.perf_counter()
            run(tenant.offboard("-q", "run", "emergency", urgent, "--yes")).must(0, 1)
            time.sleep(0.2)
            alone.append(_contained(watch, urgent) - begun)
    what = "an urgent leaver disabled and signed out"
    note = "from the start of the process, of which about a second is Python and the SDK"
    yield Row(f"{what} during a bulk run of {people:,}", "≤ 2 s", tuple(out), "s", most=2.0, note=note)
    yield Row(f"{what} with nothing else under way", "", tuple(alone), "s")


def _contained(watch: Watch, id_: str) -> float:
    first = watch.when(1, lambda each: disabled(each) and id_ in each.path)
    return max(first, watch.when(1, lambda each: signed_out(each) and id_ in each.path))


def wait_for(watch: Watch, writes: int, seconds: float = 120.0) -> None:
    """Wait until a tenant has executed so many writes.

    Raises:
        NotDone: It did not within the time.
    """
    until = time.perf_counter() + seconds
    while len(watch.seen) < writes:
        if time.perf_counter() > until:
            raise NotDone(f"only {len(watch.seen)} of {writes} writes within {seconds:.0f} s")
        time.sleep(0.02)
