"""What a person decides about an open run takes effect, stands in the audit, and survives."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from offboard.runs.engine.changes import FREE, News, Whose
from offboard.runs.engine.steering import Steering
from offboard.runs.store import Store
from tests.cli.conftest import Offboard
from tests.world import SAWYER, START, Time, a_world, steps

USER = "SawyerM@contoso.com"
OTHER = "IsaiahL@contoso.com"


def begin(offboard: Offboard, *users: str) -> str:
    """A run of the playbook that deletes after thirty days; its id."""
    lines = offboard("--json", "run", "leaver", *(users or (USER,)), "--yes").lines
    return str(lines[-1]["run"])


def deleted(offboard: Offboard) -> list[str]:
    """The ids of the users that were deleted, as the tenant's journal has it."""
    journal = offboard("--json", "sandbox", "journal").json
    return [
        each["path"].rpartition("/")[2]
        for each in journal
        if each["method"] == "DELETE" and each["path"].rpartition("/")[0].endswith("/users")
    ]


def records(offboard: Offboard, event: str) -> list[Any]:
    return offboard("--json", "audit", "show", "--event", event).lines


def test_a_held_run_is_not_carried_out_until_it_is_released(offboard: Offboard, time: Time) -> None:
    run = begin(offboard)
    held = offboard("hold", run[:6], "--reason", "still needed")
    time.jump(days=31)
    offboard("resume")
    offboard("worker", "--once")
    before = deleted(offboard)
    status = offboard("--json", "status", run).json
    offboard("release", run, "--reason", "not any more")
    done = offboard("worker", "--once")

    assert held.code == 0
    assert before == []
    assert (status["state"], status["leavers"][0]["why"]) == ("held", "still needed")
    assert done.code == 0, done.out + done.err
    assert deleted(offboard) == [SAWYER]
    assert [(r["why"], r["run"]) for r in records(offboard, "held")] == [("still needed", run)]
    assert [r["why"] for r in records(offboard, "released")] == ["not any more"]
    assert "local account" in records(offboard, "held")[0]["actor"]


def test_a_beginning_that_fits_several_runs_resumes_none_of_them(offboard: Offboard, time: Time) -> None:
    begin(offboard)
    begin(offboard, "AdeleV@contoso.com")
    time.jump(days=31)
    said = offboard("resume", "")

    assert said.code == 2
    assert "Several open runs begin with ''" in said.err
    assert deleted(offboard) == []


def test_a_canceled_run_never_goes_on_and_what_is_done_stays(offboard: Offboard, time: Time) -> None:
    run = begin(offboard)
    journal = offboard("--json", "sandbox", "journal").json
    said = offboard("cancel", run, "--reason", "she stays")
    time.jump(days=31)
    offboard("worker", "--once")
    resumed = offboard("resume")

    assert said.code == 0
    assert "No run is open." in resumed.err
    assert offboard("--json", "sandbox", "journal").json == journal
    assert offboard("--json", "runs").json[0]["state"] == "canceled"
    assert records(offboard, "canceled")[0]["leaver"]["upn"] == USER
    assert offboard("cancel", run, "--reason", "again").code == 2


def test_what_a_process_that_died_left_open_of_a_canceled_run_is_told_by_the_next_one(
    offboard: Offboard, tmp_path: Path
) -> None:
    run = begin(offboard)
    (path,) = tmp_path.glob("state/**/runs.db")
    other = Store(path)  # of a process that is about to delete, when somebody cancels, and then dies
    record = other.run(run)
    tenant, (share,) = record.plan.tenant.id, other.shares(run)
    (remove,) = other.parts(run, [share])[0].steps[-1].changes
    assert other.leases.take(run, tenant, [SAWYER]) == {}
    news = News(Whose(run, tenant, SAWYER), (), [("remove", remove.key, remove)], START)
    assert other.changes.write([news]) == [FREE]
    before = len(records(offboard, "outcome"))

    assert offboard("cancel", run, "--reason", "she stays").code == 0
    assert len(records(offboard, "outcome")) == before, "whoever is at work tells it himself"
    other.close()
    offboard("resume")

    (told,) = records(offboard, "outcome")[before:]
    assert (told["run"], told["leaver"]["id"], told["step"], told["outcome"]) == (run, SAWYER, "remove", "skipped")
    assert "may have been sent" in told["why"]
    offboard("resume")
    assert len(records(offboard, "outcome")) == before + 1
    assert deleted(offboard) == []


def test_one_leaver_of_a_run_is_canceled_without_the_other(offboard: Offboard, time: Time) -> None:
    run = begin(offboard, USER, OTHER)
    offboard("cancel", run, "--reason", "stays", "--leaver", OTHER)
    time.jump(days=31)
    offboard("worker", "--once")

    assert deleted(offboard) == [SAWYER]
    states = [each["state"] for each in offboard("--json", "status", run).json["leavers"]]
    assert states == ["ended", "canceled"]


