"""Conditions: what the language really does, and that it fails closed."""

import subprocess
import sys

import pytest

from offboard.facts import Account
from offboard.loading.expression import ExpressionError, compile_expression

MEMBER = Account("id-1", "sawyer@contoso.com", "Sawyer Miller", account_enabled=True, department="Finance").graph()


def holds(text: str, **parameters: str) -> bool:
    return compile_expression(text).holds(MEMBER, parameters)


def refused(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.exit_code == 2
    return caught.value


def undecided(text: str, **parameters: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        holds(text, **parameters)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('leaver.userType == "Member"', True),
        ('leaver.userType == "Guest"', False),
        ("leaver.accountEnabled && !leaver.onPremisesSyncEnabled", True),
        ("leaver.mail == null", True),
        ('leaver.jobTitle == "Seller"', False),
        ('leaver.department in ["Finance", "Sales"]', True),
        ('leaver.userPrincipalName.endsWith("@contoso.com")', True),
        ('leaver.displayName.matches("^Sawyer ")', True),
        ('["@fabrikam.com", "@contoso.com"].exists(x, leaver.userPrincipalName.endsWith(x))', True),
        ('size(leaver.displayName) > 3 ? leaver.id == "id-1" : false', True),
        ("// who\nleaver.id != null // always", True),
        ('leaver.displayName.contains("and not or")', False),
        ('"leaver.nothing" == "leaver.nothing"', True),
    ],
)
def test_a_condition_is_asked_about_the_leaver(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_parameters_are_text_and_missing_ones_can_be_asked_for() -> None:
    assert holds('parameters.site == "Bonn"', site="Bonn")
    assert holds("int(parameters.days) > 3", days="10")
    assert not holds("has(parameters.site)")
    assert compile_expression('parameters.a == "x" && parameters.b == "y"').parameters == (("a", 11), ("b", 34))


def test_a_parameter_without_value_leaves_the_condition_undecided() -> None:
    assert undecided('parameters.site == "Bonn"').what == "the parameter site has no value"


def test_a_method_of_an_empty_field_leaves_the_condition_undecided() -> None:
    assert undecided('leaver.mail.endsWith("x")').what == "a value is empty where text is needed"


def test_a_number_that_is_none_leaves_the_condition_undecided() -> None:
    assert undecided("int(parameters.days) > 3", days="many").what


def test_a_division_by_zero_leaves_the_condition_undecided() -> None:
    assert "zero" in undecided("1 / 0 == 1").what


@pytest.mark.parametrize(
    ("text", "offset", "what", "todo"),
    [
        ("leaver.userTyp == 'x'", 7, "unknown field 'leaver.userTyp'", "leaver.userType"),
        ("leaver.xyz == 'x'", 7, "unknown field 'leaver.xyz'", "known are id, userPrincipalName"),
        ("levaer.id == 'x'", 0, "unknown name 'levaer'", "leaver"),
        ("leaver.userType == Member", 19, "unknown name 'Member'", '"Member"'),
        ("startswith(leaver.id, 'x')", 0, "unknown function 'startswith'", "startsWith"),
        ("leaver['id'] == 'x'", 0, "'leaver' alone says nothing", "leaver.userType"),
        ("size(leaver) > 1", 5, "'leaver' alone says nothing", ""),
        ("parameters == {}", 0, "'parameters' alone", "parameters.NAME"),
        ("has(leaver.mail)", 11, "is always true", "leaver.mail != null"),
        ("leaver.id = 'x'", 10, "'=' is not CEL", "=="),
        ("leaver.accountEnabled and true", 22, "'and' is not CEL", "&&"),
        ("not leaver.accountEnabled", 0, "'not' is not CEL", "!"),
        ("leaver.mail is null", 12, "'is' is not CEL", "=="),
        ("leaver.mail == None", 15, "'None' is not CEL", "null"),
        ("true & true", 5, "'&' is not CEL", "&&"),
        ("leaver.mail", 0, "gives text, not true or false", ""),
        ("1 + 1", 0, "gives a number", ""),
        ("leaver.id > 3", 0, "different types", "quotes"),
        ("leaver.id.matches('[')", 0, "'[' is no regular expression", ""),
        ("", 0, "empty", "leave out"),
        (" \n ", 0, "empty", ""),
        ("true &&", 6, "this is not CEL", ""),
        ("true\n && (", 9, "this is not CEL", ""),
        ("'x", 0, "this is not CEL", ""),
    ],
)
def test_what_can_be_told_without_a_leaver_is_refused_with_its_place(
    text: str, offset: int, what: str, todo: str
) -> None:
    error = refused(text)
    assert what in error.what
    assert todo in error.todo
    assert error.offset == offset


def test_length_nesting_and_list_macros_are_limited() -> None:
    assert holds("(" * 20 + "true" + ")" * 20)
    assert "deep" in refused("(" * 21 + "true" + ")" * 21).what
    assert holds("true" + " " * 496)
    assert "500" in refused("true" + " " * 497).what
    assert "second list macro" in refused("[1].all(x, [1].all(y, x == y))").what


def test_hundreds_of_signs_in_a_row_crash_nothing() -> None:
    assert holds("!" * 480 + "true")
    assert holds("||".join(["true"] * 80))
    assert "regular expression" in refused("leaver.id.matches('(a{1000}){1000}')").what


def test_a_condition_is_compiled_once() -> None:
    assert compile_expression("leaver.id != null") is compile_expression("leaver.id != null")


def test_the_terminal_program_of_the_library_is_not_loaded_and_the_library_stays_usable() -> None:
    code = (
        "import sys\n"
        "from offboard.loading.expression import compile_expression\n"
        "compile_expression('leaver.id != null')\n"
        "assert 'typer' not in sys.modules and 'rich' not in sys.modules and 'cel.cel' in sys.modules\n"
        "import cel\n"
        "assert cel.evaluate('1 + 1') == 2\n"
    )
    done = subprocess.run([sys.executable, "-W", "error::ImportWarning", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_library_is_not_loaded_by_a_playbook_without_condition() -> None:
    code = (
        "import sys\n"
        "from offboard.loading.playbook import load\n"
        "load('p', b'playbook: p\\nsteps: [disable-user]')\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'cel']\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
