"""A whole world for a test: Contoso in memory, a clock that jumps, and the program's own rooms over real HTTP shapes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from offboard.actions.base import Wire
from offboard.audit import Audit
from offboard.cli.session import new_password, new_run_id
from offboard.clock import Clock
from offboard.graph.connect import Connection, connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.loading.playbook import load
from offboard.model import Plan, Playbook
from offboard.runs.apply import Applier
from offboard.runs.ledger import Tools
from offboard.runs.outcome import RunOutcome
from offboard.runs.planning import PlanMaker, Wanted
from offboard.runs.scribe import Scribe
from offboard.runs.store import Store
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.journal import JournalEntry
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport
from offboard.sandbox.wire import Request
from offboard.settings.config import load_config

SAWYER = "a0000000-0000-4000-8000-000000000001"
ADELE = "a0000000-0000-4000-8000-000000000003"
DANA = "a0000000-0000-4000-8000-000000000009"
LYNNE = "a0000000-0000-4000-8000-000000000010"
LAPTOP = "d0000000-0000-4000-8000-000000000001"
DESKTOP = "d0000000-0000-4000-8000-000000000002"
START = datetime(2026, 11, 23, 17, 5, 12, tzinfo=UTC)


@dataclass
class Time:
    """A clock that stands still unless somebody sleeps or jumps."""

    moment: datetime = START
    slept: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        """As the program wants it."""
        return Clock(now=lambda: self.moment, monotonic=lambda: self.moment.timestamp(), sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        self.jump(seconds=seconds)

    def jump(self, **amount: float) -> None:
        """So much time passes."""
        self.moment += timedelta(**amount)


@dataclass
class World:
    """One tenant, one state folder, one signed-in caller."""

    folder: Path
    time: Time
    sandbox: Sandbox
    connection: Connection
    results: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.folder / "runs.db")
        self.audit = Audit.open(self.folder / "audit.jsonl", now=self.time.clock().now)
        self.tenant = load_config(None, self.folder).tenant(None)

    @property
    def sender(self) -> Sender:
        """A new sender, as each command has."""
        return Sender(self.connection, self.time.clock(), jitter=lambda: 0.5)

    def maker(self) -> PlanMaker:
        """Makes plans."""
        guards = self.tenant.guards
        return PlanMaker(Reader(self.sender), self.store, "sandbox", "", guards, new_run_id, "tester")

    def applier(self, run: str, plan: Plan) -> Applier:
        """Carries out plans."""
        sender = self.sender
        tools = Tools(
            reader=Reader(sender),
            wire=Wire(self.connection.graph, new_password),
            audit=self.audit.bind(run=run, plan=plan.id, actor="tester"),
            store=self.store,
            clock=self.time.clock(),
            scribe=Scribe(sender.stop),
            progress=lambda _leaver, result: self.results.append(result),
        )
        return Applier(tools, self.tenant.guards, "sandbox")

    async def plan(self, playbook: Playbook, *users: str, leave: datetime | None = None, **values: str) -> Plan:
        """A plan for these people."""
        return await self.maker().make(playbook, [Wanted(user, leave, values) for user in users])

    async def apply(self, plan: Plan, run: str | None = None) -> RunOutcome:
        """Carry the plan out, as `offboard apply` does."""
        run = run or new_run_id()
        applier = self.applier(run, plan)
        await applier.check(plan)
        applier.consume(plan, run)
        return await applier.carry_on(plan, run, begins=True)

    async def resume(self, run: str) -> RunOutcome:
        """Carry on a run, as `offboard resume` does."""
        record = next(r for r in self.store.runs() if r.id == run)
        applier = self.applier(run, record.plan)
        await applier.tools.reader.tenant("sandbox")
        return await applier.carry_on(self.store.whole(run), run)

    async def run(self, playbook: Playbook, *users: str) -> RunOutcome:
        """Plan and apply."""
        return await self.apply(await self.plan(playbook, *users))

    def journal(self) -> list[JournalEntry]:
        """What the tenant executed."""
        return self.sandbox.journal()

    def writes(self) -> list[tuple[str, str]]:
        """Method and path of every executed write."""
        return [(entry.method, entry.path.removeprefix("/v1.0")) for entry in self.journal()]

    def graph(self, method: str, path: str, body: Any = None) -> Any:
        """Somebody else's call to the tenant, past the program."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer somebody", "Content-Type": "application/json"}
        response = self.sandbox.handle(Request(method, f"https://graph.microsoft.com/v1.0{path}", headers, content))
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def user(self, id: str = SAWYER, *properties: str) -> dict[str, Any]:
        """A user as the tenant holds it."""
        chosen = ",".join(properties or ("accountEnabled", "userPrincipalName"))
        found = self.graph("GET", f"/users/{id}?$select={chosen}")
        assert isinstance(found, dict)
        return found

    def misbehave(self, *rules: dict[str, Any], lag: float = 0.0) -> None:
        """From now on, things go wrong."""
        self.sandbox.behavior = Behavior(faults=FaultScript.parse(list(rules)), lag=lag)

    def records(self, *events: str) -> list[dict[str, Any]]:
        """The audit's records of these events."""
        lines = (self.folder / "audit.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [record for record in found if not events or record["event"] in events]

    def http_requests(self) -> int:
        """HTTP requests so far, batch items not counted."""
        return sum(1 for entry in self.sandbox.requests() if not entry.item)


@asynccontextmanager
async def a_world(folder: Path, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[World]:
    """A fresh Contoso and a state folder."""
    folder.chmod(0o700)
    time = Time()
    sandbox = Sandbox.open(None, now=time.clock().now)
    tenant = load_config(None, folder).tenant(None)
    connection = await connect(tenant, transport=transport or SandboxTransport(sandbox), prompt=lambda _text: None)
    world = World(folder, time, sandbox, connection)
    try:
        yield world
    finally:
        await connection.close()
        world.store.close()
        world.audit.close()
        sandbox.close()


def steps(*lines: str, head: str = "") -> Playbook:
    """A playbook of these steps, written as YAML list entries."""
    body = "\n".join(f"  - {line}" for line in lines)
    text = f"playbook: trial\ndescription: For a test.\n{head}steps:\n{body}\n"
    return load("trial.yaml", text.encode())


def shipped(name: str) -> Playbook:
    """One of the playbooks in the repository."""
    return load(Path(__file__).parent.parent / "playbooks" / f"{name}.yaml")


def outcomes(results: Iterable[Any]) -> list[tuple[str, str, str]]:
    """Step, what it did, and how it ended."""
    return [(r.step, r.change.target.name if r.change else "", r.outcome.value) for r in results]


def fault(
    path: str, method: str = "", *, nth: int = 1, times: Any = 1, item: bool | None = None, **what: Any
) -> dict[str, Any]:
    """One rule of a fault script."""
    match: dict[str, Any] = {"path": path, "nth": nth, "times": times}
    if method:
        match["method"] = method
    if item is not None:
        match["item"] = item
    return {"match": match, "fault": what}


SEED: Sequence[str] = (
    "disable-user",
    "reset-password",
    "revoke-sessions",
    "unown-devices",
    "disable-devices",
    "remove-licenses",
    "delete-user",
)
