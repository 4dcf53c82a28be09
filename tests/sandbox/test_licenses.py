"""Licenses: direct, inherited, exhausted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from msgraph import GraphServiceClient
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import AssignLicensePostRequestBody

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.test_recycle import consumed
from tests.sandbox.world import BI_USERS, DANA, E3, ISAIAH, JONI, POWER_BI, PROJECT, SAWYER, VISIO, error_of

pytestmark = pytest.mark.anyio


async def assign(http: httpx.AsyncClient, user: str, **body: Any) -> httpx.Response:
    return await http.post(f"/users/{user}/assignLicense", json={"addLicenses": [], "removeLicenses": [], **body})


async def held(http: httpx.AsyncClient, user: str) -> set[tuple[str, str | None]]:
    states = (await http.get(f"/users/{user}?$select=licenseAssignmentStates")).json()["licenseAssignmentStates"]
    return {(state["skuId"], state["assignedByGroup"]) for state in states}


async def test_the_sdk_takes_both_direct_licenses_in_one_call(
    graph: GraphServiceClient, http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    before = await consumed(http, E3)
    body = AssignLicensePostRequestBody(add_licenses=[], remove_licenses=[UUID(E3), UUID(VISIO)])
    answer = await graph.users.by_user_id(SAWYER).assign_license.post(body)
    assert answer is not None
    assert answer.id == SAWYER
    assert await held(http, SAWYER) == {(POWER_BI, BI_USERS)}
    assert await consumed(http, E3) == before - 1
    assert sandbox.journal()[-1].effect["removed"] == sorted([E3, VISIO])


async def test_an_inherited_license_cannot_be_taken_directly(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    refused = await assign(http, SAWYER, removeLicenses=[E3, POWER_BI])
    assert error_of(refused) == (400, "Request_BadRequest")
    assert "inherited from a group membership" in refused.json()["error"]["message"]
    assert (E3, None) in await held(http, SAWYER)  # one bad product spoils the whole call
    assert sandbox.journal() == []


async def test_leaving_the_group_takes_its_license_along(http: httpx.AsyncClient) -> None:
    before = await consumed(http, POWER_BI)
    assert (await http.delete(f"/groups/{BI_USERS}/members/{SAWYER}/$ref")).status_code == 204
    assert (POWER_BI, BI_USERS) not in await held(http, SAWYER)
    assert await consumed(http, POWER_BI) == before - 1


async def test_joining_the_group_brings_its_license(http: httpx.AsyncClient) -> None:
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{JONI}"}
    assert (await http.post(f"/groups/{BI_USERS}/members/$ref", json=link)).status_code == 204
    assert (POWER_BI, BI_USERS) in await held(http, JONI)


async def test_a_product_held_both_ways_stays_through_the_group(http: httpx.AsyncClient) -> None:
    before = await consumed(http, POWER_BI)
    await assign(http, SAWYER, addLicenses=[{"skuId": POWER_BI, "disabledPlans": []}])
    assert {(POWER_BI, None), (POWER_BI, BI_USERS)} <= await held(http, SAWYER)
    assert await consumed(http, POWER_BI) == before
    assert (await assign(http, SAWYER, removeLicenses=[POWER_BI])).status_code == 200
    assert (POWER_BI, BI_USERS) in await held(http, SAWYER)
    shown = (await http.get(f"/users/{SAWYER}?$select=assignedLicenses")).json()["assignedLicenses"]
    assert POWER_BI in [item["skuId"] for item in shown]


async def test_what_is_taken_can_be_given_back(http: httpx.AsyncClient) -> None:
    before = await held(http, SAWYER)
    await assign(http, SAWYER, removeLicenses=[E3, VISIO])
    back = [{"skuId": E3, "disabledPlans": []}, {"skuId": VISIO, "disabledPlans": []}]
    assert (await assign(http, SAWYER, addLicenses=back)).status_code == 200
    assert await held(http, SAWYER) == before


@pytest.mark.parametrize(
    ("user", "body", "message"),
    [
        (ISAIAH, {"removeLicenses": [E3]}, "does not have a corresponding license"),
        (ISAIAH, {"addLicenses": [{"skuId": PROJECT}]}, "does not have any available licenses"),
        (DANA, {"addLicenses": [{"skuId": E3}]}, "invalid usage location"),
        (ISAIAH, {"addLicenses": [{"skuId": "00000000-0000-0000-0000-00000000dead"}]}, "valid company License"),
        (ISAIAH, {"removeLicenses": ["not-a-guid"]}, "Edm.Guid"),
        (ISAIAH, {"removeLicenses": None}, "Invalid value"),
        (ISAIAH, {"extra": 1}, "'extra'"),
    ],
)
async def test_assignments_that_cannot_be_are_refused(
    http: httpx.AsyncClient, user: str, body: dict[str, Any], message: str
) -> None:
    refused = await assign(http, user, **body)
    assert refused.status_code == 400
    assert message in refused.json()["error"]["message"]


async def test_both_lists_are_required(http: httpx.AsyncClient) -> None:
    refused = await http.post(f"/users/{SAWYER}/assignLicense", json={"removeLicenses": [E3]})
    assert refused.status_code == 400
    assert "missing parameters are: addLicenses" in refused.json()["error"]["message"]


async def test_products_are_listed_with_names_and_seats(graph: GraphServiceClient, http: httpx.AsyncClient) -> None:
    found = await graph.subscribed_skus.get()
    assert found is not None
    assert {sku.sku_part_number for sku in found.value or []} == {
        "SPE_E3",
        "VISIOCLIENT",
        "POWER_BI_PRO",
        "PROJECTPROFESSIONAL",
    }
    details = (await http.get(f"/users/{SAWYER}/licenseDetails")).json()["value"]
    assert [item["skuPartNumber"] for item in details] == ["SPE_E3", "VISIOCLIENT", "POWER_BI_PRO"]


async def test_the_sdk_assigns_with_plans_switched_off(graph: GraphServiceClient, http: httpx.AsyncClient) -> None:
    plan = UUID("12345678-0000-4000-8000-000000000000")
    given = AssignedLicense(sku_id=UUID(VISIO), disabled_plans=[plan])
    body = AssignLicensePostRequestBody(add_licenses=[given], remove_licenses=[])
    await graph.users.by_user_id(ISAIAH).assign_license.post(body)
    shown = (await http.get(f"/users/{ISAIAH}?$select=assignedLicenses")).json()["assignedLicenses"]
    assert shown == [{"disabledPlans": [str(plan)], "skuId": VISIO}]
