"""Signing in for real: azure-identity against a sign-in service behind TLS."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import logging
import re
import subprocess
import sys
import threading
import time
from contextlib import redirect_stderr
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken

from offboard.errors import GraphUnavailable, NotPermitted, OffboardError, UsageError
from offboard.graph.connect import Connection, connect
from offboard.graph.credentials import Credential, in_own_thread, make_credential
from offboard.graph.record import SignInRecord
from offboard.sandbox.server import ServerThread
from offboard.sandbox.wire import Request, Response
from offboard.settings.config import TenantConfig
from tests.graph.conftest import CONSOLE, RUNNER, SECRET, TENANT_ID, Watched
from tests.graph.tls import AppCertificate, Tls, make_app_certificate

pytestmark = pytest.mark.anyio
_JSON = {"content-type": "application/json", "authorization": "Bearer any"}
TOKEN_PATH = f"/{TENANT_ID}/oauth2/v2.0/token"


def no_prompt(text: str) -> None:
    raise AssertionError(f"nobody should be asked: {text}")


async def read_sawyer(connection: Connection) -> dict[str, object]:
    """One signed read, over the wire."""
    info = connection.graph.users.by_user_id("SawyerM@contoso.com").to_get_request_information()
    response = await connection.http.send(await connection.signed(info))
    assert response.status_code == 200, response.text
    found: dict[str, object] = response.json()
    return found


async def refused(tenant: TenantConfig) -> OffboardError:
    with pytest.raises(OffboardError) as seen:
        await connect(tenant, prompt=no_prompt)
    assert SECRET not in "".join(map(str, (seen.value.lines(), seen.value.args, seen.value.__dict__)))
    return seen.value


def files_with(text: bytes, *folders: Path) -> list[Path]:
    return [p for folder in folders for p in folder.rglob("*") if p.is_file() and text in p.read_bytes()]


async def test_with_a_client_secret_file(tenant: TenantConfig, watched: Watched, home: Path) -> None:
    connection = await connect(tenant, prompt=no_prompt)
    try:
        assert (await read_sawyer(connection))["displayName"] == "Sawyer Miller"
        token = connection.token_info()
        assert (token.kind, token.appid, token.tid) == ("application", RUNNER, TENANT_ID)
        assert "User.ReadWrite.All" in token.roles
    finally:
        await connection.close()
    assert set(watched.sent_to(SECRET)) == {TOKEN_PATH}
    assert files_with(b"eyJ", home) == []


@pytest.mark.parametrize("kind", ["pem", "pfx"])
async def test_with_a_certificate(
    tenant: TenantConfig, app_certificate: AppCertificate, watched: Watched, home: Path, kind: str
) -> None:
    chosen = replace(tenant, sign_in="certificate", client_secret_file=None, certificate=app_certificate.pem)
    if kind == "pfx":
        (home / "password").touch(mode=0o600)
        (home / "password").write_text("pfx-password\n")
        chosen = replace(chosen, certificate=app_certificate.pfx, certificate_password_file=home / "password")
    connection = await connect(chosen, prompt=no_prompt)
    try:
        assert (await read_sawyer(connection))["displayName"] == "Sawyer Miller"
    finally:
        await connection.close()
    assert watched.sent_to("client_assertion=") == [TOKEN_PATH]
    assert watched.sent_to("PRIVATE") == watched.sent_to("pfx-password") == []
    assert files_with(b"eyJ", home) == []


async def test_with_a_device_code(attended: TenantConfig, watched: Watched, home: Path) -> None:
    said: list[str] = []
    connection = await connect(attended, prompt=said.append, folder=home)
    try:
        assert (await read_sawyer(connection))["displayName"] == "Sawyer Miller"
        token = connection.token_info()
        assert (token.kind, token.appid, token.tid) == ("delegated", CONSOLE, TENANT_ID)
        assert "Directory.AccessAsUser.All" in token.scopes
    finally:
        await connection.close()
    (prompt,) = said
    assert f"{attended.login}/devicelogin" in prompt
    assert "contoso" in prompt
    assert any(re.fullmatch("[A-Z0-9]{8}", word) for word in prompt.replace(" (", " ").split())
    assert files_with(b"eyJ", home) == []


async def test_a_wrong_secret_is_not_permitted_and_says_what_to_do(tenant: TenantConfig) -> None:
    assert tenant.client_secret_file is not None
    tenant.client_secret_file.write_text("wrong" + SECRET[5:])
    error = await refused(tenant)
    assert isinstance(error, NotPermitted)
    assert error.exit_code == 4
    assert "AADSTS7000215" in error.what
    assert "secret is wrong" in error.why
    assert "new secret" in error.todo


async def test_an_unregistered_certificate_is_not_permitted(tenant: TenantConfig, tmp_path: Path) -> None:
    other = make_app_certificate(tmp_path, "other")
    error = await refused(replace(tenant, sign_in="certificate", client_secret_file=None, certificate=other.pem))
    assert error.exit_code == 4
    assert "AADSTS700027" in error.what
    assert "Upload the certificate" in error.todo


BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("content", ["", "not a certificate", BROKEN])
async def test_a_file_that_is_no_certificate_is_not_permitted(tenant: TenantConfig, tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.pem"
    path.touch(mode=0o600)
    path.write_text(content)
    error = await refused(replace(tenant, sign_in="certificate", client_secret_file=None, certificate=path))
    assert error.exit_code == 4
    assert "cannot be used as certificate" in error.what


async def test_a_wrong_password_of_the_certificate_is_not_permitted(
    tenant: TenantConfig, app_certificate: AppCertificate, home: Path
) -> None:
    (home / "password").touch(mode=0o600)
    (home / "password").write_text(SECRET)
    chosen = replace(tenant, sign_in="certificate", client_secret_file=None, certificate=app_certificate.pfx)
    error = await refused(replace(chosen, certificate_password_file=home / "password"))
    assert error.exit_code == 4
    assert "password is wrong" in error.why


async def test_missing_files_are_not_permitted_and_open_ones_refused(
    tenant: TenantConfig, app_certificate: AppCertificate, tmp_path: Path, watched: Watched
) -> None:
    certified = replace(tenant, sign_in="certificate", client_secret_file=None, certificate=tmp_path / "none.pem")
    for chosen in (replace(tenant, client_secret_file=tmp_path / "none"), certified):
        error = await refused(chosen)
        assert error.exit_code == 4
        assert "there is no file" in error.what
    copy = tmp_path / "open.pem"
    copy.write_bytes(app_certificate.pem.read_bytes())
    copy.chmod(0o644)
    assert tenant.client_secret_file is not None
    tenant.client_secret_file.chmod(0o640)
    for chosen in (tenant, replace(certified, certificate=copy)):
        error = await refused(chosen)
        assert isinstance(error, UsageError)
        assert "read by others" in error.what
    assert watched.seen == []


async def test_an_unknown_app_or_tenant_is_not_permitted(tenant: TenantConfig, attended: TenantConfig) -> None:
    nobody = "99999999-9999-9999-9999-999999999999"
    for chosen in (replace(tenant, client_id=nobody), replace(attended, client_id=nobody)):
        error = await refused(chosen)
        assert error.exit_code == 4
        assert "AADSTS700016" in error.what
        assert "client_id" in error.todo
    for chosen in (replace(tenant, tenant_id=nobody), replace(attended, tenant_id=nobody)):
        error = await refused(chosen)
        assert error.exit_code == 4
        assert "tenant_id" in error.todo or "AADSTS90002" in error.what


async def test_a_token_of_another_tenant_is_never_sent_to_graph(tenant: TenantConfig, watched: Watched) -> None:
    other = "99999999-9999-9999-9999-999999999999"
    alien = watched.handle

    def answer(request: Request) -> Response | None:
        if other not in request.url:
            return None
        return alien(replace(request, url=request.url.replace(other, TENANT_ID)))

    watched.instead = answer
    error = await refused(replace(tenant, tenant_id=other))
    assert isinstance(error, NotPermitted)
    assert "wrong tenant" in error.what
    assert TENANT_ID in error.what
    assert [r.path for r in watched.seen if r.path.startswith("/v1.0")] == []


async def test_a_disabled_person_cannot_sign_in(attended: TenantConfig, seed: dict[str, object], tls: Tls) -> None:
    tenant = Watched.open(seed=seed)
    assert isinstance(tenant, Watched)
    tenant.seen, tenant.instead = [], lambda _request: None
    patch = Request("PATCH", "/v1.0/users/admin@contoso.com", _JSON, b'{"accountEnabled":false}')
    with ServerThread(tenant, tls.certificate, tls.key) as server:
        assert tenant.handle(patch).status == 204
        with pytest.raises(NotPermitted, match="AADSTS50057") as seen:
            await connect(replace(attended, authority=server.url, graph_url=server.url), prompt=lambda _text: None)
    tenant.close()
    assert seen.value.why == "The account is disabled."


async def test_a_server_whose_certificate_is_not_trusted_gets_nothing(
    tenant: TenantConfig, attended: TenantConfig, watched: Watched
) -> None:
    for chosen in (tenant, attended):
        error = await refused(replace(chosen, ca_file=None))
        assert error.exit_code == 4
        assert "not trusted" in error.what
        assert "ca_file" in error.todo
    assert watched.seen == []


async def test_a_bad_ca_file_is_a_usage_error(tenant: TenantConfig, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("none.pem", "empty.pem"):
        error = await refused(replace(tenant, ca_file=tmp_path / name))
        assert isinstance(error, UsageError)
        assert "ca_file" in error.todo


async def test_an_unreachable_service_is_told_as_such(tenant: TenantConfig, attended: TenantConfig) -> None:
    for chosen in (tenant, attended):
        error = await refused(replace(chosen, authority="https://127.0.0.1:9"))
        assert isinstance(error, GraphUnavailable)
        assert "127.0.0.1:9 cannot be reached" in error.what


ECHO = json.dumps({"error": "odd", "error_description": SECRET}).encode()


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, {"Content-Type": "text/html"}, b"<html>captive portal</html>"),
        Response(200, {"Content-Type": "application/json"}, b"[]"),
        Response(200, {"Content-Type": "application/json"}, b"{}"),
        Response(400, {"Content-Type": "application/json"}, ECHO),
        Response(404, {}, b""),
    ],
    ids=["html", "list", "empty", "echo", "nothing"],
)
async def test_a_senseless_answer_is_an_error_that_repeats_nothing(
    tenant: TenantConfig, attended: TenantConfig, watched: Watched, answer: Response
) -> None:
    watched.instead = lambda request: answer if request.path.endswith(("token", "devicecode")) else None
    for chosen in (tenant, attended):
        error = await refused(chosen)
        assert error.exit_code == 4
        assert error.todo


async def test_a_failing_service_is_no_fault_of_the_caller(tenant: TenantConfig, watched: Watched) -> None:
    watched.instead = lambda _request: Response(503, {"Retry-After": "0"}, b"{}")
    error = await refused(tenant)
    assert isinstance(error, GraphUnavailable)
    assert "503" in error.what


def only_for_tokens(answer: Response, request: Request) -> Response | None:
    return answer if request.path.endswith("token") else None


async def test_the_secret_does_not_follow_a_redirect(tenant: TenantConfig, watched: Watched, tls: Tls) -> None:
    thief = Watched.open()
    assert isinstance(thief, Watched)
    thief.seen, thief.instead = [], lambda _request: None
    with ServerThread(thief, tls.certificate, tls.key) as other:
        for status in (302, 307, 308):
            moved = Response(status, {"Location": f"{other.url}{TOKEN_PATH}"}, b"")
            watched.instead = partial(only_for_tokens, moved)
            assert (await refused(tenant)).exit_code in (4, 5)
    thief.close()
    assert thief.seen == []


async def test_what_azure_identity_logs_does_not_reach_stderr(tenant: TenantConfig) -> None:
    assert tenant.client_secret_file is not None
    tenant.client_secret_file.write_text("wrong")
    stderr = io.StringIO()
    handlers, logging.root.handlers = logging.root.handlers, []
    try:
        with redirect_stderr(stderr):
            await refused(tenant)
    finally:
        logging.root.handlers = handlers
    assert stderr.getvalue() == ""


async def test_a_token_is_reused_and_a_challenge_gets_a_new_one(tenant: TenantConfig, watched: Watched) -> None:
    connection = await connect(tenant, prompt=no_prompt)
    try:
        info = connection.graph.organization.to_get_request_information()
        await asyncio.gather(*(connection.signed(info) for _ in range(5)))
        assert watched.sent_to(SECRET) == [TOKEN_PATH]
        claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})
        await connection.signed(info, claims)
        assert watched.sent_to(SECRET) == [TOKEN_PATH] * 2
        assert "nbf" in watched.seen[-1].body.decode()
    finally:
        await connection.close()


class Issuer:
    """Stands for azure-identity: hands out numbered tokens that are good for so many seconds."""

    def __init__(self, seconds: int) -> None:
        self.seconds, self.count = seconds, 0

    async def get_token(self, *scopes: str, **_rest: object) -> AccessToken:
        self.count += 1
        return AccessToken(f"token-{self.count}", int(time.time()) + self.seconds)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("seconds", "asked"), [(3600, 1), (301, 1), (299, 3), (-1, 3)])
async def test_a_token_that_ends_soon_is_not_used_any_more(seconds: int, asked: int) -> None:
    issuer = Issuer(seconds)
    credential = Credential(TenantConfig("x"), issuer, blocking=False, signed_in=None)
    for _ in range(3):
        token = await credential.get_token("scope")
    assert issuer.count == asked
    assert token.token == f"token-{asked}"


async def test_waiting_for_a_person_can_be_given_up(attended: TenantConfig, watched: Watched) -> None:
    pending = Response(400, {"Content-Type": "application/json"}, b'{"error":"authorization_pending"}')
    watched.instead = lambda request: pending if request.path.endswith("token") else None
    waiting = asyncio.create_task(connect(attended, prompt=lambda _text: None))
    while not watched.sent_to("device_code="):
        await asyncio.sleep(0.02)
    waiting.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert time.monotonic() - began < 1
    assert all(t.daemon for t in threading.enumerate() if t.name == "sign-in"), "the program could not end"
    watched.instead = lambda _request: None  # lets the thread come to its end


async def test_an_error_in_a_thread_of_ours_arrives() -> None:
    def fail() -> None:
        raise ValueError("from the thread")

    with pytest.raises(ValueError, match="from the thread"):
        await in_own_thread(fail)


async def test_who_signed_in_is_remembered_without_any_token(attended: TenantConfig, home: Path) -> None:
    record = SignInRecord(attended, home / "sign-in.json")
    credential = make_credential(attended, lambda _text: None, record)
    await credential.get_token(f"{attended.root}/.default")
    await credential.close()
    assert record.path.stat().st_mode & 0o777 == 0o600
    assert files_with(b"eyJ", home) == []
    found = record.load()
    assert found is not None
    assert (found.username, found.authority) == ("admin@contoso.com", attended.login)
    again = make_credential(attended, lambda _text: None, record)
    await again.get_token(f"{attended.root}/.default")
    await again.close()
    assert again.info.name or again.info.oid
    elsewhere = replace(attended, authority="https://login.evil.example")
    assert SignInRecord(elsewhere, record.path).load() is None
    record.path.write_text("{}")
    assert record.load() is None


async def test_azure_cli_that_is_not_there_or_not_signed_in_says_what_to_do(
    tenant: TenantConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(tenant, sign_in="azure-cli", client_id="", client_secret_file=None)
    monkeypatch.setenv("PATH", str(tmp_path))
    error = await refused(chosen)
    assert error.exit_code == 4
    assert error.todo == f"Sign in with: az login --tenant {TENANT_ID}"
    (tmp_path / "az").write_text("#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n")
    (tmp_path / "az").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    error = await refused(chosen)
    assert error.exit_code == 4
    assert "az login" in error.why + error.todo


async def test_workload_identity_without_its_file_says_what_to_do(
    tenant: TenantConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
    error = await refused(replace(tenant, sign_in="workload-identity", client_secret_file=None))
    assert error.exit_code == 4
    assert "AZURE_FEDERATED_TOKEN_FILE" in error.todo


HEADLESS = """
import asyncio, sys
from offboard.settings.config import load_config
from offboard.errors import OffboardError
from offboard.graph.connect import connect
from pathlib import Path
tenant = load_config(Path(sys.argv[1]), Path.cwd()).tenant(None)
try:
    asyncio.run(connect(tenant, prompt=lambda text: None))
except OffboardError as error:
    print(error.exit_code, *error.lines())
"""


async def test_a_token_cache_without_a_secure_store_is_refused_and_keeps_nothing(
    attended: TenantConfig, home: Path
) -> None:
    if sys.platform != "linux" or importlib.util.find_spec("gi"):
        pytest.skip("this machine may have a secure store")
    path = home / "offboard.toml"
    path.write_text(
        f'default = "x"\n[tenants.x]\ntenant_id = "{TENANT_ID}"\nclient_id = "{CONSOLE}"\ntoken_cache = true\n'
        f'authority = "{attended.authority}"\ngraph_url = "{attended.graph_url}"\nca_file = "{attended.ca_file}"\n'
    )
    path.chmod(0o600)
    command = [sys.executable, "-c", HEADLESS, str(path)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("4 ")
    assert "no secure store" in ran.stdout
    assert ran.stderr == ""
    assert files_with(b"eyJ", home) == []
