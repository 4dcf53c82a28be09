"""People, asked and changed by Microsoft's own SDK and by plain HTTP."""

from __future__ import annotations

import httpx
import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.user import User
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.conftest import Clock
from tests.sandbox.world import ADELE, DANA, JONI, LYNNE, MEGAN, MILES, SAWYER, error_of

pytestmark = pytest.mark.anyio


def selecting(*names: str) -> RequestConfiguration[UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters]:
    query = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=list(names))
    return RequestConfiguration(query_parameters=query)


async def test_the_sdk_reads_a_person_by_id_and_by_name_in_any_case(graph: GraphServiceClient) -> None:
    by_id = await graph.users.by_user_id(SAWYER).get()
    by_name = await graph.users.by_user_id("sAWYERm@CONTOSO.com").get()
    assert by_id is not None
    assert by_name is not None
    assert by_id.id == by_name.id == SAWYER
    assert by_id.display_name == "Sawyer Miller"


async def test_only_the_default_properties_come_unasked(http: httpx.AsyncClient) -> None:
    body = (await http.get(f"/users/{SAWYER}")).json()
    assert set(body) == {
        "@odata.context",
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
    assert body["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#users/$entity"


async def test_the_sdk_disables_a_person_and_reads_it_back(graph: GraphServiceClient, sandbox: Sandbox) -> None:
    await graph.users.by_user_id(SAWYER).patch(User(account_enabled=False))
    after = await graph.users.by_user_id(SAWYER).get(selecting("id", "accountEnabled"))
    assert after is not None
    assert after.account_enabled is False
    [entry] = sandbox.journal()
    assert entry.effect == {"verb": "update", "type": "user", "id": SAWYER, "changed": {"accountEnabled": [True, False]}}
    assert (entry.method, entry.path, entry.status) == ("PATCH", f"/v1.0/users/{SAWYER}", 204)


async def test_revoking_moves_the_valid_from_stamp_to_now(graph: GraphServiceClient, clock: Clock) -> None:
    answer = await graph.users.by_user_id(SAWYER).revoke_sign_in_sessions.post()
    after = await graph.users.by_user_id(SAWYER).get(selecting("signInSessionsValidFromDateTime"))
    assert answer is not None
    assert answer.value is True
    assert after is not None
    assert after.sign_in_sessions_valid_from_date_time == clock.moment.replace(microsecond=0)


async def test_revoking_a_guest_says_yes_and_changes_nothing(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    before = (await http.get(f"/users/{DANA}?$select=signInSessionsValidFromDateTime")).json()
    answer = await http.post(f"/users/{DANA}/revokeSignInSessions")
    assert (answer.status_code, answer.json()["value"]) == (200, True)
    assert (await http.get(f"/users/{DANA}?$select=signInSessionsValidFromDateTime")).json() == before
    assert sandbox.journal()[-1].effect["changed"] == {}


async def test_a_password_reset_leaves_its_time_but_never_its_value(graph: GraphServiceClient, sandbox: Sandbox) -> None:
    secret = "Correct-Horse-9"
    profile = PasswordProfile(password=secret, force_change_password_next_sign_in=True)
    await graph.users.by_user_id(SAWYER).patch(User(password_profile=profile))
    after = await graph.users.by_user_id(SAWYER).get(selecting("lastPasswordChangeDateTime", "passwordProfile"))
    assert after is not None
    assert str(after.last_password_change_date_time) == "2026-11-23 17:06:02+00:00"
    assert after.password_profile is None
    assert sandbox.journal()[-1].effect["changed"]["passwordProfile"] == "set"
    assert secret not in str(sandbox.journal())


async def test_a_weak_password_is_refused_and_nothing_of_the_patch_happens(http: httpx.AsyncClient) -> None:
    body = {"accountEnabled": False, "passwordProfile": {"password": "short"}}
    refused = await http.patch(f"/users/{SAWYER}", json=body)
    assert error_of(refused) == (400, "Request_BadRequest")
    assert "password complexity" in refused.json()["error"]["message"]
    assert (await http.get(f"/users/{SAWYER}?$select=accountEnabled")).json()["accountEnabled"] is True


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"nickname": "x"}, "Property 'nickname' does not exist as a declared property or extension property."),
        ({"accountEnabled": "no"}, "Invalid value specified for property 'accountEnabled' of resource 'User'."),
        ({"accountEnabled": None}, "Invalid value specified for property 'accountEnabled' of resource 'User'."),
        ({"displayName": ""}, "Invalid value specified for property 'displayName' of resource 'User'."),
        ({"assignedLicenses": []}, "Property 'assignedLicenses' is read-only and cannot be set."),
        ({"employeeId": "x" * 17}, "Invalid value specified for property 'employeeId' of resource 'User'."),
        (
            {"passwordProfile": {"pasword": "Correct-Horse-9"}},
            "Property 'pasword' does not exist as a declared property or extension property.",
        ),
    ],
)
async def test_a_body_that_graph_would_not_take_is_refused_in_its_words(
    http: httpx.AsyncClient, sandbox: Sandbox, body: dict[str, object], message: str
) -> None:
    refused = await http.patch(f"/users/{SAWYER}", json=body)
    assert error_of(refused) == (400, "Request_BadRequest")
    assert refused.json()["error"]["message"] == message
    assert sandbox.journal() == []


