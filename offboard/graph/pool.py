"""Calls of many leavers, coalesced: who asks first in the playbook's order goes first, twenty to a `$batch`.

Breadth first: a call's priority is the place of its step in the playbook, so that everybody is disabled and signed out
before anybody's licenses are touched. A batch that is not full leaves only when nothing else is in the air, so that a single
leaver never waits for company and a thousand fill their batches. Writes wait for their quota; reads pass them by.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offboard.clock import Clock
from offboard.graph.answers import Answer
from offboard.graph.pace import Bucket

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

BATCH = 20
AT_ONCE = 8
"""HTTP requests in the air; more would only slow httpx down, and four sustain the quota."""


@dataclass(order=True)
class _Call:
    priority: int
    number: int
    info: RequestInformation = field(compare=False)
    write: bool = field(compare=False)
    answer: asyncio.Future[Answer] = field(compare=False)


@dataclass
class Pool:
    """The waiting calls of one connection.

    Args:
        transmit: Sends up to twenty independent calls.
        clock: Time.
        writes: The write quota.
        hold: Seconds for which nothing may leave at all, because Graph said so.
    """

    transmit: Callable[[list[RequestInformation]], Awaitable[list[Answer]]]
    clock: Clock
    writes: Bucket
    hold: Callable[[], float]
    _reads: list[_Call] = field(default_factory=list)
    _writes: list[_Call] = field(default_factory=list)
    _number: int = 0
    _in_air: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _pumping: bool = False
    _timer: bool = False

    async def ask(self, infos: Sequence[RequestInformation], *, priority: int, write: bool) -> list[Answer]:
        """Answers to independent calls, each sent exactly once."""
        loop = asyncio.get_running_loop()
        calls = []
        for info in infos:
            self._number += 1
            calls.append(_Call(priority, self._number, info, write, loop.create_future()))
            heapq.heappush(self._queue(calls[-1]), calls[-1])
        self._wake()
        try:
            return list(await asyncio.gather(*(call.answer for call in calls)))
        finally:
            for call in calls:
                call.answer.cancel()  # of those not sent yet: whoever asked is gone, so they must not leave any more

    def _wake(self) -> None:
        """Look at the queue when all who are ready now have asked."""
        if not self._pumping:
            self._pumping = True
            self._start(self._pump())

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _queue(self, call: _Call) -> list[_Call]:
        return self._writes if call.write else self._reads

    async def _pump(self) -> None:
        await asyncio.sleep(0)  # whoever is ready now asks before we look
        self._pumping = False
        while (self._reads or self._writes) and self._in_air < AT_ONCE:
            pause = self.hold()
            calls = [] if pause > 0 else self._take()
            if calls and (len(calls) == BATCH or self._in_air == 0):
                self._in_air += 1
                self._start(self._carry(calls))
                continue
            self._put_back(calls)
            if not calls and self._writes:
                wanted = min(BATCH, len(self._writes))
                pause = max(pause, self.writes.wait(wanted, self.clock.monotonic()))
            if pause > 0:
                self._wake_in(pause)
            return  # else: company may still come; whoever lands wakes us

    def _wake_in(self, seconds: float) -> None:
        if not self._timer:
            self._timer = True
            self._start(self._alarm(seconds))

    async def _alarm(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._timer = False
        self._wake()

    def _take(self) -> list[_Call]:
        """The next calls, in order; writes only as far as their quota goes."""
        taken: list[_Call] = []
        while len(taken) < BATCH and (queue := self._next()) is not None:
            taken.append(heapq.heappop(queue))
            if taken[-1].write:
                self.writes.take(1, self.clock.monotonic())
        return taken

    def _next(self) -> list[_Call] | None:
        """The queue whose head is next; None when nothing may leave now."""
        for queue in (self._reads, self._writes):
            while queue and queue[0].answer.done():  # whoever asked is gone
                heapq.heappop(queue)
        writable = self._writes and self.writes.level(self.clock.monotonic()) >= 1
        if not writable:
            return self._reads or None
        return self._writes if not self._reads or self._writes[0] < self._reads[0] else self._reads

    def _put_back(self, calls: Sequence[_Call]) -> None:
        for call in calls:
            heapq.heappush(self._queue(call), call)
            if call.write:
                self.writes.give_back()

    async def _carry(self, calls: list[_Call]) -> None:
        try:
            answers = await self.transmit([call.info for call in calls])
            for call, answer in zip(calls, answers, strict=True):
                if not call.answer.done():
                    call.answer.set_result(answer)
        except BaseException as error:
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._in_air -= 1
            self._wake()
