"""Handfuls of a run: who is dealt into which turn, what comes first, and that nobody falls between two of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from offboard.runs.engine.turns import HANDFUL, Turn
from offboard.runs.store import Store
from tests.cli.conftest import Offboard, Said
from tests.engine.test_steering import begin, deleted, records
from tests.world import SAWYER, START, Time, a_world, steps

pytestmark = pytest.mark.anyio
RUN = "0123456789abcdef"


@pytest.fixture
async def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a run of two, one of whom was not carried out yet."""
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "{id: gone, action: delete-user, due: T+30d}")
        plan = await world.plan(book, "SawyerM@contoso.com", "IsaiahL@contoso.com")
        world.store.start(RUN, plan, START)
        yield world.store


async def test_a_turn_is_called_by_what_it_is() -> None:
    for turn in (Turn("r", START, "all", 1, 0), Turn("r", START, "contain", 7, 31, again=True)):
        assert Turn.of(turn.id) == turn


async def test_containment_goes_first_and_small_runs_before_big_ones() -> None:
    contain, whole, rest = (Turn("r", START, part, 1, 0) for part in ("contain", "all", "rest"))

    assert whole.priority(1) < contain.priority(10_000) < rest.priority(10_000)
    assert whole.priority(1) < whole.priority(500)


async def test_everybody_is_dealt_once_and_nobody_twice(store: Store) -> None:
    first = store.turns.deal(RUN, START)
    again = store.turns.deal(RUN, START)

    assert [len(store.turns.shares(turn.id)) for turn in first] == [2]
    assert again == []


async def test_a_held_leaver_is_in_no_turn_and_a_new_deal_is_another_turn(store: Store) -> None:
    (turn,) = store.turns.deal(RUN, START)
    held, other = store.shares(RUN)
    store.steer([held], ())

    assert [share.leaver for share in store.turns.shares(turn.id)] == [other.leaver]
    (new,) = store.turns.deal(RUN, START)
    assert new.id != turn.id
    assert [share.leaver for share in store.turns.shares(new.id)] == [held.leaver]


async def test_what_was_stopped_is_not_tried_again_before_its_pause(store: Store) -> None:
    (turn,) = store.turns.deal(RUN, START + timedelta(seconds=60), pause=True)

    assert turn.at == START + timedelta(seconds=60)


def queued(tmp_path: Path) -> list[tuple[str, str]]:
    """What DBOS has: state and id of each turn, and that nothing else is in there."""
    with sqlite3.connect(tmp_path / "state" / "engine.db") as db:
        rows = db.execute("SELECT status, workflow_uuid, serialization FROM workflow_status ORDER BY rowid").fetchall()
    db.close()
    assert {row[2] for row in rows} <= {"offboard_json", None}
    return [(status, id) for status, id, _ in rows]


def test_a_later_phase_waits_in_the_queue_and_nobody_sleeps_for_it(offboard: Offboard, tmp_path: Path) -> None:
    run = begin(offboard)
    done, later = queued(tmp_path)

    assert done[0] == "SUCCESS"
    assert later[0] == "DELAYED"
    assert Turn.of(later[1]).run == run
    assert (tmp_path / "state" / "engine.db").stat().st_mode & 0o777 == 0o600


def test_a_turn_that_is_over_for_long_is_forgotten_by_the_engine_and_nothing_else(
    offboard: Offboard, time: Time, tmp_path: Path
) -> None:
    begin(offboard)
    before = queued(tmp_path)
    offboard("worker", "--once")
    recent = queued(tmp_path)
    _change(tmp_path / "state" / "engine.db", "UPDATE workflow_status SET completed_at = 1 WHERE status = 'SUCCESS'")
    offboard("worker", "--once")
    left = queued(tmp_path)
    time.jump(days=31)
    said = offboard("worker", "--once")

    assert [status for status, _ in before] == ["SUCCESS", "DELAYED"]
    assert recent == before
    assert left == before[1:]
    assert said.code == 0, said.out + said.err
    assert deleted(offboard) == [SAWYER]


