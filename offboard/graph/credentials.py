"""The kinds of sign-in, through azure-identity, and what all of them have in common.

One kind is named in the configuration and only that one is used: which identity deletes users must not depend on what
happens to lie in the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from offboard.errors import NotPermitted
from offboard.graph.signintrouble import signin_trouble
from offboard.graph.token import UNKNOWN, TokenInfo, decode
from offboard.settings.config import TenantConfig, read_secret
from offboard.settings.private import read_private

if TYPE_CHECKING:
    from offboard.graph.record import SignInRecord

Prompt = Callable[[str], None]
T = TypeVar("T")

MARKER = "sandbox"
"""What stands in for a token where nobody signs in. It means nothing anywhere."""
EARLY = 300
"""Seconds before its end at which a token is not used any more."""


class Inner(Protocol):
    """What we need of azure-identity's classes, asynchronous or not."""

    def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False, **rest: Any) -> Any: ...

    def close(self) -> Any: ...


class Credential:
    """Hands out tokens of one tenant. The SDK's token provider asks it for each request.

    Args:
        tenant: The tenant that tokens must be for.
        inner: azure-identity's credential; None where nobody signs in.
        blocking: Whether `inner` blocks, as those do that wait for a person.
        signed_in: Told after each new token.
    """

    def __init__(
        self, tenant: TenantConfig, inner: Inner | None, *, blocking: bool, signed_in: Callable[[Inner], None] | None
    ) -> None:
        self._tenant = tenant
        self._inner = inner
        self._blocking = blocking
        self._signed_in = signed_in
        self._lock = asyncio.Lock()
        self._token: AccessToken | None = None
        self.info: TokenInfo = TokenInfo(name=MARKER) if inner is None else UNKNOWN

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = True,
        **kwargs: Any,
    ) -> AccessToken:
        """A token that is good for at least some minutes.

        Args:
            scopes: What it is for.
            claims: Graph's challenge, decoded, when it did not take the last token.
            tenant_id: Not used: a credential is for one tenant.
            enable_cae: Whether Graph may revoke it at once (and therefore lets it live longer).

        Raises:
            NotPermitted: Sign-in failed, or it is for another tenant.
            GraphUnavailable: The sign-in service cannot be reached.
        """
        if self._inner is None:
            return AccessToken(MARKER, int(time.time()) + 3600)
        async with self._lock:  # a person is asked once, however many requests wait
            kept = self._token
            if kept is None or claims or kept.expires_on - time.time() < EARLY:
                kept = self._token = await self._fetch(self._inner, scopes, claims, enable_cae)
            return kept

    async def _fetch(self, inner: Inner, scopes: tuple[str, ...], claims: str | None, enable_cae: bool) -> AccessToken:
        try:
            if self._blocking:
                token = await in_own_thread(lambda: inner.get_token(*scopes, claims=claims, enable_cae=enable_cae))
            else:
                token = await inner.get_token(*scopes, claims=claims, enable_cae=enable_cae)
        except (AzureError, ValueError, OSError) as error:
            raise signin_trouble(error, self._tenant) from None  # its text may quote what was sent
        info = decode(token.token)
        self._check_tenant(info)
        self.info = info
        if self._signed_in:
            self._signed_in(inner)
        return AccessToken(token.token, token.expires_on)

    def _check_tenant(self, info: TokenInfo) -> None:
        if info.tid and self._tenant.tenant_id and info.tid != self._tenant.tenant_id:
            raise NotPermitted(
                f"Signed in to the wrong tenant: the token is for {info.tid}, "
                f"tenant {self._tenant.alias} is {self._tenant.tenant_id}.",
                why="Nothing was sent to Graph with it.",
                todo="Check tenant_id in offboard.toml, or sign in with an account of that tenant.",
            )

    async def close(self) -> None:
        """Let connections go."""
        if self._inner is not None:
            closing = self._inner.close()
            if closing is not None:
                await closing

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


