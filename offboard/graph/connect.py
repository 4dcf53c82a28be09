"""A tenant's configuration → a signed-in connection to Graph."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from offboard import __version__
from offboard.errors import GraphUnavailable, UsageError
from offboard.graph.bodies import ACCEPTED
from offboard.graph.credentials import Credential, make_credential
from offboard.graph.record import SignInRecord
from offboard.graph.token import TokenInfo
from offboard.settings.config import TenantConfig
from offboard.settings.configkeys import is_loopback

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

TIMEOUT = httpx.Timeout(connect=10, read=100, write=30, pool=100)
"""Seconds. A batch of 20 writes may keep Graph busy for a while."""
LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=8)
"""httpx slows down with more at a time; Graph's write quota needs four."""
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Connection:
    """Signed in to one tenant. Made by `connect`.

    Args:
        graph: The SDK's fluent client, for its builders.
        adapter: The SDK's adapter, which turns a builder's request into an httpx request.
        http: Our own client: no redirects, no retries.
        root: Graph's address without the version.
        host: Graph's host, without the port.
        remarks: What of the environment has a say in where requests go, as sentences.
    """

    graph: GraphServiceClient
    adapter: GraphRequestAdapter
    http: httpx.AsyncClient
    root: str
    host: str
    remarks: tuple[str, ...]
    _auth: AzureIdentityAuthenticationProvider
    _credential: Credential

    def token_info(self) -> TokenInfo:
        """What the newest token says of itself."""
        return self._credential.info

    def is_ours(self, url: str) -> bool:
        """Whether this address is this connection's Graph: the same scheme, host and port, and nothing hidden in it."""
        try:
            found, root = httpx.URL(url), httpx.URL(self.root)
        except (httpx.InvalidURL, ValueError):
            return False
        same = (found.scheme, found.host, found.port) == (root.scheme, root.host, root.port)
        return same and not found.userinfo and found.path.startswith("/v1.0/")

    async def signed(self, info: RequestInformation, claims: str | None = None) -> httpx.Request:
        """The request, ready to send, with a token that is good now.

        Args:
            info: A request of the SDK's builders, or one with an address of its own.
            claims: Graph's challenge, decoded, when it did not take the last token.

        Raises:
            NotPermitted: Sign-in failed.
            GraphUnavailable: The address is not this connection's Graph, so no token goes there; or the sign-in
                service cannot be reached.
        """
        self.adapter.set_base_url_for_request_information(info)
        if not self.is_ours(info.url):
            raise GraphUnavailable(
                f"A request would leave {self.host}, so it was not sent.",
                why="The sign-in token would go with it.",
                todo="Check graph_url and proxies; if they are right, report it.",
            )
        info.headers.remove("Authorization")  # of an earlier attempt: it may have expired
        context = {"claims": base64.b64encode(claims.encode()).decode()} if claims else {}
        await self._auth.authenticate_request(info, context)
        request: httpx.Request = await self.adapter.convert_to_native_async(info)
        # The SDK leaves the token out without a word where it does not know the host; that would be a riddle of a 401.
        assert request.headers.get("Authorization"), "the request was not signed"
        info.headers.remove("Authorization")
        return request

    async def close(self) -> None:
        """Let all connections go."""
        await self.http.aclose()
        await self._credential.close()


async def connect(
    tenant: TenantConfig,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    prompt: Callable[[str], None],
    folder: Path | None = None,
) -> Connection:
    """Sign in and connect.

    Args:
        tenant: Where, and how to sign in.
        transport: Carries requests instead of the network; the built-in sandbox's, or a test's.
        prompt: Shows a person what to do to sign in.
        folder: The tenant's state folder. With `token_cache` it keeps who signed in last, but no token.

    Raises:
        NotPermitted: Sign-in failed, or is for another tenant.
        GraphUnavailable: The sign-in service cannot be reached.
        UsageError: A file with a secret can be read by others, or `ca_file` cannot be used.
    """
    if tenant.in_process and transport is None:
        raise ValueError("the built-in sandbox is reached through its transport only")
    http = _client(tenant, transport)
    record = SignInRecord(tenant, folder / "sign-in.json") if tenant.token_cache and folder else None
    credential: Credential | None = None
    try:
        credential = make_credential(tenant, prompt, record)
        # Now, not at the first request: who cannot sign in learns it before anything else is done.
        await credential.get_token(f"{tenant.root}/.default")
        return _connection(tenant, http, credential)
    except BaseException:
        await http.aclose()
        if credential is not None:
            await credential.close()
        raise


def _connection(tenant: TenantConfig, http: httpx.AsyncClient, credential: Credential) -> Connection:
    host = httpx.URL(tenant.root).host
    # The scope names the very endpoint that the token is sent to: should somebody plant a graph_url, the sign-in service
    # gives no token for it. And never an empty list of hosts: that means "any".
    auth = AzureIdentityAuthenticationProvider(credential, scopes=[f"{tenant.root}/.default"], allowed_hosts=[host])
    adapter = GraphRequestAdapter(auth, http)
    adapter.base_url = f"{tenant.root}/v1.0"
    remarks = () if is_loopback(tenant.root) or tenant.in_process else _remarks()
    graph = GraphServiceClient(request_adapter=adapter)
    return Connection(graph, adapter, http, tenant.root, host, remarks, auth, credential)


def _client(tenant: TenantConfig, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        verify=_trust(tenant),
        # A proxy has no business with what stays on this machine.
        trust_env=transport is None and not is_loopback(tenant.root),
        follow_redirects=False,
        timeout=TIMEOUT,
        limits=LIMITS,
        headers={"User-Agent": f"offboard/{__version__}", "Accept-Encoding": ACCEPTED},
    )


def _trust(tenant: TenantConfig) -> ssl.SSLContext | bool:
    if tenant.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(tenant.ca_file))
    except OSError as error:
        raise UsageError(
            f"{tenant.ca_file}: the authorities to trust cannot be read.",
            why="There is no such file, or it is not PEM.",
            todo=f"Correct ca_file of tenant {tenant.alias} in offboard.toml.",
        ) from error


def _remarks() -> tuple[str, ...]:
    found = [f"Requests go through the proxy that {name} names." for name in _PROXIES if os.environ.get(name)][:1]
    found += [f"{name} decides which servers are trusted." for name in _AUTHORITIES if os.environ.get(name)]
    return tuple(found)
