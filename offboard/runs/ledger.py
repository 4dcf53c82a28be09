"""One leaver's ledger in one run: intents and results, kept in three places at once and in this order.

The audit (for people) first, the store (for the engine) second, whoever watches last. An intent is in both before its
request leaves; an outcome is in both before the next effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from offboard.actions.base import Since, Wire
from offboard.audit import Audit, AuditError, Told
from offboard.clock import Clock
from offboard.facts import Facts
from offboard.graph.answers import Answer
from offboard.graph.read import Reader
from offboard.graph.send import utc_now_of
from offboard.model import JSON, Change, Effect, LeaverPlan, Outcome, Plan, PlannedStep, Ref, Result, Step
from offboard.planjson import change_json
from offboard.runs.engine.caps import Cap
from offboard.runs.engine.changes import CANCELED, Ended, News, Recorded, Whose
from offboard.runs.scribe import Entry, Record, Scribe
from offboard.runs.sent import BEFORE
from offboard.runs.stages import Pending
from offboard.runs.store import Store

SO = (Outcome.CHANGED, Outcome.UNCHANGED)
"""Outcomes after which a change is so."""
Progress = Callable[[LeaverPlan, Result], None]
Id = tuple[str, str]
"""A step, and the key of a change or of some parts of it."""


@dataclass
class Tools:
    """The edge of the world, handed in.

    Args:
        reader: Reads facts and, through its sender, writes.
        wire: Words requests.
        audit: The record for people, bound to run, plan and actor.
        store: The engine's memory.
        clock: Time.
        scribe: Writes down what leavers have to say, in the audit and the store.
        progress: Told of every result as it becomes known.
        say: Told what is going on meanwhile, in one line.
        bulk: Whether other leavers are carried out at the same time: calls then go out in their company.
        deadline: Seconds after which a throttled or unanswered change is given up.
        last_stand: The same for what cuts access: the run's own deadline.
        caps: What a day may lose.
        told: What the audit already says of changes that an interrupted process had begun.
    """

    reader: Reader
    wire: Wire
    audit: Audit
    store: Store
    clock: Clock
    scribe: Scribe
    progress: Progress = lambda _leaver, _result: None
    say: Callable[[str], None] = lambda _text: None
    bulk: bool = False
    deadline: float = 600.0
    last_stand: float = 4 * 3600.0
    caps: Sequence[Cap] = ()
    told: Told = field(default_factory=Told)


@dataclass
class Ledger:
    """Intents and results of one leaver in one run."""

    tools: Tools
    run: str
    plan: Plan
    index: int
    results: list[Result] = field(default_factory=list)
    recorded: dict[tuple[str, str], Recorded] = field(default_factory=dict)
    interrupted: set[tuple[str, str]] = field(default_factory=set)
    """Changes whose intent an earlier process left open: they may have been sent."""
    _earlier: dict[int, Result] = field(default_factory=dict)
    _unsaid: list[Result] = field(default_factory=list)
    _concluded: list[tuple[dict[str, JSON], Ended]] = field(default_factory=list)

    @property
    def mine(self) -> LeaverPlan:
        """This leaver's part of the plan."""
        return self.plan.leavers[self.index]

    @property
    def whose(self) -> Whose:
        """The leaver's share, as this turn knows it."""
        return Whose(self.run, self.plan.tenant.id, self.mine.leaver.id, self.mine.leave)

    def recall(self) -> None:
        """Read what this run has recorded before it was interrupted."""
        self.recorded = self.tools.store.changes.recorded(self.run, self.mine.leaver.id)
        self.interrupted = {(step, r.change.key) for (step, _), r in self.recorded.items() if r.result is None}
        self._earlier = {id(r.result): r.result for r in self.recorded.values() if r.result is not None}

    def is_earlier(self, result: Result) -> bool:
        """Whether an earlier process, or an earlier turn, has found it out."""
        return id(result) in self._earlier

    def not_needed(self, planned: PlannedStep, change: Change, unknown: str) -> None:
        """Approved and not asked for any more: done by us and not yet known, or done by somebody else.

        Of a set, an earlier process may have begun some parts only; and some of those may be needed still, which then
        need an intent of their own.

        Args:
            planned: The step.
            change: What of it has no outcome yet.
            unknown: Why it cannot be told whether it is so; empty when it is.
        """
        place = self._open(planned.step.id, change)
        if place is None:
            self.settle(planned, change, Outcome.SKIPPED if unknown else Outcome.UNCHANGED, unknown or "already so")
            return
        begun = self.recorded[place].change
        mine, others = _split(begun, change)
        if unknown:
            self.conclude(planned, begun.only(mine), Outcome.SKIPPED, f"{unknown}; {BEFORE}")
        else:
            self.conclude(planned, begun.only(mine), Outcome.CHANGED, "recovered: found done on re-reading")
        if others:
            self.not_needed(planned, change.only(others), unknown)

    def rest(self, step: str, change: Change) -> Change | None:
        """What of it this run has not brought about or found so before; what failed or was not sent is tried again."""
        found, known = self._so(step, change), set(map(id, self.results))
        self.results += [result for _, result in found if id(result) not in known]
        covered = {part.id for before, _ in found for part in before.parts}
        left = tuple(part for part in change.parts if part.id not in covered)
        if found and not left:
            return None
        return change.only(left) if found else change

    def was_changed(self, planned: PlannedStep, change: Change) -> bool:
        """Whether this run has brought it, or a part of it, about, or found it so."""
        return bool(self._so(planned.step.id, change))

    def _so(self, step: str, change: Change) -> list[tuple[Change, Result]]:
        """What is recorded as so of this change; of a set there may be several records, each for some of its parts."""
        wanted, found = _parts(change), []
        for (where, _), each in self.recorded.items():
            if where != step or each.change.key != change.key or each.result is None or each.result.outcome not in SO:
                continue
            if not wanted or wanted & _parts(each.change):
                found.append((each.change, each.result))
        return found

    def since(self, facts: Facts) -> Callable[[PlannedStep], Since]:
        """Evidence for acts that leave only a time stamp: our intent in this run, else one of an earlier run.

        An earlier run's intent counts only while the account is disabled: an enabled user may have opened sessions since.
        """

        def for_step(planned: PlannedStep) -> Since:
            def since(key: str) -> datetime | None:
                found = self.recorded.get((planned.step.id, key))
                if found is not None:
                    return found.since
                if facts.account.account_enabled is not False:
                    return None
                # A step that was approved to act must not be argued away by evidence that the review did not count.
                if any(change.key == key for change in planned.changes):
                    return None
                return self.tools.store.changes.evidence(self.plan.tenant.id, self.mine.leaver.id, key)

            return since

        return for_step

    async def intend(self, pending: Sequence[Pending]) -> None:
        """Record the intents, durably, before anything leaves; and before them what was concluded.

        Raises:
            AuditError: They cannot be written.
            Interrupted: The share is held or canceled, or another process may have gone on.
        """
        since = utc_now_of(self.tools.reader.sender)
        # A resumed run has some of the intents already.
        new = {self._place(p.planned.step.id, p.change): p.change for p in pending if not self._stands(p)}
        untold = [("intent", _about(p.planned.step, p.change)) for p in pending if self._owes_intent(p)]
        entry = self._entry(untold, new, since)
        if entry is not None:
            await self.tools.scribe.write(entry)

    def _entry(
        self, untold: Sequence[Record] = (), new: Mapping[Id, Change] | None = None, since: datetime | None = None
    ) -> Entry | None:
        """What is to be written down now; None when there is nothing."""
        concluded, self._concluded = self._concluded, []
        new = new or {}
        if not (concluded or untold or new):
            return None
        whose = self.whose
        at = since or utc_now_of(self.tools.reader.sender)
        intents = [(step, key, change) for (step, key), change in new.items()]
        told = [("outcome", record) for record, _ in concluded if record]

        def written(intended: bool) -> None:
            self._forget([*told, *(untold if intended else ())])
            if intended:
                self.recorded |= {id: Recorded(change, at, None) for id, change in new.items()}

        caps = self._caps() if any(change.effect is not Effect.REVERSIBLE for _, _, change in intents) else ()
        news = News(whose, [ended for _, ended in concluded], intents, at, caps)
        return Entry(self.tools.audit, self.tools.store, news, self._signed(told), self._signed(untold), written)

    def _caps(self) -> tuple[Cap, ...]:
        lifted = {override.guard for override in self.mine.overrides}
        return tuple(cap for cap in self.tools.caps if cap.guard not in lifted)

    def _open(self, step: str, change: Change) -> Id | None:
        """Where the store has an intent for it, or for some of its parts, with no outcome yet."""
        if not change.parts:
            found = self.recorded.get((step, change.key))
            return (step, change.key) if found is not None and found.result is None else None
        wanted = _parts(change)
        for place, found in self.recorded.items():
            same = place[0] == step and found.result is None and found.change.key == change.key
            if same and wanted & _parts(found.change):
                return place
        return None

    def _place(self, step: str, change: Change) -> Id:
        """Where its intent belongs: what is so, or open, of the same set keeps its record."""
        found = self.recorded.get((step, change.key))
        free = found is None or (found.result is not None and found.result.outcome not in SO)
        return self._open(step, change) or (step, change.key if free else part_key(change))

    def _stands(self, each: Pending) -> bool:
        """Whether the store has its intent, with no outcome yet."""
        place = self._open(each.planned.step.id, each.change)
        return place is not None and _parts(self.recorded[place].change) == _parts(each.change)

    def _owes_intent(self, each: Pending) -> bool:
        """Whether the audit lacks its intent: a crash may have come between the audit's record and the store's."""
        said = self._said(each.planned.step, each.change)
        if self._stands(each):
            return said not in ("", "intent")  # its end was told and not stored, and it is so no longer
        return said != "intent"

    def _said(self, step: Step, change: Change) -> str:
        """What the audit said of it last, in a process that was interrupted."""
        return self.tools.told.last(self.mine.leaver.id, step.id, change_json(change))

    def end(self, planned: PlannedStep, change: Change | None, outcome: Outcome, why: str) -> None:
        """An end without a request: of an intent that was interrupted, or of what never had one."""
        place = self._open(planned.step.id, change) if change is not None else None
        if change is None or place is None:
            self.settle(planned, change, outcome, why)
            return
        mine, others = _split(self.recorded[place].change, change)
        self.conclude(planned, change.only(mine), outcome, f"{why}; {BEFORE}")
        if others:
            self.end(planned, change.only(others), outcome, why)

    def settle(self, planned: PlannedStep, change: Change | None, outcome: Outcome, why: str) -> None:
        """A result without an intent: nothing was to be sent."""
        at = utc_now_of(self.tools.reader.sender)
        result = Result(outcome, planned.step.id, change, why, at)
        event = {Outcome.DRIFTED: "drifted", Outcome.UNCHANGED: "unchanged"}.get(outcome, "step-skipped")
        extra = {"change": change_json(change)} if change else {}
        self.audit(event, step=planned.step.id, action=planned.step.action, outcome=outcome.value, why=why, **extra)
        if change is not None and outcome is Outcome.UNCHANGED:
            self._remember(planned, change, result)
        self._report(result)

    def conclude(
        self,
        planned: PlannedStep,
        change: Change,
        outcome: Outcome,
        why: str,
        answer: Answer | None = None,
        attempts: int = 0,
        todo: str = "",
        seen: JSON = None,
    ) -> None:
        """The outcome of an intent: to the audit, to the store, to whoever watches. `flush` makes it durable.

        An intent for more parts ends with it: what is left of it needs another one.
        """
        place = self._open(planned.step.id, change)
        assert place is not None, f"{change.key} was never intended"
        at = utc_now_of(self.tools.reader.sender)
        detail = _wire_detail(answer, attempts) if answer is not None else {}
        result = Result(outcome, planned.step.id, change, why, at, todo, detail)
        # Without an answer, it may have been told just before a crash.
        whole = _parts(self.recorded[place].change) == _parts(change)
        said = {self._said(planned.step, each) for each in (change, self.recorded[place].change)}
        owed = answer is not None or outcome.value not in said
        told: dict[str, JSON] = {
            **_about(planned.step, change),
            "outcome": outcome.value,
            "why": why,
            "graph": detail or None,
            "detail": {"seen": seen} if seen is not None else None,
        }
        intent = self.recorded[place]
        self._concluded.append((told if owed else {}, Ended(place[1], result, None if whole else change)))
        self.recorded[place] = Recorded(intent.change if whole else change, intent.since, result)
        if not whole:
            self.interrupted.discard((planned.step.id, change.key))
        self._report(result)

    async def flush(self) -> None:
        """Write down the outcomes that were concluded since the last time.

        Raises:
            AuditError: They cannot be written.
            Interrupted: Another process may have gone on.
        """
        entry = self._entry()
        if entry is not None:
            await self.tools.scribe.write(entry)

    def abandon(self, due: Sequence[PlannedStep]) -> None:
        """Stopped, and canceled besides: nobody will look any more at what was sent, so that is how it ended."""
        store = self.tools.store
        bar = store.changes.bars([self.whose])[0]
        if bar.lost or not bar.steered.startswith(CANCELED):
            return
        why = "it may have been sent before the run was stopped, and was not looked at again: the run was canceled"
        for planned in due:
            open_ones = [r.change for (step, _), r in self.recorded.items() if step == planned.step.id and not r.result]
            for change in open_ones:
                self.conclude(planned, change, Outcome.SKIPPED, why)

    def _remember(self, planned: PlannedStep, change: Change, result: Result) -> None:
        """Found so without our doing: a later phase must notice when it is so no longer.

        Some parts of a set have a record of their own: the set's record is that of what we do to the other parts.
        """
        whole = any(change.key == each.key and len(change.parts) == len(each.parts) for each in planned.changes)
        key = change.key if whole else part_key(change)
        before = self.recorded.get((result.step, key))
        # An intent of before keeps its instant: it is what the time stamps in the tenant are held against.
        at = before.since if before is not None else utc_now_of(self.tools.reader.sender)
        self.tools.store.changes.found(self.whose, key, at, result)
        self.recorded[result.step, key] = Recorded(change, at, result)

    def _report(self, result: Result) -> None:
        self.results.append(result)
        self._unsaid.append(result)

    def overturn(self, place: int, result: Result) -> None:
        """Put a result in place of another one that did not last."""
        self.results[place] = result
        self._unsaid.append(result)

    def tell(self) -> None:
        """Tell whoever watches what became known since the last time, in the order of the playbook."""
        order = {planned.step.id: n for n, planned in enumerate(self.mine.steps)}
        unsaid, self._unsaid = sorted(self._unsaid, key=lambda r: order.get(r.step, len(order))), []
        for result in unsaid:
            self.tools.progress(self.mine, result)

    def audit(self, event: str, **fields: JSON) -> None:
        """One record about this leaver, after all that was concluded.

        Raises:
            AuditError: It cannot be written; nothing may be sent.
        """
        entry = self._entry()
        if entry is not None:
            self.tools.scribe.write_now(entry)
        self.tools.scribe.catch_up()
        try:
            self.tools.audit.write_many(self._signed([(event, fields)]))
        except AuditError as error:
            self.tools.scribe.fail(error)
            raise
        self._forget([(event, fields)])

    def _signed(self, records: Sequence[Record]) -> list[Record]:
        """The same, with the leaver's name."""
        who = {"id": self.mine.leaver.id, "upn": self.mine.leaver.user_principal_name}
        return [(event, {"leaver": who, **fields}) for event, fields in records]

    def _forget(self, records: Sequence[Record]) -> None:
        """What was said of these changes before a crash is the last word no longer."""
        for _, fields in records:
            if isinstance(about := fields.get("change"), dict):
                self.tools.told.forget(self.mine.leaver.id, str(fields["step"]), about)


def _about(step: Step, change: Change) -> dict[str, JSON]:
    return {"step": step.id, "action": step.action, "change": change_json(change)}


def part_key(change: Change) -> str:
    """The place of a record for some parts of a set only."""
    return f"{change.key} {' '.join(sorted(_parts(change)))}"


def _parts(change: Change) -> set[str]:
    return {part.id for part in change.parts}


def _split(begun: Change, change: Change) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """The parts of a change that were begun, and the others."""
    ids = _parts(begun)
    mine = tuple(part for part in change.parts if part.id in ids)
    return mine, tuple(part for part in change.parts if part.id not in ids)


def _wire_detail(answer: Answer, attempts: int) -> dict[str, JSON]:
    return {
        "method": answer.method,
        "path": answer.path,
        "status": answer.status,
        "request_id": answer.request_id,
        "client_request_id": answer.client_request_id,
        "attempts": attempts,
    }
