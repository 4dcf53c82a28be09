"""Texts with fields: a fixed list, one pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offboard.errors import UsageError
from offboard.facts import Account
from offboard.loading.texts import FIELDS, TextError, fields, fill, fill_step, fill_text, flaws, values
from offboard.model import Ref, Step

SAWYER = Account(
    "id-1",
    "sawyer@contoso.com",
    "Sawyer Miller",
    mail="sm@contoso.com",
    manager=Ref("user", "id-2", "Megan Bowen"),
)


def test_fields_are_filled_from_the_leaver_the_manager_and_the_parameters() -> None:
    known = values({"site": "Bonn"}, SAWYER, manager_upn="megan@contoso.com")
    leaver = "${leaver.displayName} <${leaver.mail}>, ${parameters.site}"
    assert fill_text(leaver, known) == "Sawyer Miller <sm@contoso.com>, Bonn"
    manager = "${manager.displayName} <${manager.userPrincipalName}>"
    assert fill_text(manager, known) == "Megan Bowen <megan@contoso.com>"


def test_every_field_of_the_list_can_be_filled() -> None:
    account = Account(
        "i", "u", "d", mail="m", given_name="g", surname="s", department="de", job_title="j", manager=Ref("user", "", "n")
    )
    known = values({}, account, manager_upn="mu")
    assert set(known) == set(FIELDS)
    assert fill_text("".join(f"${{{name}}}" for name in FIELDS), known) == "duimgsdejnmu"


def test_a_value_that_looks_like_a_field_is_never_parsed_again() -> None:
    strange = Account("id-1", "${parameters.secret}", "$${x} ${leaver.id}")
    known = values({"secret": "s3cret", "note": "${leaver.displayName}"}, strange)
    text = "${leaver.userPrincipalName} ${leaver.displayName} ${parameters.note}"
    assert fill_text(text, known) == "${parameters.secret} $${x} ${leaver.id} ${leaver.displayName}"


def test_a_doubled_dollar_writes_the_characters_themselves() -> None:
    assert fill_text("$${leaver.id} costs $5 and ${leaver.id}", {"leaver.id": "x"}) == "${leaver.id} costs $5 and x"
    assert list(flaws("$${anything", frozenset())) == []


@pytest.mark.parametrize(
    ("text", "offset", "width", "message"),
    [
        ("a ${leaver.name}", 2, 14, "unknown field 'leaver.name'"),
        ("${leaver.passwordProfile}", 0, 25, "unknown field"),
        ("${}", 0, 3, "unknown field ''"),
        ("${ leaver.id }", 0, 14, "unknown field ' leaver.id '"),
        ("${parameters.b}", 0, 15, "no parameter 'b' is declared"),
        ("x ${leaver.id", 2, 2, "not closed"),
        ("x ${", 2, 2, "not closed"),
        ("${a${leaver.id}", 0, 2, "not closed"),
    ],
)
def test_unknown_and_open_fields_are_found_with_their_place(text: str, offset: int, width: int, message: str) -> None:
    found = list(flaws(text, frozenset({"a"})))
    assert len(found) == 1
    assert (found[0].offset, found[0].width) == (offset, width)
    assert message in found[0].message


def test_known_fields_have_no_flaws() -> None:
    text = "".join(f"${{{name}}}" for name in FIELDS) + "${parameters.a}"
    assert list(flaws(text, frozenset({"a"}))) == []
    assert [name for name, _, _ in fields(text)] == [*FIELDS, "parameters.a"]


def test_a_field_without_value_is_an_error_that_names_it() -> None:
    with pytest.raises(TextError, match=r"needs leaver\.department, which has no value"):
        fill_text("${leaver.department}", values({}, SAWYER))
    with pytest.raises(TextError) as caught:
        fill_text("${parameters.site}", {})
    assert "--set site=" in caught.value.todo


@given(st.text(), st.text())
def test_filling_never_interprets_values(value: str, text: str) -> None:
    plain = text.replace("$", "")
    assert fill_text(f"{plain}${{leaver.id}}{plain}", {"leaver.id": value}) == plain + value + plain


def devices(name: str, when: str | None = None) -> Step:
    return Step("s", "disable-devices", {"devices": {"display_name": name}}, when=when)


def test_texts_deep_inside_the_parameters_of_a_step_are_filled() -> None:
    filled = fill(devices("${parameters.a}"), {"parameters.a": "Sawyer Laptop"})
    assert filled.parameters == {"devices": {"display_name": "Sawyer Laptop"}}
    keep = Step("s", "remove-licenses", {"keep": ["${parameters.a}", "B"]})
    assert fill(keep, {"parameters.a": "A"}).parameters == {"keep": ["A", "B"]}


def test_a_step_without_fields_is_left_as_it_is() -> None:
    step = Step("s", "list-deleted-users", {"max": 3, "sort": "name"})
    assert fill(step, {}) is step


def test_a_filled_step_must_still_be_what_its_action_takes() -> None:
    with pytest.raises(UsageError, match="step s, with its parameters filled in: display_name: at most 256"):
        fill(devices("${parameters.a}"), {"parameters.a": "x" * 300})


def test_a_guarded_text_is_left_alone_where_the_condition_does_not_hold() -> None:
    step = devices("${parameters.a}", when="has(parameters.a)")
    assert fill_step(step, SAWYER, {}) is step
    assert fill_step(step, SAWYER, {"a": "x"}).parameters == {"devices": {"display_name": "x"}}


def test_a_text_without_value_is_an_error_where_the_step_would_be_carried_out() -> None:
    with pytest.raises(TextError):
        fill_step(devices("${parameters.a}"), SAWYER, {})
    with pytest.raises(TextError):
        fill_step(devices("${leaver.department}", when="leaver.mail != null"), SAWYER, {})
