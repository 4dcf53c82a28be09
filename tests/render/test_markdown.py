"""A plan in a pull request: same words as on the terminal, nothing a name could turn into markup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from offboard.render.markdown import plan_markdown
from tests.render.payloads import HOSTILE
from tests.render.samples import NOW, hostile_plan, leaver_plan, person, plan, rich_plan
from tests.render.test_safe import harmless

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALLOWED = {"text", "code_inline", "strong_open", "strong_close"}
BLOCKS = {"heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td"}


def shape(source: str) -> dict[str, int]:
    """How many blocks of each kind the page has; fails on any kind that we never write."""
    counted: dict[str, int] = {}
    for token in PARSER.parse(source):
        if token.type == "inline":
            assert {child.type for child in token.children or ()} <= ALLOWED
        elif token.nesting == 1:
            counted[token.type.removesuffix("_open")] = counted.get(token.type.removesuffix("_open"), 0) + 1
        else:
            assert token.nesting == -1, token.type
    assert set(counted) <= BLOCKS
    return counted


def tables(counted: dict[str, int]) -> list[int]:
    """What must not depend on the names."""
    return [counted[kind] for kind in ("tr", "td", "th", "table", "heading")]


PLAIN = tables(shape(plan_markdown(hostile_plan("Plain"), NOW)))


def test_the_ordinary_plan_has_one_row_per_change_or_note() -> None:
    made = plan()
    steps = made.leavers[0].steps
    rows = sum(len(s.changes) + len(s.notes) for s in steps)
    ids, needs = 5, 2 + len(steps)  # what reading needs, and what the guards do
    assert shape(plan_markdown(made, NOW))["tr"] == rows + ids + needs + 3  # and three head rows


def test_it_says_what_the_terminal_says() -> None:
    source = plan_markdown(rich_plan(), NOW)
    for said in (
        "## Plan `7f3a21c9`: leaver-now for Sawyer Miller",
        "- **STOP:** last-admin: Sawyer Miller is the last active Global Administrator",
        "| 1 | `disable-user` | disable | Sawyer Miller | enabled → disabled |",
        "|  |  | **skip** (open) | Sawyer Laptop (`1d0c…`) | also used by Adele Vance; stays enabled |",
        "| 7 | `delete-user` | **delete** | Sawyer Miller | recoverable until `2027-01-22 17:05Z` |",
        "|  | **`2026-12-23 17:05Z`, in 30 days (`T+30d`)** |  |  |  |",
        "| Avery Smith | no | `2026-11-20 09:00Z` | 3 | Member |",
        "| Woodgrove Desktop | device | `77ab2e9c-0d5b-4f3a-a1c4-5e8f6d7b9c31` |",
        "cannot be undone",
    ):
        assert said in source, said


def test_several_leavers_have_an_overview() -> None:
    made = plan(*(leaver_plan(person(n)) for n in range(3)))
    assert "| 2 | Person Number 1 | `person1@contoso.com` | 8 | 2 |  |  |" in plan_markdown(made, NOW)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_changes_the_shape_of_the_page(text: str) -> None:
    source = plan_markdown(hostile_plan(text), NOW)
    assert all(map(harmless, source.split("\n")))
    # A suspicious name adds alerts, an empty one leaves facts out: lists may differ in length, tables may not.
    assert tables(shape(source)) == PLAIN


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60) | st.text("<>|`\\*_[]()!@#&-1. \n", max_size=40))
def test_no_text_at_all_changes_the_tables(text: str) -> None:
    assert tables(shape(plan_markdown(hostile_plan(text), NOW))) == PLAIN
