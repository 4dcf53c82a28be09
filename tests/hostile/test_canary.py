"""The program as a process of its own, signed in over TLS, in good times and bad: its secrets go where they must, once.

Searched: everything that it wrote, also in its home and its folder for temporary files; what it said; its command line and
environment, and those of its children, while the new password travels; and every request that reached the tenant.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import time as real_time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests import canary
from tests.graph.tls import make_app_certificate, make_tls
from tests.world import fault

ROOT = Path(__file__).parent.parent.parent
USER = "SawyerM@contoso.com"
SECRET = "Canary~7Q9-client.secret_5f0c2d81"
RUNNER = "c0000000-0000-4000-8000-000000000001"
SECRET_FILES = ("secret", "app.pem", "app.pfx", "audit.key")
CONFIG = """
default = "contoso"
[tenants.contoso]
tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
client_id = "{client}"
{sign_in}
graph_url = "{url}"
authority = "{url}"
ca_file = "{ca}"
[tenants.contoso.guards]
approval = "none"
"""
BOOK = """\
playbook: going
description: For a test.
steps:
  - disable-user
  - {action: reset-password, on_failure: continue}
  - revoke-sessions
  - {id: again, action: reset-password, due: T+1h}
  - {id: remove, action: delete-user, due: T+30d}
accept: [shared-device]
"""


@dataclass
class Stage:
    """A tenant that this process serves and listens to, and a machine with the program on it."""

    folder: Path
    sandbox: Sandbox
    key: bytes

    def environ(self, **more: str) -> dict[str, str]:
        """Of the program: a home and a folder for temporary files of its own."""
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL")}
        places = {name: str(self.folder / "home") for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        return {**kept, **places, "PYTHONPATH": str(ROOT), **more}

    def start(self, *words: str, before: str = "", limit: int = 0, **more: str) -> subprocess.Popen[bytes]:
        """`offboard`, perhaps with something done to it before, perhaps with a limit to the size of its files."""
        code = f"{before}\nimport sys\nfrom offboard.cli import main\nsys.argv[0] = 'offboard'\nmain()"
        options = ("--config", str(self.folder / "offboard.toml"), "--state", str(self.folder / "state"))

        def limited() -> None:
            if limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [sys.executable, "-c", code, *options, *words],
            cwd=self.folder,
            env=self.environ(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limited,
        )

    def run(self, *words: str, **options: Any) -> int:
        """`offboard`, until it ends; what it says is searched."""
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=120)
        self.told(out + err)
        return process.returncode

    def told(self, said: bytes) -> None:
        """Keep what was said beside what was written, to be searched with it."""
        with open(self.folder / "said", "ab") as file:
            file.write(said)

    def misbehave(self, *rules: dict[str, Any]) -> None:
        """From now on, things go wrong."""
        self.sandbox.behavior = Behavior(enforce_permissions=True, faults=FaultScript.parse(list(rules)))

    def secrets(self) -> set[bytes]:
        """Everything that must not be found."""
        seen = canary.SEEN
        assert seen.calls is not None
        found = {p for p in seen.passwords if any(p in call.body for call in seen.calls)}
        keys = [path.read_bytes().strip().rpartition(b":")[2] for path in self.folder.rglob("audit.key")]
        return found | seen.tokens | {SECRET.encode(), *keys} | set(self.key.splitlines()[2:5])

    def demand_nothing_leaked(self, *, resets: int | None = None) -> None:
        """Search everything."""
        calls, secrets = canary.SEEN.calls, self.secrets()
        assert calls is not None
        for path in canary.files_of(self.folder):
            if path.name in SECRET_FILES:
                continue
            assert canary.leaks(path.read_bytes(), secrets) == [], path
        passwords = [p for p in canary.SEEN.passwords if any(p in call.body for call in calls)]
        for password in passwords:
            holders = [call for call in calls if any(d in whole(call) for d in canary.disguises(password))]
            assert len(holders) == 1, "a password travels once"
            assert password not in holders[0].path.encode()
            assert holders[0].path in ("/v1.0/$batch", "/v1.0/users/a0000000-0000-4000-8000-000000000001")
        assert {call.path for call in calls if SECRET.encode() in whole(call)} <= {TOKEN}
        for call in calls:
            token = call.headers.get("authorization", "").removeprefix("Bearer ").encode()
            assert not token or token not in call.body + call.path.encode()
        assert resets is None or len(passwords) == resets


TOKEN = "/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/v2.0/token"


def whole(call: canary.Call) -> bytes:
    return b"\n".join([call.path.encode(), *(f"{k}: {v}".encode() for k, v in call.headers.items()), call.body])


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An app with a secret of its own, and a tenant that enforces permissions."""
    outside, folder = tmp_path / "outside", tmp_path / "machine"
    outside.mkdir()
    for place in (folder, folder / "home", folder / "state"):
        place.mkdir(mode=0o700)
    tls, app = make_tls(outside), make_app_certificate(folder)
    seed = contoso()
    runner = next(each for each in seed["apps"] if each["appId"] == RUNNER)
    runner |= {"secret": SECRET, "certificate": app.public}
    (folder / "going.yaml").write_text(BOOK)
    (folder / "secret").touch(mode=0o600)
    (folder / "secret").write_text(SECRET)
    sandbox = Sandbox.open(None, seed=seed, behavior=Behavior(enforce_permissions=True))
    canary.SEEN.calls = []
    with ServerThread(sandbox, tls.certificate, tls.key) as server:
        sign_in = 'sign_in = "client-secret-file"\nclient_secret_file = "secret"'
        (folder / "offboard.toml").touch(mode=0o600)
        (folder / "offboard.toml").write_text(CONFIG.format(client=RUNNER, sign_in=sign_in, url=server.url, ca=tls.ca))
        yield Stage(folder, sandbox, app.pem.read_bytes())
    sandbox.close()
    canary.SEEN.calls = None


