"""The edge between the program and what outlives it: counted, and struck at one point.

Nothing of the program is replaced: the calls to the operating system, to SQLite, to PostgreSQL and to the network are
watched, and still made. What lies between two points leaves no trace outside the process, so a death there is a death at
the next point.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tests.crash.disk import Disk

DEATHS = ("kill", "power", "shred")
"""Kinds of an end that the program does not see: SIGKILL, a power cut, a power cut that left pieces of what was not synced."""
KINDS = (*DEATHS, "term")
FREEZE = "freeze"
"""Not an end: SIGSTOP, until it is woken."""
WRITES = re.compile(
    r"(INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|WITH|PRAGMA (user_version|journal_mode)\s*=)\b", re.I
)
ACTS = re.compile(r"(INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM|CREATE TABLE(?: IF NOT EXISTS)?)\s+([\w.\"]+)", re.I)
NAMES = re.compile(r"[0-9a-f]{12,}|[0-9a-f]{8}-[0-9a-f-]{27}")


class Points:
    """The points of one process. Asleep, until the process begins."""

    def __init__(self) -> None:
        self.watched: list[str] = []
        self.place, self.kind = "", ""
        self.disk: Disk | None = None
        self.count: Counter[str] = Counter()
        self._pid = 0
        self._lock = threading.RLock()
        self._trace = -1
        self._open, self._write, self._kill = os.open, os.write, os.kill

    def begin(self, watched: list[Path], trace: Path, place: str, kind: str, disk: Disk | None) -> None:
        """This process is what is watched.

        Args:
            watched: Folders whose files outlive it.
            trace: File to which each point's time and place go.
            place: Where it is struck; empty for nowhere.
            kind: One of `KINDS`.
            disk: What of the folders would survive a power cut, and where that goes.
        """
        self.watched = [os.path.realpath(path) + os.sep for path in watched]
        self.place, self.kind, self.disk = place, kind, disk
        self._trace = self._open(trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._pid = os.getpid()

    def at(self, name: str, before_dying: Callable[[], object] | None = None) -> None:
        """The process is at a point; here it may be struck."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            # The place is the name and its turn: threads come in another order in another life, and a number would be
            # another point there.
            name = NAMES.sub("…", name).replace(f".{self._pid}:", ".…:")
            self.count[name] += 1
            place = f"{name} #{self.count[name]}"
            if self.disk is not None:
                self.disk.settle()
            self._tell(place)
            if place == self.place:
                self._strike(before_dying)

    def now(self, name: str) -> None:
        """Something that is told in the trace and is no point."""
        if os.getpid() == self._pid:
            with self._lock:
                self._tell(name)

    def _tell(self, name: str) -> None:
        self._write(self._trace, f"{json.dumps([time.monotonic(), name])}\n".encode())

    def _strike(self, before_dying: Callable[[], object] | None) -> None:
        self._tell(f"struck: {self.kind}")
        if self.kind in DEATHS and before_dying is not None:
            before_dying()
        if self.kind in ("power", "shred"):
            assert self.disk is not None
            self.disk.save(shred=self.kind == "shred")
        how = {"term": signal.SIGTERM, FREEZE: signal.SIGSTOP}.get(self.kind, signal.SIGKILL)
        self._kill(self._pid, how)

    def watches(self, path: str) -> bool:
        """Whether the file outlives the process."""
        return path.startswith(tuple(self.watched))

    def install(self) -> None:
        """Stand between this process and the world; before anything of the program is imported."""
        watch_files(self)
        watch_sqlite(self)
        watch_postgres(self)
        watch_network(self)


def path_of(fd: int) -> str:
    """The path of an open file."""
    return os.readlink(f"/proc/self/fd/{fd}")


def watch_files(points: Points) -> None:
    """Files and folders: made, written, waited for, renamed, taken away."""
    _watch_names(points)
    _watch_writes(points)

    def waited(real: Callable[[int], None]) -> Callable[[int], None]:
        def wait(fd: Any) -> None:
            number = fd if isinstance(fd, int) else fd.fileno()
            path = path_of(number)
            known = points.watches(path + os.sep)
            if known:
                points.at(f"{os.path.basename(path)}: sync")
            real(fd)
            if known and points.disk is not None:
                points.disk.synced(number, path)

        return wait

    os.fsync, os.fdatasync = waited(os.fsync), waited(os.fdatasync)


