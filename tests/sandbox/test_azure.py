"""What azure-cli asks for besides Graph. (The whole of it was tried with azure-cli itself; it is too large to keep.)"""

from __future__ import annotations

import httpx
import pytest

from offboard.sandbox.tenant import Sandbox

pytestmark = pytest.mark.anyio

ROOT = "https://graph.microsoft.com"


async def test_the_cloud_describes_itself_and_has_no_subscriptions(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    newer = (await http.get(f"{ROOT}/metadata/endpoints?api-version=2022-09-01")).json()
    older = (await http.get(f"{ROOT}/metadata/endpoints?api-version=2019-05-01")).json()
    assert older == [newer]
    assert newer["authentication"]["loginEndpoint"] == ROOT
    assert (await http.get(f"{ROOT}/subscriptions?api-version=2022-12-01")).json() == {"value": []}
    assert (await http.get(f"{ROOT}/tenants")).json()["value"][0]["tenantId"] == sandbox.tenant_id
    assert (await http.post(f"{ROOT}/subscriptions")).status_code == 405


async def test_granted_permissions_lead_to_graphs_own_application(http: httpx.AsyncClient) -> None:
    runner = "/servicePrincipals(appId='c0000000-0000-4000-8000-000000000001')"
    resource = "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"
    graph = (await http.get(f"{resource}?$select=id,appRoles")).json()
    names = {role["id"]: role["value"] for role in graph["appRoles"]}
    granted = (await http.get(f"{runner}/appRoleAssignments")).json()["value"]
    assert {grant["resourceId"] for grant in granted} == {graph["id"]}
    assert "User.RevokeSessions.All" in {names[grant["appRoleId"]] for grant in granted}
