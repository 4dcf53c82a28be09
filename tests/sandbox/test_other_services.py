"""What the sandbox knows of Intune, Exchange, registrations and Privileged Identity Management for groups."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.conftest import Clock
from tests.sandbox.world import SAWYER, error_of

pytestmark = pytest.mark.anyio
DESKTOP = "/deviceManagement/managedDevices/e0000000-0000-4000-8000-000000000002"
JOINING = "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
ROTA, CHRIS = "b0000000-0000-4000-8000-000000000008", "a0000000-0000-4000-8000-000000000015"
CONSOLE = "c0000000-0000-4000-8000-000000000002"


async def test_a_persons_managed_devices_are_listed_with_their_primary_users(http: httpx.AsyncClient) -> None:
    found = (await http.get(f"/users/{SAWYER}/managedDevices?$select=id,deviceName,managementState,userId")).json()[
        "value"
    ]
    users = (await http.get(f"{DESKTOP}/users?$select=id")).json()["value"]

    assert [each["deviceName"] for each in found] == ["Sawyer Laptop", "Woodgrove Desktop"]
    assert {each["managementState"] for each in found} == {"managed"}
    assert [each["id"] for each in users] == [SAWYER] == list({each["userId"] for each in found})
    assert len((await http.get("/deviceManagement/managedDevices")).json()["value"]) == 3


@pytest.mark.parametrize("verb", ["wipe", "retire"])
async def test_an_action_is_pending_then_issued_and_then_the_device_is_gone(
    http: httpx.AsyncClient, clock: Clock, verb: str
) -> None:
    body = {"keepUserData": False, "macOsUnlockCode": None} if verb == "wipe" else None
    assert (await http.post(f"{DESKTOP}/{verb}", json=body)).status_code == 204
    pending = (await http.get(DESKTOP)).json()
    clock.pass_(minutes=20)
    issued = (await http.get(DESKTOP)).json()
    clock.pass_(hours=1)

    assert (pending["managementState"], issued["managementState"]) == (f"{verb}Pending", f"{verb}Issued")
    assert [(each["actionName"], each["actionState"]) for each in pending["deviceActionResults"]] == [(verb, "pending")]
    assert error_of(await http.get(DESKTOP))[0] == 404
    left = (await http.get(f"/users/{SAWYER}/managedDevices")).json()["value"]
    assert [each["deviceName"] for each in left] == ["Sawyer Laptop"]


@pytest.mark.parametrize("body", [{"eraseEverything": True}, {"keepUserData": "no"}])
async def test_what_a_wipe_does_not_know_is_refused(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert error_of(await http.post(f"{DESKTOP}/wipe", json=body))[0] == 400
    assert (await http.get(DESKTOP)).json()["managementState"] == "managed"


@pytest.mark.parametrize(
    ("user", "purpose"),
    [("info@contoso.com", "shared"), ("Room.Rainier@contoso.com", "room"), (SAWYER, "user")],
)
async def test_a_mailbox_says_what_it_is_for(http: httpx.AsyncClient, user: str, purpose: str) -> None:
    assert (await http.get(f"/users/{user}/mailboxSettings")).json()["userPurpose"] == purpose
    narrow = (await http.get(f"/users/{user}/mailboxSettings?$select=userPurpose")).json()
    assert set(narrow) == {"@odata.context", "userPurpose"}
    assert error_of(await http.get(f"/users/{user}/mailboxSettings?$select=purpose"))[0] == 400


async def test_a_guest_has_no_mailbox(http: httpx.AsyncClient) -> None:
    guest = "dana_fabrikam.com%23EXT%23@contoso.onmicrosoft.com"
    assert error_of(await http.get(f"/users/{guest}/mailboxSettings")) == (404, "MailboxNotEnabledForRESTAPI")


async def test_who_may_join_a_group_is_asked_by_group_or_by_person(http: httpx.AsyncClient) -> None:
    for filtered in (f"groupId eq '{ROTA}'", f"principalId eq '{CHRIS}'"):
        (found,) = (await http.get(JOINING, params={"$filter": filtered})).json()["value"]
        assert (found["groupId"], found["principalId"], found["accessId"]) == (ROTA, CHRIS, "member")
    assert error_of(await http.get(JOINING))[0] == 400


async def test_a_registration_has_owners_of_its_own(http: httpx.AsyncClient) -> None:
    query = {"$filter": f"appId eq '{CONSOLE}'", "$expand": "owners($select=id)", "$select": "id,displayName"}
    (found,) = (await http.get("/applications", params=query)).json()["value"]
    owners = (await http.get(f"/applications/{found['id']}/owners?$select=id")).json()["value"]
    (principal,) = (await http.get("/servicePrincipals", params=query)).json()["value"]

    assert found["displayName"] == principal["displayName"] == "Offboarding Console"
    assert [each["id"] for each in owners] == [each["id"] for each in found["owners"]]
    assert {each["id"] for each in owners}.isdisjoint(each["id"] for each in principal["owners"])
    assert (await http.get(f"/applications(appId='{CONSOLE}')")).json()["id"] == found["id"]
