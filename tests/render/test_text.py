"""A plan on a terminal: complete, aligned, readable at 80 columns, harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offboard.model import Due, Leaver, Objection, Ref
from offboard.render.safe import width
from offboard.render.text import plan_text
from tests.render.payloads import HOSTILE
from tests.render.samples import (
    DELETED,
    DESKTOP,
    LAPTOP,
    NOW,
    SAWYER,
    changes,
    hostile_plan,
    leaver_plan,
    person,
    plan,
    rich_plan,
)
from tests.render.test_safe import harmless

ANSI = re.compile(r"\x1b\[[0-9]+m")


def many(number: int) -> tuple:
    return tuple(leaver_plan(person(n)) for n in range(number))


def test_the_ordinary_plan_reads_as_it_should() -> None:
    shown = plan_text(plan(), now=NOW)
    steps = shown[shown.index(" 1 disable-user") : shown.index("  8 changes")]
    assert steps == (
        " 1 disable-user     disable  Sawyer Miller              enabled → disabled\n"
        " 2 revoke-sessions  revoke   every session and refresh token\n"
        " 3 reset-password   set      a random password nobody will see\n"
        "                               last changed 2026-08-14 06:30Z\n"
        " 4 unown-devices    unown    Sawyer Laptop (1d0c…)      Sawyer Miller → none\n"
        "                    unown    Woodgrove Desktop (77ab…)  Sawyer Miller → none\n"
        " 5 disable-devices  disable  Woodgrove Desktop (77ab…)  enabled → disabled\n"
        "!                   skip     Sawyer Laptop (1d0c…)\n"
        "                               also used by Adele Vance; stays enabled\n"
        " 6 remove-licenses  free     Microsoft 365 E3, Visio Plan 2\n"
        "!                   keep     Power BI Pro\n"
        "                               comes with group BI-Users; leaves with it\n"
        " 7 delete-user      delete   Sawyer Miller  recoverable until 2026-12-23 17:05Z\n"
        "\n"
    )


def test_who_comes_before_what() -> None:
    shown = plan_text(plan(), now=NOW)
    who = [
        "Sawyer Miller  SawyerM@contoso.com  member, cloud-only, enabled",
        "Finance, Analyst, manager Megan Bowen, employee 10427, created 2021-03-01",
        "2 devices, 3 licenses, no admin role",
        f"id {SAWYER.id}",
    ]
    places = [shown.index(line) for line in who]
    assert places == sorted(places)
    assert places[-1] < shown.index("1 disable-user")


@pytest.mark.parametrize("made", [plan(), rich_plan(), plan(*many(3)), plan(*many(9))])
@pytest.mark.parametrize("size", [72, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(made: object, size: int) -> None:
    lines = plan_text(made, width=size, now=NOW).splitlines()
    # A digest is one word of 71 columns and is never cut.
    assert max(width(line) for line in lines if "sha256:" not in line) <= size
    assert max(map(width, lines)) <= max(size, 80)


def test_every_object_id_stands_there_in_full() -> None:
    made = rich_plan()
    shown = plan_text(made, now=NOW)
    planned = made.leavers[0]
    refs = [ref for step in planned.steps for c in step.changes for ref in (c.target, *c.parts)]
    refs += [note.target for step in planned.steps for note in step.notes if note.target]
    ids = {ref.id for ref in refs} | {planned.leaver.id} | {row["id"] for row in DELETED.rows}
    assert len(ids) == 8
    assert [i for i in ids if i not in shown] == []
    assert made.id in shown
    assert made.digest in shown


def test_objects_of_the_same_name_are_told_apart_by_their_ids() -> None:
    twins = (Ref("device", "1d0c4f5a-aaaa", "PC"), Ref("device", "1d0c4f5b-bbbb", "PC"))
    planned = leaver_plan()
    step = replace(planned.steps[3], changes=changes(devices=twins)["unown-devices"])
    shown = plan_text(plan(replace(planned, steps=(step,))), now=NOW)
    assert "PC (1d0c4f5a…)" in shown
    assert "PC (1d0c4f5b…)" in shown


def test_ids_that_begin_alike_are_told_apart_by_their_ends() -> None:
    front = "d0000000-0000-4000-8000-00000000"
    twins = (Ref("device", front + "0001", "PC"), Ref("device", front + "0002", "PC"))
    planned = leaver_plan()
    step = replace(planned.steps[3], changes=changes(devices=twins)["unown-devices"])
    shown = plan_text(plan(replace(planned, steps=(step,))), now=NOW)
    assert "PC (…0001)" in shown
    assert "PC (…0002)" in shown


def test_nothing_is_kept_quiet() -> None:
    shown = " ".join(plan_text(rich_plan(), now=NOW).split())
    for said in (
        "STOP last-admin: Sawyer Miller is the last active Global Administrator",
        "! young-account: the account was created 3 days ago",
        "skip whole step its condition does not hold",
        "unknown the deleted users could not be read: 403",
        "none nothing to do: already so",
        "purge Sawyer Miller deleted user → gone cannot be undone",
        "2 things stay open: Sawyer Laptop (1d0c…) [shared-device], check-groups [deleted-unknown].",
        "Stays open, accepted by the playbook: Power BI Pro [license-by-group].",
        "9 changes: 7 reversible, 1 recoverable until 2027-01-22 17:05Z, 1 that cannot be undone.",
        "When unown-devices or disable-devices fails, the steps after it are carried out all the same.",
        "When check-groups fails, the run pauses.",
        "Avery Smith no 2026-11-20 09:00Z 3 Member",
        "valid until 2026-11-24 17:05Z, in 24 hours",
        "read 2026-11-23 17:05:12Z by admin@contoso.com",
    ):
        assert said in shown, said


def test_what_is_needed_is_said_in_short_and_what_is_lacking_in_full() -> None:
    made = rich_plan()

    def shown(*lacking: str, known: bool = True) -> str:
        held = [{"held": need["step"] not in lacking} if known else {} for need in made.needs]
        needs = tuple({**need, **mark} for need, mark in zip(made.needs, held, strict=True))
        return " ".join(plan_text(replace(made, needs=needs), now=NOW).split())

    unknown = f"the sign-in does not show which of them it has. In full: offboard permissions {made.playbook.name}"
    assert unknown in shown(known=False)
    fine = shown()
    assert "permissions; the sign-in that read this plan has what it takes." in fine
    assert "Directory.AccessAsUser.All" not in fine
    lacking = shown("unown-devices")
    assert "lacks something for: - unown-devices: Directory.AccessAsUser.All (not possible for an app alone)" in lacking
    assert "revoke-sessions:" not in lacking


def test_a_later_step_stands_under_its_absolute_time() -> None:
    shown = plan_text(plan(leaver_plan(delete=Due.parse("T+30d"))), now=NOW)
    assert shown.index("  at 2026-12-23 17:05Z, in 30 days (T+30d)\n") < shown.index(" 7 delete-user")
    assert "Falls due later: delete-user, 2026-12-23 17:05Z, in 30 days." in shown
    weeks_later = plan_text(plan(leaver_plan(delete=Due.parse("T+30d"))), now=NOW + timedelta(days=27))
    assert "at 2026-12-23 17:05Z, in 3 days (T+30d)" in weeks_later


def test_steps_of_a_future_leave_time_are_shown_with_it() -> None:
    leave = NOW + timedelta(days=7)
    planned = leaver_plan()
    moved = replace(planned, leave=leave, steps=tuple(replace(s, due=leave) for s in planned.steps))
    shown = plan_text(plan(moved), now=NOW)
    assert "leave time 2026-11-30 17:05Z, in 7 days" in shown
    assert shown.index("at 2026-11-30 17:05Z, in 7 days (T)") < shown.index("1 disable-user")


def test_an_expired_plan_says_so_at_the_top() -> None:
    shown = plan_text(plan(), now=NOW + timedelta(days=2))
    assert "STOP This plan expired on 2026-11-24 17:05Z" in shown.split("Sawyer Miller  SawyerM")[0]
    assert "expired" not in plan_text(plan(), now=NOW)


def test_more_than_five_leavers_have_a_table_before_the_details() -> None:
    shown = plan_text(plan(*many(6)), now=NOW)
    assert re.search(r"^6  Person Number 5  person5@contoso\.com  8 +2$", shown, re.M)
    assert "leaver  " not in plan_text(plan(*many(5)), now=NOW)


def test_what_holds_for_all_leavers_is_said_once() -> None:
    shown = plan_text(plan(*many(6)), now=NOW)
    assert shown.count("Access tokens already issued") == 1
    assert shown.count("the steps after it are carried out") == 1


def test_a_deceptive_name_is_flagged_before_the_steps() -> None:
    planned = leaver_plan(replace(SAWYER, display_name="Sawyer\u202eMiller"))
    shown = plan_text(plan(planned), now=NOW)
    flag = shown.index(f"! the name of user {SAWYER.id} contains invisible")
    assert flag < shown.index("1 disable-user")


def test_facts_that_could_not_be_read_are_not_shown_as_none() -> None:
    about = {"devices": "could not be read: 403", "roles": ["Global Administrator"], "shoeSize": 44}
    shown = plan_text(plan(leaver_plan(Leaver("1", "a@b", "A", about))), now=NOW)
    assert "devices could not be read: 403, admin roles: Global Administrator" in shown
    assert "not known whether enabled" in shown
    assert "shoeSize 44" in shown


def test_color_adds_nothing_but_emphasis() -> None:
    plain = plan_text(rich_plan(), now=NOW)
    colored = plan_text(rich_plan(), now=NOW, color=True)
    assert colored != plain
    assert ANSI.sub("", colored) == plain


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_reaches_the_terminal(text: str) -> None:
    shown = plan_text(hostile_plan(text), now=NOW)
    assert all(map(harmless, shown.split("\n")))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_forges_a_line(text: str) -> None:
    """Every line that begins like one of ours is one of ours."""
    forged = text + "\n 1 disable-user     disable  Nobody\nPlan 00000000: fine"
    shown = plan_text(hostile_plan(forged), now=NOW)
    assert len(re.findall(r"^ 1 disable-user", shown, re.M)) == 1
    assert len(re.findall(r"^Plan ", shown, re.M)) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60))
def test_no_text_at_all_reaches_the_terminal_unseen(text: str) -> None:
    shown = plan_text(hostile_plan(text), now=NOW)
    assert all(map(harmless, shown.split("\n")))


def test_wide_names_keep_the_columns() -> None:
    wide = (replace(LAPTOP, name="山田のノート"), replace(DESKTOP, name="Desktop"))
    planned = leaver_plan()
    step = replace(planned.steps[3], changes=changes(devices=wide)["unown-devices"])
    lines = plan_text(plan(replace(planned, steps=(step,))), now=NOW).splitlines()
    arrows = [width(line[: line.index("Sawyer Miller →")]) for line in lines if "unown  " in line]
    assert len(arrows) == 2
    assert len(set(arrows)) == 1


def test_a_plan_of_very_many_is_shown_in_brief_where_it_is_carried_out() -> None:
    one = leaver_plan()
    quiet = replace(one, objections=(), steps=tuple(replace(step, notes=()) for step in one.steps))
    leavers = [
        replace(quiet, leaver=replace(quiet.leaver, id=f"{n:08d}", display_name=f"Person {n}")) for n in range(300)
    ]
    leavers[7] = replace(leavers[7], objections=(Objection("administrator", "warn", "holds a role"),))
    made = plan(*leavers)
    brief, whole = plan_text(made, now=NOW, whole=False), plan_text(made, now=NOW)

    assert "300 leavers" in brief.splitlines()[0]
    assert "Person 7\n" in brief or "Person 7 " in brief
    assert "Person 8" not in brief
    assert "299 leavers are not shown" in brief
    assert f"{300 * len(quiet.changes)} changes" in brief
    assert len(brief.splitlines()) < 80 < 3000 < len(whole.splitlines())