def test_a_turn_that_is_over_is_remembered_as_long_as_somebody_waits_for_it(offboard: Offboard, tmp_path: Path) -> None:
    begin(offboard)
    (_, done), _ = before = queued(tmp_path)
    _change(tmp_path / "state" / "engine.db", "UPDATE workflow_status SET completed_at = 1 WHERE status = 'SUCCESS'")
    _change(tmp_path / "state" / "runs.db", f"UPDATE share SET hold = 'wait', turn = '{done}'")
    offboard("worker", "--once")

    assert before[0] in queued(tmp_path)


def _change(path: Path, statement: str, rows: int = 1) -> None:
    db = sqlite3.connect(path)
    with db:
        assert db.execute(statement).rowcount == rows
    db.close()


def test_a_turn_that_was_never_queued_is_carried_out_all_the_same(offboard: Offboard, time: Time, tmp_path: Path) -> None:
    begin(offboard)
    for path in (tmp_path / "state").glob("engine.db*"):
        path.unlink()
    time.jump(days=31)
    said = offboard("worker", "--once")

    assert said.code == 0, said.out + said.err
    assert deleted(offboard) == [SAWYER]


def _cut_off(offboard: Offboard, tmp_path: Path, people: int) -> Said:
    """A run of so many people."""
    offboard("sandbox", "reset", "--people", str(people + 3))
    (tmp_path / "leavers.csv").write_text(
        "user\n" + "".join(f"person{n:05d}@contoso.com\n" for n in range(1, people + 1))
    )
    (tmp_path / "cut.yaml").write_text(
        "playbook: cut\ndescription: For a test.\nsteps: [disable-user, revoke-sessions, remove-licenses]\n"
    )
    overrides = [f"--override={guard}=a test" for guard in ("max_leavers", "max_percent")]
    return offboard("--json", "run", "./cut.yaml", "--leavers", "leavers.csv", "--yes", *overrides)


def test_many_who_were_stopped_are_all_cut_off_first_when_they_go_on_and_nothing_is_told_twice(
    offboard: Offboard, tmp_path: Path
) -> None:
    # As a stop leaves it, but that the last of them was told as done and not yet stored when the power went.
    people = HANDFUL + 7
    _cut_off(offboard, tmp_path, people)
    (audit,) = (tmp_path / "state").glob("tenants/*/audit.jsonl")
    whole = audit.read_bytes()
    audit.write_bytes(whole[: whole.index(b"\n", whole.rindex(b'"event":"outcome"')) + 1])
    told = records(offboard, "outcome")
    before = offboard("--json", "sandbox", "journal").json
    stopped = "UPDATE share SET state = 'stopped', exit_code = 5, why = 'stopped on request', turn = NULL, due = leave"
    _change(tmp_path / "state" / "runs.db", "UPDATE run SET state = 'open', exit_code = NULL")
    _change(tmp_path / "state" / "runs.db", stopped, people)
    _change(
        tmp_path / "state" / "runs.db",
        f"UPDATE change SET outcome = NULL, why = NULL, at = NULL WHERE step = '{told[-1]['step']}' "
        f"AND leaver = '{told[-1]['leaver']['id']}'",
    )
    earlier = len(queued(tmp_path))
    said = offboard("--json", "resume")
    turns = [Turn.of(id) for _, id in queued(tmp_path)[earlier:]]

    assert said.code == 0, said.out[-2000:] + said.err[-2000:]
    assert [turn.part for turn in turns] == ["contain", "contain", "rest", "rest"]
    assert told[-1]["step"] == "remove-licenses"
    assert records(offboard, "outcome") == told
    assert offboard("--json", "sandbox", "journal").json == before


def test_of_many_everybody_is_cut_off_before_anybody_is_touched_further(offboard: Offboard, tmp_path: Path) -> None:
    people = HANDFUL + 7
    said = _cut_off(offboard, tmp_path, people)
    journal = offboard("--json", "sandbox", "journal").json
    licenses = [n for n, each in enumerate(journal) if each["path"].endswith("assignLicense")]
    others = [n for n, each in enumerate(journal) if not each["path"].endswith("assignLicense")]
    verdict = json.loads(said.out.splitlines()[-1])

    assert said.code == 0, said.out[-2000:] + said.err[-2000:]
    assert (len(licenses), len(others)) == (people, 2 * people)
    assert max(others) < min(licenses)
    assert sum(each["fine"]["changed"] for each in verdict["leavers"]) == 3 * people
    assert [Turn.of(id).part for _, id in queued(tmp_path)].count("contain") == 2
