"""An event loop in which waiting costs nothing: when nobody is ready, time jumps to whoever is next."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class HungError(Exception):
    """Everybody waits for something that will never happen."""


class _Jumping(selectors.SelectSelector):
    """A selector that does not wait but lets the loop's time pass."""

    elapsed = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; else so much time has passed."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise HungError
        if not ready and timeout is not None and timeout > 0:
            self.elapsed += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """asyncio with virtual time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.elapsed


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time.

    Raises:
        HungError: It waits for something that will never happen.
    """
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
