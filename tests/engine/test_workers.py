"""Several workers on one PostgreSQL, as processes of their own: whatever dies, nothing is lost and nothing is done twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.engine.farm import a_farm, wait_for

PEOPLE = 12
STEPS = 5


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "paused"])
def test_another_worker_goes_on_within_thirty_seconds_and_nothing_happens_twice(
    tmp_path: Path, blow: signal.Signals
) -> None:
    with a_farm(tmp_path / "farm", 40) as farm:
        ids = farm.leaving_soon(farm.people()[:PEOPLE])
        first = farm.start("first", "worker", "--poll", "0.5")
        wait_for(lambda: len(farm.journal()) > 2, 60)
        first.send_signal(blow)
        begun = len(farm.journal())
        farm.start("second", "worker", "--poll", "0.5")
        waited = wait_for(lambda: len(farm.journal()) > begun + 1, 40)
        wait_for(lambda: farm.answer("desk", "runs")[0]["state"] == "ended", 60)
        if blow is signal.SIGSTOP:
            first.send_signal(signal.SIGCONT)
            # Where the pause fell into a transaction, the server has ended it.
            wait_for(lambda: any(said in farm.say("first") for said in ("lost its lease", "went away")), 20)
        effects = farm.effects()

        assert begun < PEOPLE * STEPS
        assert waited < 30
        assert {path.rpartition("/")[2] for method, path in effects if method == "DELETE"} == set(ids)
        assert max(count for (method, path), count in effects.items() if method in ("DELETE", "POST")) == 1
        assert max(effects.values()) == 2, "an account is written to twice: disabled, and given another password"
        assert len(farm.journal()) == sum(effects.values())
        assert {
            each["state"] for each in farm.answer("desk", "status", farm.answer("desk", "runs")[0]["run"])["leavers"]
        } == {"ended"}
        for name in ("first", "second"):
            assert farm.answer(name, "audit", "verify")["valid"]


def test_a_worker_that_is_told_to_stop_writes_nothing_more_and_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    with a_farm(tmp_path / "farm", 40) as farm:
        ids = farm.leaving_soon(farm.people()[:PEOPLE])
        first = farm.start("first", "worker", "--poll", "0.5")
        wait_for(lambda: len(farm.journal()) > 2, 60)
        first.terminate()
        code = first.wait(5)
        begun = farm.effects()
        farm.run("second", "worker", "--once")
        effects = farm.effects()

        assert code == 5
        assert 0 < begun.total() < effects.total()
        assert {path.rpartition("/")[2] for method, path in effects if method == "DELETE"} == set(ids)
        assert max(count for (method, _), count in effects.items() if method in ("DELETE", "POST")) == 1


def test_one_plan_is_consumed_once_on_any_machine(tmp_path: Path) -> None:
    with a_farm(tmp_path / "farm", 20, delay="1ms") as farm:
        (user, *_) = farm.people()
        assert farm.run("desk", "plan", "./going.yaml", user, "--out", "plan.json") == 0
        both = [farm.start(name, "apply", "plan.json", "--yes") for name in ("one", "two")]
        codes = sorted(process.wait(60) for process in both)

        assert codes[0] in (0, 1)
        assert codes[1] in (3, 6)
        assert [count for (method, _), count in farm.effects().items() if method == "DELETE"] == [1]


def test_a_run_that_was_killed_goes_on_with_one_resume_at_once(tmp_path: Path) -> None:
    with a_farm(tmp_path / "farm", 20, shared=True) as farm:
        people = farm.people()[:6]
        run = farm.start("desk", "run", "./going.yaml", *people, "--yes")
        wait_for(lambda: len(farm.journal()) > 1, 60)
        run.kill()
        run.wait(10)
        begun = farm.effects()
        code = farm.run("desk", "resume")
        effects = farm.effects()

        assert 0 < begun.total() < effects.total()
        assert code in (0, 1), farm.say("desk")
        assert len([path for method, path in effects if method == "DELETE"]) == 6
        assert max(count for (method, _), count in effects.items() if method in ("DELETE", "POST")) == 1
        assert farm.answer("desk", "audit", "verify")["valid"]
