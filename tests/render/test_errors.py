"""Errors and findings on a terminal: what, where, why, what to do."""

from __future__ import annotations

import pytest

from offboard.errors import (
    Busy,
    GraphUnavailable,
    NotPermitted,
    OffboardError,
    Problem,
    Refused,
    SourceError,
    UsageError,
)
from offboard.findings import Finding
from offboard.render.errors import error_text
from offboard.render.problems import finding_text, problems_text
from offboard.render.safe import width
from tests.render.payloads import HOSTILE
from tests.render.test_safe import harmless

TYPO = Problem(
    "playbooks/leaver.yaml",
    14,
    13,
    "unknown action 'delte-user'; did you mean 'delete-user'?",
    hint="All actions: offboard actions",
    quote="    action: delte-user",
    width=10,
)


def test_a_problem_shows_the_place_the_line_and_a_caret() -> None:
    assert problems_text(SourceError([TYPO])) == (
        "playbooks/leaver.yaml:14:13  unknown action 'delte-user'; did you mean 'delete-user'?\n"
        "   14 |     action: delte-user\n"
        "      |             ^^^^^^^^^^\n"
        "   All actions: offboard actions\n"
    )


def test_the_line_before_is_shown_when_the_file_is_at_hand() -> None:
    source = [""] * 12 + ["  - id: remove", "    action: delte-user"]
    shown = problems_text(SourceError([TYPO]), sources={"playbooks/leaver.yaml": source})
    assert "   13 |   - id: remove\n   14 |     action: delte-user\n" in shown


def test_all_problems_are_shown() -> None:
    whole = Problem("a.yaml", 0, 0, "is empty")
    shown = problems_text(SourceError([TYPO, whole], todo="Nothing was contacted."))
    assert "\na.yaml  is empty\n   Nothing was contacted.\n" in shown


@pytest.mark.parametrize(
    ("quote", "column", "long"),
    [
        ("\taction: x", 10, 1),
        ("字字: x", 5, 1),
        ("a\u202eb: x", 6, 1),
        ("k: " + "v" * 500 + "!" + "w" * 500, 504, 1),
        ("short", 40, 9),
    ],
)
def test_the_caret_stands_under_the_place_whatever_the_line_holds(quote: str, column: int, long: int) -> None:
    _, line, caret = problems_text(SourceError([Problem("a", 3, column, "m", quote=quote, width=long)])).splitlines()[:3]
    assert "^" in caret
    if column <= len(quote):
        place = width(caret.partition("^")[0])
        before = next(line[:n] for n in range(len(line) + 1) if width(line[:n]) == place)
        assert line[len(before)] == quote[column - 1]
    assert width(line) <= 80


@pytest.mark.parametrize(
    ("error", "head"),
    [
        (UsageError("There is no user 'x'."), "Error: There is no user 'x'.\n"),
        (Refused("the plan expired."), "Refused: the plan expired.\n"),
        (NotPermitted("you are not signed in."), "Not permitted: you are not signed in.\n"),
        (GraphUnavailable("Graph did not answer."), "Stopped: Graph did not answer.\n"),
        (Busy("run 1 holds this plan."), "Busy: run 1 holds this plan.\n"),
    ],
)
def test_the_kind_of_trouble_is_the_first_word(error: OffboardError, head: str) -> None:
    assert error_text(error) == head


def test_an_error_says_what_then_details_then_why_then_what_to_do() -> None:
    error = Refused(
        "what was reviewed is no longer true.",
        details=["+ Surface Go   (c0de…)"],
        why="Nothing was changed.",
        todo="Make and review a new plan: offboard plan leaver-now SawyerM@contoso.com",
    )
    assert error_text(error) == (
        "Refused: what was reviewed is no longer true.\n"
        "  + Surface Go   (c0de…)\n"
        "  Nothing was changed.\n"
        "Make and review a new plan: offboard plan leaver-now SawyerM@contoso.com\n"
    )


def test_lines_of_one_message_are_kept_apart_and_indented() -> None:
    shown = error_text(UsageError("There is no user 'a'.\nThere is no user 'b'.", todo="Nothing was planned."))
    assert shown == "Error: There is no user 'a'.\n  There is no user 'b'.\nNothing was planned.\n"


def test_a_long_message_is_wrapped_and_a_command_is_not() -> None:
    command = "Do: offboard plan leaver-now " + "a" * 80
    lines = error_text(UsageError("word " * 40, why="reason " * 40, todo=command)).splitlines()
    assert lines[-1] == command
    assert max(map(width, lines[:-1])) <= 80
    assert all(line.startswith("  ") for line in lines[1:-1])


def test_a_source_error_is_shown_with_its_places() -> None:
    error = SourceError([TYPO])
    assert error_text(error) == problems_text(error)


def test_a_finding_says_what_happens_and_what_to_write_instead() -> None:
    finding = Finding(
        "OFB201", "warning", "sessions are revoked first", "She can sign in again.", "Disable first.", 9, "x"
    )
    assert finding_text(finding, "playbooks/entra-article.yaml") == (
        "playbooks/entra-article.yaml:9  warning OFB201  sessions are revoked first\n"
        "   She can sign in again.\n"
        "   Disable first.\n"
        "   More: offboard explain OFB201\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_reaches_the_terminal(text: str) -> None:
    problem = Problem(text, 3, 2, text, hint=text, quote=text, width=5)
    shown = [
        problems_text(SourceError([problem], todo=text), sources={text: [text] * 4}),
        error_text(Refused(text, details=[text], why=text, todo=text)),
        finding_text(Finding("OFB201", "warning", text, text, text, 9, text), text),
    ]
    assert all(harmless(line) for each in shown for line in each.split("\n"))


def test_color_adds_nothing_but_emphasis() -> None:
    for error in (SourceError([TYPO]), Refused("no.", why="b", todo="c")):
        colored = error_text(error, color=True)
        assert "\x1b[" in colored
        for code in ("1", "2", "31", "33", "0"):
            colored = colored.replace(f"\x1b[{code}m", "")
        assert colored == error_text(error)
