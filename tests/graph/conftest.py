"""A tenant behind TLS that remembers what it was sent: sign-in and Graph at one address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request, Response
from offboard.settings.config import TenantConfig
from tests.graph.tls import AppCertificate, Tls, make_app_certificate, make_tls

TENANT_ID = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
RUNNER = "c0000000-0000-4000-8000-000000000001"
CONSOLE = "c0000000-0000-4000-8000-000000000002"
SECRET = "CANARY-client-secret-0123456789"


class Watched(Sandbox):
    """A sandbox that keeps every request, and may answer some of them in its own way."""

    seen: list[Request]
    instead: Callable[[Request], Response | None]

    def handle(self, request: Request) -> Response:
        """Answer, and remember."""
        self.seen.append(request)
        return self.instead(request) or super().handle(request)

    def sent_to(self, text: str) -> list[str]:
        """Paths of the requests that hold this text anywhere."""
        return [r.path for r in self.seen if text in f"{r.url} {dict(r.headers)} {r.body.decode('utf-8', 'replace')}"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Certificates of the test server."""
    return make_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def app_certificate(tmp_path_factory: pytest.TempPathFactory) -> AppCertificate:
    """The certificate that the runner app has registered."""
    return make_app_certificate(tmp_path_factory.mktemp("app"))


@pytest.fixture
def seed(app_certificate: AppCertificate) -> dict[str, Any]:
    """Contoso, with a secret and a certificate that this test knows."""
    found = contoso()
    runner = next(app for app in found["apps"] if app["appId"] == RUNNER)
    runner |= {"secret": SECRET, "certificate": app_certificate.public}
    return found


@pytest.fixture
def watched(seed: dict[str, Any]) -> Iterator[Watched]:
    """The tenant; it takes only tokens that it issued."""
    tenant = Watched.open(seed=seed, behavior=Behavior(enforce_permissions=True))
    assert isinstance(tenant, Watched)
    tenant.seen, tenant.instead = [], lambda _request: None
    yield tenant
    tenant.close()


@pytest.fixture
def server(watched: Watched, tls: Tls) -> Iterator[ServerThread]:
    """The tenant behind TLS."""
    with ServerThread(watched, tls.certificate, tls.key) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, without anything that the environment says about sign-in."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(home))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def tenant(server: ServerThread, tls: Tls, home: Path) -> TenantConfig:
    """The tenant, signed in to with a client secret file."""
    secret = home / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET + "\n")
    return TenantConfig(
        "contoso",
        tenant_id=TENANT_ID,
        sign_in="client-secret-file",
        client_id=RUNNER,
        client_secret_file=secret,
        graph_url=server.url,
        authority=server.url,
        ca_file=tls.ca,
    )


@pytest.fixture
def attended(tenant: TenantConfig) -> TenantConfig:
    """The same tenant, signed in to with a device code."""
    return replace(tenant, sign_in="device-code", client_id=CONSOLE, client_secret_file=None)
