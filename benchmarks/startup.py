"""How long a person waits for help and for a checked playbook, in fresh processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Row
from benchmarks.served import OFFBOARD, run

NO_AZ = "azure-cli was not given (--az PATH)"


def rows(repeat: int, az: Path | None) -> Iterator[Row]:
    """Start-up, interleaved, so that a noisy minute hits all alike; the first turn warms the file cache."""
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "help": [*OFFBOARD, "--help"],
        "validate": [*OFFBOARD, "validate", "leaver"],
        "actions": [*OFFBOARD, "actions"],
        **({"az": [str(az), "--help"]} if az else {}),
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    cpus: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeat + 1):
        for name, words in commands.items():
            used = run(words).must(0)
            walls[name] += [used.wall] if turn else []
            cpus[name] += [used.cpu] if turn else []
    times = {name: tuple(values) for name, values in walls.items()}
    yield Row("`python -c pass`, the floor", "", times["python"], "s")
    yield Row("`offboard --help`", "≤ 0.15 s", times["help"], "s", most=0.15)
    yield Row("`offboard validate leaver`", "≤ 0.30 s", times["validate"], "s", most=0.30)
    yield Row("`offboard actions`", "", times["actions"], "s")
    yield Row("`az --help`", "slower than ours", times.get("az", ()), "s", note="" if az else NO_AZ)
    note = "what remains on a machine that has nothing else to do"
    yield Row("CPU of `offboard --help`", "≤ 0.15 s", tuple(cpus["help"]), "s", most=0.15, note=note)
    yield Row("CPU of `offboard validate leaver`", "≤ 0.30 s", tuple(cpus["validate"]), "s", most=0.30, note=note)
    if az:
        yield Row("CPU of `az --help`", "", tuple(cpus["az"]), "s")
        for name in ("help", "validate"):
            shares = tuple(ours / theirs for ours, theirs in zip(times[name], times["az"], strict=True))
            yield Row(f"`{name}` ÷ `az --help`", "≤ 1", shares, "", most=1.0)
