"""leavers.csv, and times with zones."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offboard.errors import Problem, SourceError, UsageError
from offboard.loading.leavers import MAX_BYTES, LeaverList, parse_time, read_leavers


def rows(text: str | bytes) -> LeaverList:
    return read_leavers("l.csv", text.encode() if isinstance(text, str) else text)


def refused(text: str | bytes) -> list[Problem]:
    with pytest.raises(SourceError) as caught:
        rows(text)
    return list(caught.value.problems)


def only(text: str | bytes) -> Problem:
    problems = refused(text)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\N{ZERO WIDTH NO-BREAK SPACE}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_comma_semicolon_and_tab_with_any_line_end_and_with_or_without_mark(delimiter: str, start: str, end: str) -> None:
    lines = ["user,leave,laptop", "a@b.c,2026-11-23T17:00Z,L 1", "d@e.f,,"]
    found = rows(start + end.join(lines).replace(",", delimiter) + end)
    first, second = found.rows
    assert (first.user, first.leave, dict(first.parameters), first.line) == (
        "a@b.c",
        datetime(2026, 11, 23, 17, tzinfo=UTC),
        {"laptop": "L 1"},
        2,
    )
    assert (second.user, second.leave, dict(second.parameters), second.line) == ("d@e.f", None, {}, 3)
    assert found.remarks == ()


def test_object_ids_and_guests_are_users() -> None:
    users = ["12345678-1234-1234-1234-123456789012", "a_b.com#EXT#@contoso.onmicrosoft.com", "o'brien@contoso.com"]
    assert [row.user for row in rows("user\n" + "\n".join(users)).rows] == users


def test_quoted_cells_may_hold_the_delimiter_and_quotes() -> None:
    found = rows('user,note\n"a@b.c","x, ""y"""\n')
    assert found.rows[0].parameters == {"note": 'x, "y"'}


def test_the_column_names_user_and_leave_may_be_written_in_any_case() -> None:
    assert rows("Leave;USER\n2026-11-23T17:00Z;a@b.c\n").rows[0].leave is not None


def test_blank_lines_and_rows_of_empty_cells_are_passed_over() -> None:
    found = rows("\n\nuser,x,,\n\n,,,\na@b.c,1,,\n , ,\n")
    assert [(row.user, row.line) for row in found.rows] == [("a@b.c", 6)]


def test_repeated_leavers_are_counted_once_and_reported() -> None:
    found = rows("user,x\na@b.c,1\nA@B.C,1\na@b.c,1\n")
    assert len(found.rows) == 1
    assert found.remarks == (
        "line 3: A@B.C stands in line 2 already; counted once",
        "line 4: a@b.c stands in line 2 already; counted once",
    )


def test_a_repeated_leaver_with_other_values_is_refused() -> None:
    problem = only("user,x\na@b.c,1\nd@e.f,1\na@b.c,2\n")
    assert (problem.line, problem.column) == (4, 1)
    assert "line 2 with other values" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("", 0, "is empty", ""),
        ("\n \n", 0, "is empty", ""),
        ("user\n", 0, "lists nobody", ""),
        ("user,leave\n\n,\n", 0, "lists nobody", ""),
        ("a@b.c\n", 1, "no column 'user'", "first row names the columns"),
        ("upn,leave\na@b.c,\n", 1, "no column 'user'", "principal names"),
        ("userPrincipalName\na@b.c\n", 1, "no column 'user'", "rename 'userPrincipalName' to user"),
        ("usr,x\na@b.c,\n", 1, "no column 'user'", "rename 'usr' to user"),
        ("user,x,x\na@b.c,1,2\n", 1, "'x' stands there twice", ""),
        ("user,,x\na@b.c,1,2\n", 1, "'' cannot be a column", "parameter"),
        ("user,a b\na@b.c,1\n", 1, "'a b' cannot be a column", "parameter"),
        ("user,x\na@b.c\n", 2, "expected 2 cells as in the header, found 1", ""),
        ("user,x\na@b.c,1,2\n", 2, "expected 2 cells as in the header, found 3", ""),
        ("user,x\n,1\n", 2, "no user", ""),
        ("user\nsawyer\n", 2, "'sawyer' is neither", ""),
        ("user\n=cmd|' /C calc'!A0\n", 2, "is neither", ""),
        ("user\na@b.c/revokeSignInSessions\n", 2, "is neither", ""),
        ("user\na@b.c?$select=id\n", 2, "is neither", ""),
        ('user\n"a@b.c\nd@e.f\n', 2, "never closed", '""'),
        ('user\n"a@b.c"x\n', 2, "quoting is wrong", '""'),
        ('user,x\na@b.c,"1\n2"\n', 2, "several lines", ""),
        ("user,x\na@b.c," + "y" * 1001, 2, "1,000 characters", ""),
        ("user\na\x00b@c\n", 2, "U+0000", "remove"),
        ("user\na@b.c\N{RIGHT-TO-LEFT OVERRIDE}\n", 2, "U+202E", "remove"),
        ("user,leave\na@b.c,2026-11-23\n", 2, "leave: '2026-11-23' has no time of day", "write it like"),
        ("user,leave\na@b.c,23.11.2026 17:00\n", 2, "is no date and time", "write it like"),
        (b"user\na@b.c\xe9\n", 2, "not UTF-8", "UTF-8"),
        ("user\na@b.c\n".encode("utf-16"), 1, "UTF-16", "UTF-8"),
        (b"user\n" + b"#" * MAX_BYTES, 0, "larger than 16,384 KiB", ""),
    ],
)
def test_a_wrong_list_is_refused_with_line_and_advice(text: str | bytes, line: int, message: str, hint: str) -> None:
    problem = refused(text)[0]
    assert problem.line == line
    assert message in problem.message
    assert hint in problem.hint


