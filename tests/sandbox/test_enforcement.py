"""Permissions and roles, where they are enforced: the least that passes, and what does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.tenant import Sandbox
from tests.sandbox.conftest import Clock
from tests.sandbox.world import (
    ADELE,
    ALEX,
    AVERY,
    BI_USERS,
    DIEGO,
    E3,
    FINANCE_TEAM,
    LAPTOP,
    MIRIAM,
    NESTOR,
    PATTI,
    REPORTER,
    ROTA,
    RUNNER,
    SAWYER,
    error_of,
)

pytestmark = pytest.mark.anyio

PASSWORD = {"passwordProfile": {"password": "Correct-Horse-9"}}
REMOVE = {"addLicenses": [], "removeLicenses": [E3]}


@pytest.fixture(autouse=True)
def enforced(sandbox: Sandbox) -> None:
    sandbox.behavior = Behavior(enforce_permissions=True)


async def as_app(
    http: httpx.AsyncClient,
    sandbox: Sandbox,
    method: str,
    url: str,
    *permissions: str,
    app: str = REPORTER,
    json: object = None,
) -> int:
    token = sandbox.issue_token(app_roles=permissions, app_id=app)
    return await status(http, method, url, token, json)


async def as_person(
    http: httpx.AsyncClient,
    sandbox: Sandbox,
    method: str,
    url: str,
    *scopes: str,
    role: str = "",
    user: str = "IsaiahL@contoso.com",
    json: object = None,
) -> int:
    token = sandbox.issue_token(user=user, scopes=scopes, roles=[role] if role else [])
    return await status(http, method, url, token, json)


async def status(http: httpx.AsyncClient, method: str, url: str, token: str, json: object) -> int:
    answer = await http.request(method, url, json=json, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 403:
        assert error_of(answer) == (403, "Authorization_RequestDenied")
    return answer.status_code


async def test_tokens_must_be_this_tenants_and_alive(http: httpx.AsyncClient, sandbox: Sandbox, clock: Clock) -> None:
    token = sandbox.issue_token(app_roles=["User.Read.All"])
    forged = token[:-4] + "AAAA"
    assert await status(http, "GET", "/users", "anything", None) == 401
    assert await status(http, "GET", "/users", forged, None) == 401
    assert (
        await status(
            http, "GET", "/users", sandbox.issue_token(app_roles=["User.Read.All"], lifetime=timedelta(seconds=-1)), None
        )
        == 401
    )
    assert await status(http, "GET", "/users", token, None) == 200
    clock.pass_(hours=1)
    assert await status(http, "GET", "/users", token, None) == 401


LEAST_APPLICATION: list[tuple[str, str, object, tuple[str, ...], tuple[str, ...]]] = [
    ("GET", f"/users/{SAWYER}", None, ("User.ReadBasic.All",), ("Device.Read.All",)),
    ("GET", f"/users/{SAWYER}/ownedDevices", None, ("User.Read.All",), ("User.ReadBasic.All",)),
    ("GET", f"/users/{SAWYER}/memberOf", None, ("Directory.Read.All",), ("User.Read.All",)),
    (
        "PATCH",
        f"/users/{SAWYER}",
        {"accountEnabled": False},
        ("User.EnableDisableAccount.All", "User.Read.All"),
        ("User.EnableDisableAccount.All",),
    ),
    ("PATCH", f"/users/{SAWYER}", {"jobTitle": None}, ("User.ReadWrite.All",), ("User.EnableDisableAccount.All",)),
    (
        "PATCH",
        f"/users/{SAWYER}",
        {"employeeLeaveDateTime": "2026-11-30T00:00:00Z"},
        ("User-LifeCycleInfo.ReadWrite.All", "User.Read.All"),
        ("User.ReadWrite.All",),
    ),
    ("POST", f"/users/{SAWYER}/revokeSignInSessions", None, ("User.RevokeSessions.All",), ("User.Read.All",)),
    (
        "POST",
        f"/users/{SAWYER}/assignLicense",
        REMOVE,
        ("LicenseAssignment.ReadWrite.All",),
        ("LicenseAssignment.Read.All",),
    ),
    ("DELETE", f"/users/{SAWYER}", None, ("User.DeleteRestore.All",), ("Directory.ReadWrite.All",)),
    ("POST", f"/directory/deletedItems/{AVERY}/restore", None, ("User.DeleteRestore.All",), ("Directory.ReadWrite.All",)),
    ("GET", "/directory/deletedItems/graph.user", None, ("User.Read.All",), ("Device.Read.All",)),
    ("PATCH", f"/devices/{LAPTOP}", {"accountEnabled": False}, ("Device.ReadWrite.All",), ("Device.Read.All",)),
    ("DELETE", f"/groups/{BI_USERS}/members/{SAWYER}/$ref", None, ("GroupMember.ReadWrite.All",), ("Group.Read.All",)),
    (
        "DELETE",
        f"/groups/{FINANCE_TEAM}/owners/{SAWYER}/$ref",
        None,
        ("Group.ReadWrite.All",),
        ("GroupMember.ReadWrite.All",),
    ),
    ("GET", f"/users/{SAWYER}/authentication/methods", None, ("UserAuthenticationMethod.Read.All",), ("User.Read.All",)),
    (
        "DELETE",
        f"/users/{SAWYER}/authentication/phoneMethods/b6332ec1-7057-4abe-9331-3d72feddfe41",
        None,
        ("UserAuthMethod-Phone.ReadWrite.All",),
        ("UserAuthMethod-Email.ReadWrite.All",),
    ),
    ("GET", "/roleManagement/directory/roleAssignments", None, ("RoleManagement.Read.Directory",), ("User.Read.All",)),
    ("GET", "/subscribedSkus", None, ("LicenseAssignment.Read.All",), ("User.Read.All",)),
    ("GET", f"/users/{SAWYER}/appRoleAssignments", None, ("AppRoleAssignment.ReadWrite.All",), ("User.Read.All",)),
    ("DELETE", f"/users/{SAWYER}/manager/$ref", None, ("User.ReadWrite.All",), ("User.Read.All",)),
]


@pytest.mark.parametrize(("method", "url", "body", "enough", "short"), LEAST_APPLICATION)
async def test_the_least_application_permission_passes_and_less_does_not(
    http: httpx.AsyncClient,
    sandbox: Sandbox,
    method: str,
    url: str,
    body: Any,
    enough: tuple[str, ...],
    short: tuple[str, ...],
) -> None:
    assert await as_app(http, sandbox, method, url, *short, json=body) == 403
    assert sandbox.journal() == []
    assert await as_app(http, sandbox, method, url, *enough, json=body) < 300


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("DELETE", f"/devices/{LAPTOP}/registeredOwners/{SAWYER}/$ref", None),
        ("POST", f"/users/{SAWYER}/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword", None),
    ],
)
async def test_some_calls_are_for_people_only(
    http: httpx.AsyncClient, sandbox: Sandbox, method: str, url: str, body: object
) -> None:
    scopes = ("Directory.AccessAsUser.All", "UserAuthenticationMethod.ReadWrite.All", "Device.ReadWrite.All")
    assert await as_app(http, sandbox, method, url, *scopes, app=RUNNER, json=body) == 403
    assert await as_person(http, sandbox, method, url, *scopes, json=body) == 403
    for role in ("Intune Administrator", "Authentication Administrator"):
        await as_person(http, sandbox, method, url, *scopes, role=role, json=body)
    assert len(sandbox.journal()) == 1


async def test_an_app_resets_passwords_only_with_a_role_of_its_own(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    permission = "User-PasswordProfile.ReadWrite.All"
    url = f"/users/{SAWYER}"
    assert await as_app(http, sandbox, "PATCH", url, "User.ReadWrite.All", app=RUNNER, json=PASSWORD) == 403
    assert await as_app(http, sandbox, "PATCH", url, permission, app=REPORTER, json=PASSWORD) == 403
    assert await as_app(http, sandbox, "PATCH", url, permission, app=RUNNER, json=PASSWORD) == 204


async def test_a_patch_of_two_things_needs_both_permissions(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    body, url = {"accountEnabled": False, **PASSWORD}, f"/users/{SAWYER}"
    disable, reset = ("User.EnableDisableAccount.All", "User.Read.All"), "User-PasswordProfile.ReadWrite.All"
    assert await as_app(http, sandbox, "PATCH", url, *disable, app=RUNNER, json=body) == 403
    assert await as_app(http, sandbox, "PATCH", url, reset, app=RUNNER, json=body) == 403
    assert await as_app(http, sandbox, "PATCH", url, reset, *disable, app=RUNNER, json=body) == 204


@pytest.mark.parametrize(("target", "allowed"), [(ALEX, 204), (MIRIAM, 204), (PATTI, 403), (NESTOR, 403), (DIEGO, 403)])
async def test_an_app_reaches_administrators_only_from_above(
    http: httpx.AsyncClient, sandbox: Sandbox, target: str, allowed: int
) -> None:
    """The runner is User Administrator: enough for User and Helpdesk Administrators, not for global ones, eligible
    ones, or members of a role-assignable group."""
    body, url = {"accountEnabled": False}, f"/users/{target}"
    assert await as_app(http, sandbox, "PATCH", url, "User.ReadWrite.All", app=REPORTER, json=body) == 403
    assert await as_app(http, sandbox, "PATCH", url, "User.ReadWrite.All", app=RUNNER, json=body) == allowed


@pytest.mark.parametrize(
    ("role", "target", "scopes", "allowed"),
    [
        ("", SAWYER, ("User.ReadWrite.All",), 403),
        ("User Administrator", SAWYER, ("User.ReadWrite.All",), 204),
        ("Authentication Administrator", SAWYER, ("User.ReadWrite.All",), 204),
        ("Helpdesk Administrator", SAWYER, ("User.ReadWrite.All",), 403),
        ("User Administrator", MIRIAM, ("User.ReadWrite.All",), 403),
        ("User Administrator", MIRIAM, ("User.ReadWrite.All", "Directory.AccessAsUser.All"), 204),
        ("User Administrator", PATTI, ("User.ReadWrite.All", "Directory.AccessAsUser.All"), 403),
        ("Privileged Authentication Administrator", PATTI, ("User.ReadWrite.All", "Directory.AccessAsUser.All"), 204),
        ("Global Administrator", DIEGO, ("User.ReadWrite.All", "Directory.AccessAsUser.All"), 204),
    ],
)
async def test_who_may_disable_whom(
    http: httpx.AsyncClient, sandbox: Sandbox, role: str, target: str, scopes: tuple[str, ...], allowed: int
) -> None:
    body = {"accountEnabled": False}
    assert await as_person(http, sandbox, "PATCH", f"/users/{target}", *scopes, role=role, json=body) == allowed


async def test_a_helpdesk_administrator_resets_passwords_of_ordinary_people(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    scope = "User-PasswordProfile.ReadWrite.All"
    for target, expected in ((SAWYER, 204), (ALEX, 403)):
        url, role = f"/users/{target}", "Helpdesk Administrator"
        got = await as_person(http, sandbox, "PATCH", url, scope, role=role, json=PASSWORD)
        assert got == expected


async def test_roles_held_in_the_directory_count_like_those_in_the_token(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    got = await as_person(
        http,
        sandbox,
        "PATCH",
        f"/users/{SAWYER}",
        "User.ReadWrite.All",
        user="AlexW@contoso.com",
        json={"accountEnabled": False},
    )
    assert got == 204


async def test_people_may_read_their_own_things_with_little(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    for path, expected in (
        ("/me/ownedDevices", 200),
        (f"/users/{ADELE}/ownedDevices", 200),
        (f"/users/{SAWYER}/ownedDevices", 403),
    ):
        assert await as_person(http, sandbox, "GET", path, "User.Read", user="AdeleV@contoso.com") == expected


async def test_role_assignable_groups_need_the_right_to_give_roles(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    url = f"/groups/{ROTA}/members/{DIEGO}/$ref"
    assert await as_app(http, sandbox, "DELETE", url, "GroupMember.ReadWrite.All") == 403
    both = ("GroupMember.ReadWrite.All", "RoleManagement.ReadWrite.Directory")
    assert await as_app(http, sandbox, "DELETE", url, *both) == 204


async def test_the_dangerous_path_asks_for_the_right_to_delete_people(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    url = f"/groups/{FINANCE_TEAM}/members/{SAWYER}"
    assert await as_app(http, sandbox, "DELETE", url, "GroupMember.ReadWrite.All") == 403
    assert await as_app(http, sandbox, "DELETE", url, "User.DeleteRestore.All") == 204
    assert sandbox.journal()[-1].effect["verb"] == "delete"


async def test_sign_in_activity_needs_the_audit_log_permission(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    url = f"/users/{SAWYER}?$select=signInActivity"
    assert await as_app(http, sandbox, "GET", url, "User.Read.All") == 403
    assert await as_app(http, sandbox, "GET", url, "User.Read.All", "AuditLog.Read.All") == 200


async def test_permissions_are_asked_of_each_item_of_a_batch(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    token = sandbox.issue_token(app_roles=["User.Read.All"])
    items = [{"id": str(n), "method": m, "url": f"/users/{SAWYER}"} for n, m in ((1, "GET"), (2, "DELETE"))]
    answer = await http.post("/$batch", json={"requests": items}, headers={"Authorization": f"Bearer {token}"})
    assert {r["id"]: r["status"] for r in answer.json()["responses"]} == {"1": 200, "2": 403}


async def test_restricted_people_are_out_of_reach(clock: Clock) -> None:
    from offboard.sandbox.seedfile import contoso
    from offboard.sandbox.transport import SandboxTransport

    seed = contoso()
    seed["people"][0]["isManagementRestricted"] = True
    tenant = Sandbox.open(None, now=clock, seed=seed, behavior=Behavior(enforce_permissions=True))
    transport = SandboxTransport(tenant)
    async with httpx.AsyncClient(transport=transport, base_url="https://graph.microsoft.com/v1.0") as http:
        body = {"accountEnabled": False}
        got = await as_app(http, tenant, "PATCH", f"/users/{SAWYER}", "User.ReadWrite.All", app=RUNNER, json=body)
    assert got == 403
    tenant.close()


async def test_the_journal_names_the_caller(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    await as_app(http, sandbox, "POST", f"/users/{SAWYER}/revokeSignInSessions", "User.RevokeSessions.All", app=RUNNER)
    await as_person(
        http,
        sandbox,
        "POST",
        f"/users/{SAWYER}/revokeSignInSessions",
        "User.RevokeSessions.All",
        role="User Administrator",
        user="AlexW@contoso.com",
    )
    assert [entry.caller for entry in sandbox.journal()] == [f"app:{RUNNER}", f"user:{ALEX}"]
