"""Writing the audit."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from offboard.audit.chain import time_text
from offboard.audit.disk import REAL, Disk
from offboard.audit.file import AuditError, LogFile
from offboard.audit.reserve import BEGINS
from offboard.audit.seal import EVERY
from offboard.audit.told import Told, told

if TYPE_CHECKING:
    from offboard.audit.pipeline import Recorder

__all__ = ["Audit", "AuditError"]

ROTATE_AT = 64 * 1024 * 1024
"""Bytes; about 80,000 records."""


class Audit:
    """An open audit log. Made by `Audit.open`; `bind` gives another one that writes to the same log."""

    def __init__(self, file: LogFile, own: Recorder, now: Callable[[], datetime], rotate_at: int) -> None:
        self._file = file
        self._own = own  # the log's own records hold nothing that a caller bound
        self._recorder = own
        self._now = now
        self._rotate_at = rotate_at
        self._sealer = file.sealer

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        now: Callable[[], datetime],
        disk: Disk = REAL,
        rotate_at: int = ROTATE_AT,
        chance: Callable[[int], bytes] = os.urandom,
    ) -> Audit:
        """Open the log, or make it (mode 0600). A line torn by a crash is cut off and told of in a record.

        Args:
            path: `audit.jsonl` of one tenant; its folder must exist.
            now: The time of day, with zone.
            disk: How records get onto the disk, and how long that may take.
            rotate_at: Bytes; a file that has grown so large is followed by a new one.
            chance: Makes the random bytes of the key that signs, when there is none yet.

        Raises:
            AuditError: It cannot be written, is damaged at its end, or others can write it.
        """
        from offboard.audit.pipeline import recorder

        file = LogFile(path, disk, chance)
        try:
            log = cls(file, recorder(file, now), now, rotate_at)
            with file.locked():
                file.mend()
                log._recover()
                file.commit()
        except BaseException:
            file.close()
            raise
        return log

    def bind(self, **context: Any) -> Audit:
        """The same log, with these fields in every record.

        Args:
            context: Fields as for `write`.
        """
        bound = Audit(self._file, self._own, self._now, self._rotate_at)
        bound._recorder = self._recorder.bind(**context)
        return bound

    def write(self, event: str, **fields: Any) -> dict[str, Any]:
        """Add one record. When this returns, the record is on the disk.

        Args:
            event: A name from `EVENTS`.
            fields: `run`, `plan`, `step`, `action`, `outcome`, `why`, `actor` (texts), `leaver`, `change`, `graph`,
                `detail` (objects). Others are put into `detail`; None is left out. Secrets are hidden, texts cut
                at 512 characters.

        Returns:
            The record as written.

        Raises:
            AuditError: It is not on the disk; the caller sends nothing.
            ValueError: There is no such event, or a field is the log's own.
            TypeError: A value has no place in JSON, or is a fraction.
        """
        return self.write_many([(event, fields)])[0]

    def write_many(self, records: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Add records, all or none, with one append and one wait for the disk. On return they are on the disk.

        A crash in the middle leaves the first few of them, whole; like a single intent whose request never left.

        Args:
            records: Event and fields, as for `write`, in order.

        Returns:
            The records as written.

        Raises:
            AuditError: None of them is on the disk for sure; the caller sends nothing.
            ValueError: There is no such event, or a field is the log's own; nothing was written.
            TypeError: A value has no place in JSON, or is a fraction; nothing was written.
        """
        return self.write_all((self, event, fields) for event, fields in records)

    def write_all(self, records: Iterable[tuple[Audit, str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """As `write_many`, each record with what its own writer is bound to; all of them are bound to this log."""
        with self._file.locked():
            if not self._recover():
                self._rotate_if_large()
            written = [writer._record(event, fields) for writer, event, fields in records]
            self._file.commit()
            return written

    def told(self, run: str, leavers: Collection[str]) -> Told:
        """What an interrupted process has said of the changes of these leavers.

        Args:
            run: The run's id.
            leavers: Object ids.

        Raises:
            AuditError: The log cannot be read.
        """
        try:
            return told(self._file.path, run, leavers)
        except OSError as error:
            raise self._file.error(error) from error

    def rotate(self) -> Path:
        """Begin a new file; the records so far stay in one beside it, named after their numbers. Nothing is removed.

        Returns:
            The file that they were moved to.

        Raises:
            AuditError: It is not on the disk; the log goes on where it was.
        """
        with self._file.locked():
            self._recover()
            if self._file.head.seq == 1:
                raise self._file.error("it holds no record yet")
            return self._rotate()

    def _rotate(self) -> Path:
        self._checkpoint()
        if self._file.head.seq % EVERY == 0:
            self._checkpoint()
        self._file.commit()
        head = self._file.head
        archive = self._file.archive()
        first = int(archive.stem.rpartition(".")[2].partition("-")[0])
        about = {"file": archive.name, "first": first, "last": head.seq - 1, "hash": head.prev}
        self._own.record("rotated", detail=about)
        self._file.move_to(archive)
        return archive

    def _rotate_if_large(self) -> None:
        if self._file.head.end < self._rotate_at:
            return
        try:
            self._rotate()
        except AuditError:
            # A log that is too large is still a log. If the disk is to blame, the record itself says so next.
            self._file.unstage()

    def _record(self, event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        if event in BEGINS and not self._sealer.has_key:
            self._file.waited(self._sealer.ready)
        if self._file.head.seq % EVERY == 0:
            self._checkpoint()
        written = self._recorder.record(event, **fields)
        if event == "run-ended" or self._sealer.stale(written["seq"], datetime.fromisoformat(written["time"])):
            self._checkpoint()
        return written

    def seal(self) -> None:
        """Sign what a run has written, if it stays unsigned for too long; asked for while the run goes on.

        Raises:
            AuditError: It is not on the disk.
        """
        now = self._now()
        if not self._sealer.waits(now):
            return  # asked every few seconds, by everything that is carried out: the lock is left alone
        with self._file.locked():
            self._recover()
            if self._sealer.stale(self._file.head.seq - 1, now):
                self._checkpoint()
            self._file.commit()

    def _checkpoint(self) -> None:
        head = self._file.head
        if head.seq > 1:
            now = self._now()
            detail = self._file.waited(lambda: self._sealer.seal(head.seq - 1, head.prev, time_text(now)))
            self._own.record("checkpoint", detail=detail)
            self._sealer.signed(head.seq, now)

    def _recover(self) -> bool:
        """Tell of what a crash left at the end; gives whether there was anything."""
        torn = self._file.torn()
        if torn is not None:
            if self._file.head.seq % EVERY == 0:
                self._checkpoint()
            about = {"bytes": torn.length, "sha256": torn.sha256, "begins": torn.text, "kept": torn.kept or None}
            about = {key: value for key, value in about.items() if value is not None}
            self._own.record("tail-recovered", detail=about)
        return torn is not None

    def close(self) -> None:
        """Close the log for all that are bound to it."""
        self._file.close()

    def __enter__(self) -> Audit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
