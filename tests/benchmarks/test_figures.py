"""What the benchmark makes of its figures; the figures themselves are nobody's test."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.growth import exponent
from benchmarks.results import Row
from benchmarks.served import EFFECTS, FULL, SEED, WRITES
from benchmarks.shares import by_room
from offboard.loading.playbook import load
from offboard.runs.planning import Wanted
from offboard.sandbox.crowd import person_name
from tests.world import a_world


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((), "missing"),
        ((0.9, 1.0, 1.0), "reached"),
        ((1.2, 1.3, 1.3), "**not reached**"),
        ((0.5, 1.5, 0.9), "undecided: spread too large"),
        ((0.1, 0.5, 0.9), "reached"),
        ((2.0, 4.0, 9.0), "**not reached**"),
    ],
)
def test_a_verdict_needs_figures_that_agree_about_it(values: tuple[float, ...], said: str) -> None:
    assert Row("what", "≤ 1", values, "s", most=1.0).verdict() == said


@pytest.mark.parametrize(("possible", "said"), [(14.9, "impossible here"), (15.0, "**not reached**")])
def test_a_goal_beyond_what_anybody_can_reach_is_called_so(possible: float, said: str) -> None:
    assert Row("what", "≥ 15×", (11.0,), "×", least=15.0, possible=possible).verdict() == said


def test_cost_that_doubles_with_size_grows_with_exponent_one() -> None:
    assert exponent([(100, 3.0), (1000, 30.0), (10_000, 300.0)]) == pytest.approx(1.0)
    assert exponent([(100, 1.0), (1000, 100.0)]) == pytest.approx(2.0)


def test_built_in_functions_count_for_the_room_that_called_them() -> None:
    audit, planner = ("/x/offboard/audit/log.py", 1, "write"), ("/x/offboard/planner.py", 1, "replan")
    stats = {
        audit: (1, 1, 2.0, 5.0, {}),
        planner: (1, 1, 1.0, 1.0, {}),
        ("~", 0, "<built-in fsync>"): (1, 1, 3.0, 3.0, {audit: (1, 1, 3.0, 3.0)}),
        ("<frozen importlib._bootstrap>", 1, "load"): (1, 1, 9.0, 9.0, {}),
    }
    rooms = {"audit": 5.0, "deciding (planner, actions, executor)": 1.0, "importing": 9.0}
    assert by_room(stats) == Counter(rooms)


@pytest.mark.anyio
@pytest.mark.parametrize("path", [SEED, FULL], ids=lambda p: p.stem)
async def test_the_playbooks_of_the_benchmark_write_as_often_as_it_counts(path: Path, tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.sandbox.reset(people=10)
        book = load(path)
        plan = await world.maker().make(book, [Wanted(person_name(1), None, {})])
        outcome = await world.apply(plan)
        effects = Counter((e.effect["verb"], e.effect["type"]) for e in world.sandbox.journal())

    assert len(outcome.leavers[0].results) == WRITES[path]
    assert effects == Counter(EFFECTS[path])
