"""`offboard` against what others would write.

The peers are sequential, and far below the write quota; so the time of a thousand is a thousand times that of one, and they
are measured with few people in real time and multiplied. `offboard` is measured with a thousand, in turn with them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.bulk import Bulk
from benchmarks.results import Progress, Row
from benchmarks.served import SEED, run, served

MANY = 1000
NO_AZ = "azure-cli was not given (`--az PATH`; install it with pip into an environment of its own)"


def contest(
    repeat: int, people: int, az: Path | None, say: Progress, ours: Callable[[], Bulk]
) -> tuple[dict[str, list[float]], list[Bulk]]:
    """Seconds for a thousand people by each peer, and our own runs, interleaved.

    Args:
        repeat: Repetitions.
        people: How many each of the peers really does; one in four for azure-cli, which is slow.
        az: The path of azure-cli.
        say: Told how far it is.
        ours: Measures `offboard`.
    """
    mine: list[Bulk] = []
    sizes = {"sdk": people, "plain": people, **({"az": max(2, people // 4)} if az else {})}
    found: dict[str, list[float]] = {name: [] for name in sizes}
    for turn in range(repeat):
        mine.append(ours())
        for name, count in sizes.items():
            with served(people + 1) as tenant:
                more = [str(az)] if name == "az" else []
                nobody = run(tenant.peer(name, 1, 0, *more)).must(0).wall
                used = run(tenant.peer(name, 1, count, *more)).must(0)
                tenant.check(SEED, 1, count)
                calls = tenant.tally().http
            found[name].append(nobody + (used.wall - nobody) / count * MANY)
            say(
                f"peer {name}, {turn + 1} of {repeat}: {found[name][-1]:,.0f} s for 1,000, {calls / count:.0f} requests each"
            )
    return found, mine


def rows(found: dict[str, list[float]], ours: Sequence[Bulk]) -> Iterator[Row]:
    """Their times, and how many times as fast `offboard` is.

    Args:
        found: Seconds for a thousand, by peer.
        ours: Our runs of a thousand, each before its turn of the peers.
    """
    names = {
        "sdk": ("sequential msgraph-sdk script", 4.0),
        "plain": ("sequential httpx script", None),
        "az": ("one `az rest` process per call", 15.0),
    }
    for name, (title, least) in names.items():
        if name not in found:
            yield Row(f"1,000 leavers, seed, {title}", f"≥ {least:g}× slower", note=NO_AZ)
            continue
        theirs = tuple(found[name])
        yield Row(f"1,000 leavers, seed, {title}, not verified", "", theirs, "s", note="11 requests each; extrapolated")
        goal = f"≥ {least:g}×" if least else ""
        if ours[0].people != MANY:
            yield Row(f"`offboard` is faster than the {title}", goal, note="no run of 1,000 was measured beside it")
            continue
        ratios = tuple(each / bulk.wall for each, bulk in zip(theirs, ours, strict=True))
        note = f"plan and apply, verified: {statistics.median(bulk.wall for bulk in ours):,.0f} s"
        note += f", ×{ours[0].speed:g}" if ours[0].speed != 1 else ""
        bound = statistics.median(theirs) / ours[0].floor
        note += f"; whoever keeps to the write quota (floor {ours[0].floor:,.0f} s) is {bound:.1f}× as fast at most"
        yield Row(f"`offboard` is faster than the {title}", goal, ratios, "×", least=least, possible=bound, note=note)
