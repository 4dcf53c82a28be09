"""Whether a log is as it was written: every record, every checkpoint, and what an anchor says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offboard.audit.chain import ZERO, check_line, parse_line
from offboard.audit.reading import lines_of
from offboard.audit.seal import EVERY, doubt
from offboard.errors import UsageError

CAVEAT = (
    "What no log shows by itself: records cut off at the end, and a log rewritten and signed anew by somebody who can read "
    "the key beside it. "
)
WITHOUT_ANCHOR = "Keep an anchor elsewhere (offboard audit anchor) and compare with it: --anchor LINE."
AFTER_ANCHOR = "Up to the anchor both are ruled out; what was written after it is protected by the next one."


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first bad record.

    Args:
        line: 1-based, in its file.
        seq: The number the record at this place must have.
        reason: What is wrong, as a sentence.
        file: The file's name, when it is a rotated one.
    """

    line: int
    seq: int
    reason: str
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.file else f"line {self.line}"
        return f"{place} (record {self.seq}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A record's number and hash, and the key that signs the log; to be kept where the log's writer cannot reach.

    Written `SEQ:sha256:HEX`, and where the log is signed `SEQ:sha256:HEX:ed25519:HEX`.
    """

    seq: int
    hash: str
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """An anchor from its written form.

        Raises:
            UsageError: It is none.
        """
        found = re.fullmatch(r"([0-9]{1,15}):(sha256:[0-9a-f]{64})(?::(ed25519:[0-9a-f]{64}))?", text.strip())
        if found is None:
            raise UsageError(
                f"{text[:100]!r} is no anchor.",
                todo="An anchor is the number and the hash of a record: 42:sha256:…",
            )
        return cls(int(found[1]), found[2], found[3] or "")

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}" + (f":{self.key}" if self.key else "")


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
        signed: Number of the last record that a checkpoint vouches for; 0 when there is no checkpoint.
        key: The key that signed them, `ed25519:HEX`; empty when there is no checkpoint.
        trusted: Whether the key was known beforehand; else the log itself named it.
        files: Files that the log stands in.
    """

    records: int
    first: str
    last: str
    problem: Flaw | None = None
    recovered: tuple[int, ...] = ()
    anchored: bool = False
    signed: int = 0
    key: str = ""
    trusted: bool = False
    files: int = 1

    @property
    def ok(self) -> bool:
        """Whether every record is as it was written."""
        return self.problem is None

    @property
    def anchor(self) -> Anchor:
        """The last good record, as an anchor."""
        return Anchor(self.records, self.last, self.key)

    @property
    def caveat(self) -> str:
        """What this check cannot see, in words."""
        return CAVEAT + (WITHOUT_ANCHOR if not self.anchored else AFTER_ANCHOR)

    @property
    def vouched(self) -> str:
        """How far the checkpoints reach, in words."""
        if not self.signed:
            return "No checkpoint stands in it: nothing is signed."
        rest = self.records - self.signed - 1  # the checkpoint itself is its own signature
        unsigned = {0: "", 1: " The record after it is not signed."}.get(
            rest, f" The {rest} records after it are not signed."
        )
        known = "" if self.trusted else " That key is named by the log alone: compare it with one kept elsewhere."
        return f"Signed up to record {self.signed} with {self.key}.{unsigned}{known}"


@dataclass
class _Walk:
    """Where the check stands.

    Args:
        anchor: A record's number and hash, kept elsewhere.
        key: The key that must have signed; empty when none is known yet.
    """

    anchor: Anchor | None
    key: str
    count: int = 0
    first: str = ZERO
    prev: str = ZERO
    signed: int = 0
    recovered: list[int] = field(default_factory=list)

    def begin(self, line: bytes) -> str:
        """Where the log begins; earlier files may be kept elsewhere when the anchor is the record before."""
        record = parse_line(line)
        seq = record.get("seq") if record is not None else None
        if (
            not isinstance(seq, int)
            or isinstance(seq, bool)
            or seq < 2
            or record is None
            or record.get("event") != "rotated"
        ):
            return ""
        if self.anchor is None or (self.anchor.seq, self.anchor.hash) != (seq - 1, record.get("prev")):
            return f"the files with the records before it are not here; without them, anchor record {seq - 1}"
        self.count, self.prev = seq - 1, self.anchor.hash
        return ""

    def take(self, line: bytes) -> str:
        """What is wrong with the next line; empty when nothing is, and then it counts."""
        seq = self.count + 1
        record = check_line(line, seq, self.prev)
        if isinstance(record, str):
            return record
        if wrong := self._unsealed(record, seq):
            return wrong
        self.count, self.prev = seq, record["hash"]
        self.first = self.prev if self.first == ZERO else self.first
        if record["event"] == "tail-recovered":
            self.recovered.append(seq)
        if self.anchor is not None and self.anchor.seq == seq and self.anchor.hash != self.prev:
            return "this is not the record that was anchored: the log was rewritten up to here"
        return ""

    def _unsealed(self, record: dict[str, Any], seq: int) -> str:
        if record["event"] != "checkpoint":
            return "a checkpoint must stand here, and does not" if self.key and seq % EVERY == 0 else ""
        if wrong := doubt(record, self.key):
            return wrong
        self.key, self.signed = record["detail"]["public_key"], seq - 1
        return ""


def verify(path: Path, *, anchor: Anchor | None = None, key: str = "") -> Verification:
    """Check every record of the log, in one pass over all its files.

    Args:
        path: The log; the rotated files beside it are part of it.
        anchor: A record's number and hash, kept elsewhere.
        key: The key that must have signed the checkpoints, `ed25519:HEX`; the anchor's when left out.

    Raises:
        UsageError: A file cannot be read.
    """
    known = key or (anchor.key if anchor is not None else "")
    walk, problem, files = _Walk(anchor, known), None, list[Path]()
    for file, number, line in lines_of(path):
        wrong, seq = walk.begin(line) if not files else "", walk.count + 1
        if not files or files[-1] is not file:
            files.append(file)
        if wrong := wrong or walk.take(line):
            problem = Flaw(number, seq, wrong, file.name if file != path else "")
            break
    if problem is None:
        problem = _missing(walk)
    anchored = anchor is not None and problem is None
    return Verification(
        records=walk.count,
        first=walk.first,
        last=walk.prev,
        problem=problem,
        recovered=tuple(walk.recovered),
        anchored=anchored,
        signed=walk.signed,
        key=walk.key if walk.signed else "",
        trusted=bool(known) and bool(walk.signed),
        files=max(1, len(files)),
    )


def _missing(walk: _Walk) -> Flaw | None:
    anchor, count = walk.anchor, walk.count
    if anchor is None or anchor.seq <= count:
        return None
    missing = f"{count + 1} to {anchor.seq}" if anchor.seq > count + 1 else str(anchor.seq)
    return Flaw(count + 1, count + 1, f"cut off: the log was anchored with records {missing} in it")
