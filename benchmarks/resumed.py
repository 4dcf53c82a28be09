"""A bulk run that is killed at half, and resumed: what the rest costs against the whole."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.results import Row
from benchmarks.served import SEED, WRITES, Process, Served, run, served
from benchmarks.urgent import wait_for
from benchmarks.watch import watched


def rows(repeat: int, people: int = 200) -> Iterator[Row]:
    """Within the burst of the quota, so that wall times are those of the work.

    Args:
        repeat: Repetitions.
        people: Leavers.
    """
    walls, requests, whole_walls, whole_requests = [], [], [], []
    for _ in range(repeat):
        with served(people) as tenant:
            whole_walls.append(run(_all(tenant, people)).must(0).wall)
            whole_requests.append(tenant.tally().http)
            tenant.check(SEED, 1, people)
        with served(people) as tenant, watched(tenant.folder / "tenant" / "sandbox") as watch:
            killed = Process(_all(tenant, people)).start()
            wait_for(watch, people * WRITES[SEED] // 2)
            killed.kill()
            killed.end()
            before = tenant.tally()
            walls.append(run(tenant.offboard("-q", "resume")).must(0).wall)
            requests.append(tenant.tally().since(before).http)
            tenant.check(SEED, 1, people)
    said = f"{people:,} leavers, killed at half of the writes"
    yield Row(f"{said}: wall time of `resume` ÷ the whole run", "", _shares(walls, whole_walls), "")
    note = f"whole {whole_requests[0]}, rest {requests[0]} requests; every effect happened exactly once"
    yield Row(f"{said}: HTTP requests of `resume` ÷ the whole run", "", _shares(requests, whole_requests), "", note=note)


def _all(tenant: Served, people: int) -> list[str]:
    words = [str(SEED), "--leavers", str(tenant.leavers(1, people)), "--yes"]
    return tenant.offboard("-q", "run", *words)


def _shares(parts: list[float] | list[int], wholes: list[float] | list[int]) -> tuple[float, ...]:
    return tuple(part / whole for part, whole in zip(parts, wholes, strict=True))
