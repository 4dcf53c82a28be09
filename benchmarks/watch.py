"""Looks at a served tenant's journal while others work, to know when what had happened."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from offboard.sandbox.store import FILE_NAME

PAUSE = 0.05


@dataclass(frozen=True)
class Seen:
    """One executed write: when it was seen (seconds on the monotonic clock), and what it was."""

    at: float
    method: str
    path: str


@dataclass
class Watch:
    """The writes of one tenant, as they were seen."""

    seen: list[Seen] = field(default_factory=list)

    def when(self, count: int, which: Callable[[Seen], bool]) -> float:
        """The instant at which so many writes of a kind had been seen.

        Raises:
            LookupError: There never were so many.
        """
        found = [each.at for each in list(self.seen) if which(each)]
        if len(found) < count:
            raise LookupError(f"only {len(found)} of {count} writes were seen")
        return found[count - 1]


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Watch the tenant kept in this folder until the block ends."""
    watch, over = Watch(), threading.Event()

    def look() -> None:
        db = sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True, timeout=30)
        last = 0
        while True:
            ending = over.is_set()
            rows = db.execute("SELECT seq, method, path FROM journal WHERE seq > ? ORDER BY seq", (last,)).fetchall()
            now = time.perf_counter()
            watch.seen += [Seen(now, method, path) for _, method, path in rows]
            last = rows[-1][0] if rows else last
            if ending:
                db.close()
                return
            over.wait(PAUSE)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join(30)


def disabled(each: Seen) -> bool:
    """Whether a write disabled a user, or set the password: both are a PATCH of the user."""
    return each.method == "PATCH" and "/users/" in each.path


def signed_out(each: Seen) -> bool:
    """Whether a write ended a user's sessions."""
    return each.path.endswith("/revokeSignInSessions")
