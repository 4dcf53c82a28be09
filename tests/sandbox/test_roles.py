"""Directory roles and sign-in methods, grants and consents."""

from __future__ import annotations

import httpx
import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.role_management.directory.role_assignments.role_assignments_request_builder import (
    RoleAssignmentsRequestBuilder,
)

from offboard.sandbox.rolebook import BUILT_IN
from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import ADELE, ADMIN, ALEX, BREAKGLASS, DIEGO, ISAIAH, NESTOR, PATTI, SAWYER, error_of

pytestmark = pytest.mark.anyio

ROOM = "/roleManagement/directory"
GLOBAL = BUILT_IN["Global Administrator"]


async def assignments(http: httpx.AsyncClient, filter_: str) -> list[dict[str, str]]:
    found = await http.get(f"{ROOM}/roleAssignments", params={"$filter": filter_})
    assert found.status_code == 200, found.text
    return list(found.json()["value"])


async def test_the_sdk_reads_roles_with_their_names_and_takes_one_away(
    graph: GraphServiceClient, http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    builder = graph.role_management.directory.role_assignments
    query = RoleAssignmentsRequestBuilder.RoleAssignmentsRequestBuilderGetQueryParameters(
        filter=f"principalId eq '{ALEX}'", expand=["roleDefinition"]
    )
    found = await builder.get(RequestConfiguration(query_parameters=query))
    assert found is not None
    [held] = found.value or []
    assert held.role_definition is not None
    assert held.role_definition.display_name == "User Administrator"
    await builder.by_unified_role_assignment_id(str(held.id)).delete()
    assert await assignments(http, f"principalId eq '{ALEX}'") == []
    assert sandbox.journal()[-1].effect["principalId"] == ALEX


async def test_a_role_taken_away_can_be_given_back(http: httpx.AsyncClient) -> None:
    [held] = await assignments(http, f"principalId eq '{ALEX}'")
    assert (await http.delete(f"{ROOM}/roleAssignments/{held['id']}")).status_code == 204
    assert (await http.delete(f"{ROOM}/roleAssignments/{held['id']}")).status_code == 404
    body = {"principalId": ALEX, "roleDefinitionId": held["roleDefinitionId"], "directoryScopeId": "/"}
    made = await http.post(f"{ROOM}/roleAssignments", json=body)
    assert (made.status_code, made.json()["id"]) == (201, held["id"])
    assert (await http.post(f"{ROOM}/roleAssignments", json=body)).status_code == 400


async def test_the_last_global_administrator_stays(http: httpx.AsyncClient) -> None:
    held = {a["principalId"]: a["id"] for a in await assignments(http, f"roleDefinitionId eq '{GLOBAL}'")}
    assert set(held) == {ADMIN, PATTI, BREAKGLASS}
    for principal in (ADMIN, PATTI):
        assert (await http.delete(f"{ROOM}/roleAssignments/{held[principal]}")).status_code == 204
    assert error_of(await http.delete(f"{ROOM}/roleAssignments/{held[BREAKGLASS]}")) == (400, "Request_BadRequest")


async def test_roles_of_the_deleted_do_not_show_and_come_back_with_them(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{ALEX}")
    assert await assignments(http, f"principalId eq '{ALEX}'") == []
    await http.post(f"/directory/deletedItems/{ALEX}/restore")
    assert len(await assignments(http, f"principalId eq '{ALEX}'")) == 1


async def test_eligible_roles_are_listed_apart(http: httpx.AsyncClient) -> None:
    url = f"{ROOM}/roleEligibilityScheduleInstances?$filter=principalId eq '{NESTOR}'&$expand=roleDefinition"
    [eligible] = (await http.get(url)).json()["value"]
    assert eligible["roleDefinition"]["displayName"] == "Global Administrator"
    assert await assignments(http, f"principalId eq '{NESTOR}'") == []


async def test_instances_tell_direct_roles_from_those_through_groups(http: httpx.AsyncClient) -> None:
    async def kinds(user: str) -> list[str]:
        url = f"{ROOM}/roleAssignmentScheduleInstances?$filter=principalId eq '{user}'"
        return [item["memberType"] for item in (await http.get(url)).json()["value"]]

    assert await kinds(ALEX) == ["Direct"]
    assert await kinds(DIEGO) == ["Group"]


async def test_the_older_directory_roles_show_the_same(http: httpx.AsyncClient) -> None:
    role = (await http.get(f"/directoryRoles(roleTemplateId='{GLOBAL}')")).json()
    members = (await http.get(f"/directoryRoles/{role['id']}/members?$select=id")).json()["value"]
    assert {m["id"] for m in members} == {ADMIN, PATTI, BREAKGLASS}
    assert (await http.delete(f"/directoryRoles/{role['id']}/members/{PATTI}/$ref")).status_code == 204
    assert await assignments(http, f"principalId eq '{PATTI}'") == []
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{PATTI}"}
    assert (await http.post(f"/directoryRoles/{role['id']}/members/$ref", json=link)).status_code == 204
    assert len(await assignments(http, f"principalId eq '{PATTI}'")) == 1


async def test_definitions_are_found_by_name(http: httpx.AsyncClient) -> None:
    url = f"{ROOM}/roleDefinitions?$filter=displayName eq 'Global Administrator'&$select=id"
    assert (await http.get(url)).json()["value"] == [{"id": GLOBAL}]


async def test_the_sdk_lists_sign_in_methods_by_type(graph: GraphServiceClient) -> None:
    found = await graph.users.by_user_id(ADELE).authentication.methods.get()
    assert found is not None
    assert [type(method).__name__ for method in found.value or []] == [
        "PasswordAuthenticationMethod",
        "PhoneAuthenticationMethod",
        "Fido2AuthenticationMethod",
        "EmailAuthenticationMethod",
    ]


async def test_the_default_method_can_only_go_last(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    base = f"/users/{ADELE}/authentication"
    phone = f"{base}/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7"
    [key] = (await http.get(f"{base}/fido2Methods")).json()["value"]
    assert error_of(await http.delete(phone)) == (400, "Request_BadRequest")
    assert (await http.delete(f"{base}/fido2Methods/{key['id']}")).status_code == 204
    assert (await http.delete(phone)).status_code == 204
    assert (await http.delete(phone)).status_code == 404
    assert [entry.effect["verb"] for entry in sandbox.journal()] == ["delete", "delete"]


async def test_the_alternate_phone_goes_before_the_phone(http: httpx.AsyncClient) -> None:
    base = f"/users/{SAWYER}/authentication/phoneMethods"
    assert "alternate" in (await http.delete(f"{base}/3179e48a-750b-4051-897c-87b9720928f7")).json()["error"]["message"]
    assert (await http.delete(f"{base}/b6332ec1-7057-4abe-9331-3d72feddfe41")).status_code == 204
    assert (await http.delete(f"{base}/3179e48a-750b-4051-897c-87b9720928f7")).status_code == 204


async def test_a_password_cannot_be_deleted_and_methods_take_no_options(http: httpx.AsyncClient) -> None:
    base = f"/users/{SAWYER}/authentication"
    assert (await http.delete(f"{base}/passwordMethods/28c10230-6103-485e-b985-444c60001490")).status_code == 405
    assert (await http.get(f"{base}/methods?$filter=id eq 'x'")).status_code == 400
    assert (await http.delete(f"{base}/fido2Methods/3179e48a-750b-4051-897c-87b9720928f7")).status_code == 404


async def test_an_administrator_resets_a_password_and_follows_the_operation(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    url = f"/users/{SAWYER}/authentication/methods/28c10230-6103-485e-b985-444c60001490/resetPassword"
    given = await http.post(url, json={"newPassword": "Correct-Horse-9"})
    made = await http.post(url)
    assert (given.status_code, given.json()["newPassword"]) == (202, None)
    assert len(made.json()["newPassword"]) >= 16
    operation = await http.get(given.headers["Location"])
    assert operation.json()["status"] == "succeeded"
    assert "Correct-Horse-9" not in str(sandbox.journal())
    after = (await http.get(f"/users/{SAWYER}?$select=lastPasswordChangeDateTime")).json()
    assert after["lastPasswordChangeDateTime"] == "2026-11-23T17:06:02Z"


async def test_app_roles_and_consents_are_listed_and_taken_away(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    [role] = (await http.get(f"/users/{SAWYER}/appRoleAssignments")).json()["value"]
    [grant] = (await http.get(f"/users/{SAWYER}/oauth2PermissionGrants")).json()["value"]
    assert (role["resourceDisplayName"], role["principalType"]) == ("Travel Desk", "User")
    assert (grant["consentType"], grant["principalId"]) == ("Principal", SAWYER)
    assert (await http.delete(f"/users/{SAWYER}/appRoleAssignments/{role['id']}")).status_code == 204
    gone = await http.delete(f"/users/{SAWYER}/appRoleAssignments/{role['id']}")
    assert gone.status_code == 400  # not 404: Graph's own oddity
    assert "EntitlementGrant" in gone.json()["error"]["message"]
    assert (await http.delete(f"/oauth2PermissionGrants/{grant['id']}")).status_code == 204
    assert (await http.delete(f"/oauth2PermissionGrants/{grant['id']}")).status_code == 404
    assert [entry.effect["type"] for entry in sandbox.journal()] == ["appRoleAssignment", "oauth2PermissionGrant"]


async def test_an_application_is_found_by_its_app_id_and_knows_its_grants(http: httpx.AsyncClient) -> None:
    app = "/servicePrincipals(appId='c0000000-0000-4000-8000-000000000003')"
    body = (await http.get(app)).json()
    assert (body["displayName"], "_secret" in str(body)) == ("Read-only Reporter", False)
    assert len((await http.get(f"{app}/appRoleAssignments")).json()["value"]) == 2
    assert (await http.get("/servicePrincipals(appId='c0000000-0000-4000-8000-000000000001')/owners")).json()["value"]


async def test_the_tenant_introduces_itself(http: httpx.AsyncClient) -> None:
    [tenant] = (await http.get("/organization")).json()["value"]
    assert tenant["displayName"] == "Contoso"
    assert [domain["name"] for domain in tenant["verifiedDomains"]] == ["contoso.com", "contoso.onmicrosoft.com"]


async def test_objects_are_fetched_by_ids_in_one_call(http: httpx.AsyncClient) -> None:
    body = {"ids": [SAWYER, ISAIAH, "00000000-0000-4000-8000-00000000dead"], "types": ["user"]}
    found = (await http.post("/directoryObjects/getByIds?$select=id", json=body)).json()["value"]
    assert [item["id"] for item in found] == [SAWYER, ISAIAH]
    one = (await http.get(f"/directoryObjects/{SAWYER}?$select=id")).json()
    assert one["@odata.type"] == "#microsoft.graph.user"
