"""Who may act on whom: one row per leaver, with an owner, a fence that only grows, and an end.

A lease that ran out is lost, even if nobody took it: a process that was paused writes nothing after it wakes.
"""

from __future__ import annotations

from collections.abc import Sequence

from offboard.runs.engine.database import Database

LASTS = 20.0
"""Seconds from a heartbeat to the end of a lease: with the poll below 30 until somebody else goes on."""
BEATS = 5.0
"""Seconds between heartbeats."""


class Leases:
    """The leases of one process.

    Args:
        db: Where they stand.
        owner: Unique per process.
    """

    def __init__(self, db: Database, owner: str) -> None:
        self._db = db
        self.owner = owner
        self._held: dict[tuple[str, str], tuple[int, str]] = {}

    def take(self, run: str, tenant: str, leavers: Sequence[str]) -> dict[str, str]:
        """Take the leases of these leavers: all of them, or none.

        Returns:
            The run that holds it, by each leaver that somebody else holds; empty when all were taken.
        """
        self._db.declare(self.owner)
        with self._db.transaction():
            now = self._db.seconds()
            found = {leaver: self._row(tenant, leaver) for leaver in leavers}
            busy = {
                leaver: str(row[0])
                for leaver, row in found.items()
                if row is not None and self._live(row, now) and (row[1] != self.owner or (tenant, leaver) in self._held)
            }
            if busy:
                return busy
            for leaver, row in found.items():
                fence = (int(row[2]) if row else 0) + 1
                self._db.rows(
                    "INSERT INTO lease (tenant, leaver, run, owner, fence, expires) VALUES (?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (tenant, leaver) DO UPDATE SET run = excluded.run, owner = excluded.owner, "
                    "fence = excluded.fence, expires = excluded.expires",
                    (tenant, leaver, run, self.owner, fence, now + LASTS),
                )
                self._held[tenant, leaver] = fence, run
        return {}

    def _live(self, row: tuple[str, str, int, float], now: float) -> bool:
        return row[3] > now and not self._db.dead(row[1])

    def _row(self, tenant: str, leaver: str) -> tuple[str, str, int, float] | None:
        rows = self._db.rows(
            "SELECT run, owner, fence, expires FROM lease WHERE tenant = ? AND leaver = ?", (tenant, leaver)
        )
        return (str(rows[0][0]), str(rows[0][1]), int(rows[0][2]), float(rows[0][3])) if rows else None

    def renew(self) -> bool:
        """A heartbeat for all that are held; False when one of them was lost."""
        if not self._held:
            return True
        with self._db.transaction():
            now = self._db.seconds()
            alive = self._db.count(
                "UPDATE lease SET expires = ? WHERE owner = ? AND expires > ?", (now + LASTS, self.owner, now)
            )
        return alive >= len(self._held)

    def release(self, tenant: str, leavers: Sequence[str]) -> None:
        """Give these back; what was lost is not touched."""
        with self._db.transaction():
            for leaver in leavers:
                mine = self._held.pop((tenant, leaver), None)
                if mine is not None:
                    self._db.rows(
                        "UPDATE lease SET expires = 0 WHERE tenant = ? AND leaver = ? AND owner = ? AND fence = ?",
                        (tenant, leaver, self.owner, mine[0]),
                    )

    def blocked(self, tenant: str, leaver: str) -> str:
        """Why this process may not act on the leaver now; empty when it may. Asked inside a transaction."""
        row, mine = self._row(tenant, leaver), self._held.get((tenant, leaver))
        live = row is not None and self._live(row, self._db.seconds())
        if mine is not None:
            ours = live and row is not None and row[1] == self.owner and row[2] == mine[0]
            return "" if ours else "this process lost its lease: it was paused or cut off, and another may have gone on"
        return f"run {row[0]} is carried out by another process" if live and row is not None else ""

    def kept(self, leaver: str) -> bool:
        """Whether what this process has found out about the leaver counts: False when it took a lease and lost it."""
        return not any(self.blocked(tenant, one) for tenant, one in self._held if one == leaver)

    def held(self, run: str) -> frozenset[str]:
        """The leavers whose leases this process took for this run."""
        return frozenset(leaver for (_, leaver), (_, holder) in self._held.items() if holder == run)

    def ends(self, tenant: str, leaver: str) -> float | None:
        """When the lease ends that somebody holds on this leaver, unless it is renewed."""
        row = self._row(tenant, leaver)
        return row[3] if row is not None and self._live(row, self._db.seconds()) else None

    def holder(self, tenant: str, leaver: str) -> str | None:
        """The run that somebody holds this leaver for at the moment."""
        row = self._row(tenant, leaver)
        return row[0] if row is not None and self._live(row, self._db.seconds()) else None
