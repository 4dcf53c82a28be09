"""Reading the log: its files in order, their lines, and the records that somebody asks for. Verifies nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from offboard.audit.chain import MAX_LINE, parse_line
from offboard.audit.disk import PATIENCE, Patience
from offboard.audit.recordshape import senseless
from offboard.errors import UsageError


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
    for file, number, line in lines_of(path):
        if not line.endswith(b"\n"):
            return
        record = parse_line(line)
        wrong = "it is no object" if record is None else senseless(record)
        if record is None or wrong:
            raise UsageError(
                f"{file}:{number}: this line is not a record: {wrong}.",
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


def rotated(path: Path) -> list[Path]:
    """The files that the log's earlier records were moved to, oldest first."""
    form = re.compile(re.escape(path.stem) + r"\.([0-9]{1,15})-([0-9]{1,15})" + re.escape(path.suffix))
    try:
        found = [(int(m[1]), path.with_name(m[0])) for name in os.listdir(path.parent) if (m := form.fullmatch(name))]
    except OSError:
        return []
    return [each for _, each in sorted(found)]


def lines_of(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """File, number and bytes of each line, beginning with the oldest rotated file, as far as the log had come.

    Args:
        path: The log; of a rotated file, the files before it are read as well.

    Raises:
        UsageError: A file cannot be read.
    """
    earlier = re.fullmatch(r"(.+)\.([0-9]{1,15})-[0-9]{1,15}", path.stem)
    base, before = (path.with_name(earlier[1] + path.suffix), int(earlier[2])) if earlier else (path, 10**15)
    with _opened(path) as last:
        # Opened before the others are looked for: should it be rotated meanwhile, nothing is read twice or not at all.
        size, mine = _size(last), os.fstat(last.fileno())
        for each in rotated(base):
            first = int(each.stem.rpartition(".")[2].partition("-")[0])
            if first < before:
                with _opened(each) as file:
                    if not os.path.samestat(os.fstat(file.fileno()), mine):
                        yield from _lines(each, file, _size(file))
        yield from _lines(path, last, size)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise UsageError(
            f"{path}: the audit log cannot be read.",
            why=f"{error.strerror}.",
            todo="Name the tenant whose log is meant, or the state folder with --state.",
        ) from error


def _lines(path: Path, file: BinaryIO, left: int) -> Iterator[tuple[Path, int, bytes]]:
    number = 0
    while left > 0 and (line := file.readline(min(left, MAX_LINE))):
        left -= len(line)
        number += 1
        yield path, number, line


def _size(file: BinaryIO, patience: float = PATIENCE) -> int:
    """The end that the log had when no writer was in the middle of a record."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(TimeoutError):  # a writer hangs: its record is torn, and is told as that
            Patience(patience).do(lambda: fcntl.flock(file, fcntl.LOCK_SH))
    except OSError:
        pass  # a file system without locks: then nobody holds one either
    size = os.fstat(file.fileno()).st_size
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)
    return size
