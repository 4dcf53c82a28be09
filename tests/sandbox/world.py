"""Names of the Contoso that the tests walk about in, and a real Graph client pointed at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph_core import GraphClientFactory

SAWYER = "a0000000-0000-4000-8000-000000000001"
MEGAN = "a0000000-0000-4000-8000-000000000002"
ADELE = "a0000000-0000-4000-8000-000000000003"
ALEX = "a0000000-0000-4000-8000-000000000004"
ADMIN = "a0000000-0000-4000-8000-000000000005"
PATTI = "a0000000-0000-4000-8000-000000000006"
BREAKGLASS = "a0000000-0000-4000-8000-000000000007"
MIRIAM = "a0000000-0000-4000-8000-000000000008"
DANA = "a0000000-0000-4000-8000-000000000009"
LYNNE = "a0000000-0000-4000-8000-000000000010"
MILES = "a0000000-0000-4000-8000-000000000013"
ISAIAH = "a0000000-0000-4000-8000-000000000016"
NESTOR = "a0000000-0000-4000-8000-000000000017"
DIEGO = "a0000000-0000-4000-8000-000000000018"
JONI = "a0000000-0000-4000-8000-000000000019"
AVERY = "dddddddd-3333-4444-5555-eeeeeeeeeeee"

LAPTOP = "d0000000-0000-4000-8000-000000000001"
DESKTOP = "d0000000-0000-4000-8000-000000000002"

BI_USERS = "b0000000-0000-4000-8000-000000000001"
FINANCE_TEAM = "b0000000-0000-4000-8000-000000000002"
PAYROLL = "b0000000-0000-4000-8000-000000000003"
EVERYBODY = "b0000000-0000-4000-8000-000000000004"
NEWS = "b0000000-0000-4000-8000-000000000005"
VAULT = "b0000000-0000-4000-8000-000000000006"
HQ = "b0000000-0000-4000-8000-000000000007"
ROTA = "b0000000-0000-4000-8000-000000000008"
FINANCE_EVERYONE = "b0000000-0000-4000-8000-000000000009"

E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
POWER_BI = "f8a1db68-be16-40ed-86d5-cb42ce701560"
PROJECT = "53818b1b-4a27-454b-8896-0dba576410e6"

RUNNER = "c0000000-0000-4000-8000-000000000001"
CONSOLE = "c0000000-0000-4000-8000-000000000002"
REPORTER = "c0000000-0000-4000-8000-000000000003"

EVENTUAL = {"ConsistencyLevel": "eventual"}


class FixedToken:
    """A credential that has its token already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self._token, 4_102_444_800)


@asynccontextmanager
async def graph_client(transport: httpx.AsyncBaseTransport, token: str = "anything") -> AsyncIterator[GraphServiceClient]:
    """Microsoft's own SDK, with nothing changed but where its bytes go."""
    async with httpx.AsyncClient(transport=transport) as http:
        wired = GraphClientFactory.create_with_default_middleware(client=http)
        auth = AzureIdentityAuthenticationProvider(
            FixedToken(token), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["graph.microsoft.com"]
        )
        adapter = GraphRequestAdapter(auth, wired)
        adapter.base_url = "https://graph.microsoft.com/v1.0"
        yield GraphServiceClient(request_adapter=adapter)


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, after checking its envelope."""
    error = response.json()["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    return response.status_code, error["code"]
