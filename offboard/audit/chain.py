"""The chain: how a record becomes bytes, and how a log is checked and read. Needs no structlog."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from offboard.audit.events import EVENTS, FRAME
from offboard.audit.recordshape import senseless
from offboard.errors import UsageError

_PREFIX = "sha256:"
ZERO = _PREFIX + "0" * 64
"""What stands in `prev` of the first record."""

MAX_LINE = 4 * 1024 * 1024
"""Bytes; longer records are neither written nor read."""

CAVEAT = (
    "Records cut off at the end, or a log rewritten as a whole, cannot be seen from the log alone. "
    "Keep the number and hash of the last record elsewhere, and compare."
)

_FRAME = tuple(sorted(FRAME))

# Control characters (orjson escapes those below 0x20 itself), line separators, and what turns or hides text.
_UNSAFE = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ASCII = bytes(range(0x7F))
_PERHAPS_UNSAFE = re.compile(rb"\x7f|\xc2[\x80-\x9f\xad]|\xd8\x9c|\xe2[\x80\x81]|\xef[\xbb\xbf]|\xf3\xa0")
"""The bytes with which these characters begin in UTF-8, or a few more."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first bad record.

    Args:
        line: 1-based.
        seq: The number the record at this place must have.
        reason: What is wrong, as a sentence.
    """

    line: int
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line} (record {self.seq}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A record's number and hash, to be kept where the log's writer cannot reach. Written `SEQ:sha256:HEX`."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """An anchor from its written form.

        Raises:
            UsageError: It is none.
        """
        found = re.fullmatch(r"([0-9]{1,15}):(sha256:[0-9a-f]{64})", text.strip())
        if found is None:
            raise UsageError(
                f"{text[:100]!r} is no anchor.",
                todo="An anchor is the number and the hash of a record: 42:sha256:…",
            )
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What the check of a log found.

    Args:
        records: Good records, from the beginning up to the first bad one.
        first: Hash of the first record; `ZERO` when there is none.
        last: Hash of the last good record; `ZERO` when there is none.
        problem: The first bad record, or None.
        recovered: Numbers of records that tell of a line torn by a crash.
        anchored: Whether an anchor was given and found to match.
    """

    records: int
    first: str
    last: str
    problem: Flaw | None = None
    recovered: tuple[int, ...] = ()
    anchored: bool = False

    @property
    def ok(self) -> bool:
        """Whether every record is as it was written."""
        return self.problem is None

    @property
    def anchor(self) -> Anchor:
        """The last good record, as an anchor."""
        return Anchor(self.records, self.last)

    @property
    def caveat(self) -> str:
        """What this check cannot see, in words."""
        return CAVEAT


def canonical(record: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed. Raises TypeError for what JSON cannot say."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def digest(record: Mapping[str, Any]) -> str:
    """`sha256:` over the canonical form of the record, `hash` left out."""
    return _PREFIX + hashlib.sha256(canonical({k: v for k, v in record.items() if k != "hash"})).hexdigest()


def line_of(record: Mapping[str, Any]) -> bytes:
    """The record's line, newline included."""
    return _escaped(canonical(record)) + b"\n"


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


def verify(path: Path, *, anchor: Anchor | None = None) -> Verification:
    """Check every record of the log, in one pass.

    Args:
        path: The log.
        anchor: A record's number and hash, kept elsewhere.

    Raises:
        UsageError: The file cannot be read.
    """
    count, first, prev, recovered, problem = 0, ZERO, ZERO, list[int](), None
    for line in _lines(path):
        count += 1
        record = check_line(line, count, prev)
        if isinstance(record, str):
            problem = Flaw(count, count, record)
            count -= 1
            break
        prev = record["hash"]
        if count == 1:
            first = prev
        if record["event"] == "tail-recovered":
            recovered.append(count)
        if anchor is not None and anchor.seq == count and anchor.hash != prev:
            problem = Flaw(count, count, "this is not the record that was anchored: the log was rewritten up to here")
            break
    if problem is None and anchor is not None and anchor.seq > count:
        missing = f"{count + 1} to {anchor.seq}" if anchor.seq > count + 1 else str(anchor.seq)
        problem = Flaw(count + 1, count + 1, f"cut off: the log was anchored with records {missing} in it")
    return Verification(count, first, prev, problem, tuple(recovered), anchor is not None and problem is None)


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


def read(
    path: Path, *, run: str | None = None, leaver: str | None = None, event: str | None = None
) -> Iterator[dict[str, Any]]:
    """Records in order, those that match every filter given. Does not verify; a torn last line is no record yet.

    Args:
        path: The log.
        run: A run's id, or its beginning.
        leaver: Object id or user principal name, in any case.
        event: An event's name or code.

    Raises:
        UsageError: The file cannot be read, or a line is not a record.
    """
    for number, line in enumerate(_lines(path), 1):
        if not line.endswith(b"\n"):
            return
        record = parse_line(line)
        wrong = "it is no object" if record is None else senseless(record)
        if record is None or wrong:
            raise UsageError(
                f"{path}:{number}: this line is not a record: {wrong}.",
                todo=f"Find out what happened to the log: offboard audit verify {path}",
            )
        if _matches(record, run, leaver, event):
            yield record


def _matches(record: Mapping[str, Any], run: str | None, leaver: str | None, event: str | None) -> bool:
    if run is not None and not str(record.get("run") or "").startswith(run):
        return False
    if event is not None and event not in (record.get("event"), record.get("code")):
        return False
    if leaver is None:
        return True
    who = record.get("leaver")
    names = (who.get("id"), who.get("upn")) if isinstance(who, dict) else ()
    return leaver.casefold() in {str(name).casefold() for name in names}


def _lines(path: Path) -> Iterator[bytes]:
    """Lines up to the end that the log had when no writer was in the middle of one."""
    try:
        with open(path, "rb") as file:
            left = _size(file)
            while left > 0 and (line := file.readline(min(left, MAX_LINE))):
                left -= len(line)
                yield line
    except OSError as error:
        raise UsageError(
            f"{path}: the audit log cannot be read.",
            why=f"{error.strerror}.",
            todo="Name the tenant whose log is meant, or the state folder with --state.",
        ) from error


def _size(file: BinaryIO) -> int:
    with contextlib.suppress(OSError):  # a file system without locks: then nobody holds one either
        fcntl.flock(file, fcntl.LOCK_SH)
    size = os.fstat(file.fileno()).st_size
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)
    return size
