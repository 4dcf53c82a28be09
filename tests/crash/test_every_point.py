"""Killed at every point, resumed once, and judged by the tenant's journal.

Here each point is struck once, in one way; `python -m tests.crash --all` strikes each in every way on both databases, and
`python -m tests.crash --point POINT --kill KIND …` replays exactly one case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.cases import RESUME, Case, operate, prepare
from tests.crash.judge import converged, told_before, undisturbed
from tests.crash.lanes import a_server, judged, lanes
from tests.crash.points import FREEZE, KINDS

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are told by /proc")

SEEN = {
    "plan": {"plan.json.part: sync", "plan.json.part: rename", "audit.jsonl: create", "tenants: make folder"},
    "apply": {"audit.jsonl: sync", "audit.jsonl: half of a write", "POST /v1.0/$batch: leaves"},
    "resume": {"audit.jsonl: write", "DELETE /v1.0/users/…: answered"},
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Addresses by the name of the database."""
    with a_server() as address:
        yield {"sqlite": "", "postgresql": address}


@pytest.mark.parametrize(
    ("operation", "database", "leavers", "every"),
    [
        ("plan", "sqlite", 1, 1),
        ("apply", "sqlite", 1, 1),
        ("resume", "sqlite", 1, 2),
        ("apply", "postgresql", 1, 3),
        ("apply", "postgresql", 3, 6),
    ],
)
def test_whoever_is_killed_at_any_point_is_resumed_once_and_nothing_is_lost_or_repeated(
    tmp_path: Path, servers: dict[str, str], operation: str, database: str, leavers: int, every: int
) -> None:
    shape = Case(operation, database, leavers)

    def kinds(number: int) -> tuple[str, ...]:
        turn = number + leavers + len(database)
        return () if turn % every else (KINDS[turn // every % len(KINDS)],)

    with lanes(tmp_path, servers[database]) as labs:
        found = list(judged(labs, shape, kinds))

    assert [str(verdict) for verdict in found if verdict.problem] == []
    struck = [verdict.struck for verdict in found if verdict.struck]
    assert len(struck) >= len(found) * 0.9, "how often a heart beats may differ from life to life, but not much"
    if every == 1:
        assert {_name(place) for place in struck} >= {_name(verdict.case.place) for verdict in found} | SEEN[operation]


def _name(place: str) -> str:
    return place.partition(" #")[0]


@pytest.mark.parametrize("place", ["leaves", "answered"])
def test_a_frozen_process_and_the_one_that_takes_over_never_both_act(tmp_path: Path, place: str) -> None:
    with lanes(tmp_path, number=1) as (lab,):
        reference = undisturbed(lab, Case())
        case = Case(place=reference.ended.place(place), kind=FREEZE)
        prepare(lab, case)
        frozen = operate(lab, case)
        assert frozen.struck == case.place
        told_before(lab)
        other = lab.run(*RESUME)  # waits for the lease of whoever does not move, and then goes on
        woken = lab.wake(frozen)

        assert reference.code in (other.code, woken.code)
        converged(lab, reference)