def test_all_bad_rows_are_named_at_once() -> None:
    problems = refused("user,leave\nx,never\na@b.c,2026-11-23T17:00Z\ny,2026-11-23T17:00\nz@z\n")
    assert [(p.line, p.column) for p in problems] == [(2, 1), (2, 3), (4, 1), (4, 3), (5, 1)]


def test_standard_input_is_called_so() -> None:
    with pytest.raises(SourceError, match="standard input: is empty"):
        read_leavers("-", b"")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='user,;\t\n\r"@a.é\x00-', max_size=200).map(str.encode))
def test_any_bytes_give_a_list_or_complaints(content: bytes) -> None:
    for data in (content, b"user,x\n" + content):
        found = answer(data)
        if isinstance(found, LeaverList):
            assert found.rows
            assert all("@" in row.user or row.user.count("-") == 4 for row in found.rows)
        else:
            assert found.problems


def answer(data: bytes) -> LeaverList | SourceError:
    try:
        return read_leavers("l.csv", data)
    except SourceError as error:
        return error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T17:00Z", (23, 17, 0)),
        ("2026-11-23t17:00z", (23, 17, 0)),
        ("2026-11-23 17:00:59 UTC", (23, 17, 0)),
        ("2026-11-23T17:00+01:00", (23, 16, 0)),
        ("2026-11-23T17:00 -0130", (23, 18, 30)),
        ("2026-11-23 17:00 Europe/Berlin", (23, 16, 0)),
        ("2026-11-23T17:00[Europe/Berlin]", (23, 16, 0)),
        (" 2026-11-23 23:30 America/New_York ", (24, 4, 30)),
    ],
)
def test_times_are_instants(text: str, expected: tuple[int, int, int]) -> None:
    found = parse_time(text)
    assert found.tzinfo is UTC
    assert (found.day, found.hour, found.minute) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-23T17:00", "has no time zone"),
        ("2026-11-23", "has no time of day"),
        ("2026-11-23Z", "has no time of day"),
        ("tomorrow", "is no date and time"),
        ("", "is no date and time"),
        ("23.11.2026 17:00", "is no date and time"),
        ("2026-11-23T5:00Z", "is no date and time"),
        ("2026-02-30T17:00Z", "is no date and time"),
        ("2026-11-23T24:00Z", "is no date and time"),
        ("2026-11-23T17:00+15:00", "which no zone has"),
        ("2026-11-23T17:00 CET", "unknown time zone 'CET'"),
        ("2026-11-23T17:00 Europe/Atlantis", "unknown time zone"),
        ("2026-11-23T17:00 ../../etc/passwd", "is no date and time"),
        ("1999-12-31T17:00Z", "not between 2000 and 2199"),
        ("9999-12-31T17:00Z", "not between"),
        ("2026-03-29 02:30 Europe/Berlin", "does not exist"),
        ("2026-10-25 02:30 Europe/Berlin", "two instants"),
    ],
)
def test_what_is_no_instant_is_refused_with_examples(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_time(text)
    assert why in caught.value.what
    assert "Europe/Berlin" in caught.value.todo


def test_just_before_and_after_the_clocks_change_there_is_one_instant() -> None:
    assert parse_time("2026-03-29 01:59 Europe/Berlin").hour == 0
    assert parse_time("2026-03-29 03:00 Europe/Berlin").hour == 1
    assert parse_time("2026-10-25 03:00 Europe/Berlin").hour == 2
