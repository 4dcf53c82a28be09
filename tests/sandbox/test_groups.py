"""Groups: which may be changed, who may leave, and who may not."""

from __future__ import annotations

import httpx
import pytest
from msgraph import GraphServiceClient
from msgraph.generated.models.reference_create import ReferenceCreate

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import (
    ADELE,
    BI_USERS,
    DIEGO,
    EVENTUAL,
    EVERYBODY,
    FINANCE_EVERYONE,
    FINANCE_TEAM,
    HQ,
    ISAIAH,
    JONI,
    MEGAN,
    NESTOR,
    NEWS,
    PATTI,
    PAYROLL,
    ROTA,
    SAWYER,
    VAULT,
    error_of,
)

pytestmark = pytest.mark.anyio


def link(id_: str) -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{id_}"}


async def test_the_sdk_removes_and_gives_back_a_membership(
    graph: GraphServiceClient, http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    group = graph.groups.by_group_id(FINANCE_TEAM)
    await group.members.by_directory_object_id(SAWYER).ref.delete()
    members = await group.members.get()
    assert members is not None
    assert {member.id for member in members.value or []} == {MEGAN, JONI}
    await group.members.ref.post(ReferenceCreate(odata_id=link(SAWYER)["@odata.id"]))
    again = await http.post(f"/groups/{FINANCE_TEAM}/members/$ref", json=link(SAWYER))
    assert "already exist" in again.json()["error"]["message"]
    assert [e.effect["verb"] for e in sandbox.journal()] == ["remove", "add"]


@pytest.mark.parametrize(
    ("group", "status", "code"),
    [
        (EVERYBODY, 403, "Authorization_RequestDenied"),
        (NEWS, 400, "Request_BadRequest"),
        (VAULT, 400, "Request_BadRequest"),
        (HQ, 400, "Request_BadRequest"),
    ],
)
async def test_dynamic_exchange_and_synced_groups_keep_their_members(
    http: httpx.AsyncClient, sandbox: Sandbox, group: str, status: int, code: str
) -> None:
    assert error_of(await http.delete(f"/groups/{group}/members/{SAWYER}/$ref")) == (status, code)
    assert error_of(await http.post(f"/groups/{group}/members/$ref", json=link(ISAIAH))) == (status, code)
    assert sandbox.journal() == []


async def test_an_absent_member_is_a_404_that_names_the_group(http: httpx.AsyncClient) -> None:
    answer = await http.delete(f"/groups/{BI_USERS}/members/{ISAIAH}/$ref")
    assert error_of(answer) == (404, "Request_ResourceNotFound")
    assert BI_USERS in answer.json()["error"]["message"]


async def test_without_ref_the_member_path_deletes_the_person(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    assert (await http.delete(f"/groups/{EVERYBODY}/members/{SAWYER}")).status_code == 204
    assert (await http.get(f"/users/{SAWYER}")).status_code == 404
    assert sandbox.journal()[-1].effect["verb"] == "delete"
    assert sandbox.journal()[-1].effect["id"] == SAWYER


async def test_the_last_owner_stays_until_another_is_added(http: httpx.AsyncClient) -> None:
    refused = await http.delete(f"/groups/{PAYROLL}/owners/{SAWYER}/$ref")
    assert error_of(refused) == (400, "Request_BadRequest")
    assert "at least one owner" in refused.json()["error"]["message"]
    assert (await http.post(f"/groups/{PAYROLL}/owners/$ref", json=link(PATTI))).status_code == 204
    assert (await http.delete(f"/groups/{PAYROLL}/owners/{SAWYER}/$ref")).status_code == 204
    owners = (await http.get(f"/groups/{PAYROLL}/owners")).json()["value"]
    assert [owner["id"] for owner in owners] == [PATTI]


async def test_a_deleted_owner_does_not_count_as_another_owner(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{MEGAN}")
    refused = await http.delete(f"/groups/{FINANCE_TEAM}/owners/{SAWYER}/$ref")
    assert error_of(refused) == (400, "Request_BadRequest")


async def test_nested_membership_is_seen_transitively_and_not_removable_there(http: httpx.AsyncClient) -> None:
    direct = (await http.get(f"/users/{SAWYER}/memberOf?$select=id")).json()["value"]
    whole = (await http.get(f"/users/{SAWYER}/transitiveMemberOf?$select=id")).json()["value"]
    assert {g["id"] for g in whole} - {g["id"] for g in direct} == {FINANCE_EVERYONE}
    assert (await http.delete(f"/groups/{FINANCE_EVERYONE}/members/{SAWYER}/$ref")).status_code == 404
    members = (await http.get(f"/groups/{FINANCE_EVERYONE}/transitiveMembers?$select=id")).json()["value"]
    assert {SAWYER, PATTI, JONI, PAYROLL} == {m["id"] for m in members}


async def test_membership_can_be_asked_for_by_ids(http: httpx.AsyncClient) -> None:
    ids = {"groupIds": [FINANCE_EVERYONE, ROTA]}
    assert (await http.post(f"/users/{SAWYER}/checkMemberGroups", json=ids)).json()["value"] == [FINANCE_EVERYONE]
    everything = await http.post(f"/users/{SAWYER}/getMemberGroups", json={"securityEnabledOnly": False})
    secure = await http.post(f"/users/{SAWYER}/getMemberGroups", json={"securityEnabledOnly": True})
    assert set(everything.json()["value"]) - set(secure.json()["value"]) == {FINANCE_TEAM, NEWS}


async def test_groups_show_their_kind(http: httpx.AsyncClient) -> None:
    found = (
        await http.get(
            "/groups?$select=id,groupTypes,mailEnabled,securityEnabled,isAssignableToRole,"
            "onPremisesSyncEnabled,assignedLicenses"
        )
    ).json()["value"]
    by_id = {group["id"]: group for group in found}
    assert by_id[FINANCE_TEAM]["groupTypes"] == ["Unified"]
    assert by_id[EVERYBODY]["groupTypes"] == ["DynamicMembership"]
    assert (by_id[VAULT]["mailEnabled"], by_id[VAULT]["securityEnabled"]) == (True, True)
    assert (by_id[NEWS]["mailEnabled"], by_id[NEWS]["securityEnabled"]) == (True, False)
    assert by_id[HQ]["onPremisesSyncEnabled"] is True
    assert by_id[ROTA]["isAssignableToRole"] is True
    assert len(by_id[BI_USERS]["assignedLicenses"]) == 1


async def test_groups_are_filtered_by_type_and_counted(http: httpx.AsyncClient) -> None:
    found = (await http.get("/groups?$filter=groupTypes/any(t:t eq 'Unified')&$select=id")).json()["value"]
    assert [group["id"] for group in found] == [FINANCE_TEAM]
    assert (await http.get("/groups/$count", headers=EVENTUAL)).text == "9"
    assert (await http.get(f"/groups/{FINANCE_TEAM}/members/$count", headers=EVENTUAL)).text == "3"


async def test_a_group_is_created_changed_and_deleted(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    body = {"displayName": "Leavers", "mailEnabled": False, "mailNickname": "leavers", "securityEnabled": True}
    made = (await http.post("/groups", json=body)).json()
    assert (await http.patch(f"/groups/{made['id']}", json={"description": "Gone people"})).status_code == 204
    assert (await http.get(f"/groups/{made['id']}")).json()["description"] == "Gone people"
    assert (await http.delete(f"/groups/{made['id']}")).status_code == 204
    assert (await http.get(f"/groups/{made['id']}")).status_code == 404
    assert (await http.post("/groups", json={**body, "mailEnabled": True})).status_code == 400
    assert [entry.effect["verb"] for entry in sandbox.journal()] == ["create", "update", "delete"]


async def test_a_role_through_a_group_shows_transitively(http: httpx.AsyncClient) -> None:
    url = f"/users/{DIEGO}/transitiveMemberOf/microsoft.graph.directoryRole?$select=displayName&$count=true"
    roles = (await http.get(url, headers=EVENTUAL)).json()["value"]
    assert roles == [{"displayName": "Helpdesk Administrator"}]
    assert (await http.get(f"/users/{DIEGO}/memberOf/graph.directoryRole")).json()["value"] == []


async def test_owned_objects_are_groups_and_applications(http: httpx.AsyncClient) -> None:
    owned = (await http.get(f"/users/{NESTOR}/ownedObjects?$select=id")).json()["value"]
    assert owned == [{"@odata.type": "#microsoft.graph.group", "id": ROTA}]
    assert (await http.get(f"/users/{ADELE}/ownedObjects")).json()["value"] == []
