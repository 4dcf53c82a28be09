"""Measure, and write `benchmarks/RESULTS.md`.

python -m benchmarks                    everything but the long runs: about a quarter of an hour
python -m benchmarks --quick            a few leavers, few repetitions: within three minutes
python -m benchmarks --full-time        1,000 leavers in real time beside the scaled ones: five minutes more for each run
python -m benchmarks --long             10,000 leavers on a scaled clock, the growth of everything: half an hour more
python -m benchmarks bulk urgent        some sections only; the others keep the figures they have
python -m benchmarks --az PATH          with azure-cli as a peer:
                                        python3 -m venv /tmp/az && /tmp/az/bin/pip install azure-cli; --az /tmp/az/bin/az
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks import audit, bulk, contest, growth, one, results, resumed, shares, startup, urgent
from benchmarks.bulk import Bulk, measure
from benchmarks.results import Row
from benchmarks.served import FULL, OFFBOARD, SEED, NotDone, run

TITLES = {
    "startup": "Start-up",
    "one": "One leaver",
    "bulk": "Many leavers",
    "peers": "Against peers",
    "urgent": "An urgent leaver during a bulk run",
    "resume": "Killed and resumed",
    "audit": "Audit",
    "shares": "Where the processor's time goes",
    "growth": "Growth",
}
SPEED = 5.0
"""For runs that the quota makes long; more, and the processor would be what is measured."""
LONG_SPEED = 8.0


@dataclass
class Bench:
    """One call of the command."""

    quick: bool
    long: bool
    full_time: bool
    repeat: int
    az: Path | None
    _bulk: dict[tuple[int, str, float], list[Bulk]] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Progress."""
        print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)

    def bulk(self, people: int, playbook: Path = SEED, speed: float = 1.0, times: int = 1) -> list[Bulk]:
        """Bulk runs of this size; those measured already are not repeated."""
        known = self._bulk.setdefault((people, playbook.stem, speed), [])
        while len(known) < times:
            known.append(measure(people, playbook, speed=speed))
            last = known[-1]
            self.say(
                f"{people:,} leavers, {playbook.stem}, ×{speed:g}: {last.wall:,.0f} s, contained {last.contained:.1f} s"
            )
        return known

    @cached_property
    def thousand(self) -> list[Bulk]:
        """Bulk runs of a thousand: in real time when asked for, else scaled."""
        if self.quick:
            return []
        return self.bulk(1000, times=self.repeat) if self.full_time else self.bulk(1000, speed=SPEED, times=self.repeat)

    def startup(self) -> Iterable[Row]:
        """Start-up."""
        return startup.rows(5 if self.quick else 15, self.az)

    def one(self) -> Iterable[Row]:
        """One leaver."""
        return one.rows(1 if self.quick else 5)

    def bulk_rows(self) -> Iterable[Row]:
        """Many leavers."""
        if self.quick:
            yield from bulk.rows(self.bulk(20))
            yield from bulk.rows(self.bulk(20, FULL))
            return
        yield from bulk.rows(self.bulk(100, times=5))
        yield from bulk.rows(self.thousand)
        yield from bulk.rows(self.bulk(1000, FULL, SPEED))
        if self.long:
            yield from bulk.rows(self.bulk(10_000, speed=LONG_SPEED))
        else:
            yield Row("10,000 leavers", "≤ 1.03 × the floor, ≤ 200 MB", note="only with --long")

    def peers(self) -> Iterable[Row]:
        """Against peers."""
        found = contest.peers(1 if self.quick else 5, 4 if self.quick else 10, self.az, self.say)
        return contest.rows(found, self.thousand)

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
        return shares.rows(20 if self.quick else 200)

    def growth(self) -> Iterable[Row]:
        """Growth; all sizes on the same clock."""
        start = run([*OFFBOARD, "actions"]).must(0).cpu
        if self.quick:
            return growth.rows([*self.bulk(20), *self.bulk(60)], start)
        sizes = (100, 1000, 10_000) if self.long else (100, 300, 1000)
        speed = LONG_SPEED if self.long else SPEED
        return growth.rows([each for size in sizes for each in self.bulk(size, speed=speed)], start)

    def sections(self) -> dict[str, Callable[[], Iterable[Row]]]:
        """All sections, in the page's order."""
        return {name: self.bulk_rows if name == "bulk" else getattr(self, name) for name in TITLES}


def main() -> int:
    """Measure, and write the page after each section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=_Raw)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(TITLES)}; all when left out")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--full-time", action="store_true")
    parser.add_argument("--repeat", type=int, default=1, help="runs of a thousand leavers")
    parser.add_argument("--az", type=Path)
    given = parser.parse_args()
    bench = Bench(given.quick, given.long, given.full_time, given.repeat, given.az)
    failed = False
    for name, measured in bench.sections().items():
        if given.sections and name not in given.sections:
            continue
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
