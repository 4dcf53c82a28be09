"""What the engine must know again after a crash: consumed plans, how far each leaver is, intents with their instant, outcomes.

A SQLite file in the state folder, or one PostgreSQL for many workers. Every write is durable before it returns, because
the next thing that happens is an effect in somebody's tenant.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from offboard.approval import Approval
from offboard.errors import Refused
from offboard.guards import History, Outline, outline
from offboard.model import LeaverPlan, Plan
from offboard.planfile import join, read_head, read_part, split
from offboard.planjson import canonical, moment, stamp
from offboard.runs.engine.changes import Changes
from offboard.runs.engine.database import CHUNK, SqliteDatabase, among, open_database, unusable
from offboard.runs.engine.history import history
from offboard.runs.engine.leases import Leases
from offboard.runs.engine.onerun import refuse_second
from offboard.runs.engine.shares import Share, as_moved, first_share, insert_shares, read_shares, update_shares
from offboard.runs.engine.tables import prepare
from offboard.runs.engine.turns import Turns

RUNS = (
    "SELECT id, plan, started, state, exit_code, desk, (SELECT min(due) FROM share WHERE share.run = run.id "
    "AND hold IS NULL AND share.state IN ('open', 'stopped')), (SELECT count(*) FROM share WHERE share.run = run.id), "
    "(SELECT upn FROM share WHERE share.run = run.id AND place = 0) FROM run "
)
PORTION = 500
"""Leavers of a large plan that are read at a time."""
SAME = timedelta(seconds=10)
"""How long what other runs have done is not asked for again."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as stored.

    Args:
        id: The run.
        plan: Its plan, without the leavers.
        started: When.
        state: `open`, `held`, `stopped`, `canceled` or `ended`.
        exit_code: Of what was carried out so far.
        next: When a worker goes on by itself.
        leavers: How many there are.
        first: The name of the first.
        desk: The process that carries it out for a person who waits for it; None when it has ended.
    """

    id: str
    plan: Plan
    started: datetime
    state: str
    exit_code: int | None
    next: datetime | None = None
    leavers: int = 0
    first: str = ""
    desk: str | None = None


class Store:
    """The engine's memory.

    Args:
        place: The database file, made when absent; or `postgresql://…`.
        wall: This machine's clock, for leases in a file.
        owner: Unique name of this process, for leases; made up when empty.

    Raises:
        UsageError: It cannot be opened, or a newer version of the tool wrote it.
    """

    def __init__(self, place: Path | str, *, wall: Callable[[], float] = time.time, owner: str = "") -> None:
        import sqlite3

        self.db = open_database(place, wall)
        self.leases = Leases(self.db, owner or secrets.token_hex(8))
        self.changes = Changes(self.db, self.leases)
        self.turns = Turns(self.db)
        self._outlines: dict[str, Outline] = {}  # what was reviewed never changes, and is asked for by every turn
        self._history: tuple[tuple[str, str], datetime, History] | None = None
        try:
            prepare(self.db, str(place) if isinstance(self.db, SqliteDatabase) else "", self._upgrade)
        except sqlite3.Error as error:
            raise unusable(place, error) from error

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()

    def _upgrade(self, found: int) -> None:
        from offboard.runs.engine.upgrade import upgrade

        upgrade(self.db, found)

    # -- runs ------------------------------------------------------------------------------------------------------

    def start(self, run: str, plan: Plan, at: datetime, approvals: Sequence[Approval] = ()) -> None:
        """Consume the plan, with the approvals it has, and open a run.

        Raises:
            Refused: The plan was consumed before.
            Busy: A leaver has an open run.
        """
        with self.db.transaction():
            row = self.db.rows("SELECT id, started FROM run WHERE plan_id = ?", (plan.id,))
            if row:
                raise Refused(
                    f"Plan {plan.short_id} was already carried out by run {row[0][0]}, started {row[0][1]}.",
                    todo="Make and review a new plan; what is done already will be shown as unchanged.",
                )
            carried = self.refuse_if_busy(plan, at)
            head, parts = split(plan)
            self.db.rows(
                "INSERT INTO run (id, plan_id, tenant, started, state, plan, desk) VALUES (?, ?, ?, ?, 'open', ?, ?)",
                (run, plan.id, plan.tenant.id, stamp(at), head, self.leases.owner),
            )
            for place, approval in enumerate(approvals):
                kept = canonical(approval.to_json()).decode()
                self.db.rows("INSERT INTO approval (run, place, approval) VALUES (?, ?, ?)", (run, place, kept))
            shares = (first_share(run, plan, place, over=carried) for place in range(len(plan.leavers)))
            insert_shares(self.db, shares, parts)
        self._whole = run, plan

    def refuse_if_busy(self, plan: Plan, at: datetime) -> dict[str, str]:
        """Refuse a plan for somebody who has an open run: `refuse_second` on what is stored.

        Raises:
            Busy: Naming the leavers, and the first run of each.
        """
        wanted, found = {each.leaver.id for each in plan.leavers}, defaultdict(list)
        for share in read_shares(self.db, "tenant = ? AND state NOT IN ('ended', 'canceled')", (plan.tenant.id,)):
            if share.leaver in wanted:
                found[share.leaver].append(share)
        return refuse_second(
            plan,
            at,
            lambda leaver: found[leaver],
            lambda other: self.parts(other.run, [other])[0],
        )

    def end(self, run: str, state: str, exit_code: int, leavers: Sequence[str]) -> None:
        """Record how a turn of the run ended for these leavers as a whole; `settle` says it leaver by leaver."""
        due = "due = NULL, " if state == "ended" else ""
        with self.db.transaction():
            self.db.many(
                f"UPDATE share SET {due}state = ?, exit_code = ? WHERE run = ? AND leaver = ? "  # noqa: S608 -- ours
                "AND state NOT IN ('ended', 'canceled')",
                [(state, exit_code, run, leaver) for leaver in leavers if self.leases.kept(leaver)],
            )
            self._sum_up(run)

    def settle(self, shares: Sequence[Share]) -> None:
        """Record how far these shares are. What a person decided meanwhile (hold, cancel, another date) stands."""
        with self.db.transaction():
            stored = {(s.run, s.leaver): s for s in self._again(shares)}
            done = []
            for share in shares:
                if not self.leases.kept(share.leaver):
                    continue  # another process has gone on, and knows better
                now = stored[share.run, share.leaver]
                due = share.due
                if now.leave != share.leave or now.moved != share.moved:
                    due = share.due and min(share.due, *now.moved.values(), now.leave)
                state = "canceled" if now.state == "canceled" else share.state
                due, why = (None, now.why) if state == "canceled" else (due, share.why)
                done.append(replace(now, state=state, due=due, why=why, exit_code=share.exit_code, turn=None))
            update_shares(self.db, done)
            for run in {share.run for share in shares}:
                self._sum_up(run)

    def _again(self, shares: Sequence[Share]) -> list[Share]:
        found = []
        for run in {share.run for share in shares}:
            leavers = [share.leaver for share in shares if share.run == run]
            for start in range(0, len(leavers), CHUNK):
                some = leavers[start : start + CHUNK]
                found += read_shares(self.db, f"run = ? AND leaver IN ({', '.join('?' * len(some))})", (run, *some))
        return found

    def steer(self, shares: Sequence[Share], decided: Sequence[str]) -> list[Share]:
        """Record what a person decided. Whatever turn was to carry them on finds nobody any more.

        Args:
            shares: As they are to be.
            decided: The fields that the decision is about. Whatever else was written meanwhile stands; so does the end of
                a share.

        Returns:
            Those for whom it still made sense.
        """
        with self.db.transaction():
            wanted = {(share.run, share.leaver): share for share in shares}
            done = []
            for now in self._again(shares):
                new = {name: getattr(wanted[now.run, now.leaver], name) for name in decided}
                if not now.over:
                    done.append(replace(now, turn=None, **new))
            update_shares(self.db, done)
            for run in {share.run for share in shares}:
                self._sum_up(run)
        return done

    def bar(self, shares: Sequence[Share]) -> None:
        """Record what the guards said in a turn. What a person decided meanwhile stands."""
        with self.db.transaction():
            stored = {(s.run, s.leaver): s for s in self._again(shares)}
            done = []
            for share in shares:
                now = stored[share.run, share.leaver]
                decided = now.over or now.hold is not None or (now.leave, now.moved) != (share.leave, share.moved)
                if not decided and self.leases.kept(share.leaver):
                    done.append(replace(share, turn=None))
            update_shares(self.db, done)
            for run in {share.run for share in shares}:
                self._sum_up(run)

    def _sum_up(self, run: str) -> None:
        rows = self.db.rows(
            "SELECT DISTINCT CASE WHEN hold IS NOT NULL AND state NOT IN ('ended', 'canceled') THEN 'held' ELSE state END, "
            "exit_code FROM share WHERE run = ?",
            (run,),
        )
        said, codes = {row[0] for row in rows}, {row[1] for row in rows if row[1] is not None}
        order = ("stopped", "open", "held", "ended", "canceled")
        code = None if not codes else 5 if 5 in codes else min(codes) if len(codes) == 1 else 1
        self.db.rows(
            "UPDATE run SET state = ?, exit_code = ? WHERE id = ?",
            (next((state for state in order if state in said), "ended"), code, run),
        )

    def runs(self, state: str | None = None) -> list[RunRecord]:
        """All runs, newest first."""
        return self._runs("WHERE state = ?", (state,)) if state is not None else self._runs()

    def run(self, id: str) -> RunRecord:
        """The run of this id, which exists."""
        return self._runs("WHERE id = ?", (id,))[0]

    def _runs(self, where: str = "", values: Sequence[str] = ()) -> list[RunRecord]:
        found = []
        for row in self.db.rows(f"{RUNS}{where} ORDER BY started DESC, rowid DESC", values):
            run, head, started, state, code, desk, later, leavers, first = row
            plan = read_head(bytes(head), f"run {run}")
            goes_on = moment(later) if later else None
            found.append(RunRecord(run, plan, moment(started), state, code, goes_on, leavers, first or "", desk))
        return found

    def whole(self, run: str) -> Plan:
        """The run's plan with all its leavers, its digest checked.

        Raises:
            Refused: It is no longer what was stored.
        """
        head = bytes(self.db.rows("SELECT plan FROM run WHERE id = ?", (run,))[0][0])
        return join(head, self._all_parts(run), f"run {run}")

    def _all_parts(self, run: str) -> Iterator[bytes]:
        start, query = 0, "SELECT part FROM share WHERE run = ? AND place >= ? AND place < ? ORDER BY place"
        while rows := self.db.rows(query, (run, start, start + PORTION)):
            yield from (bytes(row[0]) for row in rows)
            start += PORTION

    def outline(self, run: str) -> Outline:
        """What the guards must know of the run's whole plan.

        Raises:
            Refused: It is no longer what was stored.
        """
        if run not in self._outlines:
            self._outlines[run] = outline(self.whole(run))
        return self._outlines[run]

    def parts(self, run: str, shares: Sequence[Share]) -> list[LeaverPlan]:
        """What was reviewed for these leavers of the run."""
        names = [share.leaver for share in shares]
        rows = among(self.db, "SELECT leaver, part FROM share WHERE run = ? AND leaver IN {}", (run,), names)
        found = {leaver: bytes(part) for leaver, part in rows}
        return [read_part(found[share.leaver]) for share in shares]

    def plan_of(self, record: RunRecord, shares: Sequence[Share]) -> Plan:
        """The plan for these leavers only, with the due times as they are now."""
        parts = self.parts(record.id, shares)
        return replace(record.plan, leavers=tuple(map(as_moved, parts, shares)))

    def approvals(self, run: str) -> tuple[Approval, ...]:
        """The approvals that were consumed with the run's plan; they were judged then, and hold for all its phases."""
        rows = self.db.rows("SELECT approval FROM approval WHERE run = ? ORDER BY place", (run,))
        if not rows:
            return ()
        plan = self.run(run).plan
        found = [Approval.from_json(json.loads(text), plan) for (text,) in rows]
        return tuple(approval for approval in found if approval.statement.digest == plan.digest)

    def shares(self, run: str) -> list[Share]:
        """How far each leaver of the run is, in the plan's order."""
        return read_shares(self.db, "run = ?", (run,))

    def due(self, tenant: str, now: datetime) -> list[Share]:
        """What a worker is to go on with: due, not held, not over, and in nobody's hands."""
        found = read_shares(
            self.db, "tenant = ? AND state IN ('open', 'stopped') AND hold IS NULL AND due <= ?", (tenant, stamp(now))
        )
        return [share for share in found if self.leases.holder(tenant, share.leaver) is None]

    def history(self, tenant: str, now: datetime, run: str = "") -> History:
        """What other runs have done lately or are about to do; `run` is the one that asks.

        The turns of one run that follow each other within seconds are told the same.
        """
        if self._history is not None and run and self._history[0] == (tenant, run):
            _, at, known = self._history
            if timedelta(0) < now - at < SAME:
                return known
        found = history(self.db, tenant, now, run)
        self._history = (tenant, run), now, found
        return found

    def consumed_by(self, plan_id: str) -> str | None:
        """The run that consumed this plan, if any."""
        rows = self.db.rows("SELECT id FROM run WHERE plan_id = ?", (plan_id,))
        return str(rows[0][0]) if rows else None
