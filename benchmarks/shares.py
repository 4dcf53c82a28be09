"""Whose work the processor does in a bulk run: a profile of `apply`, added up by room."""

from __future__ import annotations

import pstats
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

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


def rows(people: int = 200) -> Iterator[Row]:
    """Milliseconds per leaver of `apply`, by room, importing left out. A profiled run is slower; its shares are what counts.

    Args:
        people: Leavers.
    """
    with served(people) as tenant:
        file, profile = tenant.folder / "plan.json", tenant.folder / "profile"
        words = ["plan", str(SEED), "--leavers", str(tenant.leavers(1, people)), "--out", str(file)]
        run(tenant.offboard("-q", *words)).must(0)
        apply = tenant.offboard("-q", "apply", str(file), "--yes")
        run([sys.executable, "-m", "cProfile", "-o", str(profile), *apply[1:]]).must(0)
        tenant.check(SEED, 1, people)
        stats: Any = pstats.Stats(str(profile))
    spent = by_room(stats.stats)
    total = sum(spent.values())
    for room, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        note = f"{100 * seconds / total:.0f} % of {1000 * total / people:.1f} ms"
        yield Row(f"CPU per leaver in `apply`, profiled: {room}", "", (1000 * seconds / people,), "ms", note=note)


def by_room(stats: Mapping[Any, Any]) -> Counter[str]:
    """Own time of all functions, that of built-in ones given to the room that called them.

    Args:
        stats: `pstats.Stats.stats`.
    """
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in stats.items():
        if name in ("<method 'poll' of 'select.epoll' objects>",):
            continue  # waiting is no work
        if file == "~":
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[_room(caller)] += part
        else:
            spent[_room(file)] += own
    for skipped in ("importing", ""):
        spent.pop(skipped, None)
    return spent


def _room(file: str) -> str:
    if "importlib" in file or file.endswith("/enum.py"):
        return "importing"
    return next((room for room, parts in ROOMS.items() if any(part in file for part in parts)), "everything else")
