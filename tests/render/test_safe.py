"""The one sanitizer: nothing active or invisible comes out of it, nothing is dropped in silence."""

from __future__ import annotations

import csv
import html
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from offboard.render.safe import for_csv, for_html, for_markdown, safe, suspicious, width
from tests.render.payloads import HOSTILE

ANYTHING = st.text(st.characters(codec=None), max_size=200)
NASTY = st.text(st.sampled_from("ab1 .|`\\<>&@#*_[]()!-+:~$'\"=\n\u202e\u0301\u200b字"), max_size=60)


def harmless(text: str) -> bool:
    """Whether no character steers a terminal, hides or turns the direction."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return not any(unicodedata.category(c) in hidden for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_payload_is_made_harmless(text: str) -> None:
    assert harmless(safe(text))


@given(ANYTHING)
def test_any_text_is_made_harmless_within_its_columns_and_only_once(text: str) -> None:
    made = safe(text, 40)
    assert harmless(made)
    assert width(made) <= 40
    assert safe(made, 40) == made


@given(ANYTHING)
def test_a_quoted_source_line_is_made_harmless_with_its_spaces_kept(text: str) -> None:
    made = safe(text, 500, keep_spaces=True)
    assert harmless(made)
    assert safe(made, 500, keep_spaces=True) == made


@pytest.mark.parametrize(
    "text", ["Sawyer Miller", "Zoë Müller", "O’Brien-Smith", "山田 太郎", "Алла Ким", "שרה לוי", "नीता"]
)
def test_ordinary_names_stay_as_they_are(text: str) -> None:
    assert safe(text) == text
    assert suspicious(text) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a<U+001B>[2Jb"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u2028b", "a<U+2028>b"),
        ("a\ud800b", "a<U+D800>b"),
        ("a\U000e0041b", "a<U+E0041>b"),
        ("a   b", "a <+2 spaces>b"),
        ("a  b", "a <U+0020>b"),
        (" a", "<U+0020>a"),
        ("\u0301a", "<U+0301>a"),
        ("a" + "\u0301" * 9, "a\u0301\u0301\u0301<+6 marks>"),
    ],
)
def test_what_is_hidden_is_shown_by_its_number(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_names_that_differ_only_in_something_invisible_are_shown_differently() -> None:
    assert len({safe(x) for x in ("Laptop", "Lap\u200btop", "Laptop ", "Lap\u00adtop", "Laptop\u3164")}) == 5


def test_a_cut_text_says_so_and_never_ends_within_a_mark() -> None:
    made = safe("x" * 5 + "\x1b" * 50, 20)
    assert made == "xxxxx<U+001B>…"
    assert safe("y" * 81).endswith("…")
    assert safe("字" * 50, 10) == "字字字字…"


@pytest.mark.parametrize(
    ("text", "columns"), [("abc", 3), ("字", 2), ("e\u0301", 1), ("ＡＢ", 4), ("é", 1), ("", 0), ("→…", 2)]
)
def test_columns_are_counted_as_a_terminal_counts_them(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Saw\u202eyer", "invisible"),
        ("Saw\u200byer", "invisible"),
        ("Sаwyer", "Cyrillic and Latin"),
        ("a" + "\u0301" * 9, "piles"),
        ("Sawyer Миллер", ""),
        ("東京 Office", ""),
    ],
)
def test_a_deceptive_name_is_told_from_a_foreign_one(text: str, why: str) -> None:
    assert why in suspicious(text)
    assert bool(suspicious(text)) == bool(why)


# -- for each medium ---------------------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def markdown_words(source: str) -> str:
    """The text that a reader of this Markdown sees; fails on anything but text and code spans."""
    inline = [t for t in MARKDOWN.parse(source) if t.type == "inline"]
    found = [child for token in inline for child in token.children or ()]
    assert {child.type for child in found} <= {"text", "code_inline"}, source
    return "".join(child.content for child in found)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_payload_is_read_in_markdown_as_it_is_on_a_terminal(text: str) -> None:
    assert markdown_words(f"- {for_markdown(text)}") == safe(text)


@given(ANYTHING | NASTY)
def test_any_text_is_read_in_markdown_as_it_is_on_a_terminal(text: str) -> None:
    for before in ("- ", "### "):
        assert markdown_words(before + for_markdown(text, 300)) == safe(text, 300)


@given(ANYTHING | NASTY)
def test_any_text_stays_in_its_cell_of_a_markdown_table(text: str) -> None:
    rows = f"| a | b |\n| --- | --- |\n| {for_markdown(text, 300)} | end |"
    tokens = MARKDOWN.parse(rows)
    assert [t.type for t in tokens].count("td_open") == 2
    assert markdown_words(rows) == "ab" + safe(text, 300) + "end"


@pytest.mark.parametrize("text", ["@octo", "https://evil.example", "www.evil.example", "#12", "GH-12", "a@evil.example"])
def test_what_a_forge_would_link_stands_in_a_code_span(text: str) -> None:
    assert for_markdown(text) == f"`{text}`"


def test_ordinary_words_need_no_code_span_in_markdown() -> None:
    text = "also used by Adele Vance; stays enabled (see group BI-Users), 30 days."
    assert for_markdown(text) == text


@given(ANYTHING | NASTY)
def test_any_text_is_read_in_html_as_it_is_on_a_terminal(text: str) -> None:
    made = for_html(text)
    assert not set(made) & set("<>\"'")
    assert html.unescape(made) == safe(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_spreadsheet_begins_like_a_formula(text: str) -> None:
    [[cell, after]] = csv.reader(io.StringIO(f"{for_csv(text)},{for_csv('after')}\r\n"))
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert after == "after"


def test_a_cell_keeps_what_is_no_formula() -> None:
    assert [for_csv(x) for x in ("Sawyer", 'a "b"', None, True, -5, "-5")] == [
        '"Sawyer"',
        '"a ""b"""',
        '""',
        '"true"',
        '"-5"',
        '"\'-5"',
    ]
