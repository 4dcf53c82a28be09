"""What is predicted about rights, held against a tenant that enforces them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from offboard.model import Step
from offboard.permissions import Caller, lacks, needs
from offboard.permissions.roles import RESTRICTED, ROLES
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request

HELD = (
    None,
    "Directory Readers",
    "Reports Reader",
    "Password Administrator",
    "Helpdesk Administrator",
    "Groups Administrator",
    "User Administrator",
    "Authentication Administrator",
    "Exchange Administrator",
    "Privileged Authentication Administrator",
    "Global Administrator",
)
"""Roles of leaver and of caller."""
ISAIAH, ADELE = "a0000000-0000-4000-8000-000000000016", "a0000000-0000-4000-8000-000000000003"
APP, APP_ID = "f0000000-0000-4000-8000-000000000003", "c0000000-0000-4000-8000-000000000003"
GRANTED = frozenset({"User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All", "Directory.Read.All"})
BODIES = {
    "disable-user": {"accountEnabled": False},
    "reset-password": {"passwordProfile": {"password": "Correct-Horse-Battery-9"}},
}


def call(sandbox: Sandbox, token: str, method: str, path: str, body: object = None) -> int:
    data = json.dumps(body).encode() if body is not None else b""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return sandbox.handle(Request(method, f"https://graph.microsoft.com/v1.0{path}", headers, data)).status


def give(sandbox: Sandbox, principal: str, role: str | None) -> None:
    if role:
        body = {"principalId": principal, "roleDefinitionId": ROLES[role], "directoryScopeId": "/"}
        path = "/roleManagement/directory/roleAssignments"
        assert call(sandbox, sandbox.issue_token(app_roles=["x"]), "POST", path, body) == 201


@pytest.mark.parametrize("as_app", [True, False], ids=["app", "person"])
@pytest.mark.parametrize("role", HELD)
@pytest.mark.parametrize("action", BODIES)
def test_whoever_is_predicted_to_lack_a_right_is_refused_and_nobody_else(
    action: str, role: str | None, as_app: bool
) -> None:
    held = (role,) if role else ()
    need = [need for need in needs([Step(action, action)]) if need.step == action]
    for mine in HELD:
        kind, granted = ("application", GRANTED) if as_app else ("delegated", GRANTED | {"Directory.AccessAsUser.All"})
        caller = Caller(kind, granted, frozenset({mine} if mine else ()), unsure="")
        predicted = lacks(need, caller, {ISAIAH: {action: held}})
        status = tried(action, role, mine, granted, as_app)
        assert (status == 403) == bool(predicted), (mine, status, predicted)


@pytest.mark.parametrize("action", BODIES)
def test_nobody_with_a_role_over_the_whole_tenant_reaches_into_a_restricted_unit(action: str) -> None:
    seed = contoso()
    next(each for each in seed["people"] if each.get("id") == ISAIAH)["isManagementRestricted"] = True
    tenant = Sandbox.open(None, now=lambda: datetime(2026, 11, 23, 17, tzinfo=UTC), seed=seed)
    give(tenant, APP, "Global Administrator")
    tenant.behavior = Behavior(enforce_permissions=True)
    token = tenant.issue_token(app_roles=GRANTED, app_id=APP_ID)
    status = call(tenant, token, "PATCH", f"/users/{ISAIAH}", BODIES[action])
    tenant.close()
    caller = Caller("application", GRANTED, frozenset({"Global Administrator"}), unsure="")
    (lack,) = lacks(
        [n for n in needs([Step(action, action)]) if n.step == action], caller, {ISAIAH: {action: (RESTRICTED,)}}
    )

    assert status == 403
    assert (lack.kind, lack.certain, "restricted" in lack.said) == ("rank", True, True)


def tried(action: str, role: str | None, mine: str | None, granted: frozenset[str], as_app: bool) -> int:
    """What the tenant says when the caller, holding `mine`, acts on somebody who holds `role`."""
    tenant = Sandbox.open(None, now=lambda: datetime(2026, 11, 23, 17, tzinfo=UTC))
    give(tenant, ISAIAH, role)
    give(tenant, APP if as_app else ADELE, mine)
    tenant.behavior = Behavior(enforce_permissions=True)
    who: dict[str, Any] = {"app_roles": granted, "app_id": APP_ID} if as_app else {"user": ADELE, "scopes": granted}
    status = call(tenant, tenant.issue_token(**who), "PATCH", f"/users/{ISAIAH}", BODIES[action])
    tenant.close()
    return status
