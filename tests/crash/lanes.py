"""Many cases, two lanes at a time."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from tests.crash.after import BrokenError
from tests.crash.cases import Case
from tests.crash.judge import Reference, trial, undisturbed
from tests.crash.lab import Lab, a_lab
from tests.engine.farm import postgres

LANES = 2


@dataclass(frozen=True)
class Verdict:
    """How a case ended.

    Args:
        case: The case.
        struck: The point at which its process was struck; empty when it ended and never got there.
        problem: What does not hold; empty when everything does.
    """

    case: Case
    struck: str
    problem: str = ""

    def __str__(self) -> str:
        where = "" if self.struck else "  (ended and never got there)"
        return f"{'BROKEN' if self.problem else 'ok'}  {self.case}{where} {self.problem}".rstrip()


@contextmanager
def lanes(folder: Path, server: str = "", number: int = LANES) -> Iterator[list[Lab]]:
    """So many labs.

    Args:
        folder: For everything.
        server: Address of a PostgreSQL; empty for SQLite.
        number: How many.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(a_lab(folder / f"lane{n + 1}", server)) for n in range(number)]


@contextmanager
def a_server() -> Iterator[str]:
    """A PostgreSQL; its address. It is never killed itself, so it need not wait for its disk."""
    import psycopg

    # Not in pytest's folder: the server is another account's when we are root, and pytest keeps that account out.
    with tempfile.TemporaryDirectory(prefix="offboard-") as folder, postgres(Path(folder) / "pg") as address:
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET fsync = off")
            admin.execute("SELECT pg_reload_conf()")
        yield address


def judged(labs: list[Lab], shape: Case, kinds: Callable[[int], Iterable[str]]) -> Iterator[Verdict]:
    """Every point of one operation, struck in each of the ways that are asked for.

    Args:
        labs: The lanes.
        shape: The operation, the database and how many leavers.
        kinds: The ways, by the point's number in an undisturbed life.
    """
    free: SimpleQueue[tuple[Lab, Reference]] = SimpleQueue()
    references = [undisturbed(lab, shape) for lab in labs]
    for pair in zip(labs, references, strict=True):
        free.put(pair)

    def judge(case: Case) -> Verdict:
        lab, reference = free.get()
        try:
            return verdict(lab, case, reference)
        finally:
            free.put((lab, reference))

    points = enumerate(references[0].ended.points, 1)
    cases = [replace(shape, place=place, kind=kind) for n, place in points for kind in kinds(n)]
    with ThreadPoolExecutor(len(labs)) as pool:
        yield from pool.map(judge, cases)


def verdict(lab: Lab, case: Case, reference: Reference) -> Verdict:
    """Carry out one case; what does not hold is said, not raised."""
    try:
        return Verdict(case, trial(lab, case, reference))
    except BrokenError as error:
        return Verdict(case, case.place, str(error))
    except Exception:
        return Verdict(case, case.place, traceback.format_exc())