def _watch_names(points: Points) -> None:
    real_open = os.open

    def open_(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        name = os.path.abspath(os.fsdecode(path))
        if flags & os.O_CREAT and dir_fd is None and points.watches(name) and not os.path.lexists(name):
            points.at(f"{os.path.basename(name)}: create")
        return real_open(path, flags, mode, dir_fd=dir_fd)

    def named(real: Callable[..., None], what: str, place: int = 0, missing: bool = False) -> Callable[..., None]:
        def act(*args: Any, **options: Any) -> None:
            name = os.path.abspath(os.fsdecode(args[place]))
            if points.watches(name) and os.path.lexists(name) != missing:
                points.at(f"{os.path.basename(name)}: {what}")
            real(*args, **options)

        return act

    os.open = open_
    os.mkdir = named(os.mkdir, "make folder", missing=True)
    os.replace, os.rename = named(os.replace, "rename"), named(os.rename, "rename")
    os.unlink, os.remove = named(os.unlink, "unlink"), named(os.remove, "unlink")


def _watch_writes(points: Points) -> None:
    real_pwrite, real_write, real_cut = os.pwrite, os.write, os.ftruncate

    def pwrite(fd: int, data: Any, offset: int) -> int:
        path = path_of(fd)
        if points.watches(path):
            name = os.path.basename(path)
            points.at(f"{name}: write")
            points.at(f"{name}: half of a write", lambda: real_pwrite(fd, bytes(data)[: len(data) // 2], offset))
        return real_pwrite(fd, data, offset)

    def write(fd: int, data: Any) -> int:
        path = path_of(fd)
        if points.watches(path):
            name = os.path.basename(path)
            points.at(f"{name}: write")
            points.at(f"{name}: half of a write", lambda: real_write(fd, bytes(data)[: len(data) // 2]))
        return real_write(fd, data)

    def ftruncate(fd: int, length: int) -> None:
        path = path_of(fd)
        if points.watches(path) and os.fstat(fd).st_size != length:
            points.at(f"{os.path.basename(path)}: cut")
        real_cut(fd, length)

    os.pwrite, os.write, os.ftruncate = pwrite, write, ftruncate


def watch_sqlite(points: Points) -> None:
    """SQLite: each commit, and each write outside a transaction."""
    real = sqlite3.connect

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = real(*args, **options)
        path = os.path.realpath(str(args[0] if args else options["database"]))
        if points.watches(path):
            held: list[str] = []
            db.set_trace_callback(lambda text: statement(db, path, held, text))
        return db

    def statement(db: sqlite3.Connection, path: str, held: list[str], text: str) -> None:
        words = text.strip()
        if points.disk is not None and (found := re.match(r"PRAGMA (synchronous|journal_mode)\s*=\s*(\w+)", words, re.I)):
            points.disk.pragma(path, found[1].lower(), found[2].lower())
        commits = words.upper().startswith(("COMMIT", "END"))
        if commits or (not db.in_transaction and WRITES.match(words)):
            points.at(f"{os.path.basename(path)}: {commit_of(held) if commits else act(words)}")
            if points.disk is not None:
                points.disk.committing(path)
        elif db.in_transaction and WRITES.match(words):
            held.append(act(words))

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def act(statement: str) -> str:
    """What a statement does, and to what."""
    found = ACTS.search(statement)
    return " ".join(found.groups()) if found else statement.split(" (")[0][:40]


def commit_of(held: list[str]) -> str:
    """The name of a commit: by what was first written, so that other threads' commits do not count."""
    first = held[0] if held else "nothing"
    held.clear()
    return f"commit of {first}"


def watch_postgres(points: Points) -> None:
    """PostgreSQL: each commit, and each write outside a transaction."""
    import psycopg
    from psycopg.pq import TransactionStatus

    execute, commit, leave = psycopg.Cursor.execute, psycopg.Connection.commit, psycopg.transaction.Transaction.__exit__

    held: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()

    def executed(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        words = (query if isinstance(query, str) else bytes(query).decode() if isinstance(query, bytes) else "").strip()
        connection = self.connection
        if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE and WRITES.match(words):
            points.at(f"postgres: {act(words)}")
        elif WRITES.match(words):
            held.setdefault(connection, []).append(act(words))
        return execute(self, query, *args, **options)

    def committed(self: Any) -> None:
        if self.info.transaction_status == TransactionStatus.INTRANS:
            points.at(f"postgres: {commit_of(held.pop(self, []))}")
        commit(self)

    def left(self: Any, kind: Any, error: Any, trace: Any) -> Any:
        if kind is None:
            points.at(f"postgres: {commit_of(held.pop(self.connection, []))}")
        return leave(self, kind, error, trace)

    psycopg.Cursor.execute = executed
    psycopg.Connection.commit = committed
    psycopg.transaction.Transaction.__exit__ = left


def watch_network(points: Points) -> None:
    """Requests that write: before they leave, and when their answer has come and nobody has seen it."""
    import httpx

    real = httpx.AsyncHTTPTransport.handle_async_request

    async def handle(self: Any, request: httpx.Request) -> httpx.Response:
        if not may_write(request):
            return await real(self, request)
        name = f"{request.method} {request.url.path}"
        points.at(f"{name}: leaves")
        response = await real(self, request)
        points.now(f"{name}: executed")
        points.at(f"{name}: answered")
        return response

    httpx.AsyncHTTPTransport.handle_async_request = handle


def may_write(request: Any) -> bool:
    """Whether a request changes anything in the tenant."""
    if request.method == "POST" and request.url.path.endswith("/$batch"):
        return any(item["method"] != "GET" for item in json.loads(request.content)["requests"])
    return bool(request.method != "GET")
