"""The one place that knows DBOS: it keeps turns, waits for their time, hands each out once, and keeps what came of it.

Nothing of it reaches the user: its log is silent, it opens no port and calls nobody, what it stores is JSON, and what it
stores is ids and outcomes. A turn is a workflow without steps: what may be repeated after a crash is decided below, by
re-reading, and not by what a library remembers. On one machine it keeps a file of its own beside the runs; on a server a
schema of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import dbos
import sqlalchemy
from dbos import DBOS, DBOSConfig, Serializer, SetEnqueueOptions, SetWorkflowID
from dbos import error as dbos_error

from offboard.errors import Stopped
from offboard.model import JSON
from offboard.runs.engine.database import PATIENCE

if TYPE_CHECKING:
    from dbos import WorkflowHandle

T = TypeVar("T")
VERSION = "offboard-1"
"""Of the turns: only changed together with what a turn means, because turns of another version are left alone."""
SCHEMA = "offboard_engine"
AT_ONCE = 10
"""Turns that one process carries out at the same time; what bounds its memory."""
LOOKS = 1.0
"""Seconds between two looks of a worker into its queue."""
UNDER_WAY = ("ENQUEUED", "DELAYED", "PENDING")
OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
AT_A_TIME = 1000
"""Turns that are cleared away at once: a start must not take long because of what was."""

Work = Callable[[str], Awaitable[JSON]]


class Plain(Serializer):
    """JSON and nothing else: what is read back can run nothing."""

    def serialize(self, data: Any) -> str:
        """As JSON; an error as its text."""
        return json.dumps(data, default=str, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """From JSON."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """Written beside each value."""
        return "offboard_json"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a turn that is under way."""

    state: str
    executor: str
    queue: str | None


