"""What the process leaves behind when something goes wrong: no memory image, and no traceback, since both hold secrets."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # --help must not wait for them
    import asyncio
    import traceback
    from collections.abc import Iterable
    from types import TracebackType


def keep_to_itself() -> None:
    """No core dump of this process or its children; errors outside of the command are told without their text.

    A core dump holds the sign-in token, and the new password while it travels. Python's own reports of errors in threads
    and finalizers hold the exception's text, which may quote what was sent.
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.excepthook = lambda args: _stray(args.exc_type, args.exc_traceback)
    sys.unraisablehook = lambda args: _stray(args.exc_type, args.exc_traceback)


def quiet_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: an error of a task that nobody waited for, without its text."""
    error = context.get("exception")
    if isinstance(error, Exception):
        _stray(type(error), error.__traceback__)


def _stray(kind: type[BaseException] | None, where: TracebackType | None) -> None:
    import traceback

    if kind is not None and sys.stderr is not None:
        place = next(reversed(places(traceback.extract_tb(where))), "unknown place")
        sys.stderr.write(f"offboard: {kind.__name__} in the background, {place}\n")


def places(frames: Iterable[traceback.FrameSummary]) -> list[str]:
    """Where an error came by, as `file:line function`, without the folders that name whose machine this is."""
    return [f"{_inside(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _inside(filename: str) -> str:
    """The file's path inside its package; of anything else the name alone."""
    for folder in ("site-packages", "offboard"):
        _, found, rest = filename.rpartition(f"{os.sep}{folder}{os.sep}")
        if found:
            return rest
    return os.path.basename(filename)
