"""A tenant served by a process of its own, and the processes that are measured against it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from offboard.sandbox.crowd import person_name
from offboard.sandbox.journal import JournalEntry
from offboard.sandbox.tenant import Sandbox

ROOT = Path(__file__).parent.parent
SEED, FULL = Path(__file__).parent / "seed.yaml", Path(__file__).parent / "full.yaml"
WRITES = {SEED: 9, FULL: 22}
OFFBOARD = [sys.executable, "-m", "offboard"]
CONFIG = """
default = "loopback"
[tenants.loopback]
tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
sign_in = "none"
graph_url = "{url}"
[tenants.loopback.guards]
approval = "none"
max_leavers = 1000000
max_percent = 100
max_deletes = 1000000
"""


class NotDone(Exception):
    """Not all effects are there; no figure may be told."""


@dataclass(frozen=True)
class Used:
    """What one process, with all that it started, took.

    Args:
        wall: Seconds, on this machine's clock.
        cpu: Seconds of all its processes.
        rss: Bytes that its largest process had at most.
        code: Its exit code.
        out: What it said, both ways.
    """

    wall: float
    cpu: float
    rss: int
    code: int
    out: str

    def must(self, *codes: int) -> Used:
        """The same, if it ended well.

        Raises:
            NotDone: It did not.
        """
        if self.code not in codes:
            raise NotDone(f"exit code {self.code}: {self.out[-2000:]}")
        return self


@dataclass
class Process:
    """A process under measurement."""

    words: Sequence[str]
    begun: float = 0.0
    _child: subprocess.Popen[bytes] = field(init=False)
    _out: Path = field(init=False)

    def start(self) -> Process:
        """Let it begin."""
        handle, name = tempfile.mkstemp(prefix="offboard-bench-")
        self._out, self.begun = Path(name), time.perf_counter()
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        self._child = subprocess.Popen(self.words, stdout=handle, stderr=subprocess.STDOUT, cwd=ROOT, env=environ)
        os.close(handle)
        return self

    def kill(self) -> None:
        """As a power cut would."""
        self._child.kill()

    def over(self) -> bool:
        """Whether it has ended, without waiting for it."""
        return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self) -> Used:
        """Wait for it."""
        _, status, usage = os.wait4(self._child.pid, 0)
        wall = time.perf_counter() - self.begun
        self._child.returncode = os.waitstatus_to_exitcode(status)
        out = self._out.read_text(errors="replace")[-20_000:]
        self._out.unlink()
        return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, self._child.returncode, out)


def run(words: Sequence[str]) -> Used:
    """One process from start to end."""
    return Process(words).start().end()


@dataclass
class Served:
    """A served tenant of so many people.

    Args:
        folder: Where it is kept; what is measured keeps its state beside it.
        url: Where it listens.
        speed: How many times as fast its time runs.
        origin: When its time began to.
        people: Who lives there.
    """

    folder: Path
    url: str
    speed: float
    origin: float
    people: int

    def offboard(self, *words: str, state: str = "mine") -> list[str]:
        """The command line of `offboard` against this tenant."""
        scaled = [sys.executable, "-m", "benchmarks.scaled", str(self.speed), repr(self.origin)]
        return [*(OFFBOARD if self.speed == 1 else scaled), *self.options(state), *words]

    def options(self, state: str = "mine") -> list[str]:
        """Where `offboard` finds this tenant, and where it keeps its state."""
        return ["--config", str(self.folder / "offboard.toml"), "--state", str(self.folder / state)]

    def peer(self, name: str, first: int, last: int, *more: str) -> list[str]:
        """The command line of a peer, for some of the people."""
        return [sys.executable, "-m", f"benchmarks.peers.{name}", self.url, str(first), str(last), *more]

    def leavers(self, first: int, last: int) -> Path:
        """A list of some of the people."""
        path = self.folder / f"leavers-{first}-{last}.csv"
        path.write_text("user\n" + "\n".join(map(person_name, range(first, last + 1))) + "\n")
        return path

    def journal(self) -> list[JournalEntry]:
        """Every write that was executed."""
        sandbox = Sandbox.open(self.folder / "tenant" / "sandbox")
        try:
            return sandbox.journal()
        finally:
            sandbox.close()

    def tally(self) -> Tally:
        """How many calls there were."""
        sandbox = Sandbox.open(self.folder / "tenant" / "sandbox")
        try:
            counts = sandbox.tally()
        finally:
            sandbox.close()
        http = sum(n for (item, _), n in counts.items() if not item)
        batches_and_singles = Counter({status: n for (item, status), n in counts.items() if item})
        return Tally(http, sum(batches_and_singles.values()), sum(n for (_, s), n in counts.items() if s == 429))

    def check(self, playbook: Path, first: int, last: int) -> None:
        """Hold the journal against what must have happened to these people, each effect exactly once.

        Raises:
            NotDone: Something is missing, or happened twice, or to somebody else.
        """
        found = Counter((e.effect["verb"], e.effect["type"]) for e in self.journal())
        people = last - first + 1
        wanted = Counter({key: count * people for key, count in EFFECTS[playbook].items()})
        if found != wanted:
            raise NotDone(f"effects are {dict(found)} instead of {dict(wanted)}")


@dataclass(frozen=True)
class Tally:
    """Calls that a tenant saw: HTTP requests, items of batches, and how many calls were answered 429."""

    http: int
    items: int
    throttled: int

    def since(self, before: Tally) -> Tally:
        """What came after."""
        return Tally(self.http - before.http, self.items - before.items, self.throttled - before.throttled)


_SEED = {
    ("update", "user"): 2,  # disabled, and the password set
    ("revoke", "user"): 1,
    ("update", "device"): 2,
    ("remove", "device"): 2,
    ("assignLicense", "user"): 1,
    ("delete", "user"): 1,
}
EFFECTS: dict[Path, dict[tuple[str, str], int]] = {
    SEED: _SEED,
    FULL: {
        **_SEED,
        ("remove", "group"): 10,
        ("delete", "phoneAuthenticationMethod"): 1,
        ("delete", "microsoftAuthenticatorAuthenticationMethod"): 1,
        ("delete", "fido2AuthenticationMethod"): 1,
    },
}


@contextmanager
def served(people: int, *, speed: float = 1.0, throttle: str = "published", delay: str = "80-150ms") -> Iterator[Served]:
    """A new tenant of so many people, served with latency and quota until the block ends."""
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as name:
        folder = Path(name)
        _plant(folder / "tenant", people)
        words = [*OFFBOARD, "--state", str(folder / "tenant"), "sandbox", "serve", "--delay", delay]
        words += ["--throttle", throttle, "--speed", str(speed)]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert server.stdout is not None
            url, origin = server.stdout.readline().strip(), time.time()
            config = folder / "offboard.toml"
            config.write_text(CONFIG.format(url=url))
            config.chmod(0o600)
            yield Served(folder, url, speed, origin, people)
        finally:
            server.terminate()
            server.wait(30)


def _plant(state: Path, people: int) -> None:
    """A crowd takes a while to make; it is made once for each size and copied."""
    kept = Path(tempfile.gettempdir()) / f"offboard-bench-crowd-{os.getuid()}" / str(people)
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        run([*OFFBOARD, "--state", str(part), "sandbox", "reset", "--people", str(people)]).must(0)
        part.rename(kept)
    shutil.copytree(kept, state)
