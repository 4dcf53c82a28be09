"""What many leavers have to write down at the same moment is written in one go: one append to the audit, one transaction.

The answers of twenty calls come in one batch, so twenty leavers have something to say at once. Each waits until it is on the
disk, in both places, before its next request leaves; that it waits in company changes nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from offboard.audit import Audit, AuditError
from offboard.errors import OffboardError
from offboard.model import JSON
from offboard.runs.engine.changes import FREE, Bar, News
from offboard.runs.store import Store

Record = tuple[str, Mapping[str, JSON]]
"""An event, and what is said of it."""


@dataclass(eq=False)
class Entry:
    """What one leaver has to write down.

    Args:
        news: For the store.
        told: For the audit: the outcomes.
        intents: For the audit: the intents.
        written: Called when it is on the disk, with whether the intents are, too.
    """

    audit: Audit
    store: Store
    news: News
    told: Sequence[Record]
    intents: Sequence[Record]
    written: Callable[[bool], None]
    bar: Bar = FREE
    """Why it was not written, or its intents were not."""
    _done: asyncio.Future[None] | None = None

    @property
    def intends(self) -> bool:
        """Whether anything is to leave that may, and whoever wants it is still there."""
        gone = self._done is not None and self._done.cancelled()
        return bool(self.intents or self.news.intents) and not gone and not self.bar.why

    def wait(self) -> asyncio.Future[None]:
        """Until it is written."""
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def end(self, error: BaseException | None = None) -> None:
        """Tell whoever waits."""
        if self._done is None or self._done.done():
            return
        if error is not None:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)


@dataclass
class Scribe:
    """Writes for all leavers of one process.

    Args:
        fail: Told at once when the audit cannot be written: a batch may be about to leave.
    """

    fail: Callable[[OffboardError], None]
    _waiting: list[Entry] = field(default_factory=list)

    async def write(self, entry: Entry) -> None:
        """Write it down, together with what others have to say now.

        Raises:
            AuditError: It is not in the audit; nothing may be sent.
            Interrupted: This process may not act for the leaver (any more).
        """
        done = entry.wait()
        self._waiting.append(entry)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self.catch_up)  # whoever is ready now comes along
        await done
        if entry.bar.why:
            raise entry.bar.interrupted()

    def write_now(self, entry: Entry) -> None:
        """Write it down before anything else happens, after what others have said before.

        Raises:
            AuditError: As `write`.
            Interrupted: As `write`.
        """
        self.catch_up()
        self._write_down([entry])
        if entry.bar.why:
            raise entry.bar.interrupted()

    def catch_up(self) -> None:
        """Write down what is waiting, now."""
        entries, self._waiting = self._waiting, []
        if not entries:
            return
        try:
            self._write_down(entries)
        except Exception as error:
            for entry in entries:
                entry.end(error)
        else:
            for entry in entries:
                entry.end()

    def _write_down(self, entries: Sequence[Entry]) -> None:
        """The audit first, the store second. Whoever lost the lease must not speak over the process that has gone on."""
        store = entries[0].store
        for entry, bar in zip(entries, store.changes.may_write([entry.news for entry in entries]), strict=True):
            entry.bar = bar if bar.lost or entry.intends else FREE
        heard = [entry for entry in entries if not entry.bar.lost]
        records = [(entry.audit, *record) for entry in heard for record in _said(entry)]
        if records:
            try:
                entries[0].audit.write_all(records)
            except AuditError as error:
                self.fail(error)
                raise
        # Asked again in the transaction: the lease may have been lost while the disk was slow.
        for entry, bar in zip(heard, store.changes.write([_kept(entry) for entry in heard]), strict=True):
            entry.bar = bar if bar.why else entry.bar
            entry.written(entry.intends)


def _said(entry: Entry) -> list[Record]:
    return [*entry.told, *(entry.intents if entry.intends else ())]


def _kept(entry: Entry) -> News:
    return entry.news if entry.intends else replace(entry.news, intents=())
