"""Several processes on one machine that share one folder of state, and one SQLite file: none hurts another."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

from tests.engine.farm import Farm, a_farm, wait_for

STEPS = 5


def deleted(farm: Farm) -> list[str]:
    """Object ids of those who were deleted, each as often as that happened; everything else was done once as well."""
    effects = farm.effects()
    assert max(effects.values()) == 2, "an account is written to twice: disabled, and given another password"
    assert max(count for (method, _), count in effects.items() if method in ("DELETE", "POST")) == 1
    return sorted(path.rpartition("/")[2] for method, path in effects if method == "DELETE")


def test_two_workers_and_two_desks_share_one_folder_and_none_hurts_another(tmp_path: Path) -> None:
    with a_farm(tmp_path / "farm", 40, "150-250ms", shared=True) as farm:
        people = farm.people()
        farm.leaving_soon(people[:4], 8)
        workers = {name: farm.start(name, "worker", "--poll", "0.5") for name in ("first", "second")}
        killed = farm.start("killed", "run", "./going.yaml", *people[4:8], "--yes")
        wait_for(lambda: len(farm.journal()) > 1, 60)
        killed.kill()
        killed.wait(10)
        begun = farm.effects()
        code = farm.run("desk", "run", "./going.yaml", *people[8:12], "--yes")
        # The killed desk's leavers go on as well: nobody has asked for it.
        waited = wait_for(lambda: farm.ended(3), 60)
        asked = [process.poll() for process in workers.values()]
        for process in workers.values():
            process.terminate()
        ends = [process.wait(30) for process in workers.values()]

        assert 0 < begun.total() < 4 * STEPS
        assert code in (0, 1), farm.say("desk")
        assert waited < 30
        assert asked == [None, None], "no worker has ended by itself"
        assert ends == [0, 0], [farm.say(name) for name in workers]
        assert len(deleted(farm)) == 12
        assert farm.answer("desk", "audit", "verify")["valid"]


def test_who_is_told_to_stop_sends_nothing_new_after_a_second_and_says_how_to_go_on(tmp_path: Path) -> None:
    with a_farm(tmp_path / "farm", 40, shared=True) as farm:
        (farm.folder / "leavers.csv").write_text("user\n" + "\n".join(farm.people()[:20]))
        assert farm.run("plan", "plan", "./going.yaml", "--leavers", "leavers.csv", "--out", "plan.json") == 0
        for word, *command in ((signal.SIGTERM, "apply", "plan.json", "--yes"), (signal.SIGINT, "resume")):
            known = len(farm.journal())
            process = farm.start(command[0], *command)
            wait_for(lambda: len(farm.journal()) > known, 60)  # noqa: B023 -- called at once
            process.send_signal(word)
            told = datetime.now(UTC)
            code = process.wait(20)

            assert code == 5, farm.say(command[0])
            assert "offboard resume" in farm.say(command[0])
            assert [each for each in farm.journal() if (at(each["time"]) - told).total_seconds() > 1] == []
            assert known < len(farm.journal()) < 20 * STEPS
            assert not farm.ended(1)
        code = farm.run("last", "resume")

        assert code in (0, 1), farm.say("last")
        assert len(deleted(farm)) == 20
        assert farm.ended(1)
        assert farm.answer("desk", "audit", "verify")["valid"]


def at(time: str) -> datetime:
    """The instant that is written so."""
    return datetime.fromisoformat(time.replace("Z", "+00:00"))
