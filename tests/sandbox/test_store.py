"""What is kept on disk: rights, survival, two processes, size."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from offboard.sandbox import crowd, journal
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport
from offboard.sandbox.wire import Request
from tests.sandbox.conftest import Clock
from tests.sandbox.world import SAWYER

pytestmark = pytest.mark.anyio

TOKEN = {"Authorization": "Bearer x"}

WRITER = """
import sys
from pathlib import Path
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request
tenant = Sandbox.open(Path(sys.argv[1]))
headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
for number in range(int(sys.argv[2])):
    body = b'{"jobTitle": "Job %d"}' % number
    answer = tenant.handle(Request("PATCH", "/v1.0/users/" + sys.argv[3], headers, body))
    assert answer.status == 204, answer.body
    print(number, flush=True)
"""


def disable(tenant: Sandbox) -> int:
    headers = {**TOKEN, "Content-Type": "application/json"}
    return tenant.handle(Request("PATCH", f"/v1.0/users/{SAWYER}", headers, b'{"accountEnabled": false}')).status


def enabled(tenant: Sandbox) -> bool:
    url = f"/v1.0/users/{SAWYER}?$select=accountEnabled"
    return bool(tenant.handle(Request("GET", url, TOKEN)).json()["accountEnabled"])


def test_a_tenant_on_disk_is_there_again_next_time(tmp_path: Path) -> None:
    first = Sandbox.open(tmp_path / "state")
    assert disable(first) == 204
    first.close()
    second = Sandbox.open(tmp_path / "state")
    assert enabled(second) is False
    assert len(second.journal()) == 1
    second.reset()
    assert enabled(second) is True
    assert second.journal() == []
    second.close()


def test_only_the_owner_may_look_into_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    tenant = Sandbox.open(folder)
    disable(tenant)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    tenant.close()


def test_two_at_once_see_each_others_writes_and_resets(tmp_path: Path) -> None:
    one, other = Sandbox.open(tmp_path), Sandbox.open(tmp_path)
    token = one.issue_token(user="AdeleV@contoso.com", scopes=["User.Read"])
    assert disable(one) == 204
    assert enabled(other) is False
    other.reset()
    assert enabled(one) is True
    answer = other.handle(Request("GET", "/v1.0/me", {"Authorization": f"Bearer {token}"}))
    assert answer.json()["userPrincipalName"] == "AdeleV@contoso.com"
    one.close()
    other.close()


def test_two_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    Sandbox.open(tmp_path).close()
    command = [sys.executable, "-c", WRITER, str(tmp_path), "150", SAWYER]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    tenant = Sandbox.open(tmp_path)
    assert len(tenant.journal()) == 300
    tenant.close()


def test_a_kill_at_any_instant_parts_no_effect_from_its_journal_entry(tmp_path: Path) -> None:
    Sandbox.open(tmp_path).close()
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "100000", SAWYER], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        told = -1
        while told < 40:
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = int((writer.stdout.read().split() or [told])[-1])
        writer.wait()
        writer.stdout.close()
        tenant = Sandbox.open(tmp_path)
        last = tenant.journal()[-1].effect["changed"]["jobTitle"][1]
        url = f"/v1.0/users/{SAWYER}?$select=jobTitle"
        assert tenant.handle(Request("GET", url, TOKEN)).json()["jobTitle"] == last
        assert int(last.split()[1]) in (told, told + 1)
        tenant.close()


def test_a_refused_write_leaves_no_trace(tmp_path: Path) -> None:
    tenant = Sandbox.open(tmp_path)
    headers = {**TOKEN, "Content-Type": "application/json"}
    body = f'{{"addLicenses": [], "removeLicenses": ["05e9a617-0261-4cee-bb44-138d3ef5d965", "{SAWYER}"]}}'.encode()
    answer = tenant.handle(Request("POST", f"/v1.0/users/{SAWYER}/assignLicense", headers, body))
    assert answer.status == 400
    url = f"/v1.0/users/{SAWYER}?$select=assignedLicenses"
    assert len(tenant.handle(Request("GET", url, TOKEN)).json()["assignedLicenses"]) == 3
    assert tenant.journal() == []
    tenant.close()


def test_the_log_of_requests_keeps_the_latest_only(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert journal.KEPT_REQUESTS == 10_000
    monkeypatch.setattr(journal, "KEPT_REQUESTS", 700)
    for _ in range(1600):
        sandbox.handle(Request("GET", "/v1.0/nowhere", TOKEN))
    sandbox.handle(Request("GET", "/v1.0/organization", TOKEN))
    log = sandbox.requests()
    assert len(log) == 700
    kept = sandbox._store.execute("SELECT count(*) FROM requests").fetchone()[0]
    assert 700 <= kept < 1300  # the oldest are dropped from the file as well
    assert log[-1].path == "/v1.0/organization"


async def test_a_crowd_has_what_it_should_and_is_the_same_every_time(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    sandbox.reset(people=60)
    url = f"/users/{crowd.person_name(17)}"
    user = (await http.get(f"{url}?$select=id,assignedLicenses")).json()
    assert user["id"] == crowd.person_id(17)
    assert len(user["assignedLicenses"]) == 2
    devices = (await http.get(f"{url}/ownedDevices?$select=id")).json()["value"]
    assert [device["id"] for device in devices] == [crowd.device_id(17, 1), crowd.device_id(17, 2)]
    assert len((await http.get(f"{url}/memberOf?$select=id")).json()["value"]) == 10
    assert len((await http.get(f"{url}/authentication/methods")).json()["value"]) == 1 + 3
    skus = (await http.get("/subscribedSkus")).json()["value"]
    assert [sku["consumedUnits"] for sku in skus[:2]] == [62, 60]


async def test_ten_thousand_people_are_quick(clock: Clock) -> None:
    start = time.process_time()
    tenant = Sandbox.open(None, now=clock)
    tenant.reset(people=10_000)
    assert time.process_time() - start < 15
    transport = SandboxTransport(tenant)
    async with httpx.AsyncClient(transport=transport, base_url="https://graph.microsoft.com/v1.0", headers=TOKEN) as http:
        start = time.process_time()
        for number in range(1, 201):
            url = f"/users/{crowd.person_name(number * 50)}/memberOf?$select=id"
            assert len((await http.get(url)).json()["value"]) == 10
        names = ",".join(f"'{crowd.person_name(n)}'" for n in range(1, 16))
        found = (await http.get(f"/users?$filter=userPrincipalName in ({names})&$select=id")).json()["value"]
        assert len(found) == 15
        assert (await http.delete(f"/users/{crowd.person_id(5000)}")).status_code == 204
        assert (await http.delete(f"/directory/deletedItems/{crowd.person_id(5000)}")).status_code == 204
        assert time.process_time() - start < 3
    await asyncio.sleep(0)
    tenant.close()
