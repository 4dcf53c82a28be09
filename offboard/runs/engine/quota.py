"""One write quota for all processes of a tenant: a token bucket in the store, on the database's clock.

Graph counts per app and tenant, so what one worker used, or was told to wait, holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offboard.graph.pace import PER_SECONDS, WRITES
from offboard.runs.engine.database import Database


@dataclass(frozen=True, slots=True)
class Quota:
    """The bucket of one tenant.

    Args:
        db: Where it stands.
        tenant: The tenant's id.
        size: Tokens when full; a tenant never seen before has a full one.
        per_second: Tokens that come back in a second.
        ticks: Seconds of another clock than the database's.
    """

    db: Database
    tenant: str
    size: float = float(WRITES)
    per_second: float = WRITES / PER_SECONDS
    ticks: Callable[[], float] | None = None

    def _seconds(self) -> float:
        return self.db.seconds() if self.ticks is None else self.ticks()

    def take(self, wanted: int, reserve: float = 0.0) -> int:
        """Take up to so many tokens; how many were granted.

        Args:
            wanted: As many as could be used at once.
            reserve: Tokens that must be left, for what is more urgent.
        """
        with self.db.transaction():
            now = self._seconds()
            level, not_before = self._level(now)
            granted = 0 if now < not_before else max(0, min(wanted, int(level - reserve)))
            self._write(level - granted, now, not_before)
        return granted

    def give_back(self, tokens: int) -> None:
        """What was taken and not used."""
        with self.db.transaction():
            now = self._seconds()
            level, not_before = self._level(now)
            self._write(min(self.size, level + tokens), now, not_before)

    def wait(self, tokens: float, reserve: float = 0.0) -> float:
        """Seconds until so many could be granted, as far as is known now; 0 when they could be at once."""
        now = self._seconds()
        level, not_before = self._level(now)
        lacking = min(tokens + reserve, self.size) - level
        return max(0.0, not_before - now, lacking / self.per_second)

    def hold_until(self, seconds: float) -> None:
        """Nobody takes anything for so long: a `Retry-After` that one process was told. A shorter one changes nothing."""
        with self.db.transaction():
            now = self._seconds()
            level, not_before = self._level(now)
            self._write(level, now, max(not_before, now + seconds))

    def drain(self) -> None:
        """Graph says that there are none: other apps' processes, or its own bookkeeping."""
        with self.db.transaction():
            now = self._seconds()
            self._write(0.0, now, self._level(now)[1])

    def level(self) -> float:
        """Tokens there are."""
        return self._level(self._seconds())[0]

    def _level(self, now: float) -> tuple[float, float]:
        rows = self.db.rows("SELECT level, at, not_before FROM quota WHERE tenant = ?", (self.tenant,))
        if not rows:
            return self.size, 0.0
        level, at, not_before = (float(value) for value in rows[0])
        # A clock that was set back gives nothing, and does not starve anybody until it has caught up.
        return min(self.size, level + max(0.0, now - at) * self.per_second), not_before

    def _write(self, level: float, now: float, not_before: float) -> None:
        self.db.rows(
            "INSERT INTO quota (tenant, level, at, not_before) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (tenant) DO UPDATE SET level = excluded.level, at = excluded.at, "
            "not_before = excluded.not_before",
            (self.tenant, level, now, not_before),
        )
