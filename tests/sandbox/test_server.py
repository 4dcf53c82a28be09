"""The tenant over sockets: served, cut off, ended, signed in to with azure-identity over TLS."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential, DeviceCodeCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.caller import read_claims
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import ADMIN, CONSOLE, REPORTER, RUNNER, SAWYER

pytestmark = pytest.mark.anyio

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
SCOPE = "https://graph.microsoft.com/.default"
TOKEN = {"Authorization": "Bearer x"}

SERVE = """
import sys
from pathlib import Path
from offboard.sandbox.server import serve
from offboard.sandbox.tenant import Sandbox
serve(Sandbox.open(Path(sys.argv[1])), "127.0.0.1", 0)
"""


class Tls(NamedTuple):
    """A certificate authority for one afternoon, and a server certificate signed by it."""

    ca: Path
    cert: Path
    key: Path


def make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, signer: rsa.RSAPrivateKey, *, ca: bool
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder = tmp_path_factory.mktemp("tls")
    root, server = make_key(), make_key()
    files = Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    files.ca.write_bytes(certificate("Sandbox CA", root, "Sandbox CA", root, ca=True).public_bytes(Encoding.PEM))
    files.cert.write_bytes(certificate("localhost", server, "Sandbox CA", root, ca=False).public_bytes(Encoding.PEM))
    files.key.write_bytes(pem(server))
    return files


async def test_other_clients_reach_the_tenant_over_a_socket() -> None:
    tenant = Sandbox.open(None)
    with ServerThread(tenant) as server:
        async with httpx.AsyncClient(base_url=f"{server.url}/v1.0", headers=TOKEN) as http:
            page = (await http.get("/users?$top=1&$select=id")).json()
            assert page["@odata.nextLink"].startswith(f"{server.url}/v1.0/users?")
            assert len((await http.get(page["@odata.nextLink"])).json()["value"]) == 1
            answer = await http.patch("/users/dana_fabrikam.com%23EXT%23@contoso.onmicrosoft.com", json={"city": "Oslo"})
            assert answer.status_code == 204
            assert (await http.get("/users/Miles.O'Brien@contoso.com")).status_code == 200
    assert len(tenant.journal()) == 1
    tenant.close()


async def test_answers_do_not_wait_for_the_network_to_gather_them() -> None:
    tenant = Sandbox.open(None)
    with ServerThread(tenant) as server:
        async with httpx.AsyncClient(base_url=f"{server.url}/v1.0", headers=TOKEN) as http:
            took = []
            for _ in range(30):
                start = time.perf_counter()
                await http.get("/organization")
                took.append(time.perf_counter() - start)
    assert min(took) < 0.03  # 40 ms each would mean that TCP holds the body back until the headers are acknowledged
    tenant.close()


async def test_resets_and_cuts_happen_on_the_wire() -> None:
    rules = [
        {"match": {"path": "/organization"}, "fault": {"reset": "before"}},
        {"match": {"path": "/subscribedSkus"}, "fault": {"truncate": True}},
    ]
    tenant = Sandbox.open(None, behavior=Behavior(faults=FaultScript.parse(rules)))
    with ServerThread(tenant) as server:
        async with httpx.AsyncClient(base_url=f"{server.url}/v1.0", headers=TOKEN) as http:
            with pytest.raises(httpx.ReadError):
                await http.get("/organization")
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await http.get("/subscribedSkus")
            assert (await http.get("/organization")).status_code == 200
            assert (await http.get("/subscribedSkus")).status_code == 200
    tenant.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serving_says_where_and_ends_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdout is not None
    url = server.stdout.readline().decode().strip()
    try:
        assert url.startswith("http://127.0.0.1:")
        answer = httpx.get(f"{url}/v1.0/users/{SAWYER}", headers=TOKEN)
        assert answer.json()["displayName"] == "Sawyer Miller"
        beside = Sandbox.open(tmp_path)  # the command line looks into the same folder while it is served
        assert beside.requests()[-1].path == f"/v1.0/users/{SAWYER}"
        beside.close()
    finally:
        server.send_signal(how)
        out, err = server.communicate(timeout=10)
    assert (out, err) == (b"", b"")
    assert server.returncode == 0


def test_azure_identity_signs_an_app_in_with_a_secret(tls: Tls) -> None:
    tenant = Sandbox.open(None, behavior=Behavior(enforce_permissions=True))
    with ServerThread(tenant, tls.cert, tls.key) as server:
        credential = ClientSecretCredential(
            TENANT,
            RUNNER,
            "contoso-sandbox-secret",
            authority=server.url,
            disable_instance_discovery=True,
            connection_verify=str(tls.ca),
        )
        token = credential.get_token(SCOPE).token
        claims = read_claims(token) or {}
        assert (claims["tid"], claims["appid"], claims["idtyp"]) == (TENANT, RUNNER, "app")
        assert "User.DeleteRestore.All" in claims["roles"]
        answer = httpx.delete(
            f"{server.url}/v1.0/users/{SAWYER}", headers={"Authorization": f"Bearer {token}"}, verify=_trusting(tls)
        )
        assert answer.status_code == 204
        wrong = ClientSecretCredential(
            TENANT, RUNNER, "guess", authority=server.url, disable_instance_discovery=True, connection_verify=str(tls.ca)
        )
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            wrong.get_token(SCOPE)
        credential.close()
        wrong.close()
    assert tenant.journal()[-1].caller == f"app:{RUNNER}"
    tenant.close()


def _trusting(tls: Tls) -> object:
    import ssl

    return ssl.create_default_context(cafile=str(tls.ca))


def test_azure_identity_signs_an_app_in_with_its_certificate_only(tls: Tls, tmp_path: Path) -> None:
    mine, other = make_key(), make_key()
    registered = certificate("runner", mine, "runner", mine, ca=True).public_bytes(Encoding.PEM)
    stranger = certificate("runner", other, "runner", other, ca=True).public_bytes(Encoding.PEM)
    seed = contoso()
    seed["apps"][2]["certificate"] = registered.decode()
    tenant = Sandbox.open(None, seed=seed)
    with ServerThread(tenant, tls.cert, tls.key) as server:

        def sign_in(key: rsa.RSAPrivateKey, public: bytes) -> str:
            credential = CertificateCredential(
                TENANT,
                REPORTER,
                certificate_data=pem(key) + public,
                authority=server.url,
                disable_instance_discovery=True,
                connection_verify=str(tls.ca),
            )
            with credential:
                return credential.get_token(SCOPE).token

        assert (read_claims(sign_in(mine, registered)) or {})["roles"] == ["Device.Read.All", "User.Read.All"]
        with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
            sign_in(other, stranger)
    tenant.close()


def test_azure_identity_signs_a_person_in_with_a_device_code(tls: Tls) -> None:
    tenant = Sandbox.open(None, behavior=Behavior(enforce_permissions=True))
    shown: list[str] = []
    with ServerThread(tenant, tls.cert, tls.key) as server:
        credential = DeviceCodeCredential(
            CONSOLE,
            tenant_id=TENANT,
            authority=server.url,
            disable_instance_discovery=True,
            connection_verify=str(tls.ca),
            prompt_callback=lambda uri, code, _expires: shown.append(code),
        )
        token = credential.get_token(SCOPE).token
        claims = read_claims(token) or {}
        assert claims["oid"] == ADMIN
        assert "Directory.AccessAsUser.All" in claims["scp"].split()
        assert claims["wids"] == ["62e90394-69f5-4237-9190-012177145e10"]
        assert len(shown) == 1
        me = httpx.get(f"{server.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}, verify=_trusting(tls))
        assert me.json()["userPrincipalName"] == "admin@contoso.com"
        credential.close()
    tenant.close()


async def test_the_token_endpoint_refuses_strangers() -> None:
    tenant = Sandbox.open(None)
    with ServerThread(tenant) as server:
        async with httpx.AsyncClient(base_url=server.url) as http:

            async def ask(path: str, **form: str) -> tuple[int, str]:
                answer = await http.post(path, data=form)
                return answer.status_code, answer.json()["error"]

            token = f"/{TENANT}/oauth2/v2.0/token"
            assert await ask("/00000000-0000-0000-0000-000000000000/oauth2/v2.0/token") == (400, "invalid_tenant")
            assert await ask(token, grant_type="password") == (400, "unsupported_grant_type")
            unknown = await ask(token, grant_type="client_credentials", client_id="x", client_secret="y")
            assert unknown == (400, "unauthorized_client")
            # An application without a secret cannot be signed in to with an empty one.
            empty = await ask(token, grant_type="client_credentials", client_id=CONSOLE, client_secret="")
            assert empty == (401, "invalid_client")
            assert await ask(token, grant_type="refresh_token", refresh_token="z") == (400, "invalid_grant")
            discovery = (await http.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")).json()
            assert discovery["token_endpoint"] == f"{server.url}{token}"
    tenant.close()
