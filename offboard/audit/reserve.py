"""A file that holds room on the disk, given up when it is full, so that how it ended can still be recorded."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

SIZE = 1024 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)

BEGINS = frozenset({"run-started", "run-resumed", "intent"})
"""Events after which something is sent. They need the reserve to be there, and never use it up."""
ENDS = frozenset(
    {
        "outcome",
        "undone",
        "unverified",
        "unchanged",
        "drifted",
        "step-skipped",
        "refused",
        "stopped",
        "leaver-ended",
        "run-ended",
    }
    | {"held", "canceled", "tail-recovered", "checkpoint"}
)
"""Events that tell how something ended. When the disk is full, the reserve makes room for them."""


class Reserve:
    """The reserve of one log.

    Args:
        log: The log's file; the reserve stands beside it.
    """

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(log.name + ".reserve")

    def ready(self) -> bool:
        """Whether it is there. Another process of the same log may have used it up."""
        try:
            return os.stat(self.path, follow_symlinks=False).st_size >= SIZE
        except OSError:
            return False

    def keep(self) -> None:
        """Set the room aside, if it is not.

        Raises:
            OSError: There is none.
        """
        if self.ready():
            return
        # One name for all, because the log is locked meanwhile: what a crash leaves is used again.
        part = self.path.with_name(f"{self.path.name}.part")
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _allocate(descriptor)
            os.replace(part, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        finally:
            os.close(descriptor)

    def let_go(self) -> bool:
        """Give the room back to the disk; gives whether there was any."""
        try:
            os.unlink(self.path)
        except OSError:
            return False
        return True


def _allocate(descriptor: int) -> None:
    """Room that the file system has really given away; a file full of holes would hold none."""
    try:
        os.posix_fallocate(descriptor, 0, SIZE)
    except (OSError, AttributeError) as error:
        if getattr(error, "errno", None) in (*FULL, errno.EFBIG):
            raise
        os.pwrite(descriptor, b"\xa5" * SIZE, 0)  # a file system, or a system, that cannot promise room otherwise
        if os.fstat(descriptor).st_size < SIZE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
