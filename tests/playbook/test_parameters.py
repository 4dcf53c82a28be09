"""Values for a playbook's parameters."""

import pytest

from offboard.errors import UsageError
from offboard.loading.playbook import resolve_parameters
from offboard.model import Parameter, Playbook

BOOK = Playbook(
    "mine",
    "",
    (),
    (
        Parameter("laptop", default="Sawyer Laptop"),
        Parameter("boss", "user", required=True, description="Takes over."),
        Parameter("site"),
    ),
)


def refused(given: dict[str, str]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        resolve_parameters(BOOK, given)
    return caught.value


def test_given_values_come_before_defaults_and_the_rest_is_left_out() -> None:
    assert resolve_parameters(BOOK, {"boss": "m@contoso.com"}) == {"laptop": "Sawyer Laptop", "boss": "m@contoso.com"}
    given = {"boss": "m@contoso.com", "laptop": "X", "site": "Bonn"}
    assert resolve_parameters(BOOK, given) == given


def test_an_empty_value_counts_as_none() -> None:
    assert resolve_parameters(BOOK, {"boss": "m@contoso.com", "laptop": "", "site": ""})["laptop"] == "Sawyer Laptop"
    assert "needs the parameter 'boss'" in refused({"boss": ""}).what


def test_a_required_parameter_without_value_is_named_with_its_description() -> None:
    assert refused({}).what == "playbook mine needs the parameter 'boss' (Takes over.): --set boss=…."


def test_an_unknown_parameter_is_named_with_the_near_word() -> None:
    error = refused({"boss": "m@contoso.com", "latpop": "x"})
    assert error.what == "playbook mine has no parameter 'latpop' (did you mean 'laptop'?)."
    assert error.todo == "Its parameters are laptop, boss, site."


def test_all_that_is_wrong_is_said_at_once() -> None:
    what = refused({"latpop": "x", "site": "a\nb"}).what
    assert all(words in what for words in ("'latpop'", "'boss'", "control character"))


@pytest.mark.parametrize(
    "user", ["megan@contoso.com", "a_b#EXT#@x.onmicrosoft.com", "12345678-1234-1234-1234-123456789012"]
)
def test_a_user_is_a_principal_name_or_an_object_id(user: str) -> None:
    assert resolve_parameters(BOOK, {"boss": user})["boss"] == user


@pytest.mark.parametrize("user", ["megan", "a b@c", "@contoso.com", "me@", "a@b@c", "../users/x"])
def test_anything_else_is_no_user(user: str) -> None:
    assert "neither a user principal name nor an object id" in refused({"boss": user}).what


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\x1b[0m", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "x" * 1001])
def test_values_that_no_person_would_type_are_refused(value: str) -> None:
    assert "the value of 'site'" in refused({"boss": "m@contoso.com", "site": value}).what


def test_a_playbook_without_parameters_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_parameters(Playbook("p", "", ()), {"a": "b"})
    assert caught.value.todo == "It has no parameters."