def test_a_whole_life_leaks_nothing(stage: Stage) -> None:
    assert stage.run("plan", "going.yaml", USER, "--out", "plan.json") == 0
    assert stage.run("apply", "plan.json", "--yes") == 0
    run = stage.sandbox.journal()  # something was done
    assert run
    for words in (
        ["status", ""],
        ["reschedule", "", "--leave", "2020-01-01T00:00:00Z", "--reason", "test"],
        ["worker", "--once"],
        ["resume"],
        ["report", "", "--format", "html"],
        ["undo", "", "--out", "back.json"],
        ["apply", "back.json", "--yes"],
        ["audit", "show"],
        ["doctor", "going.yaml"],
        ["apply", "plan.json", "--yes"],
    ):
        code = stage.run(*(word or run_id(stage) for word in words))
        assert code != 70, words

    stage.demand_nothing_leaked(resets=2)


def run_id(stage: Stage) -> str:
    import json

    process = stage.start("--json", "runs")
    out, _ = process.communicate(timeout=60)
    return str(json.loads(out)[-1]["run"])


@pytest.mark.parametrize("sign_in", ["certificate", "device-code"])
def test_other_ways_to_sign_in_leak_nothing(stage: Stage, sign_in: str) -> None:
    config = stage.folder / "offboard.toml"
    text = config.read_text().replace(
        'sign_in = "client-secret-file"\nclient_secret_file = "secret"', f'sign_in = "{sign_in}"'
    )
    if sign_in == "certificate":
        text = text.replace("graph_url", 'certificate = "app.pem"\ngraph_url')
    else:
        text = text.replace(RUNNER, "c0000000-0000-4000-8000-000000000002")
    config.write_text(text)
    assert stage.run("run", "going.yaml", USER, "--yes") == 0

    stage.demand_nothing_leaked(resets=1)


