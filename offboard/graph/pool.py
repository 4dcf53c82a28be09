"""Calls of many leavers, coalesced: who asks first in the playbook's order goes first, twenty to a `$batch`.

Breadth first: a call's priority is the place of its step in the playbook, so that everybody is disabled and signed out
before anybody's licenses are touched. A batch that is not full leaves only when nothing else is in the air, so that a single
leaver never waits for company and a thousand fill their batches. Writes wait until their quota suffices for a full batch;
reads pass them by. Reads of the same kind about several objects become one list (`lists.py`).
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offboard.clock import Clock
from offboard.errors import OffboardError
from offboard.graph.answers import Answer
from offboard.graph.lists import LIST, Kind, Listed, share_out
from offboard.graph.pace import RESERVE, Purse

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

BATCH = 20
AT_ONCE = 8
"""HTTP requests in the air; more would only slow httpx down, and four sustain the quota."""
READ_BACK = 1000
"""Priority from which a read may wait for company: nothing that is still to be done hangs on it."""
AHEAD = 1 << 60
SOON = 0.01
"""Seconds until somebody is looked at again for whom nothing else would wake us."""
PATIENT = 2.0
"""Seconds for which such a read waits while the quota keeps everything else waiting as well."""


@dataclass(order=True)
class _Call:
    priority: int
    number: int
    asked: RequestInformation | Listed = field(compare=False)
    write: bool = field(compare=False)
    answer: asyncio.Future[Answer] = field(compare=False)
    since: float = field(compare=False)
    taken: bool = field(default=False, compare=False)

    @property
    def over(self) -> bool:
        """Whether it is on its way already, or whoever asked is gone."""
        return self.taken or self.answer.done()


@dataclass(frozen=True)
class _Item:
    """What leaves as one request: a call, or several that share a list."""

    calls: tuple[_Call, ...]

    def info(self) -> RequestInformation:
        """The request."""
        first = self.calls[0].asked
        if not isinstance(first, Listed):
            return first
        shared = self.listed()
        return first.kind.about([each.name for each in shared]) if len(shared) > 1 else first.alone

    def listed(self) -> list[Listed]:
        """What the calls have in common, when it is a list."""
        return [call.asked for call in self.calls if isinstance(call.asked, Listed)]


@dataclass
class Pool:
    """The waiting calls of one connection.

    Args:
        transmit: Sends up to twenty independent calls.
        clock: Time.
        purse: The write quota.
        hold: Seconds for which nothing may leave at all, because Graph said so.
    """

    transmit: Callable[[list[RequestInformation]], Awaitable[list[Answer]]]
    clock: Clock
    purse: Purse
    hold: Callable[[], float]
    _reads: list[_Call] = field(default_factory=list)
    _writes: list[_Call] = field(default_factory=list)
    _company: dict[Kind, list[_Call]] = field(default_factory=dict)
    _number: int = 0
    _tokens: int = 0
    """Taken from the purse and not used yet."""
    _purse_opens: float = 0.0
    _in_air: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _pumping: bool = False
    _timer: bool = False

    async def ask(
        self, asked: Sequence[RequestInformation | Listed], *, priority: int, write: bool, ahead: bool = False
    ) -> list[Answer]:
        """Answers to independent calls, each sent exactly once; `ahead` of all others of the same priority."""
        loop, now = asyncio.get_running_loop(), self.clock.monotonic()
        calls = []
        for each in asked:
            self._number += 1
            number = self._number - AHEAD if ahead else self._number
            calls.append(_Call(priority, number, each, write, loop.create_future(), now))
            self._enter(calls[-1])
        self._wake()
        try:
            return list(await asyncio.gather(*(call.answer for call in calls)))
        finally:
            for call in calls:
                call.answer.cancel()  # of those not sent yet: whoever asked is gone, so they must not leave any more

    def _enter(self, call: _Call) -> None:
        call.taken = False
        heapq.heappush(self._writes if call.write else self._reads, call)
        if isinstance(call.asked, Listed) and call.asked.together:
            heapq.heappush(self._company.setdefault(call.asked.kind, []), call)

    def _wake(self) -> None:
        """Look at the queue when all who are ready now have asked."""
        if not self._pumping:
            self._pumping = True
            self._start(self._pump())

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self) -> None:
        await asyncio.sleep(0)  # whoever is ready now asks before we look
        self._pumping = False
        try:
            while self._in_air < AT_ONCE:
                pause = self.hold()
                items = self._next_batch() if pause <= 0 else []
                if not items:
                    break
                self._in_air += 1
                self._start(self._carry(items))
        except OffboardError as error:  # the purse cannot be reached: nothing may be written without it
            self._fail(self._writes, error)
        except Exception as error:  # a bug must end the program, and not leave everybody waiting for ever
            self._fail([*self._writes, *self._reads], error)
        self._wake_later()

    def _fail(self, calls: Sequence[_Call], error: BaseException) -> None:
        for call in calls:
            if not call.answer.done():
                call.answer.set_exception(error)

    def _wake_later(self) -> None:
        """When nobody who lands is going to wake us: at the end of a hold, or when the purse opens again."""
        if self._timer or (not _head(self._reads) and not _head(self._writes)):
            return
        pause = self.hold()
        if pause <= 0:
            pause = self._purse_opens - self.clock.monotonic() if _head(self._writes) else 0.0
            if pause <= 0 and self._in_air:
                return
        self._timer = True
        # Whatever the clocks say, who waits while nothing is in the air is looked at again.
        self._start(self._alarm(max(pause, SOON)))

    async def _alarm(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._timer = False
        self._wake()

    def _next_batch(self) -> list[_Item]:
        """What leaves now, in order; nothing when it is better to wait."""
        writable = self._writable()
        items: list[_Item] = []
        while len(items) < BATCH and (call := self._next(writable=writable)) is not None:
            items.append(_Item(self._with_company(call)))
            writable -= call.write
        if items and (len(items) == BATCH or self._may_leave(items)):
            self._tokens -= sum(item.calls[0].write for item in items)
            return items
        for item in items:
            for call in item.calls:
                self._enter(call)
        return []

    def _may_leave(self, items: Sequence[_Item]) -> bool:
        """Whether a batch leaves although it is not full."""
        first = items[0].calls[0]
        if first.priority < 0:  # urgent
            return True
        if self._in_air:
            return False  # company may still come; whoever lands wakes us
        if any(item.calls[0].write for item in items) or first.priority < READ_BACK:
            return True
        bound = len(self._writes) >= BATCH
        return not bound or self.clock.monotonic() - first.since >= PATIENT

    def _writable(self) -> int:
        """How many writes may leave now: enough for a full batch or for all there are, or none."""
        first = _head(self._writes)
        if first is None:
            if self._tokens:
                self.purse.give_back(self._tokens)
                self._tokens = 0
            return 0
        wanted = min(BATCH, len(self._writes))
        if first.priority < 0:
            wanted = sum(1 for call in self._writes if call.priority < 0 and not call.over)
            wanted = min(BATCH, wanted)
        now, reserve = self.clock.monotonic(), 0.0 if first.priority < 0 else RESERVE
        if self._tokens < wanted and (now >= self._purse_opens or not reserve):
            self._tokens += self.purse.take(wanted - self._tokens, reserve)
            if self._tokens < wanted:
                # A little later than could be: a clock that is asked too early grants one token less than a batch. From
                # the time it is now: the purse may be slow to answer, and a time that is past would wake nobody.
                wait = self.purse.wait(wanted - self._tokens, reserve)
                self._purse_opens = self.clock.monotonic() + wait + 0.01
        return self._tokens if self._tokens >= wanted else 0

    def _next(self, *, writable: int) -> _Call | None:
        """The call that is next; None when nothing more may leave now."""
        read, write = _head(self._reads), _head(self._writes) if writable > 0 else None
        if write is not None and (read is None or write < read):
            return heapq.heappop(self._writes)
        return heapq.heappop(self._reads) if read is not None else None

    def _with_company(self, call: _Call) -> tuple[_Call, ...]:
        """The call, and those that can share its list."""
        call.taken = True
        if not isinstance(call.asked, Listed) or not call.asked.together:
            return (call,)
        waiting, calls = self._company[call.asked.kind], [call]
        names = {call.asked.name.casefold()}
        aside = []
        while waiting and len(calls) < LIST:
            other = heapq.heappop(waiting)
            if other.over or not isinstance(other.asked, Listed):
                continue
            if other.asked.name.casefold() in names:  # two may ask for the same object; a list names it once
                aside.append(other)
                continue
            names.add(other.asked.name.casefold())
            other.taken = True
            calls.append(other)
        for other in aside:
            heapq.heappush(waiting, other)
        return tuple(calls)

    async def _carry(self, items: Sequence[_Item]) -> None:
        try:
            answers = await self.transmit([item.info() for item in items])
            for item, answer in zip(items, answers, strict=True):
                self._deliver(item, answer)
        except BaseException as error:
            self._fail([call for item in items for call in item.calls], error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._in_air -= 1
            self._wake()

    def _deliver(self, item: _Item, answer: Answer) -> None:
        shares = share_out(answer, item.listed()) if len(item.calls) > 1 else [answer]
        for call, share in zip(item.calls, shares, strict=True):
            if call.answer.done():
                continue
            if share is not None:
                call.answer.set_result(share)
            elif isinstance(call.asked, Listed):  # the list could not tell
                call.asked = call.asked.alone
                self._enter(call)


def _head(queue: list[_Call]) -> _Call | None:
    """The first call that is still to leave; those that are over are dropped."""
    while queue and queue[0].over:
        heapq.heappop(queue)
    return queue[0] if queue else None
