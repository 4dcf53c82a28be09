"""Who may act on whom: one row per leaver, with an owner, a fence that only grows, and an end.

A lease that ran out is lost, even if nobody took it: a process that was paused writes nothing after it wakes.
"""

from __future__ import annotations

from collections.abc import Sequence

from offboard.runs.engine.database import Database, among

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
            found = self._rows(tenant, leavers)
            busy = {
                leaver: row[0]
                for leaver, row in found.items()
                if self._live(row, now) and (row[1] != self.owner or (tenant, leaver) in self._held)
            }
            if busy:
                return busy
            fences = {leaver: found[leaver][2] + 1 if leaver in found else 1 for leaver in leavers}
            self._db.many(
                "INSERT INTO lease (tenant, leaver, run, owner, fence, expires) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (tenant, leaver) DO UPDATE SET run = excluded.run, owner = excluded.owner, "
                "fence = excluded.fence, expires = excluded.expires",
                [(tenant, leaver, run, self.owner, fence, now + LASTS) for leaver, fence in fences.items()],
            )
            self._held |= {(tenant, leaver): (fence, run) for leaver, fence in fences.items()}
        return {}

    def _live(self, row: tuple[str, str, int, float], now: float) -> bool:
        return row[3] > now and not self._db.dead(row[1])

    def _row(self, tenant: str, leaver: str) -> tuple[str, str, int, float] | None:
        return self._rows(tenant, [leaver]).get(leaver)

    def _rows(self, tenant: str, leavers: Sequence[str]) -> dict[str, tuple[str, str, int, float]]:
        statement = "SELECT leaver, run, owner, fence, expires FROM lease WHERE tenant = ? AND leaver IN {}"
        return {
            str(leaver): (str(run), str(owner), int(fence), float(expires))
            for leaver, run, owner, fence, expires in among(self._db, statement, (tenant,), leavers)
        }

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
            mine = [(leaver, self._held.pop((tenant, leaver))) for leaver in leavers if (tenant, leaver) in self._held]
            self._db.many(
                "UPDATE lease SET expires = 0 WHERE tenant = ? AND leaver = ? AND owner = ? AND fence = ?",
                [(tenant, leaver, self.owner, fence) for leaver, (fence, _) in mine],
            )

    def blocked(self, tenant: str, leaver: str) -> str:
        """Why this process may not act on the leaver now; empty when it may. Asked inside a transaction."""
        return self.all_blocked(tenant, [leaver]).get(leaver, "")

    def all_blocked(self, tenant: str, leavers: Sequence[str]) -> dict[str, str]:
        """Of these leavers, those on whom this process may not act now, each with the reason."""
        rows, now, found = self._rows(tenant, leavers), self._db.seconds(), {}
        for leaver in leavers:
            row, mine = rows.get(leaver), self._held.get((tenant, leaver))
            live = row is not None and self._live(row, now)
            if mine is None and live and row is not None:
                found[leaver] = f"run {row[0]} is carried out by another process"
            elif mine is not None and not (live and row is not None and row[1] == self.owner and row[2] == mine[0]):
                found[leaver] = "this process lost its lease: it was paused or cut off, and another may have gone on"
        return found

    def kept(self, leaver: str) -> bool:
        """Whether what this process has found out about the leaver counts: False when it took a lease and lost it."""
        return not any(self.blocked(tenant, one) for tenant, one in self._held if one == leaver)

    def held(self, run: str) -> frozenset[str]:
        """The leavers whose leases this process took for this run."""
        return frozenset(leaver for (_, leaver), (_, holder) in self._held.items() if holder == run)

    def at_work(self, run: str, owner: str) -> bool:
        """Whether this process, which may be another one, holds a lease in this run that has not run out."""
        question = "SELECT 1 FROM lease WHERE run = ? AND owner = ? AND expires > ? LIMIT 1"
        return bool(self._db.rows(question, (run, owner, self._db.seconds())))

    def ends(self, tenant: str, leaver: str) -> float | None:
        """When the lease ends that somebody holds on this leaver, unless it is renewed."""
        row = self._row(tenant, leaver)
        return row[3] if row is not None and self._live(row, self._db.seconds()) else None

    def holder(self, tenant: str, leaver: str) -> str | None:
        """The run that somebody holds this leaver for at the moment."""
        row = self._row(tenant, leaver)
        return row[0] if row is not None and self._live(row, self._db.seconds()) else None
