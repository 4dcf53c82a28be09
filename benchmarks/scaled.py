"""`offboard` with a clock that runs so many times as fast, to match `sandbox serve --speed`: `python -m benchmarks.scaled`.

    python -m benchmarks.scaled SPEED ORIGIN WORDS…

ORIGIN is the instant at which the served tenant's clock began to run faster. Leases and the engine keep real time, because
they are about processes of this machine; so what they cost weighs SPEED times as much here as in a real run.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime

from offboard.clock import Clock


def clock(speed: float, origin: float) -> Clock:
    """Time as the served tenant has it."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / speed)

    return Clock(
        now=lambda: datetime.fromtimestamp(origin + (time.time() - origin) * speed, UTC),
        monotonic=lambda: time.monotonic() * speed,
        sleep=sleep,
    )


def main() -> None:
    """Run one command of `offboard`."""
    speed, origin = float(sys.argv[1]), float(sys.argv[2])
    from offboard.cli.main import main as offboard

    sys.argv = ["offboard", *sys.argv[3:]]
    offboard(clock=clock(speed, origin))


if __name__ == "__main__":
    main()
