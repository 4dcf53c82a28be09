"""Many leavers at once: requests, quota, wall time against the floor, processor, memory, and when all are out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import Row
from benchmarks.served import FULL, SEED, WRITES, NotDone, Process, Served, Tally, Used, run, served
from benchmarks.watch import Watch, disabled, signed_out, watched

BURST, RATE = 3000, 20.0
"""The published write quota: 3,000 per 150 s for one app in one tenant."""


@dataclass(frozen=True)
class Bulk:
    """One bulk run, planned and applied, on the tenant's clock.

    Args:
        people: Leavers.
        playbook: What was done to each.
        speed: How many times as fast time ran.
        plan: What planning took.
        apply: What applying took; wall times are the machine's.
        verify: `audit verify` afterwards.
        status: `status RUN` afterwards.
        planned: Calls of the plan.
        applied: Calls of the apply.
        contained: Seconds from the start of `apply` until all were disabled and signed out.
        steady: Share of the quota used from when the burst was spent until the last batch; None when it never was.
    """

    people: int
    playbook: Path
    speed: float
    plan: Used
    apply: Used
    verify: Used
    status: Used
    planned: Tally
    applied: Tally
    contained: float
    steady: float | None

    @property
    def floor(self) -> float:
        """Seconds that the write quota costs at least, when it is full at the start."""
        return max(0.0, (self.people * WRITES[self.playbook] - BURST) / RATE)

    @property
    def apply_wall(self) -> float:
        """Seconds of `apply`, on the tenant's clock."""
        return self.apply.wall * self.speed

    @property
    def wall(self) -> float:
        """Seconds of plan and apply, on the tenant's clock."""
        return (self.plan.wall + self.apply.wall) * self.speed


def to_json(bulk: Bulk) -> dict[str, Any]:
    """For keeping; what the commands said is left out."""
    found = asdict(bulk) | {"playbook": bulk.playbook.name}
    for name in ("plan", "apply", "verify", "status"):
        found[name]["out"] = ""
    return found


def from_json(kept: dict[str, Any]) -> Bulk:
    """As it was kept."""
    found = dict(kept, playbook=SEED.with_name(kept["playbook"]))
    for name in ("plan", "apply", "verify", "status"):
        found[name] = Used(**found[name])
    for name in ("planned", "applied"):
        found[name] = Tally(**found[name])
    return Bulk(**found)


def measure(people: int, playbook: Path = SEED, *, speed: float = 1.0) -> Bulk:
    """Plan and apply for so many people, in a tenant of so many.

    Raises:
        NotDone: Not all effects happened, or not exactly once.
    """
    with served(people, speed=speed) as tenant:
        file = tenant.folder / "plan.json"
        words = ["plan", str(playbook), "--leavers", str(tenant.leavers(1, people)), "--out", str(file)]
        plan = run(tenant.offboard("-q", *words)).must(0)
        planned = tenant.tally()
        with watched(tenant.folder / "tenant" / "sandbox") as watch:
            apply, begun = _apply(tenant, file)
        tenant.check(playbook, 1, people)
        verify = run(tenant.offboard("audit", "verify")).must(0)
        status = run(tenant.offboard("status", _run_of(apply))).must(0)
        contained = max(watch.when(people, disabled), watch.when(people, signed_out)) - begun
        applied = tenant.tally().since(planned)
        steady = _steady(watch, speed)
    return Bulk(people, playbook, speed, plan, apply, verify, status, planned, applied, contained * speed, steady)


def _run_of(apply: Used) -> str:
    found = re.search(r"^run ([0-9a-f]{16}) ", apply.out, re.MULTILINE)
    if found is None:
        raise NotDone("the verdict does not name the run")
    return found[1]


def _apply(tenant: Served, file: Path) -> tuple[Used, float]:
    process = Process(tenant.offboard("-q", "apply", str(file), "--yes")).start()
    return process.end().must(0), process.begun


def _steady(watch: Watch, speed: float) -> float | None:
    """Writes between the end of the burst and the last batch, against what the quota gave in that time."""
    times = [each.at for each in watch.seen]
    if len(times) < BURST + 500:
        return None
    first, last = times[BURST + 100], times[-40]
    done = len(times) - 40 - (BURST + 100)
    return done / ((last - first) * speed * RATE)


def rows(found: list[Bulk]) -> Iterator[Row]:
    """The rows of repeated runs of one size and playbook."""
    first = found[0]
    n, name = first.people, first.playbook.stem
    mark = "" if first.speed == 1 else f", ×{first.speed:g}"
    said = f"{n:,} leavers, {name}{mark}"
    each = [bulk.people for bulk in found]
    goal = {SEED: 0.95, FULL: 1.7}[first.playbook] if n >= 1000 else None
    yield Row(
        f"HTTP requests per leaver, {said}, verified",
        f"≤ {goal:g}" if goal else "",
        tuple((b.planned.http + b.applied.http) / b.people for b in found),
        most=goal,
        note=f"plan {first.planned.http / n:.2f}, apply {first.applied.http / n:.2f}",
    )
    yield from _times(found, said)
    calls = [b.planned.items + b.applied.items + b.planned.http + b.applied.http for b in found]
    throttled = [b.planned.throttled + b.applied.throttled for b in found]
    shares = tuple(100 * t / c for t, c in zip(throttled, calls, strict=True))
    yield Row(f"calls answered 429, {said}", "≤ 0.1 %", shares, "%", most=0.1)
    cpus = tuple(1000 * (b.plan.cpu + b.apply.cpu) / n for b, n in zip(found, each, strict=True))
    note = f"plan {1000 * first.plan.cpu / n:.1f}, apply {1000 * first.apply.cpu / n:.1f}; the engine's part included"
    yield Row(f"CPU per leaver, {said}, plan and apply", "", cpus, "ms", note=note)
    peaks = tuple(max(b.plan.rss, b.apply.rss) / 1e6 for b in found)
    note = f"plan {first.plan.rss / 1e6:.0f}, apply {first.apply.rss / 1e6:.0f}"
    limit = 200.0 if n >= 10_000 else None
    yield Row(f"peak memory, {said}", "≤ 200 MB" if limit else "", peaks, "MB", most=limit, note=note)


def _times(found: list[Bulk], said: str) -> Iterator[Row]:
    first = found[0]
    if first.floor > 0:
        most = {1000: 1.10, 10_000: 1.03}.get(first.people)
        goal = f"≤ {most:.2f}" if most else ""
        note = f"floor {first.floor:,.0f} s"
        yield Row(
            f"apply ÷ floor of the write quota, {said}",
            goal,
            tuple(b.apply_wall / b.floor for b in found),
            "",
            most,
            note=note,
        )
        yield Row(f"plan and apply ÷ the same floor, {said}", "", tuple(b.wall / b.floor for b in found), "")
    else:
        yield Row(f"plan and apply, {said}", "", tuple(b.wall for b in found), "s", note="within the burst: no floor")
    out = 10.0 if first.people == 1000 else None
    yield Row(
        f"all disabled and signed out after, {said}",
        "≤ 10 s" if out else "",
        tuple(b.contained for b in found),
        "s",
        most=out,
        note="from the start of the process of `apply`",
    )
    steady = [b.steady for b in found if b.steady is not None]
    if steady:
        yield Row(f"write quota used in steady state, {said}", "≥ 95 %", tuple(100 * s for s in steady), "%", least=95.0)
