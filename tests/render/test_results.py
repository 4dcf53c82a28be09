"""Results as they come in, and the verdict at the end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from offboard.model import Doing, Note, Outcome, Result
from offboard.render.results import LeaverVerdict, Verdict, leaver_heading, result_lines, verdict_text
from offboard.render.safe import width
from tests.render.payloads import HOSTILE
from tests.render.samples import DELETED, DESKTOP, NOW, SAWYER, hostile_plan, leaver_plan, notes, person, results
from tests.render.test_safe import harmless

DONE = LeaverVerdict(SAWYER, results())
OPEN = (*notes()["disable-devices"], *notes()["remove-licenses"])


def verdict(*leavers: LeaverVerdict, exit_code: int = 0, **more: str) -> str:
    return verdict_text(Verdict("7f3a21c9", "contoso.com", leavers, exit_code, **more))


def test_each_result_is_one_aligned_line() -> None:
    assert result_lines(leaver_plan(), results()) == [
        "  1 disable-user     ✓ disabled    17:06:02Z  Sawyer Miller",
        "  2 revoke-sessions  ✓ revoked     17:06:02Z  Sawyer Miller",
        "  3 reset-password   ✓ set         17:06:02Z  Sawyer Miller",
        "  4 unown-devices    ✓ unowned     17:06:02Z  Sawyer Laptop (1d0c…)",
        "                     ✓ unowned     17:06:02Z  Woodgrove Desktop (77ab…)",
        "  5 disable-devices  ✓ disabled    17:06:02Z  Woodgrove Desktop (77ab…)",
        "  6 remove-licenses  ✓ freed       17:06:02Z  Microsoft 365 E3, Visio Plan 2",
        "  7 delete-user      ✓ deleted     17:06:02Z  Sawyer Miller",
    ]


def test_results_told_one_at_a_time_read_the_same_but_for_the_repeated_step() -> None:
    planned = leaver_plan()
    together = result_lines(planned, results())
    single = [line for result in results() for line in result_lines(planned, [result])]
    assert len(single) == len(together)
    assert [line[21:] for line in single] == [line[21:] for line in together]


def test_a_failure_is_told_with_its_reason_and_the_next_thing_to_do() -> None:
    *_, failed, why, todo, rest = result_lines(leaver_plan(), results(failed=True))
    assert failed == "  5 disable-devices  ✗ failed      17:06:02Z  disable Woodgrove Desktop (77ab…)"
    assert why.strip() == "Graph refused (403 Authorization_RequestDenied)"
    assert f"{todo.strip()} {rest.strip()}" == "You need Device.ReadWrite.All or the role Cloud Device Administrator."


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.CHANGED, "✓ disabled"),
        (Outcome.UNCHANGED, "= already so"),
        (Outcome.SKIPPED, "- skipped"),
        (Outcome.DRIFTED, "! drifted"),
        (Outcome.FAILED, "✗ failed"),
    ],
)
def test_each_outcome_has_a_mark_and_a_word(outcome: Outcome, said: str) -> None:
    change = leaver_plan().steps[0].changes[0]
    [line, why] = result_lines(leaver_plan(), [Result(outcome, "disable-user", change, "because", NOW)])
    assert said in line
    assert why.strip() == "because"


def test_a_step_as_a_whole_is_told_too() -> None:
    [line, _] = result_lines(leaver_plan(), [Result(Outcome.SKIPPED, "delete-user", None, "the leaver is deleted")])
    assert line == "  7 delete-user      - skipped                nothing was done"


def test_without_utf8_words_and_columns_stay() -> None:
    lines = result_lines(leaver_plan(), results(failed=True), utf8=False)
    assert all(line.isascii() for line in lines)
    assert "  1 disable-user     + disabled    17:06:02Z  Sawyer Miller" in lines
    assert "  5 disable-devices  x failed      17:06:02Z  disable Woodgrove Desktop (77ab...)" in lines
    assert verdict_text(Verdict("1", "ä", (DONE,), 0), utf8=False).isascii()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_reaches_the_terminal(text: str) -> None:
    planned = hostile_plan(text).leavers[0]
    made = [Result(Outcome.FAILED, s.step.id, c, text, NOW, text) for s in planned.steps for c in s.changes]
    lines = [*result_lines(planned, made), leaver_heading(planned.leaver)]
    notes = tuple(note for step in planned.steps for note in step.notes)
    each = LeaverVerdict(
        planned.leaver,
        tuple(made),
        open_items=notes,
        accepted_items=notes,
        due_later=((text, NOW),),
        not_started=(text,),
        refused=(text, text),
        stopped=text,
        tables=planned.steps[-2].tables,
    )
    for leavers in ((each,), (each, replace(each, refused=()))):
        lines += verdict_text(Verdict(text, text, leavers, 1, text, text)).split("\n")
    assert all(map(harmless, lines))


def test_a_clean_run_ends_in_three_sentences() -> None:
    each = replace(DONE, disabled_at=NOW, revoked_at=NOW)
    assert verdict(each) == (
        "Done. 8 changes done and verified.\n"
        "Sign-in is blocked since 2026-11-23 17:05:12Z.\n"
        "An access token issued before 17:05:12Z may still be accepted until about\n"
        "18:35Z; Exchange, SharePoint, Teams: 17:20Z.\n"
        "run 7f3a21c9  tenant contoso.com  exit 0\n"
    )


def test_a_token_that_lives_past_midnight_has_its_date() -> None:
    late = NOW.replace(hour=23, minute=0)
    said = " ".join(verdict(replace(DONE, disabled_at=late)).split())
    assert "until about 2026-11-24 00:30Z; Exchange, SharePoint, Teams: 23:15Z." in said


def test_revoking_alone_does_not_claim_that_sign_in_is_blocked() -> None:
    said = verdict(replace(DONE, revoked_at=NOW))
    assert "Sessions are revoked since" in said
    assert "blocked" not in said
    assert "token" not in verdict(DONE)


def test_open_and_accepted_items_are_told_apart() -> None:
    said = verdict(replace(DONE, open_items=OPEN[:1], accepted_items=OPEN[1:]), exit_code=1)
    assert said.startswith("Done, but something stays open. ")
    assert "  ! Sawyer Laptop: also used by Adele Vance; stays enabled [shared-device]\n" in said
    assert "  - Power BI Pro: comes with group BI-Users; leaves with it; accepted\n" in said
    assert verdict(replace(DONE, accepted_items=OPEN)).startswith("Done. ")


def test_open_items_on_objects_of_the_same_name_carry_the_id() -> None:
    twin = replace(DESKTOP, name="Sawyer Laptop")
    said = verdict(replace(DONE, open_items=(OPEN[0], Note(Doing.ASK, twin, "disable it there", "x", True))))
    assert f"Sawyer Laptop ({twin.id}): disable" in said


def test_a_run_that_failed_in_the_middle_says_what_was_not_started() -> None:
    each = LeaverVerdict(SAWYER, results(failed=True), not_started=("remove-licenses", "delete-user"))
    said = verdict(each, exit_code=1, next="When the permission is there: offboard resume 7f3a21c9")
    assert said == (
        "Finished, but not everything worked. 5 changes done and verified, 1 failed, 2\n"
        "steps not started.\n"
        "  disable-devices failed\n"
        "  not started: remove-licenses, delete-user\n"
        "When the permission is there: offboard resume 7f3a21c9\n"
        "run 7f3a21c9  tenant contoso.com  exit 1\n"
    )


def test_a_refused_run_says_why_and_that_nothing_was_changed() -> None:
    each = LeaverVerdict(SAWYER, refused=("What was reviewed is no longer true.", "+ Surface Go (c0de…)"))
    assert verdict(each, exit_code=3) == (
        "Refused. Nothing was changed.\n"
        "  What was reviewed is no longer true.\n"
        "    + Surface Go (c0de…)\n"
        "run 7f3a21c9  tenant contoso.com  exit 3\n"
    )


def test_a_second_run_says_that_nothing_was_changed() -> None:
    same = tuple(replace(r, outcome=Outcome.UNCHANGED) for r in results())
    assert verdict(LeaverVerdict(SAWYER, same)).startswith("Done. Nothing was changed, 8 already so.\n")


def test_a_stopped_run_says_so() -> None:
    said = verdict(LeaverVerdict(SAWYER, results()[:2], stopped="Graph could not be reached."), exit_code=5)
    assert said.startswith("Stopped early. 2 changes done and verified.\n  Graph could not be reached.\n")


def test_what_drifted_is_no_success() -> None:
    drifted = replace(results()[0], outcome=Outcome.DRIFTED)
    said = verdict(LeaverVerdict(SAWYER, (drifted,)), exit_code=1)
    assert said.startswith("Finished, but something is not as it was reviewed. Nothing was changed, 1\ndrifted.\n")


def test_what_falls_due_later_is_told_with_what_must_run_then() -> None:
    later = (("delete-user", NOW + timedelta(days=30)),)
    said = verdict(replace(DONE, due_later=later), later_needs="Keep a worker running: offboard worker")
    assert "Falls due later: delete-user on 2026-12-23 17:05Z.\nKeep a worker running: offboard worker\n" in said


def test_of_many_leavers_only_those_in_trouble_are_named() -> None:
    clean = [LeaverVerdict(person(n), results(), disabled_at=NOW + timedelta(minutes=n)) for n in range(3)]
    later = (("delete-user", NOW + timedelta(days=30)),)
    bad = LeaverVerdict(person(7), results(failed=True), open_items=OPEN[:1], due_later=later)
    gone = LeaverVerdict(person(8), refused=("the user is gone",))
    said = verdict(*[replace(c, due_later=later) for c in clean], bad, gone, exit_code=1)
    assert "29 changes done and verified, 1 failed." in " ".join(said.split())
    assert "  Person Number 7 (person7@contoso.com): disable-devices failed\n" in said
    assert "  Person Number 8 (person8@contoso.com): the user is gone\n" in said
    assert "Person Number 7, Sawyer Laptop: also used by Adele Vance" in said
    assert "Sign-in is blocked for 3 leavers since 2026-11-23 17:07:12Z." in said
    assert "delete-user for 4 leavers on 2026-12-23 17:05Z." in said
    assert "Person Number 1" not in said


def test_rows_of_read_only_steps_come_first_and_once() -> None:
    each = replace(DONE, tables=(DELETED, DELETED))
    said = verdict(each)
    assert said.startswith("Deleted users (2 rows)\n")
    assert said.count("Avery Smith") == 1


def test_color_adds_nothing_but_emphasis() -> None:
    whole = Verdict("1", "contoso.com", (replace(DONE, open_items=OPEN, disabled_at=NOW),), 1)
    for plain, colored in (
        (verdict_text(whole), verdict_text(whole, color=True)),
        (
            "\n".join(result_lines(leaver_plan(), results())),
            "\n".join(result_lines(leaver_plan(), results(), color=True)),
        ),
        (leaver_heading(SAWYER), leaver_heading(SAWYER, color=True)),
    ):
        assert plain != colored
        assert re.sub(r"\x1b\[[0-9]+m", "", colored) == plain


def test_sentences_keep_to_the_width_and_commands_are_not_broken() -> None:
    command = "Make and review a new plan: offboard plan leaver-now " + "someone.with.a.long.name@contoso.com " * 2
    each = replace(DONE, open_items=OPEN, disabled_at=NOW)
    lines = verdict(each, next=command.strip()).splitlines()
    assert command.strip() in lines
    assert all(width(line) <= 80 for line in lines if line != command.strip())
