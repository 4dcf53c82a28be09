"""The simulation of one seed: plan, apply, die, resume, until nothing is left to do."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from offboard.actions.base import Wire as Words
from offboard.audit import Audit
from offboard.clock import Clock
from offboard.errors import UsageError
from offboard.graph.connect import Connection, connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.model import Plan
from offboard.runs.apply import Applier
from offboard.runs.engine.canceled import close_canceled
from offboard.runs.engine.leases import LASTS
from offboard.runs.engine.steering import Steering
from offboard.runs.ledger import Tools
from offboard.runs.outcome import RunOutcome
from offboard.runs.planning import PlanMaker, Wanted
from offboard.runs.scribe import Scribe
from offboard.runs.store import Store
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request
from offboard.settings.config import load_config
from tests.desk import begin, carry_on
from tests.simulation.process import Process, Wire, meddle_with
from tests.simulation.scenario import Attempt, Scenario
from tests.simulation.tape import Asked, Event, Meddled, Recorded, Steered
from tests.world import START, steps

SHM = Path("/dev/shm")
QUIET = Attempt()


@dataclass
class Try:
    """What came of one process: an outcome, an error, or nothing (killed)."""

    process: int
    attempt: Attempt
    begin: int
    end: int
    now: datetime
    outcome: RunOutcome | None = None
    error: BaseException | None = None


@dataclass
class Calendar:
    """How much time nobody lived through; the tenant's clock knows of it, too."""

    skipped: timedelta = timedelta()