PATCH = "/users/*"
FAULTS = {
    "refused": fault(PATCH, "PATCH", nth=2, status=403),
    "lost after it was done": fault("/$batch", "POST", nth=2, reset="after"),
    "cut off": fault("/$batch", "POST", nth=2, truncate=True),
    "no JSON": fault("/$batch", "POST", nth=2, not_json=True),
    "throttled": fault(PATCH, "PATCH", nth=2, status=429, retry_after=0.2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_leaks_nothing(stage: Stage, name: str) -> None:
    stage.misbehave(FAULTS[name])
    assert stage.run("run", "going.yaml", USER, "--yes") in (0, 1, 5)
    stage.run("resume")

    stage.demand_nothing_leaked()
    assert canary.SEEN.calls
    assert any(b'"password"' in call.body for call in canary.SEEN.calls)


SABOTAGE = {
    "in the sender": """
        from offboard.graph import send
        async def broken(self, request):
            if b"password" in request.content:
                raise KeyError(request.content.decode() + str(dict(request.headers)))
            return await honest(self, request)
        honest, send.Sender._transmit = send.Sender._transmit, broken
    """,
    "in the connection": """
        import httpx
        async def broken(self, request, **options):
            if b"password" in request.content and not done:
                done.append(1)
                raise httpx.ConnectError("refused", request=request)
            return await honest(self, request, **options)
        done = []
        honest, httpx.AsyncClient.send = httpx.AsyncClient.send, broken
    """,
    "in the audit": """
        from offboard.runs import ledger
        def broken(*args, **fields):
            raise ZeroDivisionError(repr(args) + repr(fields))
        ledger.Ledger.conclude = broken
    """,
    "when memory is gone": """
        from offboard.graph import send
        def broken(*args):
            raise MemoryError(repr(args))
        send._answer = broken
    """,
    "in a thread": """
        import threading
        from offboard.graph import send
        async def broken(self, request):
            if b"password" in request.content:
                def bad(text=request.content.decode()): raise ValueError(text)
                thread = threading.Thread(target=bad); thread.start(); thread.join()
            return await honest(self, request)
        honest, send.Sender._transmit = send.Sender._transmit, broken
    """,
    "in a task": """
        import asyncio, gc
        from offboard.graph import send
        async def broken(self, request):
            if b"password" in request.content:
                async def bad(text=request.content.decode()): raise ValueError(text)
                asyncio.ensure_future(bad()); await asyncio.sleep(0.01); gc.collect()
            return await honest(self, request)
        honest, send.Sender._transmit = send.Sender._transmit, broken
    """,
}


@pytest.mark.parametrize("place", SABOTAGE)
def test_a_bug_in_the_middle_leaks_nothing(stage: Stage, place: str) -> None:
    code = stage.run("run", "going.yaml", USER, "--yes", before=textwrap.dedent(SABOTAGE[place]))

    assert code in (0, 1, 5, 70)
    said = (stage.folder / "said").read_text()
    assert ("in the background" in said) == (place in ("in a thread", "in a task"))
    stage.run("resume")
    stage.demand_nothing_leaked()


@pytest.mark.parametrize("kib", [1, 40, 70, 100])
def test_a_disk_that_is_full_leaks_nothing(stage: Stage, kib: int) -> None:
    code = stage.run("run", "going.yaml", USER, "--yes", limit=kib * 1024)

    assert code != 70, (stage.folder / "said").read_text()
    stage.demand_nothing_leaked()


def test_neither_words_nor_environment_nor_a_killed_process_tell_anything(stage: Stage) -> None:
    stage.misbehave(fault("/$batch", "POST", nth=2, delay=4.0))
    process = stage.start("run", "going.yaml", USER, "--yes")
    try:
        wait_for(lambda: any(b'"password"' in call.body for call in canary.SEEN.calls or ()))
        family = [process.pid, *children(process.pid)]
        told = [f"/proc/{pid}/{what}" for pid in family for what in ("cmdline", "environ", "comm", "maps", "limits")]
        for path in told:
            assert canary.leaks(Path(path).read_bytes(), stage.secrets()) == [], path
        assert limit_of_core(process.pid) == "0"
        stage.demand_nothing_leaked(resets=1)  # the database and its log as they are in the middle
    finally:
        process.send_signal(signal.SIGKILL)
        stage.told(b"".join(process.communicate(timeout=60)))
    stage.misbehave()
    assert stage.run("resume") == 0
    stage.demand_nothing_leaked()


def children(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            yield child
            yield from children(child)


def limit_of_core(pid: int) -> str:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file size")).split()[4]


def wait_for(condition: Callable[[], object]) -> None:
    began = real_time.monotonic()
    while not condition():
        assert real_time.monotonic() - began < 60, "it took too long"
        real_time.sleep(0.05)


SAMPLE = "aB3!#$%()*+,-.:;=?@[]^_{}~xYz0123456789Q"


@pytest.mark.parametrize("form", list(canary.disguises(SAMPLE.encode())))
def test_the_search_finds_a_secret_in_every_disguise(form: bytes) -> None:
    assert canary.leaks(b"\x00before " + form + b" after", [SAMPLE.encode()])


def test_the_search_of_the_whole_suite_finds_a_password_and_a_token(tmp_path: Path) -> None:
    canary.SEEN.passwords.add(SAMPLE.encode())
    (tmp_path / "log").write_bytes(b"\x00" * 5000 + b'{"after": "' + SAMPLE.encode() + b'"}')
    (tmp_path / "cache").write_text("token=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhYmNkIn0.sig")
    (tmp_path / "clean").write_text("nothing")
    found = canary.leaking_files(tmp_path)
    canary.SEEN.passwords.discard(SAMPLE.encode())
    for name in ("log", "cache"):
        (tmp_path / name).unlink()

    assert {Path(path).name for path in found} == {"log", "cache"}