async def in_own_thread(work: Callable[[], T]) -> T:
    """Run blocking work without blocking the loop.

    A thread of our own, because `asyncio.to_thread` is waited for at exit: Ctrl-C would hang until the device code ends.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as caught:  # handed over, not swallowed
            error = caught
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="sign-in", daemon=True).start()
    return await future


def make_credential(tenant: TenantConfig, prompt: Prompt, record: SignInRecord | None) -> Credential:
    """The credential that the tenant's configuration asks for. Contacts nobody yet.

    Args:
        tenant: The tenant.
        prompt: Shows the person what to do.
        record: Who signed in last, for `token_cache`.

    Raises:
        NotPermitted: A secret or certificate is missing or cannot be used.
        UsageError: Others can read the secret's file.
    """
    # azure-identity logs what it also raises; without a handler of its own that would end up on stderr, raw.
    for name in ("azure", "msal"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    if tenant.sign_in == "none":
        return Credential(tenant, None, blocking=False, signed_in=None)
    try:
        inner, blocking = _MAKERS[tenant.sign_in](tenant, prompt, record)
    except (AzureError, ValueError) as error:
        raise signin_trouble(error, tenant) from None
    return Credential(tenant, inner, blocking=blocking, signed_in=record.remember if record else None)


def _common(tenant: TenantConfig) -> dict[str, Any]:
    options: dict[str, Any] = {"tenant_id": tenant.tenant_id, "authority": tenant.login, "retry_total": 2}
    if tenant.authority:
        # Else Microsoft's own service is asked whether it knows this one.
        options["disable_instance_discovery"] = True
    if tenant.ca_file:
        options["connection_verify"] = str(tenant.ca_file)
    return options


def _person(tenant: TenantConfig, record: SignInRecord | None) -> dict[str, Any]:
    options = _common(tenant) | {"client_id": tenant.client_id}
    if tenant.token_cache:
        from azure.identity import TokenCachePersistenceOptions

        options["cache_persistence_options"] = TokenCachePersistenceOptions(name="offboard")
    if record and (known := record.load()):
        options["authentication_record"] = known
        del options["authority"]  # the record brings it along, checked to be the same
    return options


def _device_code(tenant: TenantConfig, prompt: Prompt, record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity import DeviceCodeCredential

    def ask(page: str, code: str, until: datetime) -> None:
        prompt(
            f"To sign in to {tenant.alias}, open {page} in a browser and enter the code {code}"
            f" (good until {until:%H:%M}Z). Enter it only if you started this yourself."
        )

    return DeviceCodeCredential(prompt_callback=ask, **_person(tenant, record)), True


def _interactive(tenant: TenantConfig, prompt: Prompt, record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity import InteractiveBrowserCredential

    inner = InteractiveBrowserCredential(**_person(tenant, record))
    prompt(f"If you are not signed in to {tenant.alias} yet, a browser window opens for it.")
    return inner, True


def _client_secret(tenant: TenantConfig, _prompt: Prompt, _record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity.aio import ClientSecretCredential

    assert tenant.client_secret_file is not None
    secret = read_secret(tenant.client_secret_file, "the client secret")
    return ClientSecretCredential(client_id=tenant.client_id, client_secret=secret.reveal(), **_common(tenant)), False


def _certificate(tenant: TenantConfig, _prompt: Prompt, _record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity.aio import CertificateCredential

    assert tenant.certificate is not None
    try:
        data = read_private(tenant.certificate, "the certificate with its private key", secret=True)
    except FileNotFoundError:
        raise NotPermitted(
            f"Not signed in: there is no file {tenant.certificate}, which should hold the certificate and its key.",
            todo="Put it there (PEM or PFX, mode 0600), or correct the path in offboard.toml.",
        ) from None
    options = _common(tenant)
    if tenant.certificate_password_file:
        options["password"] = read_secret(tenant.certificate_password_file, "the certificate's password").reveal()
    try:
        return CertificateCredential(client_id=tenant.client_id, certificate_data=data, **options), False
    except (ValueError, TypeError):
        raise NotPermitted(
            f"Not signed in: {tenant.certificate} cannot be used as certificate with private key.",
            why="It is not PEM or PFX, holds no private key, or its password is wrong or missing.",
            todo="Check the file, and certificate_password_file in offboard.toml.",
        ) from None


def _azure_cli(tenant: TenantConfig, _prompt: Prompt, _record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity.aio import AzureCliCredential

    return AzureCliCredential(tenant_id=tenant.tenant_id, process_timeout=60), False


def _managed(tenant: TenantConfig, _prompt: Prompt, _record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity.aio import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=tenant.client_id or None), False


def _workload(tenant: TenantConfig, _prompt: Prompt, _record: SignInRecord | None) -> tuple[Inner, bool]:
    from azure.identity.aio import WorkloadIdentityCredential

    return WorkloadIdentityCredential(client_id=tenant.client_id, **_common(tenant)), False


_Maker = Callable[[TenantConfig, Prompt, "SignInRecord | None"], tuple[Inner, bool]]
_MAKERS: Mapping[str, _Maker] = {
    "device-code": _device_code,
    "interactive": _interactive,
    "client-secret-file": _client_secret,
    "certificate": _certificate,
    "azure-cli": _azure_cli,
    "managed-identity": _managed,
    "workload-identity": _workload,
}