def test_a_new_leave_date_moves_what_is_still_to_come_and_nothing_else(offboard: Offboard, time: Time) -> None:
    run = begin(offboard)
    said = offboard("reschedule", run, "--leave", "2026-12-31T17:00+01:00", "--reason", "stays a month")
    time.jump(days=31)
    offboard("worker", "--once")
    early = deleted(offboard)
    status = offboard("--json", "status", run).json["leavers"][0]
    time.jump(days=38)
    offboard("worker", "--once")

    assert said.code == 0, said.err
    assert early == []
    assert (status["leave"], status["next"]) == ("2026-12-31T16:00:00Z", "2027-01-30T16:00:00Z")
    assert deleted(offboard) == [SAWYER]
    (record,) = records(offboard, "rescheduled")
    assert (record["why"], record["detail"]["leave"]) == ("stays a month", "2026-12-31T16:00:00Z")
    assert offboard("audit", "verify").code == 0


def test_a_leave_time_without_zone_and_an_empty_reason_are_refused(offboard: Offboard) -> None:
    run = begin(offboard)

    assert offboard("reschedule", run, "--leave", "2026-12-31T17:00", "--reason", "x").code == 2
    assert offboard("hold", run, "--reason", "  ").code == 2
    assert offboard("hold", "nothing", "--reason", "x").code == 2
    assert offboard("hold", run, "--reason", "x", "--leaver", "nobody@contoso.com").code == 2
    assert offboard("release", run, "--reason", "x").code == 2
    assert offboard("--json", "status", run).json["state"] == "open"


def test_a_second_run_for_somebody_with_an_open_run_ends_with_six_and_names_the_first(offboard: Offboard) -> None:
    run = begin(offboard)
    before = offboard("--json", "sandbox", "journal").json
    second = offboard("run", "leaver-now", USER, "--yes")
    offboard("cancel", run, "--reason", "new plan")
    third = offboard("run", "leaver-now", USER, "--yes")

    assert second.code == 6, second.out + second.err
    assert run in second.err
    assert f"offboard cancel {run[:8]}" in second.err
    assert len(before) == 9
    assert third.code in (0, 1)
    assert deleted(offboard) == [SAWYER]


def test_the_same_playbook_once_more_changes_nothing_and_leaves_the_deletion_to_the_first_run(
    offboard: Offboard, time: Time
) -> None:
    run = begin(offboard)
    before = offboard("--json", "sandbox", "journal").json
    time.jump(minutes=10)
    again = offboard("--json", "run", "leaver", USER, "--yes")

    assert again.code == 0, again.out + again.err
    assert offboard("--json", "sandbox", "journal").json == before
    assert [each["state"] for each in offboard("--json", "runs").json] == ["ended", "open"]
    offboard("cancel", run, "--reason", "stays")
    time.jump(days=31)
    offboard("worker", "--once")
    assert deleted(offboard) == []


def test_guards_are_asked_again_before_a_later_phase(
    offboard: Offboard, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from offboard.settings import config
    from offboard.settings.tenantconfig import BUILT_IN

    run = begin(offboard)
    guards = replace(BUILT_IN.guards, protected_users=(USER,))
    monkeypatch.setattr(config, "BUILT_IN", replace(BUILT_IN, guards=guards))
    time.jump(days=31)
    said = offboard("worker", "--once")

    assert said.code == 3, said.out + said.err
    assert deleted(offboard) == []
    leaver = offboard("--json", "status", run).json["leavers"][0]
    assert leaver["state"] == "held"
    assert "protected_users" in leaver["why"]
    monkeypatch.setattr(config, "BUILT_IN", BUILT_IN)
    offboard("release", run, "--reason", "no longer protected")
    offboard("worker", "--once")
    assert deleted(offboard) == [SAWYER]


def test_runs_and_status_say_when_it_goes_on_and_what_must_be_running(offboard: Offboard, tmp_path: Path) -> None:
    run = begin(offboard)
    status = offboard("status", run)

    assert "2026-12-23T17:05:12Z" in status.out
    assert "offboard worker" in status.out
    assert "2026-12-23" in offboard("runs").out


@pytest.mark.anyio
async def test_what_has_begun_is_never_overtaken_by_what_is_moved(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "{action: remove-licenses, due: T+1d}", "{action: delete-user, due: T+30d}")
        plan = await world.plan(book, SAWYER)
        await world.apply(plan, "run-1")
        (record,) = world.store.runs()
        (share,) = Steering(world.store, world.audit, "an earlier day").reschedule(record, START - timedelta(days=80))

        begun = plan.leavers[0].steps[0].due
        assert {"remove-licenses": begun, "delete-user": begun} == dict(share.moved)
        assert share.due == begun


@pytest.mark.anyio
async def test_what_is_moved_to_one_instant_keeps_its_order(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        book = steps("disable-user", "{action: remove-licenses, due: T+2d}", "{action: revoke-sessions, due: T+1d}")
        plan = await world.plan(book, SAWYER)
        await world.apply(plan, "run-1")
        (record,) = world.store.runs()
        (share,) = Steering(world.store, world.audit, "an earlier day").reschedule(record, START - timedelta(days=80))

        begun = plan.leavers[0].steps[0].due
        assert share.moved == {"revoke-sessions": begun, "remove-licenses": begun + timedelta(seconds=1)}
