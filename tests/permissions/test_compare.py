"""What a caller has, held against what a playbook and the leaver need."""

from __future__ import annotations

import pytest

from offboard.actions import ACTIONS
from offboard.model import Step
from offboard.permissions import Caller, Lack, broader, lacks, least, needs, surplus
from offboard.permissions.roles import ROLES, who_may
from offboard.sandbox.rolebook import BUILT_IN

LEAVER = "a0000000-0000-4000-8000-000000000004"
CUT = ("disable-user", "revoke-sessions", "reset-password", "delete-user")


def of(*actions: str) -> list[Step]:
    return [Step(action, action) for action in actions]


def app(*more: str, actions: tuple[str, ...] = CUT, roles: tuple[str, ...] = ("User Administrator",)) -> Caller:
    granted = frozenset(least(needs(of(*actions)), "application")) | set(more)
    return Caller("application", granted, frozenset(roles), unsure="")


def person(*more: str, actions: tuple[str, ...] = CUT, roles: tuple[str, ...] = ("User Administrator",)) -> Caller:
    granted = frozenset(least(needs(of(*actions)), "delegated")) | set(more)
    return Caller("delegated", granted, frozenset(roles), unsure="")


def found(caller: Caller, *held: str, actions: tuple[str, ...] = CUT) -> list[Lack]:
    return lacks(needs(of(*actions)), caller, {LEAVER: dict.fromkeys(actions, held)})


def test_with_the_least_of_everything_nothing_lacks_and_nothing_is_too_much() -> None:
    for caller in (app(), person()):
        assert found(caller) == []
        assert surplus(needs(of(*CUT)), caller, {}) == []


@pytest.mark.parametrize("kind", ["application", "delegated"])
@pytest.mark.parametrize("action", [name for name, action in ACTIONS.items() if action.calls])
def test_each_missing_consent_is_found_with_the_step_that_needs_it(kind: str, action: str) -> None:
    if not getattr(ACTIONS[action].permissions, kind):
        lacking = lacks(needs(of(action)), Caller(kind, frozenset({"Directory.Read.All"})), {})
        assert [lack.kind for lack in lacking if lack.step == action] == ["delegated-only"]
        return
    everything = frozenset(least(needs(of(action)), kind))
    own = getattr(ACTIONS[action].permissions, kind)
    without = everything - {name for names in own for name in names if "Write" in name or "Delete" in name}
    without -= set(own[0]) if without == everything else set()
    missing = [lack for lack in lacks(needs(of(action)), Caller(kind, without), {}) if lack.kind == "consent"]
    assert (action, True) in [(lack.step, lack.certain) for lack in missing]
    assert all(lack.todo for lack in missing)


def test_an_app_lacks_the_rank_over_an_administrator_and_only_the_top_has_it() -> None:
    for role in ("Global Administrator", "Privileged Role Administrator", "Tier 0 group"):
        lacking = found(app(), role)
        assert {(lack.step, lack.kind, lack.certain, lack.leaver) for lack in lacking} == {
            (step, "rank", True, LEAVER) for step in ("disable-user", "reset-password", "delete-user")
        }
        assert role in lacking[0].said
        assert found(app(roles=("Privileged Authentication Administrator",)), role) == []


def test_a_helpdesk_administrator_as_leaver_is_within_reach_of_a_user_administrator() -> None:
    assert found(app(), "Helpdesk Administrator") == []
    assert [lack.step for lack in found(app(roles=()), "Helpdesk Administrator")] == [
        "disable-user",
        "reset-password",
        "delete-user",
    ]


def test_a_person_needs_to_act_as_the_person_on_an_administrator() -> None:
    lacking = found(person(), "Helpdesk Administrator")
    assert {(lack.kind, lack.certain) for lack in lacking} == {("consent", True)}
    assert all("Directory.AccessAsUser.All" in lack.said for lack in lacking)
    assert found(person("Directory.AccessAsUser.All"), "Helpdesk Administrator") == []


