"""The chain: how a record becomes a line, and whether a line is the record that must stand there. Needs no structlog."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from offboard.audit.events import EVENTS, FRAME

_PREFIX = "sha256:"
ZERO = _PREFIX + "0" * 64
"""What stands in `prev` of the first record."""

MAX_LINE = 4 * 1024 * 1024
"""Bytes; longer records are neither written nor read."""

_FRAME = tuple(sorted(FRAME))

# Control characters (orjson escapes those below 0x20 itself), line separators, and what turns or hides text.
_UNSAFE = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ASCII = bytes(range(0x7F))
_PERHAPS_UNSAFE = re.compile(rb"\x7f|\xc2[\x80-\x9f\xad]|\xd8\x9c|\xe2[\x80\x81]|\xef[\xbb\xbf]|\xf3\xa0")
"""The bytes with which these characters begin in UTF-8, or a few more."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed. Raises TypeError for what JSON cannot say."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def digest(record: Mapping[str, Any]) -> str:
    """`sha256:` over the canonical form of the record, `hash` left out."""
    return _PREFIX + hashlib.sha256(canonical({k: v for k, v in record.items() if k != "hash"})).hexdigest()


def line_of(record: Mapping[str, Any]) -> bytes:
    """The record's line, newline included."""
    return _escaped(canonical(record)) + b"\n"


def time_text(moment: datetime) -> str:
    """A time as records write it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(line: bytes) -> bytes:
    # Nearly every line has none of them, which is seen quickly on its few bytes beyond ASCII.
    rest = line.translate(None, _ASCII)
    if not rest or not _PERHAPS_UNSAFE.search(rest):
        return line
    # They can stand inside JSON texts only, so replacing them anywhere on the line is right.
    return _UNSAFE.sub(_escape, line.decode()).encode()


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def check_line(line: bytes, seq: int, prev: str) -> dict[str, Any] | str:
    """The record on a line, or what is wrong with it.

    Args:
        line: With its newline.
        seq: The number it must have.
        prev: The hash that it must hold of the record before it.
    """
    if not line.endswith(b"\n"):
        return "the last line is torn: the program crashed or the disk was full while writing it, or it was cut"
    record = parse_line(line)
    if record is None:
        torn = "a power cut tore it, or it was overwritten: " if b"\0" in line else ""
        return f"{torn}this is not a JSON object"
    if wrong := _schema(record):
        return wrong
    if record["seq"] != seq:
        return f"it has number {record['seq']}: records were cut out, put in, repeated or moved"
    if record["prev"] != prev:
        return "it does not hold the hash of the record before it: one of the two was replaced"
    if line_of(record) != line:
        return "it was edited: the line is not written as this log writes its records"
    found = record.pop("hash")
    if found != _PREFIX + hashlib.sha256(canonical(record)).hexdigest():
        return "it was edited: its content does not match its hash"
    record["hash"] = found
    return record


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The object on a line, or None."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _schema(record: Mapping[str, Any]) -> str:
    """What keeps the object from being a record; empty when nothing does."""
    for key in _FRAME:
        if key not in record:
            return f"it has no {key}, so it is no record of this log"
        if type(record[key]) is not (int if key == "seq" else str):
            return f"its {key} is not of the right type"
    event = EVENTS.get(record["event"])
    if event is not None and event.code != record["code"]:
        return f"event {record['event']} has the code {event.code}, not {record['code']}"
    return ""
