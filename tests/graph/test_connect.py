"""Where a connection sends things, and where it never does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from offboard.errors import GraphUnavailable
from offboard.graph.connect import Connection, connect
from offboard.graph.credentials import MARKER
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport
from offboard.settings.config import TenantConfig, load_config
from offboard.settings.configkeys import CLOUDS
from tests.graph.conftest import Watched

pytestmark = pytest.mark.anyio
SANDBOX = load_config(None, Path("/nowhere")).tenant("sandbox")


@asynccontextmanager
async def connected(tenant: TenantConfig, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Connection]:
    connection = await connect(tenant, transport=transport, prompt=lambda _text: None)
    try:
        yield connection
    finally:
        await connection.close()


async def test_the_sandbox_is_reached_in_process_through_the_sdks_own_builders() -> None:
    sandbox = Sandbox.open()
    async with connected(SANDBOX, SandboxTransport(sandbox)) as connection:
        info = connection.graph.users.by_user_id("SawyerM@contoso.com").to_get_request_information()
        request = await connection.signed(info)
        response = await connection.http.send(request)
    sandbox.close()
    assert response.json()["displayName"] == "Sawyer Miller"
    assert request.headers["Authorization"] == f"Bearer {MARKER}"
    assert (connection.token_info().kind, connection.token_info().name) == ("unknown", "sandbox")
    assert connection.host.endswith(".invalid")


async def test_the_sandbox_without_its_transport_is_never_looked_for_on_the_network() -> None:
    with pytest.raises(ValueError, match="transport"):
        await connect(SANDBOX, prompt=lambda _text: None)


async def test_a_served_sandbox_is_reached_over_plain_http_on_this_machine() -> None:
    sandbox = Sandbox.open()
    with ServerThread(sandbox) as server:
        lab = TenantConfig("lab", sign_in="none", graph_url=server.url)
        async with connected(lab) as connection:
            info = connection.graph.organization.to_get_request_information()
            response = await connection.http.send(await connection.signed(info))
            assert response.status_code == 200
            assert str(response.url).startswith(f"{server.url}/v1.0/organization")
    sandbox.close()


OURS = "https://graph.microsoft.com"
LOOK_ALIKES = [
    "http://graph.microsoft.com/v1.0/users",
    "https://graph.microsoft.com:8443/v1.0/users",
    "https://graph.microsoft.com.evil.example/v1.0/users",
    "https://evil.example/graph.microsoft.com/v1.0/users",
    "https://graph.microsoft.com@evil.example/v1.0/users",
    "https://user:pw@graph.microsoft.com/v1.0/users",
    "https://graph.microsoft.com\\@evil.example/v1.0/users",
    "https://graph.microsoft.com\t.evil.example/v1.0/users",
    "https://GRAPH.microsoft.com.evil.example/v1.0/users",
    "https://graph.microsoft.us/v1.0/users",
    "https://graph.microsoft.com/beta/users",
    "//evil.example/v1.0/users",
    "/v1.0/users",
    "",
    "https://[::1/v1.0/users",
    "file:///v1.0/users",
]


class Nowhere(httpx.AsyncBaseTransport):
    """A network that must not be used."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Whatever gets here was sent."""
        raise AssertionError(f"sent: {request.url}")


def pretending(root: str) -> TenantConfig:
    """A tenant at another root that needs no sign-in; configuration files refuse such a one."""
    return TenantConfig("x", sign_in="none", graph_url=root)


@pytest.mark.parametrize("url", LOOK_ALIKES)
async def test_an_address_that_is_not_this_graph_gets_no_token_and_no_request(url: str) -> None:
    async with connected(pretending(OURS), Nowhere()) as connection:
        assert not connection.is_ours(url)
        info = connection.graph.users.to_get_request_information()
        info.url = url or "https://evil.example/"
        with pytest.raises(GraphUnavailable, match="was not sent"):
            await connection.signed(info)
        assert not info.headers.contains("Authorization")


@pytest.mark.parametrize(
    "url",
    [
        f"{OURS}/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com:443/v1.0/users",
        "HTTPS://Graph.Microsoft.com/v1.0/users",
    ],
)
async def test_an_address_of_this_graph_gets_the_token(url: str) -> None:
    async with connected(pretending(OURS), Nowhere()) as connection:
        assert connection.is_ours(url)
        info = connection.graph.users.to_get_request_information()
        info.url = url
        request = await connection.signed(info)
        assert request.headers["Authorization"] == f"Bearer {MARKER}"
        assert request.url.host == "graph.microsoft.com"
        assert not info.headers.contains("Authorization"), "the token would end up in batch items"


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_each_cloud_has_its_own_root(cloud: str) -> None:
    tenant = TenantConfig("x", sign_in="none", cloud=cloud)
    async with connected(tenant, Nowhere()) as connection:
        request = await connection.signed(connection.graph.users.to_get_request_information())
    assert str(request.url) == f"{CLOUDS[cloud].root}/v1.0/users"


async def test_a_redirect_is_not_followed(tenant: TenantConfig, watched: Watched) -> None:
    from offboard.sandbox.wire import Response

    moved = Response(302, {"Location": "https://evil.example/v1.0/users"}, b"")
    watched.instead = lambda request: moved if request.path.startswith("/v1.0") else None
    async with connected(tenant) as connection:
        response = await connection.http.send(
            await connection.signed(connection.graph.users.to_get_request_information())
        )
    assert response.status_code == 302


async def test_the_token_goes_to_graph_alone(tenant: TenantConfig, watched: Watched) -> None:
    async with connected(tenant) as connection:
        info = connection.graph.organization.to_get_request_information()
        await connection.http.send(await connection.signed(info))
    assert [path.partition("?")[0] for path in watched.sent_to("eyJ")] == ["/v1.0/organization"]


async def test_a_proxy_has_no_say_on_this_machine_and_is_named_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox.open()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with ServerThread(sandbox) as server:
        lab = TenantConfig("lab", sign_in="none", graph_url=server.url)
        async with connected(lab) as connection:
            info = connection.graph.organization.to_get_request_information()
            assert (await connection.http.send(await connection.signed(info))).status_code == 200
            assert connection.remarks == ()
        async with connected(replace(lab, graph_url=OURS)) as connection:
            assert connection.remarks == ("Requests go through the proxy that HTTPS_PROXY names.",)
    sandbox.close()


def test_configuration_and_state_load_neither_sdk_nor_azure_nor_httpx() -> None:
    code = (
        "import sys; from pathlib import Path; import offboard.settings.config, offboard.settings.statefolder, offboard.audit;"
        "offboard.settings.config.load_config(None, Path('/nowhere')).tenant(None);"
        "bad = {'msgraph', 'azure', 'httpx', 'rich', 'structlog', 'jsonschema', 'yaml', 'kiota_abstractions'};"
        "sys.exit(', '.join(sorted(bad & set(sys.modules))) or None)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
