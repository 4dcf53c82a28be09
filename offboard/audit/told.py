"""What the log already says of a run's changes, so that a resumed run does not say it a second time.

A crash may fall between a record here and the engine's own. The engine decides by what it finds in the tenant and never by
this; only whether a record is still owed is asked here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from offboard.audit.chain import parse_line
from offboard.audit.reading import rotated

BLOCK = 256 * 1024
Key = tuple[str, str, str]
"""Leaver, step and change."""


class Told:
    """The last word about each change that an interrupted process had begun: `intent`, or an outcome.

    Args:
        words: By leaver, step and change.
    """

    def __init__(self, words: Mapping[Key, str] | None = None) -> None:
        self._words = dict(words or {})

    def last(self, leaver: str, step: str, change: Mapping[str, Any]) -> str:
        """The last word, or nothing.

        Args:
            leaver: Object id.
            step: The step's id.
            change: As records write it.
        """
        return self._words.get(_key(leaver, step, change), "")

    def forget(self, leaver: str, step: str, change: Mapping[str, Any]) -> None:
        """Something newer is said of it now."""
        self._words.pop(_key(leaver, step, change), None)


def told(path: Path, run: str, leavers: Collection[str]) -> Told:
    """The last words about the changes of these leavers, since the run last ended for them.

    Args:
        path: The log; read from its end, and no further than needed.
        run: The run's id.
        leavers: Object ids.
    """
    words: dict[Key, str] = {}
    open_ones, mark = set(leavers), json.dumps({"run": run}, separators=(",", ":"))[1:-1].encode()
    mine = os.stat(path)
    earlier = [each for each in reversed(rotated(path)) if not os.path.samestat(os.stat(each), mine)]
    for line in (line for file in (path, *earlier) for line in backwards(file)):
        record = parse_line(line) if mark in line else None
        if record is None or record.get("run") != run:
            continue
        who, event = (record.get("leaver") or {}).get("id"), record["event"]
        if event == "leaver-ended":
            open_ones.discard(who)
        elif record.get("change") and who in open_ones:
            word = "intent" if event == "intent" else str(record.get("outcome"))
            words.setdefault(_key(who, str(record.get("step")), record["change"]), word)
        if event == "run-started" or not open_ones:
            break
    return Told(words)


def _key(leaver: str, step: str, change: Mapping[str, Any]) -> Key:
    target = change["target"]
    parts = sorted(part["id"] for part in change.get("parts") or ())
    said = [change["verb"], target["kind"], target["id"], change.get("data") or {}, parts]
    return leaver, step, json.dumps(said, sort_keys=True)


def backwards(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, the last one first."""
    with open(path, "rb") as file:
        end, rest, any_whole = os.fstat(file.fileno()).st_size, b"", False
        while end > 0:
            begin = max(0, end - BLOCK)
            file.seek(begin)
            rest, *lines = (file.read(end - begin) + rest).split(b"\n")
            if lines and not any_whole:
                del lines[-1]  # what stands after the last newline is no line yet
                any_whole = True
            for line in reversed(lines):
                yield line + b"\n"
            end = begin
        if any_whole:
            yield rest + b"\n"
