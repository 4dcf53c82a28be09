"""The calls by which records get onto the disk, and how long one may take before the disk counts as lost."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 5.0
"""Seconds. A log that takes longer is no log that a run can wait for: access must be ended now, or be known not to be."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk, as the log sees it.

    Args:
        write: Write bytes at an offset; gives how many were written.
        cut: Make the file so long.
        sync: Wait until the disk has what was written.
        patience: Seconds that writing and waiting may take together.
    """

    write: Callable[[int, memoryview, int], int] = os.pwrite
    cut: Callable[[int, int], None] = os.ftruncate
    sync: Callable[[int], None] = os.fdatasync
    patience: float = PATIENCE


REAL = Disk()


@dataclass
class _Job:
    work: Callable[[], object]
    ended: threading.Event = field(default_factory=threading.Event)
    value: object = None
    error: BaseException | None = None


class Patience:
    """Does work that may hang, on a thread of its own, and goes on without it when it takes too long.

    Args:
        seconds: How long is too long.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._of = 0

    def do(self, work: Callable[[], T]) -> T:
        """The work's value. What hangs is left to hang.

        Raises:
            TimeoutError: It took too long; it may still come to an end, unseen.
            BaseException: Whatever the work raised.
        """
        if self._of != os.getpid():  # a forked child has the object, but not the thread
            self._of, self._jobs = os.getpid(), queue.SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="audit", daemon=True).start()
        job = _Job(work)
        self._jobs.put(job)
        try:
            in_time = job.ended.wait(self.seconds)
        except BaseException:
            # Interrupted while it is at work: what it does must be known before anybody goes on.
            job.ended.wait(self.seconds)
            raise
        if not in_time:
            raise TimeoutError(f"the disk did not answer within {self.seconds:g} s")
        if job.error is not None:
            raise job.error
        return job.value  # type: ignore[return-value]  # the work is the caller's own


def _work(jobs: queue.SimpleQueue[_Job]) -> None:
    while True:
        job = jobs.get()
        try:
            job.value = job.work()
        except BaseException as error:  # handed to whoever waits for it
            job.error = error
        job.ended.set()
        del job
