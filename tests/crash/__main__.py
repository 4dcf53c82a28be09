"""From the command line: `python -m tests.crash [--all] [--point POINT --kill KIND --database DB …]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.crash.cases import DATABASES, OPERATIONS, Case
from tests.crash.judge import undisturbed
from tests.crash.lab import Lab
from tests.crash.lanes import LANES, Verdict, a_server, judged, lanes, verdict
from tests.crash.points import KINDS


def main() -> int:
    """Carry out what is asked for; 1 when something does not hold."""
    words = _words()
    began, broken, count = time.monotonic(), 0, 0
    for found in _one(words) if words.point else _many(words):
        count += 1
        broken += bool(found.problem)
        if found.problem or not words.quiet:
            print(found, flush=True)
    print(f"{count} cases, {broken} broken, {time.monotonic() - began:.0f} s")
    return 1 if broken else 0


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every point in every way, on both databases")
    parser.add_argument("--point", help="this point only: as it was told, or its number in an undisturbed life")
    parser.add_argument("--kill", choices=KINDS, action="append", help="in this way")
    parser.add_argument("--operation", choices=tuple(OPERATIONS), action="append")
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--leavers", type=int, choices=(1, 3), action="append")
    parser.add_argument("--quiet", action="store_true", help="tell only what is broken")
    return parser.parse_args()


def _many(words: argparse.Namespace) -> Iterator[Verdict]:
    kinds = words.kill or (KINDS if words.all else None)
    for database in words.database or DATABASES:
        with _labs(database) as labs:
            for operation in words.operation or OPERATIONS:
                for leavers in words.leavers or ((1, 3) if operation == "apply" else (1,)):
                    shape = Case(operation, database, leavers)
                    yield from judged(labs, shape, lambda n: kinds or (KINDS[n % len(KINDS)],))


def _one(words: argparse.Namespace) -> Iterator[Verdict]:
    operation, database = (words.operation or ["apply"])[0], (words.database or ["sqlite"])[0]
    shape = Case(operation, database, (words.leavers or [1])[0])
    with _labs(database, 1) as labs:
        reference = undisturbed(labs[0], shape)
        place = reference.ended.points[int(words.point) - 1] if words.point.isdigit() else words.point
        for kind in words.kill or KINDS:
            yield verdict(labs[0], replace(shape, place=place, kind=kind), reference)
            for path in sorted((labs[0].folder / "told").iterdir(), key=os.path.getmtime)[-6:]:
                print(f"--- {path.name}\n{path.read_text()[-3000:]}")


@contextmanager
def _labs(database: str, number: int = LANES) -> Iterator[list[Lab]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        server = stack.enter_context(a_server()) if database == "postgresql" else ""
        yield stack.enter_context(lanes(folder, server, number))


if __name__ == "__main__":
    sys.exit(main())
