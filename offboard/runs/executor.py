"""The executor: re-plan → intent → send → read back → result, for one leaver at a time.

Nothing is decided here that `planner` could decide, and nothing is sent but what `A ∩ F` holds. Each intent is durable in
the audit and the store before its request leaves. A change counts as `changed` only when the re-reading no longer asks
for it; an answer that never came, or came as 5xx, is resolved by re-reading and never by sending again blindly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from offboard.actions import ACTIONS
from offboard.audit import AuditError
from offboard.clock import pauses
from offboard.errors import NotPermitted, OffboardError
from offboard.facts import Facts, Memberships
from offboard.graph.answers import Answer
from offboard.graph.pool import BATCH, READ_BACK
from offboard.graph.read import ONE_BY_ONE
from offboard.graph.send import utc_now_of
from offboard.graph.trouble import Trouble
from offboard.model import Change, Effect, LeaverPlan, Note, Outcome, Plan, PlannedStep, Result
from offboard.planjson import change_json
from offboard.planner import (
    SYNCED,
    cannot_tell,
    compare,
    fact_types,
    fingerprint,
    moved,
    pins,
    replan,
    together,
)
from offboard.runs.engine.changes import Interrupted
from offboard.runs.ledger import Ledger, Tools
from offboard.runs.leftovers import FRESH, Lapse, caught_up, is_fresh, lapses, may_be_lag
from offboard.runs.outcome import Barred, LeaverOutcome
from offboard.runs.sent import VISIBLE_WITHIN, Sent
from offboard.runs.stages import Asked, Pending, ask, closed, containing, stages
from offboard.runs.summary import Left, in_order, left, not_started, started
from offboard.runs.verdicts import Case, Next, sends, verdicts

RECENT = 60.0
"""Seconds after a reading within which something may leave that may lose something; after that it is read again first."""


@dataclass
class LeaverRun:
    """One leaver's share of one run."""

    tools: Tools
    run: str
    plan: Plan
    index: int
    values: Mapping[str, str]
    bars: asyncio.Future[dict[str, Barred]] | None = None
    contain: bool = False
    """Whether only what cuts access at the playbook's beginning is carried out, so that everybody's comes first."""
    ledger: Ledger = field(init=False)
    halted: str = ""
    called_off: str = ""
    """Why nothing more is sent: somebody held or canceled the leaver's share meanwhile."""
    sent: bool = False
    began: float = 0.0
    read_at: float = 0.0
    """When the newest reading began, on a clock that only goes forward."""
    due: list[PlannedStep] = field(default_factory=list)
    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.tools, self.run, self.plan, self.index)

    @property
    def mine(self) -> LeaverPlan:
        """This leaver's part of the plan."""
        return self.plan.leavers[self.index]

    async def carry_out(self) -> LeaverOutcome:
        """Carry out every step that is due.

        Raises:
            AuditError: The audit cannot be written; nothing more was sent.
        """
        now, self.began = utc_now_of(self.tools.reader.sender), self.tools.clock.monotonic()
        due = self.due = sorted((p for p in self.mine.steps if p.due <= now), key=lambda p: p.due)
        if self.contain:
            self.due = containing(due)
        self.ledger.recall()
        try:
            outcome = await self._carry_out()
            if self.halted and len(self.due) < len(due):  # then nothing of the rest is started either
                self.due = due
                outcome = replace(outcome, not_started=not_started(self.due, self.ledger.results), later=self._later())
            return outcome
        except (AuditError, NotPermitted):
            raise  # these concern everybody
        except OffboardError as error:
            return self.stopped(" ".join(error.lines()))
        finally:
            self.ledger.tell()

    def stopped(self, why: str) -> LeaverOutcome:
        """The outcome when the run stops in the middle of this leaver."""
        self.ledger.abandon(self.due)
        if self.tools.store.leases.kept(self.mine.leaver.id):  # else another process has gone on, and knows better
            self.ledger.audit("stopped", why=why)
        return self._outcome(None, stopped=why)

    async def _carry_out(self) -> LeaverOutcome:
        facts, _ = await self._settled(await self._read(), self._remembered())
        refused = self._refusal(facts)
        barred = None if refused else await self._barred(facts)
        if refused or barred:
            refused = refused or list(barred.reasons if barred else ())
            self.ledger.audit("refused", why="; ".join(refused))
            code = barred.code if barred else 3
            return LeaverOutcome(self.index, refused=tuple(refused), later=self._later(), barred=barred, code=code)
        facts = await self._past_other_runs(facts)
        for stage in stages(self.due):
            if closed(stage):
                facts = await self._catch_up(self.due[: self.due.index(stage[0])], facts)
            if self.halted:
                break
            facts = await self._stage(stage, facts)
            if not self.tools.bulk:  # of many leavers, each is told as a whole
                await self.ledger.flush()
                self.ledger.tell()
        facts = await self._catch_up(self.due, facts)
        await self.ledger.flush()
        facts = await self._close(facts)
        return self._outcome(facts)

    async def _barred(self, facts: Facts) -> Barred | None:
        """Why the guards let nothing be written for this leaver; None when they do, or when nothing is to be written."""
        todo = {p.step.id for p in self.due for c in p.changes if not self.ledger.was_changed(p, c)}
        if self.bars is None or not todo:
            return None
        # Guards judge the person who was reviewed; one who is mastered elsewhere since is to be reviewed again.
        if facts.account.synced and (since := moved(self.mine.fingerprint, fingerprint(facts), SYNCED)):
            return Barred((f"synced: {since[0]}",))
        barred = (await asyncio.shield(self.bars)).get(self.mine.leaver.id)
        return barred.of(todo) if barred else None

    def _later(self) -> tuple[PlannedStep, ...]:
        return tuple(p for p in self.mine.steps if p not in self.due)

    async def _read(self, *, look: int = 0, deleted: bool = False) -> Facts:
        """Everything the steps look at; at the second look after a change, each object by itself."""
        kinds = fact_types(p.step for p in self.due) | {Memberships}
        leaver = self.mine.leaver.id
        # What was sent is read back when nothing more urgent is waiting.
        priority = READ_BACK if self.sent else 0
        pinned, direct = {leaver: pins(self.mine.fingerprint)}, look > 1 or len(self.plan.leavers) <= ONE_BY_ONE
        reader, self.read_at = self.tools.reader, self.tools.clock.monotonic()
        found = await reader.again([leaver], kinds, pinned, priority=priority, direct=direct, deleted=deleted)
        return together(found[0], self.mine.fingerprint)

    # -- may we start? ---------------------------------------------------------------------------------------------

    def _refusal(self, facts: Facts) -> list[str]:
        """Why this leaver is not touched at all: what was reviewed is no longer true."""
        if self.ledger.recorded:  # resumed: what differs now is our own doing, and judged change by change
            return []
        reviewed, account = self.mine.fingerprint, facts.account
        if account.gone:
            return ["the user no longer exists, not even in the deleted items"]
        if account.deleted is not None:
            if reviewed.get("deleted"):
                return []
            return [f"the user was deleted at {account.deleted:%Y-%m-%d %H:%M:%SZ}, after the plan was read"]
        if reviewed.get("deleted"):
            return ["the user was deleted when the plan was read and has been restored since"]
        return [*moved(reviewed, fingerprint(facts)), *self._drift(facts)]

    def _drift(self, facts: Facts) -> list[str]:
        found = []
        for asked in ask(self.due, facts, self.ledger.since(facts), self.values):
            found += [f"{_was_added(change)} (step {asked.planned.step.id})" for change in asked.comparison.drifted]
        return found

    # -- one stage -------------------------------------------------------------------------------------------------

    async def _stage(self, stage: Sequence[PlannedStep], facts: Facts) -> Facts:
        facts = await self._once(lambda facts: not self._may_be_done(stage, facts), facts, "What may have been sent")
        answers = ask(stage, facts, self.ledger.since(facts), self.values)
        pending: list[Pending] = []
        for asked in answers:
            pending += self._sort_out(asked, facts)
        if not pending:
            await self.ledger.flush()
            return facts
        await self.ledger.intend(pending)
        return await self._bring_about(pending)

    def _may_be_done(self, stage: Sequence[PlannedStep], facts: Facts) -> bool:
        """Whether a process that died may have done a moment ago what would be held now."""
        interrupted = {step for step, _ in self.ledger.interrupted}
        if not interrupted or self.tools.clock.monotonic() - self.began > VISIBLE_WITHIN:
            return False
        some = [planned for planned in stage if planned.step.id in interrupted]
        asked = ask(some, facts, self.ledger.since(facts), self.values)
        return any(each.comparison.todo and self._held(each, facts) for each in asked)

    def _sort_out(self, asked: Asked, facts: Facts) -> list[Pending]:
        """Conclude what needs no request; the rest is pending."""
        step = asked.planned.step
        # A resumed run may find the leaver deleted by itself; then the reviewed notes are the newest there are.
        self.notes[step.id] = asked.planned.notes if asked.answer.skipped is not None else asked.answer.notes
        if asked.answer.skipped is not None:
            for change in asked.planned.changes or (None,):
                rest = change and self.ledger.rest(step.id, change)
                if rest or change is None:
                    self.ledger.end(asked.planned, rest, Outcome.SKIPPED, asked.answer.skipped)
            return []
        if asked.planned.skipped is not None and asked.answer.tables:  # it only shows something, and was left out
            self.ledger.settle(asked.planned, None, Outcome.SKIPPED, asked.planned.skipped)
            return []
        if not asked.planned.changes and not asked.comparison.drifted and not asked.answer.tables:
            left = [f"{note.target.name}: {note.reason}" if note.target else note.reason for note in asked.answer.notes]
            if left:
                self.ledger.settle(asked.planned, None, Outcome.SKIPPED, "; ".join(left))
            else:
                self.ledger.settle(asked.planned, None, Outcome.UNCHANGED, "already so")
        todo = [rest for c in asked.comparison.todo if (rest := self.ledger.rest(step.id, c))]
        for each in asked.comparison.already:
            change = self.ledger.rest(step.id, each)
            if change is not None:
                self.ledger.not_needed(asked.planned, change, cannot_tell(change, asked.answer))
        for change in asked.comparison.drifted:
            self.ledger.settle(asked.planned, change, Outcome.DRIFTED, "needed now, but never reviewed; left alone")
        held = self._held(asked, facts) if todo else ""
        if held:
            for change in todo:
                self.ledger.end(asked.planned, change, Outcome.DRIFTED, f"held: {held}")
            self.halted = self.halted or step.id
            return []
        return [Pending(asked.planned, change) for change in todo]

    def _held(self, asked: Asked, facts: Facts) -> str:
        """Why a step that may lose something is not carried out although it was approved."""
        if ACTIONS[asked.planned.step.action].effect.value == "reversible":
            return ""
        if asked.comparison.drifted:
            return "what it would do is no longer what was reviewed"
        if differs := moved(self.mine.fingerprint, fingerprint(facts)):
            return "; ".join(differs)
        before = ask(self.due[: self.due.index(asked.planned)], facts, self.ledger.since(facts), self.values)
        reopened = [
            a.planned.step.id
            for a in before
            if a.comparison.drifted or any(self.ledger.was_changed(a.planned, c) for c in a.comparison.todo)
        ]
        return f"step {', '.join(reopened)} no longer holds" if reopened else ""

    async def _bring_about(self, pending: list[Pending]) -> Facts:
        """Send, re-read, and go on until every pending change has its outcome."""
        sent = Sent(self.tools.clock.monotonic(), frozenset(self.ledger.interrupted))
        pause, send, look = pauses(), pending, 0
        while True:
            if send:
                some = send if self.tools.bulk else send[:BATCH]  # one by one needs no room in a batch
                self._say(f"Sending {len(some)} of {len(pending)} changes, then reading them back …")
                await self._send(some, sent)
            look += 1
            facts = await self._read(look=look, deleted=any(_deleted(p, sent.answer(p)) for p in pending))
            pending, send = self._go_on(self._judge(pending, facts, sent), facts, sent)
            if not pending and not self.called_off:
                return facts  # what was concluded is written down with the next intents, before anything leaves
            await self.ledger.flush()
            if not pending:
                raise Interrupted(f"Nothing more was sent: {self.called_off}.")
            if not any(sent.answer(p) is None for p in send):
                seconds = next(pause)
                self._say(f"{len(pending)} not yet visible or not yet accepted; looking again in {seconds:g} s …")
                await self.tools.clock.sleep(seconds)

    async def _send(self, pending: Sequence[Pending], sent: Sent) -> None:
        self.sent = True
        if self.tools.bulk or any(ACTIONS[p.planned.step.action].once for p in pending):
            await self._send_one_by_one(pending, sent)
            return
        infos = [ACTIONS[p.planned.step.action].requests(p.change, self.tools.wire) for p in pending]
        got = await self.tools.reader.sender.write(infos, gate=self._gate(pending, sent))
        for each, answer in zip(pending, got, strict=True):
            sent.note(each, answer, self.tools.clock.monotonic())

    def _gate(self, pending: Sequence[Pending], sent: Sent) -> Callable[[], bool]:
        """Asked when these are about to leave: they may have waited for minutes."""
        losing = [each for each in pending if each.change.effect is not Effect.REVERSIBLE]

        def gate() -> bool:
            late = losing if self.tools.clock.monotonic() - self.read_at > RECENT else []
            for each in late:
                sent.note_late(each)
            return not late and self._may_go()

        return gate

    def _may_go(self) -> bool:
        self.called_off = self.called_off or self.tools.store.changes.steered(self.ledger.whose)
        return not self.called_off

    def _say(self, text: str) -> None:
        if not self.tools.bulk:  # a thousand leavers would say a thousand times the same
            self.tools.say(text)

    async def _send_one_by_one(self, pending: Sequence[Pending], sent: Sent) -> None:
        """In order, each in a batch with other leavers' calls or alone; nothing leaves behind one that did not succeed."""
        order = {planned.step.id: place for place, planned in enumerate(self.mine.steps)}
        for each in pending:
            action, sender = ACTIONS[each.planned.step.action], self.tools.reader.sender
            info, place = action.requests(each.change, self.tools.wire), order[each.planned.step.id]
            gate, ahead = self._gate([each], sent), sent.late(each) > 0
            if action.once:
                (answer,) = await sender.write([info], gate=gate)
            else:
                answer = await sender.write_one(info, priority=place, gate=gate, ahead=ahead)
            sent.note(each, answer, self.tools.clock.monotonic())
            if not answer.ok:
                return

    def _judge(self, pending: Sequence[Pending], facts: Facts, sent: Sent) -> list[Pending]:
        """Conclude what the re-reading shows to be so; what it still asks for, or does not tell, is left."""
        left, blocked = [], sent.blocked
        steps = {each.planned.step.id: each.planned for each in pending}
        answers = {
            id: replan(planned.step, facts, self.ledger.since(facts)(planned), self.values, afterwards=True)
            for id, planned in steps.items()
        }
        for each in pending:
            fresh = answers[each.planned.step.id]
            blocked[each.id] = cannot_tell(each.change, fresh)
            if blocked[each.id] or compare([each.change], fresh.changes).todo:
                left.append(each)
                continue
            outcome, why = sent.found(each)
            seen, answer = ACTIONS[each.planned.step.action].seen(facts, each.change), sent.answer(each)
            self.ledger.conclude(each.planned, each.change, outcome, why, answer, sent.attempts(each), seen=seen)
        return left

    def _go_on(self, left: Sequence[Pending], facts: Facts, sent: Sent) -> tuple[list[Pending], list[Pending]]:
        """End what cannot succeed any more; what is still pending, and which of it is to be sent (again)."""
        found = verdicts(
            Case(
                left,
                sent,
                self.tools.clock.monotonic(),
                self.halted,
                self.called_off,
                self.tools.deadline,
                self.tools.last_stand,
                self._explain,
                self._now_held(facts),
                self._is_fresh(),
            )
        )
        for end in (verdict for verdict in found if verdict.next is Next.END):
            each, answer = end.each, sent.answer(end.each) if end.answered else None
            attempts = sent.attempts(each) if end.answered else 0
            self.ledger.conclude(each.planned, each.change, end.outcome, end.why, answer, attempts, todo=end.todo)
            if end.halts:
                self.halted = self.halted or each.planned.step.id
        return [verdict.each for verdict in found if verdict.next is not Next.END], sends(found)

    def _explain(self, answer: Answer, each: Pending) -> Trouble:
        step = each.planned.step
        return self.tools.reader.sender.explain(answer, step.id, ACTIONS[step.action].permissions)

    def _now_held(self, facts: Facts) -> Callable[[Pending], str]:
        """Why what may lose something would no longer be begun; asked once for all changes of a step."""
        known: dict[str, str] = {}

        def held(each: Pending) -> str:
            step = each.planned.step.id
            if step not in known:
                (asked,) = ask([each.planned], facts, self.ledger.since(facts), self.values)
                known[step] = self._held(asked, facts)
            return known[step]

        return held

    def _is_fresh(self) -> bool:
        now = utc_now_of(self.tools.reader.sender)
        return any(r.outcome is Outcome.CHANGED and r.at is not None and is_fresh(r.at, now) for r in self.ledger.results)

    async def _catch_up(self, before: Sequence[PlannedStep], facts: Facts) -> Facts:
        """Do now what was left because it could not be read, and can be read again."""
        if self.halted or not any(r.change and r.outcome is Outcome.SKIPPED for r in self.ledger.results):
            return facts
        asked = ask(before, facts, self.ledger.since(facts), self.values)
        self.ledger.results, pending = caught_up(self.ledger.results, asked)
        if not pending:
            return facts
        await self.ledger.intend(pending)
        return await self._bring_about(pending)

    async def _close(self, facts: Facts) -> Facts:
        """Success means that everything still holds at the end; what does not has failed."""
        facts, found = await self._settled(facts, self.ledger.results)
        for lapse in found:
            if self.halted and lapse.event == "step-skipped":
                continue  # after a step that failed nothing more is tried, so what was left stays left
            result = replace(self.ledger.results[lapse.place], outcome=Outcome.FAILED, why=lapse.why, todo=lapse.todo)
            self.ledger.overturn(lapse.place, result)
            about = {"change": change_json(result.change)} if result.change else {}
            step = lapse.planned.step
            self.ledger.audit(lapse.event, step=step.id, action=step.action, outcome="failed", why=lapse.why, **about)
        return facts

    async def _settled(self, facts: Facts, results: Sequence[Result]) -> tuple[Facts, list[Lapse]]:
        """The facts, read again as long as a copy of the directory may show what was before; and what no longer holds."""
        found: list[Lapse] = []

        def shows(facts: Facts) -> bool:
            since, earlier = self.ledger.since(facts), self.ledger.is_earlier
            found[:] = lapses(results, self.due, facts, since, self.values, earlier)
            return not may_be_lag(found, results, utc_now_of(self.tools.reader.sender))

        return await self._once(shows, facts, "What was done a moment ago"), found

    async def _past_other_runs(self, facts: Facts) -> Facts:
        """The facts, read again while what seems to be so already may have been so only before another run."""
        leaver, after = self.mine.leaver.id, utc_now_of(self.tools.reader.sender) - FRESH
        others = self.tools.store.changes.lately(self.plan.tenant.id, [leaver], after, but=self.run)

        def told(facts: Facts) -> bool:
            if leaver not in others or not is_fresh(others[leaver][1], utc_now_of(self.tools.reader.sender)):
                return True
            asked = ask(self.due, facts, self.ledger.since(facts), self.values)
            return all(self.ledger.was_changed(each.planned, c) for each in asked for c in each.comparison.already)

        return await self._once(told, facts, "What another run has done a moment ago")

    async def _once(self, holds: Callable[[Facts], bool], facts: Facts, why: str) -> Facts:
        """The facts, read again until this holds of them; it must come to hold as time goes by."""
        pause = pauses()
        while not holds(facts):
            self._say(f"{why} does not show; looking again …")
            await self.tools.clock.sleep(next(pause))
            facts = await self._read(look=2)
        return facts

    def _remembered(self) -> list[Result]:
        """What an earlier process, or an earlier turn, has concluded."""
        return [each.result for each in self.ledger.recorded.values() if each.result is not None]

    def _outcome(self, facts: Facts | None, stopped: str = "") -> LeaverOutcome:
        results = self.ledger.results
        notes, tables = self._left(facts) if facts is not None else ((), ())
        return LeaverOutcome(
            self.index,
            in_order(self.due, results),
            not_started=not_started(self.due, results),
            notes=notes,
            tables=tables,
            later=self._later(),
            stopped=stopped,
        )

    def _left(self, facts: Facts) -> Left:
        looked_at = started(self.due, self.ledger.results, halted=bool(self.halted))
        since = self.ledger.since(facts)
        answers = [(p, replan(p.step, facts, since(p), self.values)) for p in looked_at]
        return left(answers, self.notes, deleted=facts.account.deleted is not None)


def _deleted(each: Pending, answer: Answer | None) -> bool:
    """Whether Graph has accepted the deletion of the leaver."""
    return each.change.verb == "delete" and each.change.target.kind == "user" and bool(answer and answer.ok)


def _was_added(change: Change) -> str:
    names = ", ".join(part.name for part in change.parts) or change.target.name
    return f"{change.verb} {names} would be needed now and was not when the plan was read"
