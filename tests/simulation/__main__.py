"""Many seeds from the command line.

    python -m tests.simulation --seeds 0-9999 [--jobs 2]     which of these seeds break a rule, and how to replay them
    python -m tests.simulation --seed 4711                   this one only, told in full

What breaks is to be added to `regressions.txt`, which every test run replays.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter

from tests.simulation.chapters import simulate
from tests.simulation.invariants import judge, judge_whole
from tests.simulation.life import Life
from tests.simulation.scenario import draw
from tests.simulation.tape import line
from tests.simulation.wording import BrokenError

MOST = 40
"""Broken seeds after which it is not worth going on."""


def span(text: str) -> range:
    """`A-B` with both included, or how many from 0."""
    first, _, last = text.rpartition("-")
    return range(int(first), int(last) + 1) if first else range(int(last))


def outcome_of(seed: int) -> tuple[int, str, str]:
    """The seed, which rule it breaks (empty for none), and how."""
    try:
        simulate(draw(seed), judge, judge_whole)
    except BrokenError as error:
        return seed, error.rule, str(error)
    except BaseException as error:
        return seed, "simulation", f"{type(error).__name__}: {error}"
    return seed, "", ""


def show(seed: int) -> int:
    """One seed, told in full."""
    scenario = draw(seed)
    print(f"seed {seed}: {', '.join(scenario.people)}")
    for step in scenario.steps:
        print(f"  - {step}")
    for number, attempt in enumerate((scenario.planning, *scenario.attempts), 1):
        print(f"  process {number}: {attempt}")
    kept: list[Life] = []

    def whole(life: Life) -> None:
        judge_whole(life)

    def each(life: Life, found: object) -> None:
        kept[:] = [life]
        judge(life, found)  # type: ignore[arg-type]

    code = 0
    try:
        simulate(scenario, each, whole)
    except BaseException:
        traceback.print_exc()
        code = 1
    for event in kept[0].tape if kept else ():
        print(line(event))
    for found in kept[0].tries if kept else ():
        ended = f"exit {found.outcome.exit_code()}" if found.outcome else repr(found.error)
        print(f"process {found.process}: {ended}")
        for one in found.outcome.leavers if found.outcome else ():
            print(f"   {one.refused or ''} {one.stopped} not started: {one.not_started}")
            for result in one.results:
                print(f"   {result.step} {result.change.key if result.change else ''}: {result.outcome} {result.why}")
    return code


def main() -> int:
    """Run what the arguments say; 1 when a rule is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=span, default=range(1000), help="A-B, both included, or how many from 0")
    parser.add_argument("--seed", type=int, help="this one only, told in full")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    if chosen.seed is not None:
        return show(chosen.seed)
    began, broken = time.perf_counter(), Counter[str]()
    seeds: range = chosen.seeds
    with multiprocessing.get_context("fork").Pool(chosen.jobs) as pool:
        for seed, rule, what in pool.imap_unordered(outcome_of, seeds, chunksize=8):
            if rule:
                broken[rule] += 1
                print(f"python -m tests.simulation --seed {seed}\n    {what[:400]}", flush=True)
            if broken.total() >= MOST:
                pool.terminate()
                break
    took = time.perf_counter() - began
    print(f"{len(seeds)} seeds in {took:.1f} s ({len(seeds) / took:.1f}/s), broken: {dict(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
