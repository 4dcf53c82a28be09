"""Each of Graph's errors is told apart, and every explanation names step and next action."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from offboard import facts
from offboard.actions import ACTIONS
from offboard.graph.connect import connect
from offboard.graph.token import TokenInfo, decode
from offboard.graph.trouble import Trouble, explain
from offboard.model import Permissions
from offboard.permissions.roles import ROLES
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.rolebook import BUILT_IN
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
NEEDS = Permissions(
    delegated=(("User.EnableDisableAccount.All", "User.Read.All"), ("User.ReadWrite.All",)),
    application=(("User.EnableDisableAccount.All", "User.Read.All"), ("User.ReadWrite.All",)),
    roles=("User Administrator",),
    app_roles=("User Administrator",),
)
NO_APPS = Permissions(delegated=(("Directory.AccessAsUser.All",),), application=(), roles=("Intune Administrator",))
PERSON = TokenInfo("delegated", scopes=frozenset({"User.Read.All"}), appid="app-1", tid=TENANT, name="admin@contoso.com")
FULL = TokenInfo("delegated", scopes=frozenset({"User.ReadWrite.All"}), tid=TENANT, name="admin@contoso.com")
USER_ADMINISTRATOR = TokenInfo(
    "delegated", scopes=FULL.scopes, tid=TENANT, name="a@b", wids=frozenset({ROLES["User Administrator"]})
)
READER = TokenInfo("delegated", scopes=FULL.scopes, tid=TENANT, name="a@b", wids=frozenset({"other"}))
APP = TokenInfo("application", roles=frozenset({"User.Read.All"}), appid="app-1", tid=TENANT, name="Runner")
FULL_APP = TokenInfo("application", roles=frozenset({"User.ReadWrite.All"}), appid="app-1", tid=TENANT, name="Runner")


def error(code: str, message: str = "", **inner: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r-1", **inner}}}


DENIED = error("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def told(
    status: int, body: object = None, token: TokenInfo | None = PERSON, needs: Permissions | None = NEEDS
) -> Trouble:
    found = explain(
        status, body, step="disable-user", action_permissions=needs, path="/users/x", token=token, tenant_id=TENANT
    )
    assert found.what.startswith("disable-user: ")
    assert f"({status}" in found.what
    assert found.todo
    return found


def test_a_missing_consent_names_what_is_missing_and_nothing_else() -> None:
    found = told(403, DENIED)
    assert found.kind == "missing-consent"
    assert "User.EnableDisableAccount.All is missing" in found.what
    assert "User.EnableDisableAccount.All and User.Read.All, or User.ReadWrite.All" in found.why
    assert "admin consent for User.EnableDisableAccount.All (delegated) to the app app-1" in found.todo
    assert "an old token does not know of it" in found.todo
    assert (found.code, found.request_id) == ("Authorization_RequestDenied", "r-1")


def test_an_apps_missing_consent_is_told_for_apps() -> None:
    found = told(403, DENIED, APP)
    assert found.kind == "missing-consent"
    assert "as application permission" in found.todo
    assert "(application)" in found.why


def test_an_app_that_does_what_only_people_may_is_told_so() -> None:
    found = told(403, DENIED, FULL_APP, NO_APPS)
    assert found.kind == "delegated-only"
    assert "device-code" in found.todo
    assert "Intune Administrator" in found.todo


@pytest.mark.parametrize(
    ("token", "kind", "words"),
    [
        (FULL, "missing-role", "admin@contoso.com probably holds none of the roles User Administrator"),
        (READER, "missing-role", "a@b holds none of the roles User Administrator"),
        (FULL_APP, "missing-role", "the app Runner probably holds none of the roles User Administrator"),
        (USER_ADMINISTRATOR, "privileged-target", "the target is out of reach"),
    ],
)
def test_with_the_permission_a_missing_role_is_told_from_a_privileged_target(
    token: TokenInfo, kind: str, words: str
) -> None:
    found = told(403, DENIED, token)
    assert found.kind == kind
    assert words in found.what


@pytest.mark.parametrize("token", [None, TokenInfo()])
def test_with_an_opaque_token_all_causes_are_named_and_none_guessed(token: TokenInfo | None) -> None:
    found = told(403, DENIED, token)
    assert found.kind == "forbidden"
    assert "delegated: User.EnableDisableAccount.All and User.Read.All" in found.todo
    assert "User Administrator" in found.todo
    assert told(403, DENIED, PERSON, None).kind == "forbidden"


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_tenant_is_told_by_the_token_or_by_the_code(status: int) -> None:
    other = TokenInfo("delegated", tid="99999999-9999-9999-9999-999999999999")
    found = told(status, DENIED, other)
    assert found.kind == "wrong-tenant"
    assert other.tid in found.why
    assert TENANT in found.why
    assert "tenant_id" in found.todo
    for code in ("OrganizationFromTenantGuidNotFound", "Authorization_IdentityNotFound"):
        assert told(status, error(code)).kind == "wrong-tenant"


# Table E of errors: status, code, and what it comes down to.
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Request_BadRequest", "bad-request"),
        (400, "Request_UnsupportedQuery", "unsupported-query"),
        (400, "", "bad-request"),
        (401, "InvalidAuthenticationToken", "not-signed-in"),
        (402, "", "license"),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "license"),
        (403, "insufficient_claims", "conditional-access"),
        (404, "Request_ResourceNotFound", "not-found"),
        (405, "Request_BadRequest", "bad-request"),
        (409, "conflict", "conflict"),
        (412, "resourceModified", "gone-ahead"),
        (423, "", "locked"),
        (424, "", "dependency"),
        (429, "TooManyRequests", "throttled"),
        (429, "activityLimitReached", "throttled"),
        (500, "generalException", "server"),
        (501, "", "bad-request"),
        (503, "serviceNotAvailable", "server"),
        (504, "", "server"),
        (509, "", "throttled"),
        (0, "", "unintelligible"),
        (302, "", "unintelligible"),
        (418, "", "unintelligible"),
    ],
)
def test_every_status_of_the_table_is_told_apart(status: int, code: str, kind: str) -> None:
    assert told(status, error(code)).kind == kind


def test_conditional_access_is_found_in_the_message_too() -> None:
    body = error("accessDenied", 'Continuous access evaluation: claims="..."; error="insufficient_claims"')
    assert told(403, body).kind == "conditional-access"


@pytest.mark.parametrize("key", ["innerError", "innererror"])
def test_the_code_that_says_something_is_found_inside(key: str) -> None:
    body = {"error": {"code": "BadRequest", "message": "m", key: {"code": "MailboxNotEnabled", "request-id": "r-2"}}}
    found = told(400, body)
    assert (found.code, found.request_id) == ("MailboxNotEnabled", "r-2")
    deep: dict[str, Any] = {"code": ""}
    for _ in range(2000):
        deep = {"code": "", key: deep}
    assert told(400, {"error": deep}).code == ""


@pytest.mark.parametrize(
    "body",
    [None, "", "text", [], {}, {"error": None}, {"error": "text"}, {"error": []}, {"error": {"code": 5, "message": {}}}],
)
def test_a_body_of_any_shape_is_tolerated(body: object) -> None:
    for status in (0, 400, 401, 403, 404, 500):
        told(status, body)


def test_graphs_message_is_quoted_short_and_on_one_line() -> None:
    found = told(400, error("Request_BadRequest", "Line one\nline \x1b[31mtwo " + "x" * 500))
    assert "Graph said: Line one line [31mtwo xxx" in found.why
    assert len(found.why) < 230
    assert found.why.isprintable()


def test_every_role_that_an_action_names_can_be_recognized() -> None:
    named = {role for action in ACTIONS.values() for role in (*action.permissions.roles, *action.permissions.app_roles)}
    assert named <= set(ROLES)
    assert all(BUILT_IN[name] == template for name, template in ROLES.items())


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_for_every_action_a_token_without_permissions_is_told_what_to_ask_for(name: str) -> None:
    needs = ACTIONS[name].permissions
    for side, kind in ((needs.delegated, "delegated"), (needs.application, "application")):
        found = told(403, DENIED, TokenInfo(kind, appid="a"), needs)  # type: ignore[arg-type]  # literals in a loop
        assert found.kind == ("missing-consent" if side else "delegated-only")
        if side:
            assert any(" and ".join(names) in found.todo for names in side)


def test_the_facts_permissions_are_explained_as_well() -> None:
    for kind in (facts.Account, facts.Devices, facts.Licenses, facts.Memberships, facts.DeletedUsers):
        assert fields(kind)
        assert told(403, DENIED, TokenInfo("delegated"), kind.permissions).kind == "missing-consent"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scopes", "kind"),
    [(["User.Read.All"], "missing-consent"), (["User.ReadWrite.All"], "missing-role")],
)
async def test_a_real_refusal_of_the_enforcing_sandbox_is_told_apart(scopes: list[str], kind: str) -> None:
    from tests.graph.test_connect import SANDBOX

    sandbox = Sandbox.open(behavior=Behavior(enforce_permissions=True))
    issued = sandbox.issue_token(user="SawyerM@contoso.com", scopes=scopes)
    connection = await connect(SANDBOX, transport=SandboxTransport(sandbox), prompt=lambda _text: None)
    response = await connection.http.patch(
        f"{connection.root}/v1.0/users/AdeleV@contoso.com",
        json={"accountEnabled": False},
        headers={"Authorization": f"Bearer {issued}"},
    )
    await connection.close()
    sandbox.close()
    assert response.status_code == 403
    assert told(403, response.json(), decode(issued), ACTIONS["disable-user"].permissions).kind == kind