def test_an_app_resets_no_password_without_a_role_of_its_own() -> None:
    assert [(lack.step, lack.kind, lack.certain) for lack in found(app(roles=()))] == [("reset-password", "role", True)]


def test_where_the_roles_are_not_surely_known_none_is_said_to_lack() -> None:
    unsure = Caller("application", app().granted, frozenset(), unsure="they could not be read")
    assert found(unsure, "Global Administrator") == []
    assert surplus(needs(of(*CUT)), unsure, {}) == []


def test_a_role_for_what_roles_do_not_decide_alone_is_likely_and_not_certain() -> None:
    lacking = found(person(actions=("remove-groups",), roles=()), actions=("remove-groups",))
    assert [(lack.kind, lack.certain) for lack in lacking] == [("role", False)]
    assert found(person(actions=("remove-groups",), roles=("Global Administrator",)), actions=("remove-groups",)) == []


def test_nothing_is_compared_with_a_token_that_cannot_be_read() -> None:
    assert found(Caller("unknown")) == []
    assert surplus(needs(of(*CUT)), Caller("unknown"), {}) == []


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("RoleManagement.ReadWrite.Directory", "danger"),
        ("AppRoleAssignment.ReadWrite.All", "danger"),
        ("Application.ReadWrite.All", "danger"),
        ("User.ReadWrite.All", "warn"),
        ("Mail.Send", "warn"),
        ("AuditLog.Read.All", "remark"),
        ("Reports.Read.All", "remark"),
    ],
)
def test_what_nothing_needs_is_too_much_by_what_it_can_do(name: str, severity: str) -> None:
    (extra,) = surplus(needs(of(*CUT)), app(name), {})
    assert (extra.name, extra.kind, extra.severity) == (name, "permission", severity)


def test_a_broad_permission_that_serves_alone_is_not_too_much_but_broader_than_needed() -> None:
    caller = Caller("application", frozenset({"User.ReadWrite.All", "Directory.Read.All"}), unsure="")
    only = of("disable-user")
    assert surplus(needs(only), caller, {}) == []
    assert ("disable-user", "User.ReadWrite.All", "User.EnableDisableAccount.All + User.Read.All") in broader(
        needs(only), caller
    )


def test_whoever_may_write_may_read_and_is_told_that_less_would_do() -> None:
    everything = least(needs(of("list-deleted-users")), "application")
    more = frozenset(name.replace(".Read.", ".ReadWrite.") for name in everything)
    caller = Caller("application", more, unsure="")
    assert lacks(needs(of("list-deleted-users")), caller, {}) == []
    held = {held for _, held, _ in broader(needs(of("list-deleted-users")), caller)}
    assert any("ReadWrite" in each for each in held)


def test_what_signing_in_itself_brings_is_never_too_much() -> None:
    assert surplus(needs(of(*CUT)), person("openid", "profile", "email", "offline_access", "User.Read"), {}) == []


def test_a_role_beside_one_that_does_is_too_much_and_global_administrator_is_the_first_to_go() -> None:
    extra = surplus(needs(of(*CUT)), person(roles=("User Administrator", "Global Administrator")), {})
    assert [(each.name, each.kind, each.severity) for each in extra] == [("Global Administrator", "role", "danger")]


def test_the_table_of_ranks_says_what_the_tenant_enforces() -> None:
    assert set(ROLES.items()) == set(BUILT_IN.items())
    assert "User Administrator" in who_may(["Helpdesk Administrator"], password=False)
    assert "Authentication Administrator" not in who_may(["Helpdesk Administrator"], password=False)
    assert "Helpdesk Administrator" in who_may([], password=True)
    assert who_may(["Helpdesk Administrator", "Anything Else"], password=True) == {
        "Global Administrator",
        "Privileged Authentication Administrator",
    }
