"""Deletion that can be taken back, for thirty days."""

from __future__ import annotations

import httpx
import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.directory.deleted_items.graph_user.graph_user_request_builder import GraphUserRequestBuilder

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.conftest import Clock
from tests.sandbox.world import ADELE, AVERY, BI_USERS, E3, EVENTUAL, FINANCE_TEAM, JONI, LAPTOP, SAWYER, error_of

pytestmark = pytest.mark.anyio

BIN = "/directory/deletedItems"


async def consumed(http: httpx.AsyncClient, sku_id: str) -> int:
    skus = (await http.get("/subscribedSkus")).json()["value"]
    return int(next(sku["consumedUnits"] for sku in skus if sku["skuId"] == sku_id))


async def test_the_sdk_finds_the_deleted_person_of_the_article(graph: GraphServiceClient) -> None:
    names = ["id", "userPrincipalName", "accountEnabled", "deletedDateTime", "userType"]
    query = GraphUserRequestBuilder.GraphUserRequestBuilderGetQueryParameters(select=names)
    found = await graph.directory.deleted_items.graph_user.get(RequestConfiguration(query_parameters=query))
    assert found is not None
    [avery] = found.value or []
    assert (avery.id, avery.account_enabled, avery.user_type) == (AVERY, False, "Member")
    assert avery.user_principal_name == "dddddddd333344445555eeeeeeeeeeeeAveryS@contoso.com"
    assert str(avery.deleted_date_time) == "2026-11-20 17:06:02+00:00"