@dataclass
class Port:
    """Hands turns to this process, and keeps those of others.

    Args:
        place: A file, or `postgresql://…`.
        owner: This process's name, unique among those that live.
        tenant: The tenant's id; turns of another tenant are never handed out here.
        work: Carries out the turn of this id, on the caller's event loop; never raises.
    """

    place: Path | str
    owner: str
    tenant: str
    work: Work
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2 * AT_ONCE + 4, "turns"))

    @property
    def queue(self) -> str:
        """The name of the tenant's queue."""
        return f"turns-{self.tenant}"

    async def launch(self, *, listen: bool) -> None:
        """Begin.

        Args:
            listen: Whether turns from the tenant's queue are to be carried out here.
        """
        await self._do(self._launch, listen)

    def _launch(self, listen: bool) -> None:
        global _port
        _silence()
        _port = self
        config: DBOSConfig = {
            "name": f"offboard-{self.tenant}",
            "executor_id": self.owner,
            "application_version": VERSION,
            "serializer": Plain(),
            "enable_otlp": False,
            "log_level": "CRITICAL",
            "dbos_system_schema": SCHEMA,
            "use_listen_notify": False,
        }
        if isinstance(self.place, Path):
            config["system_database_url"] = f"sqlite:///{self.place}"
            config["system_database_engine"] = _sqlite(self.place)
            config["notification_listener_polling_interval_sec"] = 0.2
        else:
            config["system_database_url"] = self.place
            config["sys_db_pool_size"] = 5
            config["sys_db_idle_transaction_timeout_sec"] = float(PATIENCE)
        DBOS(config=config)
        DBOS.listen_queues([self.queue] if listen else [])
        DBOS.launch()
        if listen:
            DBOS.register_queue(
                self.queue, worker_concurrency=AT_ONCE, polling_interval_sec=LOOKS, on_conflict="always_update"
            )

    async def begin(self, id: str) -> JSON:
        """Carry this turn out here and now, unless it was before or is elsewhere; what came of it."""

        def begin() -> WorkflowHandle[JSON]:
            with SetWorkflowID(id):
                return DBOS.start_workflow(turn, id)

        handle = await self._do(begin)
        return await self._do(handle.get_result)

    async def enqueue(self, id: str, priority: int, delay: float) -> None:
        """Put it into the tenant's queue, to be carried out by whoever listens; once, however often it is asked.

        Args:
            id: The turn.
            priority: The smallest goes first.
            delay: Seconds until it may be.
        """

        def enqueue() -> None:
            options = SetEnqueueOptions(priority=priority, delay_seconds=delay if delay > 0 else None)
            with SetWorkflowID(id), options:
                DBOS.enqueue_workflow(self.queue, turn, id)

        await self._do(enqueue)

    async def under_way(self) -> dict[str, Known]:
        """The tenant's turns that wait, or are being carried out somewhere."""
        return await self._do(self._list, {"status": list(UNDER_WAY)})

    async def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What became of these turns; those that were never heard of are left out."""
        return await self._do(self._list, {"workflow_ids": list(ids)}) if ids else {}

    def _list(self, which: dict[str, Any]) -> dict[str, Known]:
        name = f"offboard-{self.tenant}"
        found = DBOS.list_workflows(**which, application_name=name, load_input=False, load_output=False)
        return {one.workflow_id: Known(one.status, one.executor_id or "", one.queue_name) for one in found}

    async def cancel(self, ids: Sequence[str]) -> None:
        """They are not carried out any more; who is in the middle of one is stopped by the lease, not by this."""
        if ids:
            await self._do(DBOS.cancel_workflows, list(ids))

    async def clear_away(self, before: datetime, wanted: Collection[str]) -> None:
        """Forget turns that were over before this time; a turn that somebody names is kept, because it is asked what it was.

        Args:
            before: With zone.
            wanted: Turns that are named.
        """

        def clear() -> None:
            name = f"offboard-{self.tenant}"
            over = DBOS.list_workflows(
                status=list(OVER),
                completed_before=before.isoformat(),
                application_name=name,
                limit=AT_A_TIME,
                load_input=False,
                load_output=False,
            )
            if gone := [one.workflow_id for one in over if one.workflow_id not in wanted]:
                DBOS.delete_workflows(gone)

        await self._do(clear)

    async def hasten(self, id: str) -> None:
        """Its time has come, whatever this machine's clock says."""
        await self._do(partial(DBOS.set_workflow_delay, id, delay_seconds=0))

    async def close(self) -> None:
        """End; nothing is carried out any more."""
        await self._do(_destroy)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _do(self, call: Callable[..., T], *arguments: Any) -> T:
        try:
            return await self.loop.run_in_executor(self._pool, call, *arguments)
        except (sqlalchemy.exc.SQLAlchemyError, dbos_error.DBOSException) as error:
            raise Stopped(
                "The engine's own database cannot be used.",
                why=(str(error).splitlines() or [type(error).__name__])[0][:200],
                todo="Go on when it is mended: offboard resume. What was in the middle is found out by reading.",
            ) from error


_port: Port | None = None
"""DBOS is one per process, and so is this."""


@DBOS.workflow(name="turn")
def turn(id: str) -> JSON:
    """One turn, from DBOS's thread on the loop of the process."""
    port = _port
    if port is None:
        return None
    return asyncio.run_coroutine_threadsafe(_awaited(port.work(id)), port.loop).result()


async def _awaited(work: Awaitable[JSON]) -> JSON:
    return await work


def _destroy() -> None:
    global _port
    _port = None
    DBOS.destroy()


def _silence() -> None:
    """Its log has nothing that a user could act on, and must not be written to by anybody else's handler."""
    logger = logging.getLogger(dbos.__name__)
    if not logger.handlers:  # it would add one that writes to the terminal
        logger.addHandler(logging.NullHandler())
    logger.disabled = True
    logger.propagate = False


def _sqlite(path: Path) -> sqlalchemy.Engine:
    """The file, readable by its owner only, with what is written on disk before it counts."""
    path.touch(0o600)
    path.chmod(0o600)
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")

    @sqlalchemy.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
