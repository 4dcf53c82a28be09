"""What is found about the order and the combination of steps."""

import textwrap
from collections.abc import Iterator
from typing import ClassVar

import pytest

from offboard.actions import ACTIONS
from offboard.actions.revoke_sessions import RevokeSessions
from offboard.errors import UsageError
from offboard.findings import CODES, WORDS, Finding, explain, find
from offboard.findings.rules import BACK
from offboard.loading.playbook import load

GUEST = "leaver.userType == 'Guest'"


def found(*steps: str, parameters: str = "{}") -> list[Finding]:
    listed = "".join(f"  - {step}\n" for step in steps)
    return find(load("p", f"playbook: p\nparameters: {parameters}\nsteps:\n{listed}".encode()))


def codes(*steps: str) -> list[str]:
    return [finding.code for finding in found(*steps)]


def one(code: str, *steps: str) -> Finding:
    matching = [finding for finding in found(*steps) if finding.code == code]
    assert len(matching) == 1, found(*steps)
    return matching[0]


def test_revoking_before_disabling_is_found_at_the_revocation() -> None:
    finding = one("OFB201", "revoke-sessions", "disable-user")
    assert (finding.line, finding.severity, finding.about) == (4, "warning", "revoke-sessions")
    assert "can sign in again" in finding.explanation
    assert "revoke once more afterwards" in finding.mend


@pytest.mark.parametrize(
    "steps",
    [
        ("disable-user", "revoke-sessions"),
        ("revoke-sessions", "disable-user", "revoke-sessions"),
        (
            "{action: revoke-sessions, due: T+1h}",
            "{action: disable-user, due: T+1h}",
            "{action: revoke-sessions, due: T+1h}",
        ),
        (f'{{action: disable-user, when: "{GUEST}"}}', f'{{action: revoke-sessions, when: "{GUEST}"}}'),
    ],
)
def test_revoking_after_disabling_is_fine(steps: tuple[str, ...]) -> None:
    assert codes(*steps) == []


def test_the_order_of_falling_due_counts_and_not_the_order_of_lines() -> None:
    assert "OFB201" in codes("{action: disable-user, due: T+1d}", "revoke-sessions")


def test_a_later_revocation_under_another_condition_mends_nothing() -> None:
    later = "{action: revoke-sessions, when: 'leaver.mail != null', id: again}"
    assert "OFB201" in codes("revoke-sessions", "disable-user", later)


def test_disabling_without_revoking_is_found() -> None:
    assert one("OFB202", "disable-user").severity == "warning"


def test_nothing_is_revoked_for_guests_so_nothing_is_missing() -> None:
    assert codes(f'{{action: disable-user, when: "{GUEST}"}}') == []
    assert codes(f'{{action: disable-user, when: "{GUEST} || leaver.mail == null"}}') == ["OFB202"]


@pytest.mark.parametrize(
    "action", ["disable-user", "revoke-sessions", "reset-password", "remove-licenses", "unown-devices"]
)
def test_each_step_that_needs_the_user_is_found_after_the_deletion(action: str) -> None:
    finding = one("OFB203", "{action: delete-user, id: remove}", f"{{action: {action}, id: late}}")
    assert (finding.line, finding.about) == (5, "late")
    assert finding.title.startswith("late comes after the user is deleted")


def test_listing_deleted_users_after_the_deletion_is_fine() -> None:
    assert codes("{action: delete-user, due: T+30d}", "{action: list-deleted-users, due: T+30d}") == []


def test_a_step_above_the_deletion_that_falls_due_later_is_found() -> None:
    assert "OFB203" in codes("{action: disable-devices, due: T+40d}", "{action: delete-user, due: T+30d}")


@pytest.mark.parametrize(("due", "found"), [("T", True), ("T+5d", True), ("T+11d", True), ("T+12d", False)])
def test_a_purge_that_leaves_no_week_to_take_the_deletion_back_is_found(due: str, found: bool) -> None:
    purge = f'{{action: purge-user, due: {due}, when: "{GUEST}"}}'
    assert ("OFB217" in codes("{action: delete-user, due: T+5d}", purge)) is found
    assert "OFB217" not in codes(purge)


