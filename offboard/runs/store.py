"""What the engine must know again after a crash: consumed plans, intents with their instant, outcomes.

A SQLite file in the state folder. Every write is durable before it returns, because the next thing that happens is an
effect in somebody's tenant.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from offboard.errors import Refused, UsageError
from offboard.model import Change, Outcome, Plan, Result
from offboard.planfile import canonical, change_from_json, change_json, dump, load, moment, stamp

VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, plan_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, started TEXT NOT NULL,
    state TEXT NOT NULL, plan BLOB NOT NULL, exit_code INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS change (
    run TEXT NOT NULL REFERENCES run(id), tenant TEXT NOT NULL, leaver TEXT NOT NULL, step TEXT NOT NULL,
    key TEXT NOT NULL, change TEXT NOT NULL, since TEXT NOT NULL,
    outcome TEXT, why TEXT, at TEXT, todo TEXT,
    PRIMARY KEY (run, leaver, step, key)
) STRICT;
CREATE INDEX IF NOT EXISTS evidence ON change (tenant, leaver, key, since);
"""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as stored. `state` is `open`, `stopped` or `ended`."""

    id: str
    plan: Plan
    started: datetime
    state: str
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One change's intent, and its outcome once there is one."""

    change: Change
    since: datetime
    result: Result | None


class Store:
    """The engine's memory.

    Args:
        path: The database file; made when absent.

    Raises:
        UsageError: It cannot be opened, or a newer version of the tool wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._check_version()
            self._db.executescript(TABLES)
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise UsageError(
                f"The run store {path} cannot be used: {error}.",
                todo="Nothing was sent. Mend or move the file, or choose another folder with --state.",
            ) from error

    def _check_version(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise UsageError(
                f"The run store {self._path} was written by a newer version of offboard (format {found}).",
                todo="Use that version, or another folder with --state.",
            )
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def start(self, run: str, plan: Plan, at: datetime) -> None:
        """Consume the plan and open a run.

        Raises:
            Refused: The plan was consumed before.
        """
        with self._transaction() as cursor:
            row = cursor.execute("SELECT id, started FROM run WHERE plan_id = ?", (plan.id,)).fetchone()
            if row is not None:
                raise Refused(
                    f"Plan {plan.short_id} was already carried out by run {row[0]}, started {row[1]}.",
                    todo="Make and review a new plan; what is done already will be shown as unchanged.",
                )
            cursor.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, 'open', ?, NULL)",
                (run, plan.id, plan.tenant.id, stamp(at), dump(plan)),
            )

    def end(self, run: str, state: str, exit_code: int) -> None:
        """Record how the run ended."""
        with self._transaction() as cursor:
            cursor.execute("UPDATE run SET state = ?, exit_code = ? WHERE id = ?", (state, exit_code, run))

    def runs(self, state: str | None = None) -> list[RunRecord]:
        """All runs, newest first."""
        rows = self._db.execute(
            "SELECT id, plan, started, state, exit_code FROM run WHERE ?1 IS NULL OR state = ?1 "
            "ORDER BY started DESC, rowid DESC",
            (state,),
        )
        return [RunRecord(r[0], load(r[1], f"run {r[0]}"), moment(r[2]), r[3], r[4]) for r in rows]

    def consumed_by(self, plan_id: str) -> str | None:
        """The run that consumed this plan, if any."""
        row = self._db.execute("SELECT id FROM run WHERE plan_id = ?", (plan_id,)).fetchone()
        return str(row[0]) if row else None

    def intend(self, run: str, tenant: str, leaver: str, step: str, change: Change, since: datetime) -> None:
        """Record an intent, before its request leaves."""
        with self._transaction() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO change (run, tenant, leaver, step, key, change, since) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, tenant, leaver, step, change.key, canonical(change_json(change)).decode(), stamp(since)),
            )

    def conclude(self, run: str, leaver: str, result: Result) -> None:
        """Record the outcome of an intent."""
        assert result.change is not None
        assert result.at is not None
        with self._transaction() as cursor:
            cursor.execute(
                "UPDATE change SET outcome = ?, why = ?, at = ?, todo = ? "
                "WHERE run = ? AND leaver = ? AND step = ? AND key = ?",
                (
                    result.outcome.value,
                    result.why,
                    stamp(result.at),
                    result.todo,
                    run,
                    leaver,
                    result.step,
                    result.change.key,
                ),
            )

    def recorded(self, run: str, leaver: str) -> dict[tuple[str, str], Recorded]:
        """All intents of this run for this leaver, by step and change key."""
        rows = self._db.execute(
            "SELECT step, key, change, since, outcome, why, at, todo FROM change WHERE run = ? AND leaver = ?",
            (run, leaver),
        )
        found = {}
        for step, key, change_text, since, outcome, why, at, todo in rows:
            change = change_from_json(json.loads(change_text))
            result = Result(Outcome(outcome), step, change, why, moment(at), todo) if outcome else None
            found[step, key] = Recorded(change, moment(since), result)
        return found

    def evidence(self, tenant: str, leaver: str, key: str) -> datetime | None:
        """The newest intent of any run for this change that is known to have had its effect."""
        row = self._db.execute(
            "SELECT max(since) FROM change WHERE tenant = ? AND leaver = ? AND key = ? AND outcome = 'changed'",
            (tenant, leaver, key),
        ).fetchone()
        return moment(row[0]) if row and row[0] else None
