"""`offboard doctor`, against a tenant that signs people in and enforces permissions, and against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offboard.permissions.roles import ROLES
from offboard.sandbox.tenant import Sandbox
from tests.cli.conftest import Offboard, Said
from tests.cli.test_real_tenant import CONSOLE, REPORTER, RUNNER, USER, Configure, configure, give_role, request
from tests.world import SAWYER, Time

__all__ = ["configure"]
APP = "f0000000-0000-4000-8000-000000000001"


def states(said: Said, part: str = "steps") -> dict[str, str]:
    return {check["name"]: check["state"] for check in said.json[part]}


def as_app(configure: Configure) -> Sandbox:
    return configure("client-secret-file", RUNNER, "contoso-sandbox-secret")


def test_what_an_app_cannot_do_is_told_from_what_it_may(offboard: Offboard, configure: Configure) -> None:
    sandbox = as_app(configure)
    said = offboard("--json", "doctor", "leaver-now")
    found = states(said)

    assert said.code == 0, said.out
    assert found.pop("unown-devices") == "impossible"
    assert set(found.values()) == {"ok"}
    assert sandbox.journal() == []


def test_what_is_too_much_is_listed_and_the_master_key_is_called_a_danger(
    offboard: Offboard, configure: Configure
) -> None:
    as_app(configure)
    said = offboard("--json", "doctor", "leaver")
    surplus = {each["name"]: each["severity"] for each in said.json["surplus"]}

    assert surplus["RoleManagement.ReadWrite.Directory"] == "danger"
    assert surplus["AppRoleAssignment.ReadWrite.All"] == "danger"
    assert surplus["User.ReadWrite.All"] == "warn"
    assert surplus["AuditLog.Read.All"] == "remark"
    assert "User.RevokeSessions.All" not in surplus
    text = " ".join(offboard("doctor", "leaver").out.split())
    assert "danger AppRoleAssignment.ReadWrite.All, DelegatedPermissionGrant.ReadWrite.All, RoleManagement" in text


def test_an_administrator_as_leaver_raises_what_is_needed(offboard: Offboard, configure: Configure) -> None:
    sandbox = as_app(configure)
    said = offboard("--json", "doctor", "leaver", "PattiF@contoso.com")

    assert said.code == 4, said.out
    assert states(said)["disable-user"] == "missing"
    (told,) = [check for check in said.json["steps"] if check["name"] == "disable-user"]
    assert "PattiF@contoso.com: acts on a leaver who holds Global Administrator" in told["said"]
    assert "service principal" in told["todo"]

    give_role(sandbox, APP, "Privileged Authentication Administrator")
    assert states(offboard("--json", "doctor", "leaver", "PattiF@contoso.com"))["disable-user"] == "ok"


def test_what_doctor_says_is_missing_is_what_apply_refuses(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("client-secret-file", REPORTER, "reporter-secret")
    said = offboard("--json", "doctor", "leaver")
    ran = offboard("run", "leaver", USER, "--yes")

    assert (said.code, ran.code) == (4, 4)
    assert {"reading", "disable-user", "revoke-sessions", "remove"} <= {
        s for s, x in states(said).items() if x == "missing"
    }
    assert "User.EnableDisableAccount.All" in said.out
    assert "User.EnableDisableAccount.All" in ran.err
    assert sandbox.journal() == []


def test_a_person_who_holds_no_role_is_told_so(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("device-code", CONSOLE)
    assert offboard("--json", "doctor", "leaver-now", USER).code == 0

    held = request(sandbox, "GET", "/roleManagement/directory/roleAssignments")["value"]
    mine = [each["id"] for each in held if each["principalId"] == "a0000000-0000-4000-8000-000000000005"]
    for id in mine:
        request(sandbox, "DELETE", f"/roleManagement/directory/roleAssignments/{id}")
    said = offboard("--json", "doctor", "leaver-now", USER)

    assert said.code == 4, said.out
    assert states(said)["disable-user"] == "missing"
    assert "needs a role that is not held" in said.out


def test_a_role_held_through_a_group_counts(offboard: Offboard, configure: Configure) -> None:
    sandbox = as_app(configure)
    group = request(
        sandbox,
        "POST",
        "/groups",
        {
            "displayName": "Offboarders",
            "mailEnabled": False,
            "mailNickname": "offboarders",
            "securityEnabled": True,
            "isAssignableToRole": True,
        },
    )
    request(
        sandbox, "POST", f"/groups/{group['id']}/members/$ref", {"@odata.id": f"https://x/v1.0/directoryObjects/{APP}"}
    )
    give_role(sandbox, group["id"], "Privileged Authentication Administrator")
    said = offboard("--json", "doctor", "leaver", "PattiF@contoso.com")

    assert "Privileged Authentication Administrator" in said.json["caller"]["roles"]
    assert states(said)["disable-user"] == "ok"


def test_a_role_for_a_part_of_the_tenant_leaves_open_whether_it_suffices(
    offboard: Offboard, configure: Configure
) -> None:
    sandbox = as_app(configure)
    give_role(sandbox, APP, "Helpdesk Administrator", scope="/administrativeUnits/11111111-0000-4000-8000-000000000001")
    said = offboard("--json", "doctor", "leaver", "PattiF@contoso.com")

    assert said.code == 1, said.out  # the guards stop an administrator, and that is told as well
    assert any("administrators:" in each["said"] for each in said.json["leavers"])
    assert states(said)["reset-password"] == "unknown"
    assert "part of the tenant" in said.json["caller"]["roles_unsure"]


def test_a_wrong_secret_is_told_as_not_signed_in(offboard: Offboard, configure: Configure) -> None:
    configure("client-secret-file", RUNNER, "wrong-secret-7381")
    said = offboard("--json", "doctor", "leaver")

    assert said.code == 4
    assert states(said, "checks")["sign-in"] == "missing"
    assert "wrong-secret-7381" not in said.out + said.err


@pytest.mark.parametrize(("ahead", "state", "code"), [(5, "ok", 0), (-90, "warning", 0), (900, "problem", 1)])
def test_a_clock_that_differs_from_graphs_is_told(
    offboard: Offboard, configure: Configure, time: Time, ahead: int, state: str, code: int
) -> None:
    as_app(configure)
    time.jump(seconds=ahead)
    said = offboard("--json", "doctor")
    assert (states(said, "checks")["clock"], said.code) == (state, code)


def test_an_edited_audit_is_a_problem(offboard: Offboard, tmp_path: Path) -> None:
    offboard("run", "leaver", SAWYER, "--yes")
    (path,) = (tmp_path / "state").rglob("audit.jsonl")
    path.write_bytes(path.read_bytes().replace(b"SawyerM@", b"SomebodyElse@", 1))
    said = offboard("--json", "doctor")

    assert said.code == 1
    assert states(said, "checks")["audit"] == "problem"


def test_a_policy_that_nobody_can_meet_is_a_problem(offboard: Offboard, configure: Configure, tmp_path: Path) -> None:
    as_app(configure)
    path = tmp_path / "offboard.toml"
    path.write_text(path.read_text().replace('approval = "none"', f'approval = "all"\nallowed_signers = "{tmp_path}/no"'))
    said = offboard("--json", "doctor")

    assert said.code == 1, said.out
    assert states(said, "checks")["approval"] == "problem"


def test_the_sandbox_is_called_what_it_is_and_nothing_is_written(offboard: Offboard, tmp_path: Path) -> None:
    said = offboard("doctor", "leaver", SAWYER)

    assert said.code == 0, said.out + said.err
    assert "the built-in sandbox; nothing real is touched" in " ".join(said.out.split())
    assert "Nothing was changed." in said.out
    assert all(not path.read_bytes() for path in (tmp_path / "state").rglob("audit.jsonl"))


def test_a_tenant_without_accounts_for_emergencies_is_told_what_to_write(
    offboard: Offboard, configure: Configure, tmp_path: Path
) -> None:
    as_app(configure)
    assert states(offboard("--json", "doctor"), "checks")["protected"] == "warning"
    assert "emergency_access = [" in " ".join(offboard("doctor").out.split())

    config = tmp_path / "offboard.toml"
    config.write_text(config.read_text() + 'emergency_access = ["a0000000-0000-4000-8000-000000000007"]\n')
    assert states(offboard("--json", "doctor"), "checks")["protected"] == "ok"


def test_what_is_left_to_somebody_else_is_named_for_the_leaver(offboard: Offboard) -> None:
    said = offboard("--json", "doctor", "leaver", "LynneR@contoso.com")
    told: list[dict[str, Any]] = said.json["leavers"]
    assert any("synchronized from Active Directory" in check["said"] for check in told)


def test_every_role_named_in_the_tables_is_known_by_its_id() -> None:
    assert len(set(ROLES.values())) == len(ROLES)
