"""A plan as one page: self-contained, well-formed, and nothing a name could turn into an element or attribute."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offboard.model import Plan
from offboard.render.element import Html, element, join
from offboard.render.html import plan_html
from tests.render.payloads import HOSTILE
from tests.render.samples import NOW, SAWYER, hostile_plan, leaver_plan, person, plan, rich_plan
from tests.render.test_safe import harmless

VOID = {"meta", "br"}
ALLOWED = VOID | {
    "html",
    "head",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "div",
    "h1",
    "h2",
    "h3",
}
ALLOWED |= {"p", "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "a"}
ALLOWED |= {"bdi", "code", "b", "strong", "small", "span"}
CLASSES = {
    "alert",
    "stop",
    "warn",
    "scroll",
    "upn",
    "about",
    "leaver",
    "needs",
    "steps",
    "due",
    "n",
    "listing",
    "notes",
    "short",
}
CLASSES |= {"change", "lossy", "note", "open", "accepted", "quiet"}


class Page(HTMLParser):
    """Checks every tag and attribute against what we write; collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.seen: list[str] = []
        self.text: list[str] = []
        self.metas: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        self.seen.append(tag)
        given = dict(attrs)
        assert len(given) == len(attrs)
        if tag == "meta":
            self.metas.append(given)
        else:
            self._attributes(tag, given)
        if tag not in VOID:
            self.stack.append(tag)

    def _attributes(self, tag: str, given: dict[str, str | None]) -> None:
        for name, value in given.items():
            if name == "class":
                assert set((value or "").split()) <= CLASSES, value
            elif name == "href":
                assert re.fullmatch(r"#leaver-\d+", value or ""), value
            elif name == "id":
                assert re.fullmatch(r"leaver-\d+", value or ""), value
            else:
                assert (name, value) in {
                    ("lang", "en"),
                    ("scope", "col"),
                    ("scope", "rowgroup"),
                    ("colspan", "5"),
                    ("role", "note"),
                    ("open", "open"),
                }, (tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def read(made: Plan) -> Page:
    page = Page()
    page.feed(plan_html(made, NOW))
    page.close()
    assert page.stack == []
    return page


PLAIN = read(hostile_plan("Plain"))


@pytest.mark.parametrize("made", [plan(), rich_plan(), plan(*(leaver_plan(person(n)) for n in range(6)))])
def test_the_page_is_well_formed(made: Plan) -> None:
    assert read(made).seen.count("html") == 1


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    source = plan_html(rich_plan(), NOW)
    metas = read(rich_plan()).metas
    policy = next(m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert source.index("Content-Security-Policy") < source.index("<title>")
    assert not re.search(r"url\(|@import|https?:|<script|<link|src=", source)


def test_the_page_says_what_the_terminal_says() -> None:
    text = " ".join(" ".join(read(rich_plan()).text).split())
    for said in (
        "Plan 7f3a21c9: leaver-now for Sawyer Miller",
        "Stop last-admin: Sawyer Miller is the last active Global Administrator",
        "2026-12-23 17:05Z, in 30 days (T+30d)",
        "skip open Sawyer Laptop (1d0c…) also used by Adele Vance; stays enabled",
        "delete Sawyer Miller recoverable until 2027-01-22 17:05Z",
        "deleted user → gone cannot be undone",
        "Avery Smith no 2026-11-20 09:00Z 3 Member",
        "Power BI Pro license f8a1db68-be16-40ed-86d5-cb42ce701560",
        "As of 2026-11-23 17:05Z.",
        SAWYER.id,
    ):
        assert said in text, said


def test_the_overview_leads_to_each_leaver() -> None:
    source = plan_html(plan(*(leaver_plan(person(n)) for n in range(3))), NOW)
    assert re.findall(r'href="#(leaver-\d+)"', source) == re.findall(r' id="(leaver-\d+)"', source)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_payload_becomes_an_element_or_an_attribute(text: str) -> None:
    source = plan_html(hostile_plan(text), NOW)
    assert all(map(harmless, source.split("\n")))
    assert read(hostile_plan(text)).seen.count("td") == PLAIN.seen.count("td")


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60) | st.text("<>&\"'/=! a-\n\x00", max_size=40))
def test_no_text_at_all_becomes_an_element_or_an_attribute(text: str) -> None:
    assert read(hostile_plan(text)).seen.count("td") == PLAIN.seen.count("td")


def test_only_finished_markup_is_not_escaped() -> None:
    assert element("b", "<i>", Html("<br>")) == "<b>&lt;i&gt;<br></b>"
    assert element("a", "x", href='"><script>', class_="") == '<a href="&quot;&gt;&lt;script&gt;">x</a>'
    assert join("a&b") == "a&amp;b"