def test_deleting_at_once_is_remarked_and_deleting_later_is_not() -> None:
    assert one("OFB205", "delete-user").severity == "remark"
    assert codes("{action: delete-user, due: T+1d}") == []


def test_an_irreversible_step_without_condition_is_found() -> None:
    assert one("OFB206", "purge-user").severity == "warning"
    assert codes(f'{{action: purge-user, when: "{GUEST}"}}') == []


@pytest.mark.parametrize(
    ("step", "unused"),
    [
        ("list-deleted-users", True),
        ('{action: unown-devices, with: {devices: {display_name: "a ${parameters.laptop}"}}}', False),
        ('{action: remove-licenses, with: {keep: [X, "${parameters.laptop}"]}, due: T+1d}', False),
        ("{action: list-deleted-users, when: \"parameters.laptop == 'x'\"}", False),
        ('{action: unown-devices, with: {devices: {display_name: "$${parameters.laptop}"}}}', True),
    ],
)
def test_a_parameter_that_nobody_uses_is_remarked(step: str, unused: bool) -> None:
    listed = [f for f in found(step, parameters="{laptop: {default: x}}") if f.code == "OFB207"]
    assert [(f.about, f.line, f.severity) for f in listed] == ([("laptop", 0, "remark")] if unused else [])
    assert not unused or listed[0].title == "the parameter laptop is declared and never used"


def test_resetting_after_the_last_revocation_is_a_warning_when_the_leaver_could_sign_in_between() -> None:
    assert one("OFB208", "revoke-sessions", "reset-password").severity == "warning"
    assert one("OFB208", "revoke-sessions", "disable-user", "reset-password").severity == "warning"


def test_resetting_after_the_last_revocation_is_a_remark_when_the_user_was_disabled_first() -> None:
    assert one("OFB208", "disable-user", "revoke-sessions", "reset-password").severity == "remark"


def test_resetting_before_a_revocation_is_fine() -> None:
    assert codes("disable-user", "reset-password", "revoke-sessions") == []
    assert codes("disable-user", "revoke-sessions", "reset-password", "revoke-sessions") == []


def test_revoking_alone_is_found() -> None:
    assert codes("revoke-sessions") == ["OFB210"]
    assert codes("reset-password", "revoke-sessions") == []


def test_cutting_access_before_the_leave_time_is_found() -> None:
    finding = one("OFB211", "{action: disable-user, due: T-7d}", "revoke-sessions")
    assert finding.title == "disable-user takes effect before the leave time"
    assert "OFB211" not in codes("{action: list-deleted-users, due: T-7d}")


def test_licenses_that_go_before_the_account_are_remarked() -> None:
    assert one("OFB212", "remove-licenses").severity == "remark"
    assert "OFB212" in codes("remove-licenses", "{action: delete-user, due: T+30d}")
    assert "OFB212" not in codes("remove-licenses", "delete-user")
    assert codes("{action: remove-licenses, with: {keep: [EXCHANGESTANDARD]}}") == []
    assert codes(f'{{action: remove-licenses, when: "{GUEST}"}}') == []


def test_a_step_below_one_that_falls_due_later_is_found() -> None:
    listed = [
        f for f in found("{action: delete-user, due: T+30d}", "disable-user", "revoke-sessions") if f.code == "OFB213"
    ]
    assert [f.about for f in listed] == ["disable-user", "revoke-sessions"]
    assert "OFB213" not in codes("disable-user", "revoke-sessions", "{action: delete-user, due: T+30d}")


class Forward(RevokeSessions):
    """An action on the mailbox."""

    name = "forward-mail"
    needs_license: ClassVar[bool] = True


