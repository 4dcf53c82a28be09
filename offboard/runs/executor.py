"""The executor: re-plan → intent → send → read back → result, for one leaver at a time.

Nothing is decided here that `planner` could decide, and nothing is sent but what `A ∩ F` holds. Each intent is durable in
the audit and the store before its request leaves. A change counts as `changed` only when the re-reading no longer asks
for it; an answer that never came, or came as 5xx, is resolved by re-reading and never by sending again blindly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from offboard.actions import ACTIONS
from offboard.actions.base import Since, Wire
from offboard.audit import Audit
from offboard.clock import Clock
from offboard.errors import GraphUnavailable
from offboard.facts import Facts, Memberships
from offboard.graph.answers import Answer
from offboard.graph.read import Reader
from offboard.graph.send import BATCH, utc_now_of
from offboard.graph.trouble import explain
from offboard.model import JSON, Change, LeaverPlan, Note, OnFailure, Outcome, Plan, PlannedStep, Result, Table
from offboard.planfile import change_json
from offboard.planner import compare, fact_types, fingerprint, moved, pins, replan
from offboard.runs.outcome import LeaverOutcome
from offboard.runs.stages import Asked, Pending, ask, dependent, stages
from offboard.runs.store import Recorded, Store

VISIBLE_WITHIN = 60.0
"""Seconds after which an accepted change that cannot be read back counts as failed."""
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)

Progress = Callable[[LeaverPlan, Result], None]


@dataclass
class Tools:
    """The edge of the world, handed in.

    Args:
        reader: Reads facts and, through its sender, writes.
        wire: Words requests.
        audit: The record for people, bound to run, plan and actor.
        store: The engine's memory.
        clock: Time.
        progress: Told of every result as it becomes known.
        deadline: Seconds after which a throttled or unanswered change is given up.
    """

    reader: Reader
    wire: Wire
    audit: Audit
    store: Store
    clock: Clock
    progress: Progress = lambda _leaver, _result: None
    deadline: float = 600.0


@dataclass
class LeaverRun:
    """One leaver's share of one run."""

    tools: Tools
    run: str
    plan: Plan
    index: int
    values: Mapping[str, str]
    results: list[Result] = field(default_factory=list)
    recorded: dict[tuple[str, str], Recorded] = field(default_factory=dict)
    halted: str = ""
    due: list[PlannedStep] = field(default_factory=list)

    @property
    def mine(self) -> LeaverPlan:
        """This leaver's part of the plan."""
        return self.plan.leavers[self.index]

    async def carry_out(self) -> LeaverOutcome:
        """Carry out every step that is due.

        Raises:
            AuditError: The audit cannot be written; nothing more was sent.
        """
        now = utc_now_of(self.tools.reader.sender)
        self.due = [p for p in self.mine.steps if p.due <= now]
        self.recorded = self.tools.store.recorded(self.run, self.mine.leaver.id)
        try:
            return await self._carry_out()
        except GraphUnavailable as error:
            return self.stopped(" ".join(error.lines()))

    def stopped(self, why: str) -> LeaverOutcome:
        """The outcome when the run stops in the middle of this leaver."""
        self._audit("stopped", why=why)
        return self._outcome(None, stopped=why)

    async def _carry_out(self) -> LeaverOutcome:
        facts = await self._read()
        refused = self._refusal(facts)
        if refused:
            self._audit("refused", why="; ".join(refused))
            return LeaverOutcome(self.index, refused=tuple(refused), later=self._later())
        for stage in stages(self.due):
            if self.halted:
                break
            facts = await self._stage(stage, facts)
        self._undone(facts)
        return self._outcome(facts)

    def _later(self) -> tuple[PlannedStep, ...]:
        return tuple(p for p in self.mine.steps if p not in self.due)

    async def _read(self) -> Facts:
        kinds = fact_types(p.step for p in self.due) | {Memberships}
        leaver = self.mine.leaver.id
        found = await self.tools.reader.again([leaver], kinds, {leaver: pins(self.mine.fingerprint)})
        return found[0]

    # -- may we start? ---------------------------------------------------------------------------------------------

    def _refusal(self, facts: Facts) -> list[str]:
        """Why this leaver is not touched at all: what was reviewed is no longer true."""
        if self.recorded:  # resumed: what differs now is our own doing, and judged change by change
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
        for asked in ask(self.due, facts, self._since(facts), self.values):
            found += [
                f"{_was_added(change)} (step {asked.planned.step.id})" for change in asked.comparison.drifted
            ]
        return found

    # -- one stage -------------------------------------------------------------------------------------------------

    async def _stage(self, stage: Sequence[PlannedStep], facts: Facts) -> Facts:
        answers = ask(stage, facts, self._since(facts), self.values)
        pending: list[Pending] = []
        for asked in answers:
            pending += self._sort_out(asked, facts)
        if not pending:
            return facts
        self._intend(pending, facts)
        return await self._bring_about(pending, facts)

    def _sort_out(self, asked: Asked, facts: Facts) -> list[Pending]:
        """Conclude what needs no request; the rest is pending."""
        step = asked.planned.step
        if asked.answer.skipped is not None:
            for change in asked.planned.changes or (None,):
                self._settle(asked.planned, change, Outcome.SKIPPED, asked.answer.skipped)
            return []
        if not asked.planned.changes and not asked.comparison.drifted and not asked.answer.tables:
            left = "; ".join(note.reason for note in asked.answer.notes)
            self._settle(asked.planned, None, Outcome.UNCHANGED, left or "nothing to do: already so")
        for change in asked.comparison.already:
            before = self.recorded.get((step.id, change.key))
            if before and before.result is None:
                self._conclude(asked.planned, before.change, Outcome.CHANGED, "recovered: found done on re-reading")
            elif before is None:
                self._settle(asked.planned, change, Outcome.UNCHANGED, "already so")
        for change in asked.comparison.drifted:
            self._settle(asked.planned, change, Outcome.DRIFTED, "needed now, but never reviewed; left alone")
        todo = [c for c in asked.comparison.todo if not self._done(step.id, c)]
        held = self._held(asked, facts) if todo else ""
        if held:
            for change in todo:
                self._settle(asked.planned, change, Outcome.DRIFTED, f"held: {held}")
            self.halted = self.halted or step.id
            return []
        return [Pending(asked.planned, change) for change in todo]

    def _done(self, step: str, change: Change) -> bool:
        found = self.recorded.get((step, change.key))
        if found is None or found.result is None:
            return False
        self.results.append(found.result)
        return True

    def _held(self, asked: Asked, facts: Facts) -> str:
        """Why a step that may lose something is not carried out although it was approved."""
        if ACTIONS[asked.planned.step.action].effect.value == "reversible":
            return ""
        if asked.comparison.drifted:
            return "what it would do is no longer what was reviewed"
        before = self.due[: self.due.index(asked.planned)]
        reopened = [
            a.planned.step.id
            for a in ask(before, facts, self._since(facts), self.values)
            if a.comparison.drifted or any(self._was_changed(a.planned, c) for c in a.comparison.todo)
        ]
        return f"step {', '.join(reopened)} no longer holds" if reopened else ""

    def _was_changed(self, planned: PlannedStep, change: Change) -> bool:
        found = self.recorded.get((planned.step.id, change.key))
        return bool(found and found.result and found.result.outcome is Outcome.CHANGED)

    def _since(self, facts: Facts) -> Callable[[PlannedStep], Since]:
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
                return self.tools.store.evidence(self.plan.tenant.id, self.mine.leaver.id, key)

            return since

        return for_step

    def _intend(self, pending: Sequence[Pending], facts: Facts) -> None:
        since = utc_now_of(self.tools.reader.sender)
        for each in pending:
            if each.id in self.recorded:
                continue  # resumed: the intent stands already
            step = each.planned.step
            self._audit("intent", step=step.id, action=step.action, change=change_json(each.change))
            leaver = self.mine.leaver.id
            self.tools.store.intend(self.run, self.plan.tenant.id, leaver, step.id, each.change, since)
            self.recorded[each.id] = Recorded(each.change, since, None)

    async def _bring_about(self, pending: list[Pending], facts: Facts) -> Facts:
        """Send, re-read, and go on until every pending change has its outcome."""
        started, answers, wait = self.tools.clock.monotonic(), dict[tuple[str, str], Answer](), iter(WAITS)
        attempts: dict[tuple[str, str], int] = {}
        send = pending
        while True:
            if send:
                await self._send(send[:BATCH], answers, attempts)
            facts = await self._read()
            left = self._judge(pending, facts, answers, attempts)
            if not left:
                return facts
            elapsed = self.tools.clock.monotonic() - started
            pending, send = self._give_up(left, answers, attempts, elapsed)
            if not pending:
                return facts
            if not any(answers.get(p.id) is None for p in send) or not send:
                await self.tools.clock.sleep(next(wait, WAITS[-1]))

    async def _send(
        self,
        pending: Sequence[Pending],
        answers: dict[tuple[str, str], Answer],
        attempts: dict[tuple[str, str], int],
    ) -> None:
        infos = [ACTIONS[p.planned.step.action].requests(p.change, self.tools.wire) for p in pending]
        got = await self.tools.reader.sender.write(infos, serial=dependent(pending))
        for each, answer in zip(pending, got, strict=True):
            if answer.status == 424:
                answers.pop(each.id, None)  # Graph did not execute it, because the one before it failed
                continue
            answers[each.id] = answer
            attempts[each.id] = attempts.get(each.id, 0) + 1

    def _judge(
        self,
        pending: Sequence[Pending],
        facts: Facts,
        answers: Mapping[tuple[str, str], Answer],
        attempts: Mapping[tuple[str, str], int],
    ) -> list[Pending]:
        """Conclude what the re-reading shows to be so; what it still asks for is left."""
        left = []
        for each in pending:
            fresh = replan(each.planned.step, facts, self._since(facts)(each.planned), self.values)
            still = compare([each.change], fresh.changes).todo
            answer = answers.get(each.id)
            if still:
                left.append(each)
            elif answer is None:
                self._conclude(each.planned, each.change, Outcome.UNCHANGED, "already so before anything was sent")
            elif answer.ok:
                self._conclude(each.planned, each.change, Outcome.CHANGED, "", answer, attempts[each.id])
            elif answer.ambiguous or answer.throttled:
                why = f"recovered: {_unsure(answer)}, found done on re-reading"
                self._conclude(each.planned, each.change, Outcome.CHANGED, why, answer, attempts[each.id])
            else:
                why = f"already so: Graph answered {answer.status}"
                self._conclude(each.planned, each.change, Outcome.UNCHANGED, why, answer, attempts[each.id])
        return left

    def _give_up(
        self,
        left: Sequence[Pending],
        answers: Mapping[tuple[str, str], Answer],
        attempts: Mapping[tuple[str, str], int],
        elapsed: float,
    ) -> tuple[list[Pending], list[Pending]]:
        """Fail what cannot succeed any more; say what is still pending, and which of it is to be sent (again)."""
        pending, send = [], []
        for each in left:
            answer = answers.get(each.id)
            if self.halted and self.halted != each.planned.step.id:
                self._conclude(each.planned, each.change, Outcome.SKIPPED, f"not sent: step {self.halted} failed")
            elif answer is None:
                pending.append(each)
                send.append(each)
            elif answer.ok and elapsed < VISIBLE_WITHIN:
                pending.append(each)  # accepted, not yet visible: replication takes its time
            elif (answer.ambiguous or answer.throttled) and elapsed < self.tools.deadline:
                pending.append(each)
                send.append(each)
            else:
                self._fail(each, answer, attempts.get(each.id, 0), elapsed)
        return pending, send

    def _fail(self, each: Pending, answer: Answer, attempts: int, elapsed: float) -> None:
        step = each.planned.step
        if answer.ok:
            why = f"Graph accepted it ({answer.status}), but after {elapsed:.0f} s it cannot be read back"
            todo = "Look at the object in the admin center, then run the playbook again."
        elif answer.ambiguous or answer.throttled:
            why = f"{_unsure(answer)}; given up after {elapsed:.0f} s and {attempts} attempts"
            todo = "Run the playbook again later; what is done stays done."
        else:
            trouble = explain(
                answer.status or 0,
                answer.body,
                step=step.id,
                action_permissions=ACTIONS[step.action].permissions,
                path=answer.path,
                token=self.tools.reader.sender.connection.token_info(),
            )
            why, todo = trouble.what, " ".join(x for x in (trouble.why, trouble.todo) if x)
        self._conclude(each.planned, each.change, Outcome.FAILED, why, answer, attempts, todo=todo)
        if step.on_failure is not OnFailure.CONTINUE:
            self.halted = self.halted or step.id

    # -- results ---------------------------------------------------------------------------------------------------

    def _settle(self, planned: PlannedStep, change: Change | None, outcome: Outcome, why: str) -> None:
        """A result without an intent: nothing was to be sent."""
        at = utc_now_of(self.tools.reader.sender)
        result = Result(outcome, planned.step.id, change, why, at)
        event = {Outcome.DRIFTED: "drifted", Outcome.UNCHANGED: "unchanged"}.get(outcome, "step-skipped")
        extra = {"change": change_json(change)} if change else {}
        self._audit(event, step=planned.step.id, action=planned.step.action, outcome=outcome.value, why=why, **extra)
        self._report(result)

    def _conclude(
        self,
        planned: PlannedStep,
        change: Change,
        outcome: Outcome,
        why: str,
        answer: Answer | None = None,
        attempts: int = 0,
        todo: str = "",
    ) -> None:
        """The outcome of an intent: to the audit, to the store, to whoever watches."""
        at = utc_now_of(self.tools.reader.sender)
        detail = _wire_detail(answer, attempts) if answer is not None else {}
        result = Result(outcome, planned.step.id, change, why, at, todo, detail)
        self._audit(
            "outcome",
            step=planned.step.id,
            action=planned.step.action,
            change=change_json(change),
            outcome=outcome.value,
            why=why,
            graph=detail or None,
        )
        self.tools.store.conclude(self.run, self.mine.leaver.id, result)
        since = self.recorded[planned.step.id, change.key].since
        self.recorded[planned.step.id, change.key] = Recorded(change, since, result)
        self._report(result)

    def _report(self, result: Result) -> None:
        self.results.append(result)
        self.tools.progress(self.mine, result)

    def _undone(self, facts: Facts) -> None:
        """Success means that everything still holds at the end; what was undone meanwhile has failed."""
        for n, result in enumerate(self.results):
            planned = next((p for p in self.due if p.step.id == result.step), None)
            if planned is None or result.change is None or result.outcome is not Outcome.CHANGED:
                continue
            fresh = replan(planned.step, facts, self._since(facts)(planned), self.values)
            if compare([result.change], fresh.changes).todo:
                why = "was done and read back, but no longer holds at the end of the run: somebody undid it"
                self.results[n] = Result(Outcome.FAILED, result.step, result.change, why, result.at, "", result.detail)
                self._audit("undone", step=result.step, change=change_json(result.change), why=why)

    def _outcome(self, facts: Facts | None, stopped: str = "") -> LeaverOutcome:
        seen = {result.step for result in self.results}
        notes, tables = self._left(facts, seen) if facts is not None else ((), ())
        return LeaverOutcome(
            self.index,
            tuple(self._ordered()),
            not_started=tuple(p.step.id for p in self.due if p.step.id not in seen and not p.tables),
            notes=notes,
            tables=tables,
            later=self._later(),
            stopped=stopped,
        )

    def _left(
        self, facts: Facts, seen: set[str]
    ) -> tuple[tuple[Note, ...], tuple[tuple[str, Table], ...]]:
        """What the last reading says about the steps that ran: what is left as it is, and the rows they return."""
        notes: dict[Note, None] = {}
        tables = []
        for planned in self.due:
            if planned.step.id in seen or (planned.tables and not self.halted):
                answer = replan(planned.step, facts, self._since(facts)(planned), self.values)
                notes |= dict.fromkeys(answer.notes)
                tables += [(planned.step.id, table) for table in answer.tables]
        return tuple(notes), tuple(tables)

    def _ordered(self) -> list[Result]:
        order = {p.step.id: n for n, p in enumerate(self.due)}
        return sorted(self.results, key=lambda r: order.get(r.step, len(order)))

    def _audit(self, event: str, **fields: JSON) -> None:
        leaver = self.mine.leaver
        who = {"id": leaver.id, "upn": leaver.user_principal_name}
        self.tools.audit.write(event, leaver=who, **fields)


def _was_added(change: Change) -> str:
    names = ", ".join(part.name for part in change.parts) or change.target.name
    return f"{change.verb} {names} would be needed now and was not when the plan was read"


def _unsure(answer: Answer) -> str:
    return f"the answer was lost ({answer.lost})" if answer.status is None else f"Graph answered {answer.status}"


def _wire_detail(answer: Answer, attempts: int) -> dict[str, JSON]:
    return {
        "method": answer.method,
        "path": answer.path,
        "status": answer.status,
        "request_id": answer.request_id,
        "client_request_id": answer.client_request_id,
        "attempts": attempts,
    }


