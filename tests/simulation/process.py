"""One process of the program inside the simulation: where it touches the world, it may die."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import math
import os
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from offboard.audit import Audit
from offboard.errors import GraphUnavailable
from offboard.runs.store import Store
from offboard.sandbox.transport import SandboxTransport, _carried
from offboard.sandbox.wire import Request, Response
from tests.simulation.meddling import perform
from tests.simulation.scenario import Attempt
from tests.simulation.tape import Asked, Ended, Meddled, Recorded, Stored, calls_of, seen_in

if TYPE_CHECKING:
    from tests.simulation.life import Life

MOST_REQUESTS = 1500
"""HTTP requests of one process; more is a run that turns in circles."""


class PowerCutError(BaseException):
    """The process is gone; nothing of it may catch this, and nothing it does afterwards counts."""


class CirclesError(Exception):
    """The program sends and sends."""


class Process:
    """One process: its open files, and the points at which it touches the world.

    Args:
        life: The simulation it lives in.
        number: Which process of the simulation.
        attempt: What goes wrong while it lives.
    """

    def __init__(self, life: Life, number: int, attempt: Attempt) -> None:
        self.life, self.number, self.attempt = life, number, attempt
        self.dead = self.cut_off = False
        self.main: asyncio.Task[Any] | None = None
        self.gone: asyncio.Future[None] | None = None
        self._count = {"http": 0, "audit": 0, "store": 0}
        self._full = False

    def open(self) -> tuple[Audit, Store]:
        """Audit and store, opened as a new process opens them, with all their doors watched."""
        audit = Audit.open(self.life.folder / "audit.jsonl", now=self.life.now, chance=bytes)
        self._watch_audit(audit)
        store = self.life.open_store()
        self._watch_store(store)
        return audit, store

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the work returns or raises. Once the process is dead, nothing of it is left running.

        Raises:
            PowerCutError: It was killed.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unheard)
        loop.set_task_factory(_owned)
        context = contextvars.copy_context()
        context.run(OWNER.set, self.number)
        self.main, self.gone = loop.create_task(work, context=context), loop.create_future()
        try:
            await asyncio.wait({self.main, self.gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.gone.cancel()
            await _clear(self.number)
        if self.dead:
            raise PowerCutError
        return self.main.result()

    @property
    def requests(self) -> int:
        """HTTP requests so far."""
        return self._count["http"]

    def _unheard(self, _loop: Any, context: dict[str, Any]) -> None:
        """An exception that nobody collected; of a dead process it means nothing."""
        if not self.dead and not isinstance(context.get("exception"), PowerCutError):
            self.life.unheard.append(f"{context.get('message')}: {context.get('exception')!r}")

    # -- the points ------------------------------------------------------------------------------------------------

    def point(self, around: str, when: str) -> None:
        """The process is just before or after touching the world here."""
        if self.dead:
            raise PowerCutError
        if when == "before":
            self._count[around] += 1
        number, ending = self._count[around], self.attempt.ending
        if around == "http":
            self._meddle(number, when)
            for at, verb, who in self.attempt.steered:
                if (at, "before") == (number, when):
                    self.life.steer(verb, who)
            if number > MOST_REQUESTS:
                raise CirclesError(f"{number} HTTP requests in one process")
        if ending is None or (ending.around, ending.number, ending.when) != (around, number, when):
            return
        if ending.kind == "kill":
            self.die(f"{when} {around} {number}")
        elif ending.kind == "stop" and self.main is not None:
            self._end("stop", f"{when} {around} {number}")
            self.main.cancel()

    def die(self, where: str) -> None:
        """The process is no more."""
        self.dead = True
        self._end("kill", where)
        if self.gone is not None and not self.gone.done():
            self.gone.set_result(None)
        raise PowerCutError

    def _end(self, kind: str, where: str) -> None:
        self.life.tape.append(Ended(self.number, kind, where, self.life.time()))

    def _meddle(self, number: int, when: str) -> None:
        for at, then, meddle in self.attempt.during:
            if (at, then) == (number, when):
                self.life.meddle(meddle)

    # -- the audit and the store -----------------------------------------------------------------------------------

    def _watch_audit(self, audit: Audit) -> None:
        file = audit._file
        commit = file.commit

        def watched() -> None:
            data = bytes(file._staged)
            if not data:
                return
            self.point("audit", "before")
            self._maybe_torn(file, data)
            if self._is_full():
                raise file.error("no space left on device")
            commit()
            self._recorded(data)
            self.point("audit", "after")

        file.commit = watched  # type: ignore[method-assign]

    def _recorded(self, data: bytes) -> None:
        """What of these lines is whole."""
        whole = data[: data.rfind(b"\n") + 1]
        self.life.tape.extend(Recorded(self.number, json.loads(line)) for line in whole.splitlines())

    def _maybe_torn(self, file: Any, data: bytes) -> None:
        ending, number = self.attempt.ending, self._count["audit"]
        if ending and (ending.around, ending.when, ending.number) == ("audit", "torn", number):
            part = data[: 1 + self.life.rng.randrange(len(data) - 1)]
            file._write(part, file._head.end)
            self._recorded(part)
            self.die(f"in the middle of audit append {number}")

    def _is_full(self) -> bool:
        ending = self.attempt.ending
        if ending and ending.kind == "full" and self._count["audit"] >= ending.number and not self._full:
            self._full = True
            self._end("full", f"audit record {ending.number}")
        return self._full

    def _watch_store(self, store: Store) -> None:
        transaction = store.db.transaction

        @contextlib.contextmanager
        def watched() -> Iterator[None]:
            self.point("store", "before")
            with transaction():
                yield
            self.life.tape.append(Stored(self.number))
            self.point("store", "after")

        store.db.transaction = watched  # type: ignore[method-assign]
        renew = store.leases.renew

        def renewed() -> bool:
            if self.cut_off:
                raise GraphUnavailable("The database is away.")
            return renew()

        store.leases.renew = renewed  # type: ignore[method-assign]

    async def stall(self, when: str) -> None:
        """Hang here, when it is the place for it, until another process has gone on with the run."""
        ending = self.attempt.ending
        here = ending and (ending.kind, ending.number, ending.when) == ("stall", self.requests, when)
        if here and not self.cut_off:
            self.cut_off = True
            self._end("stall", f"{when} http {self.requests}")
            await self.life.goes_on_elsewhere()


class Wire(SandboxTransport):
    """The way to the sandbox, watched."""

    def __init__(self, life: Life, process: Process | None = None) -> None:
        super().__init__(life.sandbox, seed=life.scenario.seed)
        self.life, self.process = life, process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One HTTP request of whichever process is alive."""
        process, content = self.process or self.life.process, await request.aread()
        if process.dead:
            raise PowerCutError
        asked = Asked(process.number, self.life.time(), calls_of(request, content))
        self.life.tape.append(asked)
        process.point("http", "before")
        await process.stall("before")
        await asyncio.sleep(0)
        if process.dead:
            raise PowerCutError
        response = self._mangled(self._execute(request, content, asked), process)
        await self._wait(response)
        answer = _carried(request, response)
        process.point("http", "after")
        await process.stall("after")
        await asyncio.sleep(0)
        asked.seen, asked.seen_at = seen_in(response, asked.calls, self.life.time(), self.life.now()), self.life.time()
        return answer

    def _mangled(self, response: Response, process: Process) -> Response:
        """The answer, worded otherwise: times to wait as dates, a call answered twice."""
        attempt = process.attempt
        if attempt.dated:
            headers = {name: self._dated(name, value) for name, value in response.headers.items()}
            response = replace(response, headers=headers)
        if not response.body.startswith(b'{"responses":'):
            return response
        body = json.loads(response.body)
        items = body["responses"]
        for item in items if attempt.dated else ():
            item["headers"] = {name: self._dated(name, value) for name, value in item.get("headers", {}).items()}
        if process.requests in attempt.twice and items:
            again = self.life.rng.choice(items)
            items.append({**again, "status": self.life.rng.choice((200, 204, 500, 429)), "body": None})
        return replace(response, body=json.dumps(body).encode())

    def _dated(self, name: str, value: str) -> str:
        if name.lower() != "retry-after":
            return value
        return format_datetime(self.life.now() + timedelta(seconds=math.ceil(float(value)) + 1), usegmt=True)

    def _execute(self, request: httpx.Request, content: bytes, asked: Asked) -> Response:
        before = len(self._sandbox.journal())
        response = self._sandbox.handle(Request(request.method, str(request.url), dict(request.headers), content))
        asked.executed, asked.effects = True, self._sandbox.journal()[before:]
        return response


def meddle_with(life: Life, meddle: Any) -> Meddled:
    """Somebody else acts, with a token of their own."""
    before = len(life.sandbox.journal())
    status = perform(life.sandbox, life.token, meddle)
    what = f"{meddle[0]} {meddle[1]} {meddle[2] or ''}".strip()
    return Meddled(life.time(), what, status, life.sandbox.journal()[before:])


OWNER: contextvars.ContextVar[int] = contextvars.ContextVar("OWNER", default=0)
"""Which process a task belongs to."""


class _Task(asyncio.Task[Any]):
    """A task that knows its process."""

    owner = 0


def _owned(loop: Any, work: Any, context: contextvars.Context | None = None) -> _Task:
    task = _Task(work, loop=loop, context=context)
    task.owner = (context or contextvars.copy_context()).run(OWNER.get)
    return task


async def _clear(process: int) -> None:
    """End what a process left running."""
    while tasks := {t for t in asyncio.all_tasks() if isinstance(t, _Task) and t.owner == process and not t.done()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)


def files_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file with its content."""
    for root, _folders, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            yield path, path.read_bytes()
