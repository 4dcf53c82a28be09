"""What a person may decide about a run that is open: hold, release, cancel, another leave date. Contacts nobody.

It takes effect with the next write: a process that is in the middle of the run sends no more, and tells how what it has
sent ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from offboard.audit import Audit
from offboard.errors import UsageError
from offboard.model import PlannedStep
from offboard.planjson import stamp
from offboard.runs.engine.canceled import close
from offboard.runs.engine.shares import Share, as_moved, pending
from offboard.runs.store import RunRecord, Store


@dataclass(frozen=True, slots=True)
class Steering:
    """A person's hand on one run.

    Args:
        store: Where the run stands.
        audit: Bound to the actor; told before the store is.
        reason: Why, in the person's words.
    """

    store: Store
    audit: Audit
    reason: str

    def hold(self, record: RunRecord, user: str | None = None) -> list[Share]:
        """Nothing more is carried out until it is released.

        Raises:
            UsageError: Nothing is open that is not held already.
        """
        found = [s for s in self._open(record, user) if s.hold is None]
        return self._do("held", record, [replace(s, hold=self.reason) for s in found], ("hold",), "is not held already")

    def release(self, record: RunRecord, user: str | None = None) -> list[Share]:
        """What was held goes on.

        Raises:
            UsageError: Nothing is held.
        """
        found = [s for s in self._open(record, user) if s.hold is not None]
        return self._do("released", record, [replace(s, hold=None) for s in found], ("hold",), "is held")

    def cancel(self, record: RunRecord, user: str | None = None) -> list[Share]:
        """What is still to come is not carried out; what is done stays.

        Raises:
            UsageError: Nothing is open.
        """
        found = [replace(s, state="canceled", due=None, why=self.reason) for s in self._open(record, user)]
        done = self._do("canceled", record, found, ("state", "due", "why"), "is open")
        close(self.store, self.audit, done)
        return done

    def reschedule(self, record: RunRecord, leave: datetime, user: str | None = None) -> list[Share]:
        """Everything that is still to come moves with the new leave time.

        Raises:
            UsageError: Nothing is still to come.
        """
        found = []
        for share in self._open(record, user):
            steps = self.to_come(record, share)
            if steps:
                # Steps with nothing to change move along: left behind, they would be asked before their turn.
                first, plan = min(p.due for p in steps), as_moved(self.store.parts(record.id, [share])[0], share)
                along = [p for p in plan.steps if p.due >= first and not p.changes]
                # What has begun stays where it is, and nothing that comes after it is moved to before it.
                ids = {p.step.id for p in (*steps, *along)}
                begun = max((p.due for p in plan.steps if p.step.id not in ids), default=None)
                dues = _moved([p for p in plan.steps if p.step.id in ids], leave, begun)
                due = min(dues[p.step.id] for p in steps)
                found.append(replace(share, leave=leave, moved={**share.moved, **dues}, due=due))
        which = "has steps that are still to come"
        return self._do("rescheduled", record, found, ("leave", "moved", "due"), which, leave=stamp(leave))

    def to_come(self, record: RunRecord, share: Share) -> Sequence[PlannedStep]:
        """The steps of which nothing was begun, due times as they are now."""
        started = frozenset(step for step, _ in self.store.changes.recorded(record.id, share.leaver))
        return pending(as_moved(self.store.parts(record.id, [share])[0], share), share, started)

    def _open(self, record: RunRecord, user: str | None) -> list[Share]:
        shares = self.store.shares(record.id)
        if user is not None:
            shares = [s for s in shares if _is(s, user)]
            if not shares:
                raise UsageError(
                    f"{user!r} is not in run {record.id[:8]}.", todo=f"Look: offboard status {record.id[:8]}"
                )
        return [share for share in shares if not share.over]

    def _do(
        self, event: str, record: RunRecord, shares: list[Share], decided: Sequence[str], which: str, **more: str
    ) -> list[Share]:
        if not shares:
            raise UsageError(
                f"Nobody in run {record.id[:8]} {which}.",
                todo=f"Nothing was changed. Look: offboard status {record.id[:8]}",
            )
        for share in shares:
            who = {"id": share.leaver, "upn": share.upn}
            self.audit.write(event, run=record.id, plan=record.plan.id, leaver=who, why=self.reason, **more)
        return self.store.steer(shares, decided)


def _is(share: Share, user: str) -> bool:
    return user.casefold() in (share.leaver.casefold(), share.upn.casefold())


def find_run(store: Store, start: str) -> RunRecord:
    """The run whose id begins so.

    Raises:
        UsageError: None does, or several do.
    """
    found = [record for record in store.runs() if record.id.startswith(start)]
    if len(found) != 1:
        many = "Several runs begin" if found else "No run begins"
        raise UsageError(f"{many} with {start!r}.", todo="List them with: offboard runs")
    return found[0]


def _moved(steps: Sequence[PlannedStep], leave: datetime, begun: datetime | None) -> dict[str, datetime]:
    """New due times: none before what has begun, and none before one that it came after."""
    place, last = {planned.step.id: n for n, planned in enumerate(steps)}, None
    found: dict[str, datetime] = {}
    for planned in sorted(steps, key=lambda planned: planned.due):
        due, id = planned.step.due.at(leave), planned.step.id
        due = max(due, begun) if begun is not None else due
        if last is not None and due <= found[last]:
            # Steps that fall due together are carried out as the playbook has them.
            due = found[last] + timedelta(seconds=place[id] < place[last])
        found[id], last = due, id
    return found