async def test_the_sdk_deletes_and_restores_a_person_with_all_that_was_theirs(
    graph: GraphServiceClient, http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    async def belongings() -> list[object]:
        paths = ("memberOf", "ownedDevices", "ownedObjects", "licenseDetails", "appRoleAssignments")
        return [(await http.get(f"/users/{SAWYER}/{path}")).json()["value"] for path in paths]

    before = await belongings()
    await graph.users.by_user_id(SAWYER).delete()
    assert (await http.get(f"/users/{SAWYER}")).status_code == 404
    assert (await http.get("/users/SawyerM@contoso.com")).status_code == 404
    restored = await graph.directory.deleted_items.by_directory_object_id(SAWYER).restore.post(None)  # type: ignore[arg-type]
    assert restored is not None
    assert restored.id == SAWYER
    assert (await http.get("/users/SawyerM@contoso.com")).json()["id"] == SAWYER
    assert await belongings() == before
    assert [entry.effect["verb"] for entry in sandbox.journal()] == ["delete", "restore"]


async def test_a_deleted_person_shows_nowhere(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{SAWYER}")
    for path in (
        f"/groups/{FINANCE_TEAM}/members",
        f"/groups/{FINANCE_TEAM}/owners",
        f"/devices/{LAPTOP}/registeredOwners",
        "/users?$top=999",
    ):
        assert SAWYER not in (await http.get(path)).text, path
    assert (await http.post("/directoryObjects/getByIds", json={"ids": [SAWYER]})).json()["value"] == []


async def test_deleting_frees_seats_and_restoring_takes_them_even_when_there_are_none(http: httpx.AsyncClient) -> None:
    before = await consumed(http, E3)
    await http.delete(f"/users/{SAWYER}")
    assert await consumed(http, E3) == before - 1
    await http.post(f"{BIN}/{SAWYER}/restore")
    assert await consumed(http, E3) == before


async def test_both_spellings_of_the_cast_work_and_none_is_refused(http: httpx.AsyncClient) -> None:
    short, long = await http.get(f"{BIN}/graph.user"), await http.get(f"{BIN}/microsoft.graph.user")
    assert short.json() == long.json()
    assert error_of(await http.get(BIN)) == (400, "Request_BadRequest")


async def test_ordering_the_bin_by_time_needs_the_search_index(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{SAWYER}")
    url = f"{BIN}/graph.user?$select=id,deletedDateTime&$orderby=deletedDateTime desc"
    assert error_of(await http.get(url)) == (400, "Request_UnsupportedQuery")
    found = (await http.get(url + "&$count=true", headers=EVENTUAL)).json()["value"]
    assert [user["id"] for user in found] == [SAWYER, AVERY]
    by_name = (await http.get(f"{BIN}/graph.user?$orderby=displayName")).json()["value"]
    assert [user["id"] for user in by_name] == [AVERY, SAWYER]


async def test_the_old_name_is_found_in_the_bin_by_its_end(http: httpx.AsyncClient) -> None:
    url = f"{BIN}/graph.user?$filter=endsWith(userPrincipalName,'averys@contoso.com')&$count=true"
    assert (await http.get(url, headers=EVENTUAL)).json()["value"][0]["id"] == AVERY
    assert (await http.get(f"{BIN}/graph.user?$filter=id eq '{AVERY}'")).json()["value"][0]["id"] == AVERY
    assert (await http.get(f"{BIN}/graph.user?$filter=id eq '{ADELE}'")).json()["value"] == []


async def test_deleted_date_comes_only_when_selected(http: httpx.AsyncClient) -> None:
    assert "deletedDateTime" not in (await http.get(f"{BIN}/{AVERY}")).json()
    selected = (await http.get(f"{BIN}/{AVERY}?$select=deletedDateTime")).json()
    assert selected["deletedDateTime"] == "2026-11-20T17:06:02Z"


async def test_after_thirty_days_the_bin_empties_itself(http: httpx.AsyncClient, clock: Clock, sandbox: Sandbox) -> None:
    clock.pass_(days=26, hours=23)
    assert (await http.get(f"{BIN}/{AVERY}")).status_code == 200
    clock.pass_(hours=2)
    assert error_of(await http.get(f"{BIN}/{AVERY}")) == (404, "Request_ResourceNotFound")
    assert (await http.get(f"{BIN}/graph.user")).json()["value"] == []
    assert sandbox.journal() == []


async def test_purging_is_for_good(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    assert (await http.delete(f"{BIN}/{AVERY}")).status_code == 204
    assert (await http.delete(f"{BIN}/{AVERY}")).status_code == 404
    assert (await http.post(f"{BIN}/{AVERY}/restore")).status_code == 404
    assert sandbox.journal()[-1].effect == {"verb": "purge", "type": "user", "id": AVERY}


async def test_the_living_cannot_be_purged(http: httpx.AsyncClient) -> None:
    assert (await http.delete(f"{BIN}/{SAWYER}")).status_code == 404
    assert (await http.get(f"/users/{SAWYER}")).status_code == 200


async def test_a_freed_name_may_be_taken_and_then_blocks_the_way_back(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{SAWYER}")
    body = {
        "accountEnabled": True,
        "displayName": "Sawyer II",
        "mailNickname": "s2",
        "userPrincipalName": "SawyerM@contoso.com",
        "passwordProfile": {"password": "Correct-Horse-9"},
    }
    assert (await http.post("/users", json=body)).status_code == 201
    assert (await http.post(f"{BIN}/{SAWYER}/restore")).status_code == 409
    assert (await http.get(f"{BIN}/{SAWYER}")).status_code == 200
    renamed = await http.post(f"{BIN}/{SAWYER}/restore", json={"newUserPrincipalName": "Sawyer.M@contoso.com"})
    assert renamed.status_code == 200
    assert (await http.get(f"/users/{SAWYER}")).json()["userPrincipalName"] == "Sawyer.M@contoso.com"


async def test_microsoft_365_groups_go_to_the_bin_and_security_groups_do_not(http: httpx.AsyncClient) -> None:
    assert (await http.delete(f"/groups/{FINANCE_TEAM}")).status_code == 204
    assert (await http.delete(f"/groups/{BI_USERS}")).status_code == 204
    assert [g["id"] for g in (await http.get(f"{BIN}/graph.group")).json()["value"]] == [FINANCE_TEAM]
    assert (await http.post(f"{BIN}/{FINANCE_TEAM}/restore")).status_code == 200
    members = (await http.get(f"/groups/{FINANCE_TEAM}/members?$select=id")).json()["value"]
    assert JONI in [member["id"] for member in members]
