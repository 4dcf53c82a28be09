"""Errors for a terminal: what, why, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.errors import Busy, NotPermitted, OffboardError, Refused, SourceError, Stopped
from offboard.render.layout import hang, wrap
from offboard.render.problems import problems_text
from offboard.render.safe import PROSE, safe
from offboard.render.style import Style

_HEADS = ((Refused, "Refused"), (NotPermitted, "Not permitted"), (Stopped, "Stopped"), (Busy, "Busy"))


def error_text(error: OffboardError, color: bool = False, *, width: int = 80) -> str:
    """An error as the user reads it on stderr.

    Args:
        error: What went wrong.
        color: Whether to emphasize with ANSI sequences.
        width: Columns of the terminal. Advice is not wrapped, since it may hold a command to copy.
    """
    if isinstance(error, SourceError):
        return problems_text(error, color)
    head = next((word for kind, word in _HEADS if isinstance(error, kind)), "Error")
    return "\n".join(_error(error, head, width, Style(color))) + "\n"


def _error(error: OffboardError, head: str, size: int, style: Style) -> Iterator[str]:
    # Our own messages may have several lines; what follows the first is indented, so that none poses as a new message.
    said, *more = error.what.split("\n")
    first, *rest = wrap(f"{head}: {_safe(said)}", size - 2)
    yield first.replace(f"{head}:", style.bad(f"{head}:"), 1)
    yield from ("  " + line for line in rest)
    details = error.details if isinstance(error, Refused) else ()
    for text in (*more, *details, *error.why.split("\n")):
        if text:
            yield from hang("  ", _safe(text.rstrip()), size)
    yield from (_safe(line) for line in error.todo.split("\n") if line)


def _safe(text: str) -> str:
    return safe(text, PROSE, keep_spaces=True)  # our own columns of a few spaces are no forgery
