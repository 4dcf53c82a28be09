"""Whose work the processor does in a bulk run: a profile of `apply`, added up by room, and held against a run without it."""

from __future__ import annotations

import pstats
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import bulk
from benchmarks.results import Row
from benchmarks.served import SEED, run, served

ROOMS = {
    "the engine (runs/engine, DBOS, database)": (
        "/runs/engine/",
        "/runs/store.py",
        "/dbos/",
        "/sqlalchemy/",
        "/psycopg/",
    ),
    "audit": ("/offboard/audit/", "/structlog/"),
    "HTTP (httpx, h11, anyio, asyncio)": ("/httpx/", "/httpcore/", "/h11/", "/anyio/", "/asyncio/", "/selectors.py"),
    "sender and readers (graph/)": ("/offboard/graph/", "/kiota", "/msgraph", "/std_uritemplate"),
    "deciding (planner, actions, executor)": ("/offboard/planner.py", "/offboard/actions/", "/offboard/runs/"),
    "command line and rendering": ("/offboard/cli/", "/offboard/render/", "/rich/", "/offboard/planfile.py"),
}


WAITING = ("<method 'poll' of 'select.epoll' objects>", "<method 'acquire' of '_thread.lock' objects>")
"""What is no work, although the clock runs."""
ENGINE = next(iter(ROOMS))
THREADS = "the engine's threads, and the one that waits for the disk"


def rows(people: int, speed: float, most: float | None) -> Iterator[Row]:
    """Milliseconds per leaver, by room: the shares of a profiled run, of what a run without a profiler takes.

    Args:
        people: Leavers.
        speed: How many times as fast time runs.
        most: The goal for what is not the engine's.
    """
    plain = bulk.measure(people, speed=speed)
    spent = profiled(people, speed)
    total, cpu = sum(spent.values()), 1000 * plain.apply.cpu / people
    said = f"{people:,} leavers" + (f", ×{speed:g}" if speed != 1 else "")
    engine = cpu * (spent[ENGINE] + spent[THREADS]) / total
    beyond = 1000 * plain.plan.cpu / people + cpu - engine
    goal = f"≤ {most:g} ms" if most else ""
    note = f"of {cpu + 1000 * plain.plan.cpu / people:.1f} ms in all, starting and importing included"
    yield Row(
        f"CPU per leaver of `plan` and `apply`, beyond the engine, {said}", goal, (beyond,), "ms", most=most, note=note
    )
    yield Row(f"CPU per leaver of the engine's bookkeeping, {said}", "", (engine,), "ms")
    for room, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        note = f"{100 * seconds / total:.0f} % of `apply`"
        yield Row(f"CPU per leaver in `apply`: {room}", "", (cpu * seconds / total,), "ms", note=note)


def profiled(people: int, speed: float) -> Counter[str]:
    """Seconds that `apply` took under a profiler, by room."""
    with served(people, speed=speed) as tenant:
        file, profile = tenant.folder / "plan.json", tenant.folder / "apply.profile"
        words = ["plan", str(SEED), "--leavers", str(tenant.leavers(1, people)), "--out", str(file)]
        run(tenant.offboard("-q", *words)).must(0)
        head = [sys.executable, "-m", "benchmarks.profiled", str(profile), str(tenant.speed), repr(tenant.origin)]
        run([*head, *tenant.options(), "-q", "apply", str(file), "--yes"]).must(0)
        tenant.check(SEED, 1, people)
        stats: Any = pstats.Stats(str(profile))
        return by_room(stats.stats) + Counter({THREADS: float(profile.with_suffix(".threads").read_text())})


def by_room(stats: Mapping[Any, Any]) -> Counter[str]:
    """Own time of all functions, that of built-in ones given to the room that called them.

    Args:
        stats: `pstats.Stats.stats`.
    """
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in stats.items():
        if name in WAITING:
            continue
        if file == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[_room(caller)] += part
        else:
            spent[_room(file)] += own
    return spent


def _room(file: str) -> str:
    if "importlib" in file or file.endswith("/enum.py"):
        return "importing"
    return next((room for room, parts in ROOMS.items() if any(part in file for part in parts)), "everything else")
