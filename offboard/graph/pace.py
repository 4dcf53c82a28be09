"""Pacing by Graph's published quota: token buckets that refill all the time.

The figures are the identity service's, per app and tenant, and stand in one place because Microsoft may change them.
Source: https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

WRITES, PER_SECONDS = 3000, 150.0
"""Writes of one app in one tenant, and the seconds in which they are given back: 20 a second in the long run."""
RESERVE = 20.0
"""Tokens that the many leave for the urgent: a batch of theirs never waits for the quota to come back."""


class Purse(Protocol):
    """A token bucket: one of this process, or one that all processes of a tenant share (`runs/engine/quota.py`)."""

    @property
    def size(self) -> float:
        """Tokens when full."""

    @property
    def per_second(self) -> float:
        """Tokens that come back in a second."""

    def take(self, wanted: int, reserve: float = 0.0) -> int:
        """Take up to so many tokens, leaving the reserve; how many were granted."""

    def give_back(self, tokens: int) -> None:
        """What was taken and not used."""

    def wait(self, tokens: float, reserve: float = 0.0) -> float:
        """Seconds until so many could be granted, as far as is known now."""

    def hold_until(self, seconds: float) -> None:
        """Nobody takes anything for so long, because Graph said so."""

    def level(self) -> float:
        """Tokens there are."""


@dataclass
class Bucket:
    """The bucket of one process.

    Args:
        size: Tokens when full; it starts full.
        per_second: Tokens that come back in a second.
        ticks: Seconds that only go forward.
    """

    size: float = float(WRITES)
    per_second: float = WRITES / PER_SECONDS
    ticks: Callable[[], float] = time.monotonic
    _level: float = field(default=-1.0)
    _at: float = 0.0
    _not_before: float = 0.0

    def level(self) -> float:
        """Tokens there are."""
        now = self.ticks()
        if self._level < 0:
            self._level, self._at = self.size, now
        self._level = min(self.size, self._level + max(0.0, now - self._at) * self.per_second)
        self._at = now
        return self._level

    def take(self, wanted: int, reserve: float = 0.0) -> int:
        """Take up to so many tokens; how many were granted."""
        level = self.level()
        granted = 0 if self.ticks() < self._not_before else max(0, min(wanted, int(level - reserve + 1e-9)))
        self._level -= granted
        return granted

    def give_back(self, tokens: int) -> None:
        """What was taken and not used."""
        self._level = min(self.size, self.level() + tokens)

    def wait(self, tokens: float, reserve: float = 0.0) -> float:
        """Seconds until so many could be granted."""
        lacking = min(tokens + reserve, self.size) - self.level()
        return max(0.0, self._not_before - self.ticks(), lacking / self.per_second)

    def hold_until(self, seconds: float) -> None:
        """Nobody takes anything for so long. A shorter wait than one that is known changes nothing."""
        self._not_before = max(self._not_before, self.ticks() + seconds)
