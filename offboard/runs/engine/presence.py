"""Which processes live: by a locked file on one machine, by a row with a heartbeat where many machines share a server."""

from __future__ import annotations

from offboard.runs.engine.database import Database

SILENT = 15.0
"""Seconds without a heartbeat after which a process counts as dead."""


class Presence:
    """What this process shows of itself, and what it sees of others.

    Args:
        db: Where the runs stand.
        owner: This process's name, unique.
    """

    def __init__(self, db: Database, owner: str) -> None:
        self._db = db
        self._owner = owner

    def beat(self) -> None:
        """Show that this process lives; again and again where a server is shared."""
        self._db.declare(self._owner)
        if self._db.shared:
            with self._db.transaction():
                self._db.rows(
                    "INSERT INTO process (owner, seen) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET seen = excluded.seen",
                    (self._owner, self._db.seconds()),
                )

    def gone(self, owner: str) -> bool:
        """Whether the process of this name lives no more, as far as anybody can tell.

        It may only be paused: then it finds its leases lost when it wakes.
        """
        if owner == self._owner:
            return False
        if not self._db.shared:
            return self._db.dead(owner)
        rows = self._db.rows("SELECT seen FROM process WHERE owner = ?", (owner,))
        return not rows or self._db.seconds() - float(rows[0][0]) > SILENT

    def leave(self) -> None:
        """Say good-bye, and forget those who did not."""
        if self._db.shared:
            with self._db.transaction():
                self._db.rows(
                    "DELETE FROM process WHERE owner = ? OR seen < ?", (self._owner, self._db.seconds() - 86400.0)
                )
