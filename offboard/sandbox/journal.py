"""What was executed and what was asked: the journal of effects, and the log of all requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .store import Store
from .wire import Json

KEPT_REQUESTS = 10_000


@dataclass(frozen=True)
class JournalEntry:
    """One executed write. A write that changed nothing is executed too; its effect says so."""

    time: str
    caller: str
    method: str
    path: str
    status: int
    effect: Json

    def as_dict(self) -> dict[str, Any]:
        """For printing as JSON."""
        return {
            "time": self.time,
            "caller": self.caller,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "effect": self.effect,
        }


@dataclass(frozen=True)
class RequestEntry:
    """One request as it came in; `item` is True for an item of a `$batch`, which is no HTTP request of its own."""

    time: str
    method: str
    path: str
    status: int
    item: bool


def note_effects(store: Store, entry: JournalEntry) -> None:
    """Record one effect; inside the transaction of the effect."""
    values = (entry.time, entry.caller, entry.method, entry.path, entry.status, json.dumps(entry.effect))
    store.execute("INSERT INTO journal (time, caller, method, path, status, effect) VALUES (?,?,?,?,?,?)", values)


def note_request(store: Store, entry: RequestEntry) -> None:
    """Record one request, and forget the oldest ones now and then."""
    values = (entry.time, entry.method, entry.path, entry.status, int(entry.item))
    cursor = store.execute("INSERT INTO requests (time, method, path, status, item) VALUES (?,?,?,?,?)", values)
    count = "INSERT INTO tally VALUES (?, ?, 1) ON CONFLICT (item, status) DO UPDATE SET calls = calls + 1"
    store.execute(count, (int(entry.item), entry.status))
    last = cursor.lastrowid or 0
    if last % 500 == 0:
        store.execute("DELETE FROM requests WHERE seq <= ?", (last - KEPT_REQUESTS,))


def read_tally(store: Store) -> dict[tuple[bool, int], int]:
    """How many calls there were since the tenant was new, by whether they came in a batch, and by status."""
    rows = store.execute("SELECT item, status, calls FROM tally")
    return {(bool(item), int(status)): int(calls) for item, status, calls in rows}


def read_journal(store: Store) -> list[JournalEntry]:
    """All effects, oldest first."""
    rows = store.execute("SELECT time, caller, method, path, status, effect FROM journal ORDER BY seq")
    return [JournalEntry(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows]


def read_requests(store: Store) -> list[RequestEntry]:
    """The latest requests, oldest first."""
    sql = "SELECT time, method, path, status, item FROM requests ORDER BY seq DESC LIMIT ?"
    rows = list(store.execute(sql, (KEPT_REQUESTS,)))
    return [RequestEntry(row[0], row[1], row[2], row[3], bool(row[4])) for row in reversed(rows)]
