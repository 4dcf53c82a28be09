"""Pacing by Graph's published quota: token buckets that refill all the time.

The figures are the identity service's, per app and tenant, and stand in one place because Microsoft may change them.
Source: https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

from __future__ import annotations

from dataclasses import dataclass, field

WRITES, PER_SECONDS = 3000, 150.0
"""Writes of one app in one tenant, and the seconds in which they are given back: 20 a second in the long run."""


@dataclass
class Bucket:
    """Tokens that come back at an even rate.

    Args:
        size: Tokens when full; it starts full.
        per_second: Tokens that come back in a second.
    """

    size: float = float(WRITES)
    per_second: float = WRITES / PER_SECONDS
    _level: float = field(default=-1.0)
    _at: float = 0.0

    def level(self, now: float) -> float:
        """Tokens there are.

        Args:
            now: Seconds on a clock that only goes forward.
        """
        if self._level < 0:
            self._level, self._at = self.size, now
        self._level = min(self.size, self._level + max(0.0, now - self._at) * self.per_second)
        self._at = now
        return self._level

    def take(self, tokens: int, now: float) -> bool:
        """Take so many, or none when there are not enough."""
        if self.level(now) < tokens:
            return False
        self._level -= tokens
        return True

    def give_back(self, tokens: int = 1) -> None:
        """What was taken and not used."""
        self._level = min(self.size, self._level + tokens)

    def wait(self, tokens: float, now: float) -> float:
        """Seconds until there are so many."""
        return max(0.0, (tokens - self.level(now)) / self.per_second)

    def drain(self, now: float) -> None:
        """Graph says that there are none: other workers, or its own bookkeeping."""
        self.level(now)
        self._level = 0.0
