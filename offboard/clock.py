"""Time as an argument: the real clock here, one that jumps in the tests."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime


def pauses() -> Iterator[float]:
    """Seconds between two looks at something that need not show yet: short at first, and never more than eight."""
    seconds = 0.5
    while True:
        yield seconds
        seconds = min(seconds * 2, 8.0)


def _ticks() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """What the program knows of time.

    Args:
        now: The time of day, with zone.
        monotonic: Seconds that only go forward.
        sleep: Waits for so many seconds.
        ticks: Seconds that go on while the process is stopped and, where the system can tell, while the machine sleeps.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    ticks: Callable[[], float] = _ticks


async def _sleep(seconds: float) -> None:
    import asyncio  # 50 ms that --help must not wait for

    await asyncio.sleep(seconds)


REAL = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=_sleep)
