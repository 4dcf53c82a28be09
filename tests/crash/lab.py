"""One lane of cases: a tenant served by a process of its own, a forge, and a database for every case."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offboard.sandbox.tenant import Sandbox
from tests.crash.cases import Case

ROOT = Path(__file__).parent.parent.parent
CONFIG = """\
default = "farm"
[tenants.farm]
sign_in = "none"
graph_url = "{graph}"
[tenants.farm.guards]
approval = "none"
[tenants.signed]
sign_in = "none"
graph_url = "{graph}"
[tenants.signed.guards]
approval = "all"
allowed_signers = "allowed_signers"
"""
STATE = "state"
TENANT = ("meta", "objects", "relations", "undo", "journal", "requests", "tally")
"""The tables of the tenant."""
NUMBERS = itertools.count(1)


@dataclass
class Ended:
    """How one process ended, and what it went through."""

    code: int
    said: str
    trace: list[tuple[float, str]]
    frozen: int = 0
    """Its id, when it is frozen and has not ended."""
    base: Path = Path()
    """Beginning of the names of the files in which it told of itself."""

    @property
    def points(self) -> list[str]:
        """Its points, in the order in which it came to them."""
        return [place for _, place in self.trace if " #" in place]

    @property
    def struck(self) -> str:
        """The point at which it was struck; empty when it never got there."""
        places = [place for _, place in self.trace]
        struck = next((n for n, place in enumerate(places) if place.startswith("struck")), 0)
        return places[struck - 1] if struck else ""

    def place(self, end: str) -> str:
        """The first of its points whose name ends so."""
        return next(place for place in self.points if place.partition(" #")[0].endswith(end))


@dataclass
class Lab:
    """Where cases are carried out, one after the other.

    Args:
        folder: For everything.
        tenant: The judge's look into the tenant; the program only speaks to its server.
        forge: Makes processes.
        server: Address of a PostgreSQL; empty for SQLite.
    """

    folder: Path
    tenant: Sandbox
    forge: subprocess.Popen[str]
    server: str = ""
    mark: str = field(default_factory=lambda: f"lab{next(NUMBERS)}")
    """Beginning of the names of its databases."""
    _processes: int = 0
    _database: str = ""
    kept: set[str] = field(default_factory=set)
    run_id: str = ""
    """The run that was begun before."""
    _sore: dict[int, str] = field(default_factory=dict)
    _warm: set[str] = field(default_factory=set)
    _tenants: dict[str, dict[str, list[tuple[Any, ...]]]] = field(default_factory=dict)
    _runs: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / STATE

    @property
    def desk(self) -> Path:
        """The folder in which the commands are given."""
        return self.folder / "desk"

    def clear(self) -> None:
        """A new tenant, an empty state folder, an empty desk, a new database."""
        self.tenant.reset()
        self._restore(None)

    def find_run(self) -> None:
        """Know the run that there is."""
        self.run_id = json.loads(self.run("--json", "runs").said)[0]["run"]

    def keep(self, name: str) -> None:
        """Remember how everything stands."""
        self.kept.add(name)
        target = self.folder / "kept" / name
        self._tenants[name] = {table: self._tenant(f"SELECT * FROM {table}") for table in TENANT}
        self._runs[name] = self.run_id
        shutil.copytree(self.state, target / STATE)
        shutil.copytree(self.desk, target / "desk")
        if self.server:
            self._sql(f"CREATE DATABASE {self.mark}_{name} TEMPLATE {self._database}")

    def go_back(self, name: str) -> None:
        """Everything as it was then."""
        self._restore(name)
        self.run_id = self._runs[name]
        with self.tenant._store.transaction():
            for table, rows in self._tenants[name].items():
                self._tenant(f"DELETE FROM {table}")
                for row in rows:
                    self._tenant(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def _tenant(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self.tenant._store.execute(statement, values).fetchall()

    def kept_lines(self, name: str) -> list[bytes]:
        """The audit as it was then."""
        (path,) = (self.folder / "kept" / name).glob(f"{STATE}/tenants/*/audit.jsonl")
        return path.read_bytes().splitlines()

    def _restore(self, name: str | None) -> None:
        for folder in (self.state, self.desk):
            shutil.rmtree(folder, ignore_errors=True)
            if name is None:
                folder.mkdir(mode=0o700)
            else:
                shutil.copytree(self.folder / "kept" / name / folder.name, folder)
        if self.server:
            if self._database:
                self._sql(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)")
            self._processes += 1
            self._database = f"{self.mark}_{self._processes}"
            self._sql(f"CREATE DATABASE {self._database}" + (f" TEMPLATE {self.mark}_{name}" if name else ""))

    def sore_point(self, case: Case) -> str:
        """Where a run is killed that is to be resumed: the tenant has done its work, and nobody knows."""
        if case.leavers not in self._sore:
            self.tenant.reset()
            self._sore[case.leavers] = self.run("apply", "plan.json", "--yes").place("answered")
            self.tenant.reset()
            self.go_back(f"planned_{case.leavers}")
        return self._sore[case.leavers]

    def reboot(self) -> None:
        """The machine comes back after a power cut: with what survived it."""
        image = self.folder / "image"
        for folder in (self.state, self.desk):
            shutil.rmtree(folder)
            os.rename(image / folder.name, folder)

    def let_leases_end(self) -> None:
        """Let the time go by after which another process may take over from a dead one on another machine."""
        if self.server and self._rows("SELECT to_regclass('lease')", self._database) != [(None,)]:
            self._sql("UPDATE lease SET expires = 0", self._database)

    def let_a_minute_pass(self) -> None:
        """What was done was done so long ago that every copy of the directory shows it: nobody has to wait for that."""
        long_ago = "UPDATE change SET at = '2026-01-01T00:00:00Z'"
        if self.server:
            self._sql(long_ago, self._database)
            return
        (path,) = self.state.rglob("runs.db")
        with closing(sqlite3.connect(path)) as store, store:
            store.execute(long_ago)

    def run(self, *words: str, place: str = "", kind: str = "", seed: int = 0) -> Ended:
        """`offboard`, until it ends or is frozen."""
        self._processes += 1
        base = self.folder / "told" / str(self._processes)
        base.parent.mkdir(exist_ok=True)
        shutil.rmtree(self.folder / "image", ignore_errors=True)
        database = ["--database", self.url(self._database)] if self.server else []
        order = {
            "words": ["--config", str(self.folder / "offboard.toml"), "--state", str(self.state), *database, *words],
            "folder": str(self.desk),
            "watched": [str(self.state), str(self.desk)],
            "environ": {"XDG_CONFIG_HOME": str(self.folder / "none"), "NO_COLOR": "1"},
            "said": f"{base}.said",
            "trace": f"{base}.trace",
            "image": str(self.folder / "image"),
            "place": place,
            "kind": kind,
            "seed": seed,
        }
        if words[0] not in self._warm:
            order["modules"] = f"{base}.modules"
        answer = self._ask(order)
        if "modules" in order and os.path.exists(order["modules"]):
            self._warm.add(words[0])
            self._ask({"warm": json.loads(Path(order["modules"]).read_text())})
        return self._ended(answer, base)

    def wake(self, frozen: Ended) -> Ended:
        """Let a frozen process go on to its end."""
        said = self._ask({"wake": frozen.frozen})
        return self._ended(said, frozen.base)

    def _ended(self, answer: dict[str, Any], base: Path) -> Ended:
        trace = [tuple(json.loads(line)) for line in Path(f"{base}.trace").read_text().splitlines()]
        frozen = answer["pid"] if answer["frozen"] else 0
        return Ended(answer["code"], Path(f"{base}.said").read_text(), trace, frozen, base)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.forge.stdin is not None
        assert self.forge.stdout is not None
        self.forge.stdin.write(json.dumps(order) + "\n")
        self.forge.stdin.flush()
        answer: dict[str, Any] = json.loads(self.forge.stdout.readline())
        return answer

    def url(self, database: str) -> str:
        """The address of one database of the server."""
        return self.server.replace("/postgres?", f"/{database}?")

    def _sql(self, statement: str, database: str = "postgres") -> None:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as admin:
            admin.execute(statement.encode())

    def _rows(self, question: str, database: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as admin:
            return admin.execute(question.encode()).fetchall()


@contextmanager
def a_lab(folder: Path, server: str = "") -> Iterator[Lab]:
    """A lane, with its processes."""
    folder.mkdir(mode=0o700)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "none")}
    environ.pop("OFFBOARD_STATE", None)
    with ExitStack() as stack:
        serve = [sys.executable, "-m", "offboard", "--state", str(folder / "tenant"), "sandbox", "serve", "--port", "0"]
        tenant = stack.enter_context(_child([*serve], environ))
        assert tenant.stdout is not None
        graph = tenant.stdout.readline().strip()
        (folder / "offboard.toml").write_text(CONFIG.format(graph=graph))
        (folder / "offboard.toml").chmod(0o600)
        forge = stack.enter_context(_child([sys.executable, "-m", "tests.crash.forge"], environ))
        assert forge.stdout is not None
        assert forge.stdout.readline().strip() == "ready"
        sandbox = Sandbox.open(folder / "tenant" / "sandbox")
        stack.callback(sandbox.close)
        yield Lab(folder, sandbox, forge, server)


@contextmanager
def _child(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
