"""What a day may lose, counted once more where it is decided: in the transaction that records what is about to leave.

The guards count before a turn begins. Two turns that begin at the same moment, in one process or in two, both see the day as it
was; only together with the intents can it be told which of them is one too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from offboard.guards import GUARDS, Limits
from offboard.model import Change
from offboard.planjson import stamp
from offboard.runs.engine.database import Database

WINDOW = timedelta(hours=24)
DONE = "(outcome IS NULL OR outcome NOT IN ('unchanged', 'skipped', 'drifted'))"
_TARGETS = "SELECT DISTINCT key FROM change WHERE tenant = ? AND since > ? AND key LIKE ? AND {done}"
DELETES = ("delete user", "purge user")
"""What a deletion's key begins with."""
WIPES = ("wipe",)
"""What a wipe's key begins with."""


@dataclass(frozen=True, slots=True)
class Cap:
    """How many objects a day may lose.

    Args:
        guard: The guard's name; its override lifts this too.
        keys: What the keys of such changes begin with.
        most: How many.
    """

    guard: str
    keys: tuple[str, ...]
    most: int


def caps_of(limits: Limits) -> tuple[Cap, ...]:
    """What a tenant's guards say."""
    both = Cap("max_deletes", DELETES, limits.max_deletes), Cap("max_wipes", WIPES, limits.max_wipes)
    return tuple(cap for cap in both if cap.guard in GUARDS)


def lately(db: Database, tenant: str, now: datetime, keys: Sequence[str]) -> frozenset[str]:
    """Ids of the objects that runs have deleted, or wiped, within 24 hours, or may have.

    Args:
        db: Open.
        tenant: The tenant's id.
        now: Graph's clock.
        keys: What the keys of such changes begin with.
    """
    start = stamp(now - WINDOW)
    rows = [row for begin in keys for row in db.rows(_TARGETS.format(done=DONE), (tenant, start, f"{begin} %"))]
    return frozenset(str(row[0]).split(" ")[2] for row in rows)


@dataclass
class Count:
    """Counts what many leavers are about to lose, one after the other.

    Args:
        db: Open.
    """

    db: Database
    _known: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def over(self, tenant: str, now: datetime, caps: Sequence[Cap], changes: Sequence[Change]) -> str:
        """Why these may not leave any more; empty when they may, and then they are counted."""
        more: dict[tuple[str, str], frozenset[str]] = {}
        for cap in caps:
            ids = frozenset(c.target.id for c in changes if c.key.startswith(tuple(f"{key} " for key in cap.keys)))
            if not ids:
                continue
            place = (tenant, cap.guard)
            known = self._known[place] if place in self._known else lately(self.db, tenant, now, cap.keys)
            more[place] = known | ids
            if len(more[place]) > cap.most:
                return f"with what was begun in the last 24 hours it would be one too many: {cap.guard} is {cap.most}"
        self._known |= more
        return ""
