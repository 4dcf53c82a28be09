"""Writing the audit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from offboard.audit.disk import REAL, Disk
from offboard.audit.file import AuditError, LogFile
from offboard.audit.told import Told, told

if TYPE_CHECKING:
    from offboard.audit.pipeline import Recorder

__all__ = ["Audit", "AuditError"]


class Audit:
    """An open audit log. Made by `Audit.open`; `bind` gives another one that writes to the same log."""

    def __init__(self, file: LogFile, recorder: Recorder) -> None:
        self._file = file
        self._recorder = recorder

    @classmethod
    def open(cls, path: Path, *, now: Callable[[], datetime], disk: Disk = REAL) -> Audit:
        """Open the log, or make it (mode 0600). A line torn by a crash is cut off and told of in a record.

        Args:
            path: `audit.jsonl` of one tenant; its folder must exist.
            now: The time of day, with zone.
            disk: How records get onto the disk, and how long that may take.

        Raises:
            AuditError: It cannot be written, is damaged at its end, or others can write it.
        """
        from offboard.audit.pipeline import recorder

        file = LogFile(path, disk)
        try:
            log = cls(file, recorder(file, now))
            with file.locked():
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
        return Audit(self._file, self._recorder.bind(**context))

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
        with self._file.locked():
            self._recover()
            written = [self._recorder.record(event, **fields) for event, fields in records]
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

    def _recover(self) -> None:
        torn = self._file.torn()
        if torn is not None:
            about = {"bytes": torn.length, "sha256": torn.sha256, "begins": torn.text, "kept": torn.kept or None}
            about = {key: value for key, value in about.items() if value is not None}
            self._recorder.new().record("tail-recovered", detail=about)

    def close(self) -> None:
        """Close the log for all that are bound to it."""
        self._file.close()

    def __enter__(self) -> Audit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
