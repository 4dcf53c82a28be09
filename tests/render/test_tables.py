"""Tables, line breaks and spelling for poor terminals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offboard.model import Table
from offboard.render.layout import align, wrap
from offboard.render.safe import width
from offboard.render.style import Style, for_encoding
from offboard.render.tables import table_json, table_text
from tests.render.payloads import HOSTILE
from tests.render.samples import DELETED
from tests.render.test_safe import harmless


def test_a_row_that_does_not_fit_becomes_a_block_with_nothing_cut() -> None:
    assert table_text(DELETED).splitlines()[:5] == [
        "Deleted users (2 rows)",
        "name         enabled  deleted            days ago  type",
        "Avery Smith  no       2026-11-20 09:00Z  3         Member",
        "  user principal name  8a1f6c7e22b14a5d9f107c3e5b2d4a66AveryS@contoso.com",
        "  id                   8a1f6c7e-22b1-4a5d-9f10-7c3e5b2d4a66",
    ]


def test_on_a_wide_terminal_each_row_is_one_line() -> None:
    lines = table_text(DELETED, 200).splitlines()
    assert len(lines) == 4
    place = lines[1].index("id")
    assert [line[place:] for line in lines[2:]] == [row["id"] for row in DELETED.rows]


@pytest.mark.parametrize("size", [60, 80, 120, 200])
def test_nothing_is_lost_at_any_width(size: int) -> None:
    shown = table_text(DELETED, size)
    assert max(map(width, shown.splitlines())) <= size
    for row in DELETED.rows:
        assert row["id"] in shown
        assert row["userPrincipalName"] in shown


def test_an_empty_table_says_so() -> None:
    assert table_text(Table("Deleted users", DELETED.columns, ())) == "Deleted users (0 rows)"


def test_json_is_the_rows_as_they_are() -> None:
    assert json.loads(table_json(DELETED)) == [dict(row) for row in DELETED.rows]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_payload_is_harmless_as_text_and_unchanged_as_json(text: str) -> None:
    table = Table(text, ("displayName", text), ({"displayName": text, text: text},))
    assert all(map(harmless, table_text(table).split("\n")))
    written = table_json(table)
    assert all(map(harmless, written.split("\n")))
    assert json.loads(written)[0]["displayName"] == text


@given(st.text(st.sampled_from("ab 字é"), max_size=80), st.integers(4, 40))
def test_wrapping_loses_no_word_and_keeps_to_the_width(text: str, size: int) -> None:
    lines = wrap(text, size)
    assert " ".join(lines).split() == text.split()
    assert all(width(line) <= size or " " not in line.strip() for line in lines)


def test_columns_are_aligned_by_what_the_terminal_shows() -> None:
    assert align([["字字", "x"], ["abc", "y"], ["", ""]]) == ["字字  x", "abc   y", ""]


def test_an_output_that_cannot_take_a_character_gets_it_spelled() -> None:
    text = "enabled → disabled… ✓ é 字"
    assert for_encoding(text, "utf-8") == text
    assert for_encoding(text, "ascii") == "enabled -> disabled... + <U+00E9> <U+5B57>"
    assert for_encoding(text, "latin-1") == "enabled -> disabled... + é <U+5B57>"
    assert for_encoding(text, "no-such-encoding") == for_encoding(text, "ascii")


def test_without_color_there_is_no_sequence() -> None:
    for paint in ("strong", "dim", "good", "bad", "warn"):
        assert getattr(Style(), paint)("x") == "x"
        assert getattr(Style(True), paint)("x") != "x"
