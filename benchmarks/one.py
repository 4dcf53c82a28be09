"""One leaver: the article's steps, planned, applied and read back."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.results import Row
from benchmarks.served import FULL, SEED, run, served

GOALS = {SEED: ("≤ 7 (a sequential client needs 15)", 7.0), FULL: ("", None)}


def rows(repeat: int) -> Iterator[Row]:
    """Each repetition in a tenant of its own."""
    for playbook in (SEED, FULL):
        requests, walls, cpus = [], [], []
        for _ in range(repeat):
            with served(10) as tenant:
                used = run(tenant.offboard("run", str(playbook), "person00001@contoso.com", "--yes")).must(0)
                tenant.check(playbook, 1, 1)
                requests.append(float(tenant.tally().http))
                walls.append(used.wall)
                cpus.append(used.cpu)
        name, (goal, most) = playbook.stem, GOALS[playbook]
        yield Row(f"HTTP requests, one leaver, {name}: plan, apply, verify", goal, tuple(requests), "", most=most)
        yield Row(f"wall time of the same, {name}, with the start of the process", "", tuple(walls), "s")
        yield Row(f"CPU of the same, {name}", "", tuple(cpus), "s")