async def test_null_clears_a_property(http: httpx.AsyncClient) -> None:
    assert (await http.patch(f"/users/{SAWYER}", json={"jobTitle": None})).status_code == 204
    assert (await http.get(f"/users/{SAWYER}")).json()["jobTitle"] is None


async def test_a_body_must_be_json_and_say_so(http: httpx.AsyncClient) -> None:
    unnamed = await http.patch(f"/users/{SAWYER}", content=b'{"jobTitle": null}', headers={"Content-Type": "text/plain"})
    broken = await http.patch(f"/users/{SAWYER}", content=b'{"jobTitle"', headers={"Content-Type": "application/json"})
    assert error_of(unnamed) == (400, "Request_BadRequest")
    assert error_of(broken) == (400, "BadRequest")


@pytest.mark.parametrize(
    "body",
    [
        {"accountEnabled": False},
        {"passwordProfile": {"password": "Correct-Horse-9"}},
        {"jobTitle": None},
    ],
)
async def test_what_is_mastered_on_premises_cannot_be_changed(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    refused = await http.patch(f"/users/{LYNNE}", json=body)
    assert error_of(refused) == (400, "Request_BadRequest")
    assert "on-premises mastered" in refused.json()["error"]["message"]


async def test_a_synced_person_keeps_her_usage_location_writable_and_can_be_deleted(http: httpx.AsyncClient) -> None:
    assert (await http.patch(f"/users/{LYNNE}", json={"usageLocation": "GB"})).status_code == 204
    assert (await http.delete(f"/users/{LYNNE}")).status_code == 204


async def test_extension_attributes_are_merged_one_by_one(http: httpx.AsyncClient) -> None:
    for number in (1, 7):
        body = {"onPremisesExtensionAttributes": {f"extensionAttribute{number}": "left"}}
        assert (await http.patch(f"/users/{SAWYER}", json=body)).status_code == 204
    shown = (await http.get(f"/users/{SAWYER}?$select=onPremisesExtensionAttributes")).json()
    assert shown["onPremisesExtensionAttributes"] == {"extensionAttribute1": "left", "extensionAttribute7": "left"}
    bad = {"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}}
    assert (await http.patch(f"/users/{SAWYER}", json=bad)).status_code == 400


async def test_the_quoted_key_form_reaches_names_with_quotes_and_hashes(http: httpx.AsyncClient) -> None:
    apostrophe = await http.get("/users('Miles.O''Brien@contoso.com')")
    plain = await http.get("/users/Miles.O'Brien@contoso.com")
    guest = await http.get("/users/dana_fabrikam.com%23EXT%23@contoso.onmicrosoft.com")
    named = await http.get("/users(userPrincipalName='adelev@contoso.com')")
    assert apostrophe.json()["id"] == plain.json()["id"] == MILES
    assert guest.json()["id"] == DANA
    assert named.json()["id"] == ADELE


async def test_a_percent_sign_is_decoded_once_only(http: httpx.AsyncClient) -> None:
    twice = await http.get("/users/dana_fabrikam.com%2523EXT%2523@contoso.onmicrosoft.com")
    assert error_of(twice) == (404, "Request_ResourceNotFound")


async def test_an_unknown_person_is_a_404_that_names_them(graph: GraphServiceClient) -> None:
    with pytest.raises(ODataError) as caught:
        await graph.users.by_user_id("nobody@contoso.com").get()
    assert caught.value.response_status_code == 404
    assert caught.value.error is not None
    assert caught.value.error.code == "Request_ResourceNotFound"
    assert "nobody@contoso.com" in (caught.value.error.message or "")


async def test_the_sdk_creates_a_person_whom_it_then_finds(graph: GraphServiceClient, sandbox: Sandbox) -> None:
    created = await graph.users.post(
        User(
            account_enabled=True,
            display_name="Nora New",
            mail_nickname="NoraN",
            user_principal_name="NoraN@contoso.com",
            password_profile=PasswordProfile(password="Correct-Horse-9"),
        )
    )
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(filter="userPrincipalName eq 'noran@contoso.com'")
    found = await graph.users.get(RequestConfiguration(query_parameters=query))
    assert created is not None
    assert found is not None
    assert [user.id for user in found.value or []] == [created.id]
    assert sandbox.journal()[-1].effect["verb"] == "create"


async def test_a_name_is_given_once_and_only_in_the_tenants_domains(http: httpx.AsyncClient) -> None:
    body = {
        "accountEnabled": True,
        "displayName": "N",
        "mailNickname": "n",
        "passwordProfile": {"password": "Correct-Horse-9"},
    }
    taken = await http.post("/users", json={**body, "userPrincipalName": "ADELEV@contoso.com"})
    foreign = await http.post("/users", json={**body, "userPrincipalName": "n@elsewhere.com"})
    incomplete = await http.post("/users", json=body)
    assert "already exists" in taken.json()["error"]["message"]
    assert "domain portion" in foreign.json()["error"]["message"]
    assert "userPrincipalName" in incomplete.json()["error"]["message"]
    assert [taken.status_code, foreign.status_code, incomplete.status_code] == [400, 400, 400]


async def test_the_sdk_walks_to_the_manager_and_changes_it(graph: GraphServiceClient, http: httpx.AsyncClient) -> None:
    manager = await graph.users.by_user_id(SAWYER).manager.get()
    assert isinstance(manager, User)
    assert manager.id == MEGAN
    link = f"https://graph.microsoft.com/v1.0/users/{MEGAN}"
    await graph.users.by_user_id(JONI).manager.ref.put(ReferenceUpdate(odata_id=link))
    reports = await graph.users.by_user_id(MEGAN).direct_reports.get()
    assert reports is not None
    assert {SAWYER, ADELE, JONI} <= {report.id for report in reports.value or []}
    await graph.users.by_user_id(JONI).manager.ref.delete()
    assert error_of(await http.get(f"/users/{JONI}/manager")) == (404, "Request_ResourceNotFound")


async def test_the_manager_of_a_synced_person_is_not_ours_to_set(http: httpx.AsyncClient) -> None:
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{MEGAN}"}
    assert error_of(await http.put(f"/users/{LYNNE}/manager/$ref", json=body)) == (400, "Request_BadRequest")


async def test_a_deleted_manager_disappears_from_reports(http: httpx.AsyncClient) -> None:
    await http.delete(f"/users/{SAWYER}")
    assert (await http.get(f"/users/{JONI}/manager")).status_code == 404
    expanded = (await http.get(f"/users/{JONI}?$select=id&$expand=manager")).json()
    assert "manager" not in expanded


async def test_the_manager_can_be_expanded_with_chosen_properties(http: httpx.AsyncClient) -> None:
    body = (await http.get(f"/users/{SAWYER}?$select=id&$expand=manager($select=id,displayName)")).json()
    assert body["manager"] == {"@odata.type": "#microsoft.graph.user", "displayName": "Megan Bowen", "id": MEGAN}


async def test_me_is_for_people_only(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    refused = await http.get("/me")
    token = sandbox.issue_token(user="AdeleV@contoso.com", scopes=["User.Read"])
    mine = await http.get("/me", headers={"Authorization": f"Bearer {token}"})
    devices = await http.get("/me/ownedDevices", headers={"Authorization": f"Bearer {token}"})
    assert error_of(refused) == (400, "BadRequest")
    assert mine.json()["id"] == ADELE
    assert len(devices.json()["value"]) == 2


async def test_sign_in_activity_is_absent_for_those_who_never_signed_in(http: httpx.AsyncClient) -> None:
    seen = (await http.get(f"/users/{SAWYER}?$select=id,signInActivity")).json()
    never = (await http.get(f"/users/{JONI}?$select=id,signInActivity")).json()
    assert seen["signInActivity"]["lastSignInDateTime"] == "2026-11-22T17:06:02Z"
    assert "signInActivity" not in never
