"""The log's file: locked while a record is added, on the disk before anybody is told so, whole after a crash."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from offboard.audit.chain import MAX_LINE, ZERO, digest, parse_line
from offboard.audit.disk import Disk, Patience
from offboard.audit.reading import rotated
from offboard.audit.reserve import BEGINS, ENDS, FULL, Reserve
from offboard.audit.seal import Sealer
from offboard.errors import Stopped
from offboard.settings.lasting import sync_folder

T = TypeVar("T")
BLOCK = 64 * 1024
HOLE_WITHIN = 1024 * 1024
"""Bytes at the end in which a power cut may have left a hole: more is never written at once."""


class AuditError(Stopped):
    """The audit cannot be written, so nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: the next record's number, the hash it must hold, and the bytes before it."""

    seq: int = 1
    prev: str = ZERO
    end: int = 0


@dataclass(frozen=True, slots=True)
class Torn:
    """Bytes that a crash left at the end: a line that was never finished, or lines of which a power cut left pieces."""

    length: int
    sha256: str
    text: str
    kept: str = ""
    """Name of the file beside the log that keeps them, when there are whole lines among them."""


class LogFile:
    """One open log file. Threads and processes may share the file; each record is added under a lock.

    Args:
        path: The file; its folder must exist.
        disk: How records get onto it.
        chance: Makes the random bytes of a new key.

    Raises:
        AuditError: It cannot be opened, is no regular file, or others can write it.
    """

    def __init__(self, path: Path, disk: Disk, chance: Callable[[int], bytes]) -> None:
        self.path = path
        self._thread = threading.RLock()
        self._broken = ""
        self._head = Head()
        self._staged, self._staged_head, self._staged_ends = bytearray(), cast("Head | None", None), True
        self._disk, self._patience = disk, Patience(disk.patience)
        self.reserve, self.sealer = Reserve(path), Sealer(path, chance)
        try:
            self._fd = self._open()
        except OSError as error:
            raise self.error(error) from error

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            fd = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            fd = os.open(self.path, flags)
            self._check_kind(fd)
            return fd
        if earlier := rotated(self.path):
            os.close(fd)
            os.unlink(self.path)
            raise self.error(f"it is gone, while {earlier[-1].name}, which it follows, is still there")
        # The new name itself must survive a power cut, or the records in it would not be found.
        sync_folder(self.path.parent)
        return fd

    def _check_kind(self, fd: int) -> None:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_mode & 0o022:
            os.close(fd)
            why = "Others can write it" if stat.S_ISREG(info.st_mode) else "It is not a regular file"
            raise AuditError(
                f"{self.path}: the audit cannot be kept here, so nothing was sent.",
                why=f"{why} (mode {stat.S_IMODE(info.st_mode):04o}).",
                todo=f"Find out why, then: chmod go-w {self.path}",
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file alone; the end of the chain is re-read if somebody else has added to it.

        Raises:
            AuditError: The file is gone, damaged at its end, or cannot be locked.
        """
        with self._thread:
            if self._broken:
                raise self.error(self._broken)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.waited(lambda: fcntl.flock(self._fd, fcntl.LOCK_EX))
            except OSError as error:
                raise self.error(error) from error
            try:
                self._refresh()
                yield
            except OSError as error:
                raise self.error(error) from error
            finally:
                self.unstage()
                with contextlib.suppress(OSError):  # closing the file lets go as well
                    fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _refresh(self) -> None:
        info, named = os.fstat(self._fd), os.stat(self.path, follow_symlinks=False)
        while not os.path.samestat(info, named):
            self._follow(info)
            info, named = os.fstat(self._fd), os.stat(self.path, follow_symlinks=False)
        if info.st_size == self._head.end:
            return
        if info.st_size < self._head.end:
            raise self.error("the file became shorter while in use: somebody cut it")
        self._head = self._read_head(info.st_size)

    def _follow(self, mine: os.stat_result) -> None:
        """Go on in the new file, when another process has rotated the log."""
        if not any(os.path.samestat(mine, os.stat(each)) for each in rotated(self.path)):
            raise self.error("the file was moved or replaced while in use")
        fd = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        self._check_kind(fd)
        try:
            self.waited(lambda: fcntl.flock(fd, fcntl.LOCK_EX))
        except BaseException:
            os.close(fd)
            raise
        self._adopt(fd, Head())

    def _adopt(self, fd: int, head: Head) -> None:
        before, self._fd, self._head = self._fd, fd, head
        os.close(before)

    def mend(self) -> None:
        """Undo a rotation that a crash interrupted. Call it while the file is locked."""
        new = self._new()
        if not new.exists():
            return
        mine = os.fstat(self._fd)
        for each in rotated(self.path):
            if os.path.samestat(mine, os.stat(each)):
                os.unlink(each)  # the log itself stays: this is its second name
        os.unlink(new)
        sync_folder(self.path.parent)

    def _new(self) -> Path:
        return self.path.with_name(self.path.name + ".new")

    def archive(self) -> Path:
        """The name under which the records so far are kept. Call it while the file is locked."""
        record = parse_line(os.pread(self._fd, MAX_LINE, 0).partition(b"\n")[0])
        if record is None or not isinstance(record.get("seq"), int):
            raise self.error("its first record is damaged")
        return self.path.with_name(f"{self.path.stem}.{record['seq']}-{self._head.seq - 1}{self.path.suffix}")

    def move_to(self, archive: Path) -> None:
        """Begin a new file with what was staged; the one so far gets this name. Call it while the file is locked.

        Raises:
            AuditError: It was not done; the log goes on where it was.
        """
        new, data, head = self._new(), bytes(self._staged), self.head
        self.unstage()
        self.mend()
        fd = -1
        try:
            fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            # Locked before it has its name: nobody adds to it before we are done.
            fcntl.flock(fd, fcntl.LOCK_EX)
            self._write(data, 0, fd)
            self._disk.sync(fd)
            os.link(self.path, archive)
            sync_folder(self.path.parent)  # or a power cut could keep the new file's name and lose the old one's
            os.replace(new, self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            with contextlib.suppress(OSError):
                self.mend()
            raise self.error(error) from error
        self._adopt(fd, Head(head.seq, head.prev, len(data)))

    def _read_head(self, size: int) -> Head:
        if self._head == Head():
            size = self._hole_before(size)
        end = self._newline_before(size) + 1
        if end == 0:
            return Head(end=0)
        begin = self._newline_before(end - 1) + 1
        record = parse_line(os.pread(self._fd, end - begin, begin))
        sound = record is not None and isinstance(record.get("seq"), int) and record.get("hash") == digest(record)
        if record is None or not sound:
            raise self.error("its last record is damaged; nothing can be chained to it")
        return Head(record["seq"] + 1, record["hash"], end)

    def _newline_before(self, end: int) -> int:
        """Offset of the last newline before `end`; -1 when there is none."""
        while end > 0:
            begin = max(0, end - BLOCK)
            found = os.pread(self._fd, end - begin, begin).rfind(b"\n")
            if found >= 0:
                return begin + found
            end = begin
        return -1

    def _hole_before(self, end: int) -> int:
        """Where the last append lost a block that never reached the disk while a later one did; `end` when nowhere.

        A file system fills such a hole with zero bytes, which no record holds. What was appended with it was not synced,
        so nothing had been sent on its word.
        """
        begin = max(0, end - HOLE_WITHIN)
        found = os.pread(self._fd, end - begin, begin).find(b"\0")
        return end if found < 0 else begin + found

    @property
    def head(self) -> Head:
        """Where the chain ends, staged records included. Call it while the file is locked."""
        return self._staged_head or self._head

    def torn(self) -> Torn | None:
        """The unfinished line at the end, if there is one. Call it while the file is locked."""
        size = os.fstat(self._fd).st_size
        if size <= self._head.end:
            return None
        checksum, offset, lines = hashlib.sha256(), self._head.end, 0
        beginning = os.pread(self._fd, 400, offset)
        while block := os.pread(self._fd, BLOCK, offset):
            checksum.update(block)
            lines += block.count(b"\n")
            offset += len(block)
        kept = self._keep(self._head.end, size) if lines else ""
        return Torn(size - self._head.end, checksum.hexdigest(), beginning.decode("utf-8", "replace"), kept)

    def _keep(self, begin: int, end: int) -> str:
        """Copy the end of the log beside it, before it is cut off; the copy's name."""
        copy = self.path.with_name(f"{self.path.name}.torn-{self._head.seq}")
        with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(os.pread(self._fd, end - begin, begin))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path.parent)
        return copy.name

    def stage(self, line: bytes, hash: str, event: str) -> None:
        """Add a record to those that `commit` writes. Call it while the file is locked.

        Raises:
            AuditError: It is too long; or something begins with it, and there is no room to record how it ends.
        """
        if event in BEGINS and not self.reserve.ready():
            self.waited(self.reserve.keep)
        if len(line) > MAX_LINE:
            raise self.error(f"a record of {len(line)} bytes is too long")
        if len(self._staged) + len(line) > HOLE_WITHIN:
            self.commit()
        head = self.head
        self._staged += line
        self._staged_ends &= event in ENDS
        self._staged_head = Head(head.seq + 1, hash, head.end + len(line))

    def commit(self) -> None:
        """Append what was staged, as one piece, and wait until the disk has it. Call it while the file is locked.

        Raises:
            AuditError: It is not (wholly) on the disk; what was written of it is taken back where possible.
        """
        if self._staged_head is None:
            return
        end, then, data = self._head.end, self._staged_head, bytes(self._staged)
        self.waited(lambda: self._put(data, end))
        self._head = then
        self.unstage()

    def waited(self, work: Callable[[], T]) -> T:
        """Have it done, or give the disk up.

        Raises:
            AuditError: It took too long, or failed.
        """
        try:
            return self._patience.do(work)
        except TimeoutError as error:
            # It may come to an end yet, so nobody knows what the disk holds.
            self._broken = str(error)
            raise self.error(self._broken) from error
        except OSError as error:
            raise self.error(error) from error

    def _put(self, data: bytes, end: int) -> None:
        try:
            try:
                self._write(data, end)
            except OSError as error:
                if error.errno not in FULL or not self._staged_ends or not self.reserve.let_go():
                    raise
                self._write(data, end)
            # Over a torn line: its rest goes only after the record that tells of it is there.
            self._disk.cut(self._fd, end + len(data))
        except OSError:
            with contextlib.suppress(OSError):  # else the next writer finds a torn line and says so
                self._disk.cut(self._fd, end)
            raise
        try:
            self._disk.sync(self._fd)
        except OSError as error:
            # After a failed sync nobody knows what the disk holds, and trying again would report a success it is not.
            self._broken = f"{error.strerror} while waiting for the disk"
            raise

    def unstage(self) -> None:
        """Forget what was staged and not committed."""
        self._staged, self._staged_head, self._staged_ends = bytearray(), None, True

    def _write(self, data: bytes, offset: int, fd: int | None = None) -> None:
        view = memoryview(data)
        while view:
            written = self._disk.write(self._fd if fd is None else fd, view, offset)
            if written <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            view, offset = view[written:], offset + written

    def close(self) -> None:
        """Close the file; nothing can be written any more."""
        with self._thread:
            if not self._broken:
                self._broken = "it was closed"
                with contextlib.suppress(OSError):
                    os.close(self._fd)

    def error(self, cause: OSError | str) -> AuditError:
        """The error for whatever keeps a record from being written."""
        why = (cause.strerror or str(cause)) if isinstance(cause, OSError) else cause
        return AuditError(
            f"{self.path}: the audit cannot be written, so nothing is sent.",
            why=f"{why[:1].upper()}{why[1:]}.",
            todo="Make room or repair it (offboard audit verify tells whether the log is whole), then resume.",
        )