@pytest.fixture
def forward(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A table of actions with one that needs a license."""
    from offboard.loading.complaints import _validator

    monkeypatch.setitem(ACTIONS, "forward-mail", Forward())
    _validator.cache_clear()
    yield
    _validator.cache_clear()


@pytest.mark.usefixtures("forward")
def test_a_step_that_needs_a_license_is_found_after_the_licenses_are_removed() -> None:
    finding = one("OFB204", "remove-licenses", "forward-mail", "delete-user")
    assert (finding.line, finding.about, finding.severity) == (5, "forward-mail", "warning")
    assert "OFB204" not in codes("forward-mail", "remove-licenses", "delete-user")
    assert "OFB204" not in codes("{action: remove-licenses, with: {keep: [SPE_E3]}}", "forward-mail", "delete-user")
    assert "OFB204" not in codes(f'{{action: remove-licenses, when: "{GUEST}"}}', "forward-mail")


@pytest.mark.parametrize(("taken", "back"), BACK.items())
def test_a_step_that_takes_an_earlier_one_back_is_found(taken: str, back: str) -> None:
    again = ACTIONS[back].example.removeprefix("- ").replace("\n", "\n  ")
    assert one("OFB209", taken, again).about == back
    assert "OFB209" not in codes(again, taken)


def test_taking_back_under_a_condition_of_its_own_is_not_found() -> None:
    disable = f'{{action: disable-user, when: "{GUEST}"}}'
    assert "OFB209" not in codes(disable, "{action: enable-user, when: 'leaver.userType == \"Member\"'}")
    assert "OFB209" in codes(disable, f'{{action: enable-user, when: "{GUEST}"}}')
    assert "OFB209" in codes(disable, "enable-user")


@pytest.mark.parametrize("code", [code for code, word in WORDS.items() if word.bad])
def test_every_example_of_a_page_has_the_finding_and_its_mended_twin_has_not(code: str) -> None:
    bad, good = (_steps(text) for text in (WORDS[code].bad, WORDS[code].good))
    assert code in [finding.code for finding in find(load("p", bad))]
    assert code not in [finding.code for finding in find(load("p", good))]


def test_only_findings_that_no_action_of_today_can_cause_have_no_example() -> None:
    without = {code for code, word in WORDS.items() if not word.bad}
    assert without == {"OFB207", "OFB215"}, "about no step, and about the tenant"


def _steps(text: str) -> bytes:
    return f"playbook: p\ndescription: d\nsteps:\n{textwrap.indent(text, '  ')}\n".encode()


def test_findings_stand_in_the_order_of_the_file() -> None:
    listed = found("revoke-sessions", "disable-user", "reset-password", "delete-user", "remove-licenses")
    assert [f.line for f in listed] == sorted(f.line for f in listed)
    assert [f.code for f in listed] == ["OFB201", "OFB208", "OFB205", "OFB203"]


@pytest.mark.parametrize("code", CODES)
def test_every_finding_has_a_page_of_its_own_without_open_blanks(code: str) -> None:
    page = explain(code.lower())
    word = WORDS[code]
    assert page.startswith(f"{code} ({word.severity}): ")
    assert word.explanation in page
    assert word.mend in page
    assert "{step}" not in page
    assert "{parameter}" not in page


def test_a_tenant_without_accounts_for_emergencies_is_found_only_where_something_may_be_lost() -> None:
    def codes_of(*written: str) -> list[str]:
        return [
            f.code for f in find(load("p", _steps("\n".join(f"- {step}" for step in written))), emergency_access=False)
        ]

    assert "OFB215" in codes_of("disable-user", "revoke-sessions", "delete-user")
    assert "OFB215" not in codes_of("disable-user", "revoke-sessions")
    assert "OFB215" not in codes("delete-user")


def test_an_unknown_finding_is_refused_with_the_near_one() -> None:
    with pytest.raises(UsageError, match="did you mean"):
        explain("OFB221")
    with pytest.raises(UsageError, match="There is no finding 'x'") as caught:
        explain("x")
    assert "OFB201" in caught.value.todo
