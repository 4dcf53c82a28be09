"""Killed at every point, resumed once, and judged by the tenant's journal.

Here each point is struck once, in one way; `python -m tests.crash --all` strikes each in every way on both databases, and
`python -m tests.crash --point POINT --kill KIND …` replays exactly one case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.cases import OPERATIONS, RESUME, Case, operate, prepare
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
        ("resume", "sqlite", 1, 3),
        ("apply", "postgresql", 1, 4),
        ("apply", "postgresql", 3, 9),
    ],
)
def test_whoever_is_killed_at_any_point_is_resumed_once_and_nothing_is_lost_or_repeated(
    tmp_path: Path, servers: dict[str, str], operation: str, database: str, leavers: int, every: int
) -> None:
    shape = Case(operation, database, leavers)

    with lanes(tmp_path, servers[database]) as labs:
        found = list(judged(labs, shape, _every(every, leavers + len(database))))

    assert [str(verdict) for verdict in found if verdict.problem] == []
    struck = [verdict.struck for verdict in found if verdict.struck]
    assert len(struck) >= len(found) * 0.9, "how often a heart beats may differ from life to life, but not much"
    if every == 1:
        assert {_name(place) for place in struck} >= {_name(verdict.case.place) for verdict in found} | SEEN[operation]


OTHERS = {
    "later": 12,
    "worker": 15,
    "back": 12,
    "purge": 10,
    "restore": 5,
    "undo": 4,
    "hold": 3,
    "cancel": 3,
    "reschedule": 3,
    "rotate": 3,
    "approve": 3,
}
"""The other operations, and which part of their points is struck here."""


def test_whatever_else_a_person_does_is_done_or_not_done_and_done_when_it_is_done_again(tmp_path: Path) -> None:
    assert {*SEEN, *OTHERS} == {*OPERATIONS}
    found = []
    with lanes(tmp_path) as labs:
        for place, (operation, every) in enumerate(OTHERS.items()):
            kinds = _every(every, place)
            some = list(judged(labs, Case(operation), kinds))
            assert any(verdict.struck for verdict in some), operation
            found += some

    assert [str(verdict) for verdict in found if verdict.problem] == []


def _every(every: int, first: int) -> Callable[[int], tuple[str, ...]]:
    """A kind of an end for each point whose turn it is."""
    return lambda number: () if (number + first) % every else (KINDS[(number + first) // every % len(KINDS)],)


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