@dataclass
class Life:
    """All that happened under one seed."""

    scenario: Scenario
    folder: Path
    tape: list[Event] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    judge: Callable[[Life, Try], None] = lambda _life, _try: None
    judge_whole: Callable[[Life], None] = lambda _life: None
    plan: Plan | None = None
    run: str = ""
    other: asyncio.Task[None] | None = None
    earlier: tuple[Life, ...] = ()
    """What happened before, in the same tenant."""

    def __post_init__(self) -> None:
        self.rng = Random(self.scenario.seed ^ 0x5EED)
        self.calendar = Calendar()
        self.folder.chmod(0o700)

    # -- time and chance -------------------------------------------------------------------------------------------

    def time(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time() + self.calendar.skipped.total_seconds()

    def now(self) -> datetime:
        """The virtual time of day."""
        return START + timedelta(seconds=self.time())

    def _after(self, span: timedelta) -> datetime:
        """A time as a person writes it: in whole seconds, as Graph's own are."""
        return (self.now() + span).replace(microsecond=0)

    def clock(self) -> Clock:
        """Time as the program wants it."""
        return Clock(self.now, self.time, asyncio.sleep, self.time)

    def new_id(self) -> str:
        """A new id of anything."""
        return f"{self.rng.getrandbits(64):016x}"

    def new_password(self) -> str:
        """A new password, remembered to look for it everywhere."""
        self.passwords.append("Aa1!" + "".join(self.rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=36)))
        return self.passwords[-1]

    def meddle(self, meddle: Any) -> None:
        """Somebody else does something."""
        self.tape.append(meddle_with(self, meddle))

    def steer(self, verb: str, who: int | None) -> None:
        """A person steers the run, if there is one and it can be steered so."""
        if self._state() is None:
            return
        with self._by_hand() as (store, audit), suppress(UsageError):  # there may be nothing to be held, released …
            hand = Steering(store, audit, "because")
            record = store.run(self.run)
            user = None if who is None else store.shares(self.run)[who % len(store.shares(self.run))].leaver
            if verb == "reschedule":
                shares = hand.reschedule(record, self._after(timedelta(hours=self.rng.choice((-2, 1, 900)))), user)
            else:
                shares = getattr(hand, verb)(record, user)
            self.tape.append(Steered(self.time(), verb, frozenset(share.leaver for share in shares)))

    @contextmanager
    def _by_hand(self) -> Iterator[tuple[Store, Audit]]:
        """Store and audit of a short command that meets with no mishap."""
        store, audit = self.open_store(), Audit.open(self.folder / "audit.jsonl", now=self.now)
        file, commit = audit._file, audit._file.commit

        def told() -> None:
            data = bytes(file._staged)
            commit()
            self.tape.extend(Recorded(0, json.loads(line)) for line in data.splitlines())

        file.commit = told  # type: ignore[method-assign]
        try:
            yield store, audit.bind(actor="somebody")
        finally:
            audit.close()
            store.close()

    async def goes_on_elsewhere(self) -> None:
        """While a process is cut off, its leases run out, and another one carries on."""
        await asyncio.sleep(LASTS + 5)
        self.other = asyncio.get_running_loop().create_task(self._elsewhere(), context=contextvars.Context())
        await asyncio.shield(self.other)

    async def _elsewhere(self) -> None:
        process = Process(self, 1000 + len(self.tries), Attempt(lag=self.process.attempt.lag))
        connection = await connect(self.tenant, transport=Wire(self, process), prompt=lambda _text: None)
        found = Try(process.number, process.attempt, len(self.tape), 0, self.now())
        self.tries.insert(-1, found)
        try:
            if self._state() not in (None, "ended", "canceled"):
                found.outcome = await self._live_process(
                    lambda audit, store: self._work(audit, store, resume=True, connection=connection), process
                )
        except BaseException as error:
            found.error = error
        finally:
            await connection.close()
        found.end = len(self.tape)

    # -- the whole story -------------------------------------------------------------------------------------------

    def settle_in(self) -> None:
        """A tenant, and what is known of it."""
        self.sandbox = Sandbox.open(None, now=self.now)
        self.token = self.sandbox.issue_token(app_roles=["Directory.ReadWrite.All"], app_id="somebody-else")
        tenant = load_config(None, self.folder).tenant(None)
        # Administrators are among the leavers, and many of so small a tenant: how a run deals with them is looked at here.
        self.tenant = replace(
            tenant, guards=replace(tenant.guards, administrators="warn", synced="warn", max_percent=100)
        )

    def follow(self, life: Life) -> None:
        """Go on where another life has ended."""
        self.earlier = (*life.earlier, life)
        self.rng, self.calendar, self.passwords = life.rng, life.calendar, life.passwords
        self.sandbox, self.token, self.tenant = life.sandbox, life.token, life.tenant
        self.judge, self.judge_whole = life.judge, life.judge_whole

    async def live(self) -> None:
        """From the plan to the end."""
        self.process = Process(self, 0, QUIET)
        self.connection = await connect(self.tenant, transport=Wire(self), prompt=lambda _text: None)
        self.hooks = self.connection.http.event_hooks
        try:
            await self._plan()
            self.run = self.new_id()
            if self.plan is not None or not self._nothing_to_plan():
                await self._story()
        finally:
            await self.connection.close()

    @property
    def over(self) -> bool:
        """Whether its run has come to an end."""
        return self._state() in ("ended", "canceled")

    def _nothing_to_plan(self) -> bool:
        return False

    async def _story(self) -> None:
        for attempt in self.scenario.attempts:
            for at, verb, who in attempt.steered:
                if at == 0:
                    self.steer(verb, who)
            await self._carry_on(attempt)
        self.steer("release", None)
        await self._carry_on(QUIET)
        while (due := self._next()) is not None and len(self.tries) < 40:
            self.calendar.skipped += max(timedelta(), due - self.now()) + timedelta(seconds=self.rng.randint(0, 4000))
            await self._carry_on(QUIET)
        if self._state() == "canceled":  # as `resume` does, and whatever else sends something to the tenant
            self.calendar.skipped += timedelta(seconds=LASTS + 1)
            with self._by_hand() as (store, audit):
                close_canceled(store, audit, store.run(self.run).plan.tenant.id)
        self.judge_whole(self)

    async def _plan(self) -> None:
        made = await self._attempt(self.scenario.planning, self._make)
        if made is None:
            made = await self._attempt(QUIET, self._make)
        self.plan = made

    async def _carry_on(self, attempt: Attempt) -> None:
        """What a person would do next: apply the plan, or resume its run, mostly after the lease of a dead process."""
        self.calendar.skipped += timedelta(seconds=LASTS + 1 if attempt is QUIET or self.rng.random() < 0.9 else 0)
        for meddle in attempt.before:
            self.meddle(meddle)
        state = self._state()
        if state not in ("ended", "canceled"):
            begun = state is not None
            await self._attempt(attempt, lambda audit, store: self._work(audit, store, resume=begun))

    async def _attempt(self, attempt: Attempt, work: Callable[[Audit, Store], Coroutine[Any, Any, Any]]) -> Any:
        faults = FaultScript.parse(list(attempt.faults)) if attempt.faults else None
        self.sandbox.behavior = Behavior(faults=faults, lag=attempt.lag, delay=attempt.delay)
        self.process = Process(self, len(self.tries) + 1, attempt)
        self.connection.http.event_hooks = self.hooks  # a new process has not those of a dead one
        found = Try(self.process.number, attempt, len(self.tape), 0, self.now())
        self.tries.append(found)
        try:
            done = await self._live_process(work)
        except BaseException as error:  # the judge says which are in order
            found.error, done = error, None
        if self.other is not None:
            await asyncio.wait({self.other})
            self.other = None
        found.end = len(self.tape)
        found.outcome = done if isinstance(done, RunOutcome) else None
        self.sandbox.behavior = Behavior()
        self.judge(self, found)
        return done

    async def _live_process(
        self, work: Callable[[Audit, Store], Coroutine[Any, Any, Any]], process: Process | None = None
    ) -> Any:
        process, audit, store = process or self.process, None, None
        try:
            audit, store = process.open()
            return await process.run(work(audit, store))
        finally:
            if audit is not None:
                audit.close()
            if store is not None:
                store.close()

    def open_store(self) -> Store:
        """The store, as a new process opens it."""
        return Store(self.folder / "runs.db", wall=lambda: self.now().timestamp(), owner=self.new_id())

    def _state(self) -> str | None:
        """How the store says the run stands; None when nothing of it is known."""
        store = self.open_store()
        try:
            known = self.plan is not None and store.consumed_by(self.plan.id)
            return store.run(self.run).state if known else None
        finally:
            store.close()

    def _next(self) -> datetime | None:
        """When the run is to be carried on; None when there is nothing to come."""
        store = self.open_store()
        try:
            record = store.run(self.run) if self.plan is not None and store.consumed_by(self.plan.id) else None
            return record.next if record is not None and record.state not in ("ended", "canceled") else None
        finally:
            store.close()

    # -- the commands ----------------------------------------------------------------------------------------------

    def _sender(self, connection: Connection | None = None) -> Sender:
        return Sender(
            connection or self.connection, self.clock(), jitter=self.rng.random, new_id=self.new_id, say=self.said.append
        )

    async def _make(self, _audit: Audit, store: Store) -> Plan | None:
        """`offboard plan`."""
        playbook = steps(*self.scenario.steps)
        maker = PlanMaker(Reader(self._sender()), store, "sandbox", "", self.tenant.guards, self.new_id, "tester")
        people = zip(self.scenario.people, self.scenario.leaves, strict=True)
        wanted = [Wanted(user, None if leave is None else self._after(leave), {}) for user, leave in people]
        return await maker.make(playbook, wanted)

    async def _work(
        self, audit: Audit, store: Store, *, resume: bool, connection: Connection | None = None
    ) -> RunOutcome | None:
        """`offboard apply` or `offboard resume`."""
        assert self.plan is not None
        run, sender = self.run, self._sender(connection)
        tools = Tools(
            reader=Reader(sender),
            wire=Words(sender.connection.graph, self.new_password),
            audit=audit.bind(run=run, plan=self.plan.id, actor="tester"),
            store=store,
            clock=self.clock(),
            scribe=Scribe(sender.stop),
            progress=lambda leaver, result: self.said.append(f"{leaver.leaver.id} {result}"),
            say=self.said.append,
        )
        applier = Applier(tools, self.tenant.guards, "sandbox")
        if not resume:
            await applier.check(self.plan)
            return await begin(applier, self.plan, run)
        await tools.reader.tenant("sandbox")
        return await carry_on(applier, run)

    # -- what is left ----------------------------------------------------------------------------------------------

    def requests(self) -> list[Asked]:
        """All HTTP requests."""
        return [event for event in self.tape if isinstance(event, Asked)]

    def meddles(self) -> list[tuple[int, Meddled]]:
        """What somebody else did, with its place on the tape."""
        return [(n, event) for n, event in enumerate(self.tape) if isinstance(event, Meddled)]

    def get(self, path: str) -> tuple[int, Any]:
        """Ask the tenant as it is, past everything."""
        url = f"https://graph.microsoft.com/v1.0{path}"
        answer = self.sandbox.handle(Request("GET", url, {"Authorization": "Bearer looker-on"}))
        return answer.status, json.loads(answer.body) if answer.body else None
