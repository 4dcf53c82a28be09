"""Opening the world for a command: sign-in, sender, reader, store, audit; and closing it again, whatever happens."""

from __future__ import annotations

import asyncio
import secrets
import signal
import string
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from offboard.actions.base import Wire
from offboard.approval import Approval
from offboard.audit import Audit
from offboard.cli.context import App
from offboard.cli.process import quiet_loop
from offboard.graph.connect import Connection, connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.guards import Lift
from offboard.runs.apply import Applier
from offboard.runs.engine.quota import Quota
from offboard.runs.ledger import Progress, Tools
from offboard.runs.planning import PlanMaker
from offboard.runs.scribe import Scribe
from offboard.runs.store import Store

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
PASSWORD_CHARACTERS = string.ascii_letters + string.digits + "!#$%()*+,-.:;=?@[]^_{}~"


@dataclass
class Session:
    """A signed-in tenant with everything a command may need."""

    app: App
    connection: Connection
    sender: Sender
    reader: Reader
    store: Store
    audit: Audit
    scribe: Scribe

    @property
    def actor(self) -> str:
        """Who acts, as far as the token tells."""
        token = self.connection.token_info()
        return token.name or token.oid or token.appid or "unknown"

    def plan_maker(self, lifts: Sequence[Lift] = ()) -> PlanMaker:
        """Makes plans in this tenant; `lifts` are the guards to override."""
        tenant = self.app.tenant
        return PlanMaker(
            self.reader, self.store, tenant.alias, tenant.tenant_id, tenant.guards, new_run_id, self.actor, lifts
        )

    def applier(
        self,
        progress: Progress,
        *,
        run: str,
        plan: str,
        accepted: tuple[str, ...] = (),
        approvals: Sequence[Approval] = (),
    ) -> Applier:
        """Carries out plans in this tenant."""
        tools = Tools(
            reader=self.reader,
            wire=Wire(self.connection.graph, new_password, self.app.sealer().keep),
            audit=self.audit.bind(run=run, plan=plan, actor=self.actor),
            store=self.store,
            clock=self.app.clock,
            scribe=self.scribe,
            progress=progress,
            say=self.app.say,
        )
        return Applier(tools, self.app.tenant.guards, self.app.tenant.alias, accepted, approvals)


def new_run_id() -> str:
    """A new id of a plan or run: 16 hexadecimal digits of chance."""
    return secrets.token_hex(8)


def new_password() -> str:
    """40 random characters, with at least one of each kind that password policies ask for."""
    while True:
        found = "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(40))
        kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
        if all(any(kind(c) for c in found) for kind in kinds):
            return found


@asynccontextmanager
async def session(app: App) -> AsyncIterator[Session]:
    """Sign in to the chosen tenant.

    Raises:
        OffboardError: Bad configuration, unusable state folder or audit, not signed in.
    """
    audit = Audit.open(app.audit_path(), now=app.clock.now)
    store = app.open_store()
    transport, close_transport = _transport(app)
    try:
        folder = app.state.tenant_folder(app.tenant.alias)
        connection = await connect(app.tenant, transport=transport, prompt=app.tell, folder=folder)
        for remark in connection.remarks:
            app.tell(remark)
        try:
            purse = _purse(app, store)
            sender = Sender(connection, app.clock, say=app.say, tenant_id=app.tenant.tenant_id, purse=purse)
            yield Session(app, connection, sender, Reader(sender), store, audit, Scribe(sender.stop))
        finally:
            await connection.close()
    finally:
        close_transport()
        store.close()


def _purse(app: App, store: Store) -> Quota:
    """The write quota that all processes with this store share: Graph counts per app and tenant, not per process."""
    tenant = app.tenant
    key = f"{tenant.tenant_id or tenant.alias} {tenant.client_id}".strip().lower()
    # In a file the clock is this machine's, and the program's; on a server it is the server's, the same for all workers.
    return Quota(store.db, key, ticks=None if store.db.shared else lambda: app.clock.now().timestamp())


def _transport(app: App) -> tuple[httpx.AsyncBaseTransport | None, Callable[[], None]]:
    """The sandbox in process, when the tenant is the sandbox and no other Graph endpoint is named."""
    if app.tenant.alias != "sandbox" or app.tenant.graph_url:
        return None, lambda: None
    from offboard.cli.sandboxes import open_sandbox
    from offboard.sandbox.transport import SandboxTransport

    sandbox = open_sandbox(app)
    return SandboxTransport(sandbox), sandbox.close


def run_async(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on one event loop; SIGTERM and Ctrl-C cancel it, so that nothing more is sent and the state stays resumable."""

    async def guarded() -> T:
        task = asyncio.ensure_future(main())
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(quiet_loop)
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError, NotImplementedError, RuntimeError):  # not on the main thread, or not on Windows
                loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(guarded())
