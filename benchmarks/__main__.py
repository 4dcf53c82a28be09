"""Measure, and write `benchmarks/RESULTS.md`.

python -m benchmarks --quick            a few leavers, few repetitions: within three minutes
python -m benchmarks                    everything but the long runs: about twenty minutes
python -m benchmarks --full-time        1,000 leavers in real time instead of scaled: five and sixteen minutes for each run
python -m benchmarks ten-thousand       10,000 leavers on a scaled clock: ten minutes more; never done unless named
python -m benchmarks --full-time ten-thousand   the same in real time: eighty minutes
python -m benchmarks many urgent        some sections only; the others keep the figures they have
python -m benchmarks --az PATH          with azure-cli as a peer:
                                        python3 -m venv /tmp/az && /tmp/az/bin/pip install azure-cli; --az /tmp/az/bin/az
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import audit, bulk, contest, growth, one, results, resumed, shares, startup, urgent
from benchmarks.bulk import Bulk, measure
from benchmarks.results import Row
from benchmarks.served import FULL, OFFBOARD, SEED, NotDone, run

TITLES = {
    "startup": "Start-up",
    "one": "One leaver",
    "many": "A hundred leavers",
    "thousand": "A thousand leavers",
    "full": "A thousand leavers, full playbook",
    "ten-thousand": "Ten thousand leavers",
    "peers": "Against peers",
    "urgent": "An urgent leaver during a bulk run",
    "resume": "Killed and resumed",
    "audit": "Audit",
    "shares": "Where the processor's time goes",
    "growth": "Growth",
}
SPEED = 5.0
"""For runs that the quota makes long; more, and the processor would be what is measured."""
LONG_SPEED = 10.0
LONG = ("thousand", "full", "ten-thousand")


@dataclass
class Bench:
    """One call of the command."""

    quick: bool
    full_time: bool
    repeat: int
    az: Path | None

    def say(self, text: str) -> None:
        """Progress."""
        print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)

    def bulk(self, people: int, playbook: Path = SEED, speed: float = 1.0, times: int = 1) -> list[Bulk]:
        """Bulk runs of this size, kept for the sections that need them again."""
        found = []
        for _ in range(times):
            found.append(last := measure(people, playbook, speed=speed))
            said = f"{people:,} leavers, {playbook.stem}, ×{speed:g}"
            self.say(f"{said}: {last.wall:,.0f} s, contained after {last.contained:.1f} s")
        if not self.quick:
            results.keep_bulk(f"{people} {playbook.stem}", list(map(bulk.to_json, found)))
        return found

    def startup(self) -> Iterable[Row]:
        """Start-up."""
        return startup.rows(5 if self.quick else 15, self.az)

    def one(self) -> Iterable[Row]:
        """One leaver."""
        return one.rows(1 if self.quick else 5)

    def many(self) -> Iterable[Row]:
        """As many as the burst of the quota holds, in real time."""
        if self.quick:
            return [*bulk.rows(self.bulk(20)), *bulk.rows(self.bulk(20, FULL))]
        return bulk.rows(self.bulk(100, times=5))

    def thousand(self) -> Iterable[Row]:
        """In real time when asked for, else scaled."""
        speed = 1.0 if self.full_time else SPEED
        return bulk.rows(self.bulk(1000, speed=speed, times=self.repeat))

    def full(self) -> Iterable[Row]:
        """The full playbook."""
        return bulk.rows(self.bulk(1000, FULL, 1.0 if self.full_time else SPEED, self.repeat))

    def ten_thousand(self) -> Iterable[Row]:
        """On a clock that runs faster, unless real time is asked for."""
        return bulk.rows(self.bulk(10_000, speed=1.0 if self.full_time else LONG_SPEED))

    def peers(self) -> Iterable[Row]:
        """Against peers."""
        speed = 1.0 if self.full_time else SPEED

        def ours() -> Bulk:
            return measure(20 if self.quick else 1000, speed=1.0 if self.quick else speed)

        found, mine = contest.contest(1 if self.quick else 5, 4 if self.quick else 10, self.az, self.say, ours)
        return contest.rows(found, mine)

    def urgent(self) -> Iterable[Row]:
        """An urgent leaver."""
        return urgent.rows(1, 60) if self.quick else urgent.rows(5)

    def resume(self) -> Iterable[Row]:
        """Killed and resumed."""
        return resumed.rows(1, 20) if self.quick else resumed.rows(3)

    def audit(self) -> Iterable[Row]:
        """Audit."""
        return audit.rows(1 if self.quick else 5)

    def shares(self) -> Iterable[Row]:
        """Where the processor's time goes."""
        return shares.rows(20, 1.0, None) if self.quick else shares.rows(1000, 1.0 if self.full_time else SPEED, 15.0)

    def growth(self) -> Iterable[Row]:
        """Growth, over the sizes that were measured."""
        start = run([*OFFBOARD, "actions"]).must(0).cpu
        if self.quick:
            return growth.rows([*self.bulk(20), *self.bulk(60)], start)
        kept = [bulk.from_json(each) for runs in results.kept_bulk().values() for each in runs]
        return growth.rows([each for each in kept if each.playbook == SEED], start)

    def sections(self, named: Sequence[str]) -> dict[str, Callable[[], Iterable[Row]]]:
        """The sections to measure, in the page's order."""
        usual = [name for name in TITLES if name not in (LONG if self.quick else LONG[-1:])]
        return {
            name: getattr(self, name.replace("-", "_"))
            for name in (TITLES if named else usual)
            if name in (named or usual)
        }


def main() -> int:
    """Measure, and write the page after each section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=_Raw)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(TITLES)}; all when left out")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full-time", action="store_true")
    parser.add_argument("--repeat", type=int, default=1, help="runs of a thousand leavers")
    parser.add_argument("--az", type=Path)
    given = parser.parse_args()
    if unknown := sorted(set(given.sections) - set(TITLES)):
        parser.error(f"no section is called {', '.join(unknown)}; there are {', '.join(TITLES)}")
    bench = Bench(given.quick, given.full_time, given.repeat, given.az)
    failed = False
    for name, measured in bench.sections(given.sections).items():
        bench.say(f"{TITLES[name]} …")
        try:
            found = list(measured())
        except (NotDone, LookupError) as error:
            failed = True
            found = [Row(TITLES[name], "", note="not told, because not all effects were there: " + _cell(error))]
            bench.say(f"{name}: {error}")
        results.keep(name, found, " ".join(["python -m benchmarks", *_told(sys.argv[1:])]))
        results.write_page(TITLES)
        for row in found:
            print(row.line(), flush=True)
    return 1 if failed else 0


def _told(words: list[str]) -> list[str]:
    """The command line for the page; where azure-cli lies is nobody's business."""
    return ["PATH" if "/" in word else word for word in words]


def _cell(error: Exception) -> str:
    return " ".join(str(error).split())[:200].replace("|", "/")


class _Raw(argparse.RawDescriptionHelpFormatter):
    """The description as it is written."""


if __name__ == "__main__":
    sys.exit(main())
