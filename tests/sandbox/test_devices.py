"""Devices, and the path that deletes people when its last segment is forgotten."""

from __future__ import annotations

import httpx
import pytest
from msgraph import GraphServiceClient
from msgraph.generated.models.device import Device
from msgraph.generated.models.reference_create import ReferenceCreate

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import ADELE, DESKTOP, ISAIAH, LAPTOP, LYNNE, SAWYER, error_of

pytestmark = pytest.mark.anyio


async def test_the_sdk_unowns_disables_and_gives_back_a_device(
    graph: GraphServiceClient, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    device = graph.devices.by_device_id(LAPTOP)
    await device.registered_owners.by_directory_object_id(SAWYER).ref.delete()
    await device.patch(Device(account_enabled=False))
    owners = await device.registered_owners.get()
    users = await device.registered_users.get()
    after = await device.get()
    assert owners is not None
    assert users is not None
    assert after is not None
    assert owners.value == []
    assert {user.id for user in users.value or []} == {SAWYER, ADELE}
    assert after.account_enabled is False
    link = f"https://graph.microsoft.com/v1.0/directoryObjects/{SAWYER}"
    await device.registered_owners.ref.post(ReferenceCreate(odata_id=link))
    assert (await http.get(f"/devices/{LAPTOP}/registeredOwners")).json()["value"][0]["id"] == SAWYER
    assert [entry.effect["verb"] for entry in sandbox.journal()] == ["remove", "update", "add"]


async def test_owned_and_registered_devices_differ(http: httpx.AsyncClient) -> None:
    async def names(user: str, list_: str) -> set[str]:
        found = (await http.get(f"/users/{user}/{list_}?$select=displayName")).json()["value"]
        return {device["displayName"] for device in found}

    assert await names(SAWYER, "ownedDevices") == {"Sawyer Laptop", "Woodgrove Desktop"}
    assert await names(ADELE, "ownedDevices") == {"Adele Phone", "Conference Tablet"}
    assert await names(ADELE, "registeredDevices") == {"Adele Phone", "Conference Tablet", "Sawyer Laptop"}
    assert await names(LYNNE, "ownedDevices") == set()
    assert await names(LYNNE, "registeredDevices") == {"RETAIL-PC-07"}


async def test_without_ref_the_owner_path_deletes_the_person(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    assert (await http.delete(f"/devices/{LAPTOP}/registeredOwners/{SAWYER}")).status_code == 204
    assert (await http.get(f"/users/{SAWYER}")).status_code == 404
    assert sandbox.journal()[-1].effect["verb"] == "delete"
    assert (sandbox.journal()[-1].effect["type"], sandbox.journal()[-1].effect["id"]) == ("user", SAWYER)


async def test_an_absent_owner_is_a_404(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    for suffix in ("/$ref", ""):
        answer = await http.delete(f"/devices/{LAPTOP}/registeredOwners/{ISAIAH}{suffix}")
        assert error_of(answer) == (404, "Request_ResourceNotFound")
    assert sandbox.journal() == []


async def test_a_device_has_one_owner_at_most(http: httpx.AsyncClient) -> None:
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{ADELE}"}
    refused = await http.post(f"/devices/{LAPTOP}/registeredOwners/$ref", json=link)
    assert error_of(refused) == (400, "Request_BadRequest")
    assert (await http.post(f"/devices/{DESKTOP}/registeredUsers/$ref", json=link)).status_code == 204


async def test_a_device_answers_to_both_of_its_ids(http: httpx.AsyncClient) -> None:
    by_device_id = await http.get("/devices(deviceId='de000000-0000-4000-8000-000000000001')")
    assert by_device_id.json()["id"] == LAPTOP
    assert (await http.get("/devices/de000000-0000-4000-8000-000000000001")).status_code == 404
    url = "/devices(deviceId='de000000-0000-4000-8000-000000000001')"
    patched = await http.patch(url, json={"accountEnabled": False})
    assert patched.status_code == 204


async def test_two_devices_may_share_a_name(http: httpx.AsyncClient) -> None:
    found = (await http.get("/devices?$filter=displayName eq 'conference tablet'")).json()["value"]
    assert len(found) == 2


async def test_deleting_a_device_cannot_be_taken_back(http: httpx.AsyncClient) -> None:
    assert (await http.delete(f"/devices/{LAPTOP}")).status_code == 204
    assert (await http.get(f"/devices/{LAPTOP}")).status_code == 404
    assert (await http.post(f"/directory/deletedItems/{LAPTOP}/restore")).status_code == 404
    assert LAPTOP not in (await http.get(f"/users/{SAWYER}/ownedDevices")).text


async def test_only_writable_device_properties_can_be_set(http: httpx.AsyncClient) -> None:
    assert error_of(await http.patch(f"/devices/{LAPTOP}", json={"trustType": "AzureAd"})) == (400, "Request_BadRequest")


async def test_owners_can_be_expanded(http: httpx.AsyncClient) -> None:
    body = (await http.get(f"/devices/{LAPTOP}?$select=id&$expand=registeredOwners($select=id)")).json()
    assert body["registeredOwners"] == [{"@odata.type": "#microsoft.graph.user", "id": SAWYER}]
