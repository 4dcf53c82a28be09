"""What the store holds, and how an older store becomes one of today.

Format 1 knew runs and changes. Format 2 knows each leaver's share of a run (so that one can be held, canceled or moved
without the others), leases, and workers. Format 3 knows the quota that all processes of a tenant share. Format 4
keeps the approvals that were consumed with a plan. Format 5 keeps each leaver's part of the plan with the leaver's share,
and knows turns, the desk that a run is carried out at, and which processes live.
"""

from __future__ import annotations

from collections.abc import Callable

from offboard.errors import UsageError
from offboard.runs.engine.database import Database

FORMAT = 5
TABLES = (
    """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, plan_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, started TEXT NOT NULL,
    state TEXT NOT NULL, plan {blob} NOT NULL, exit_code INTEGER, desk TEXT, deals INTEGER NOT NULL DEFAULT 0{number}
){strict}""",
    """
CREATE TABLE IF NOT EXISTS change (
    run TEXT NOT NULL REFERENCES run(id), tenant TEXT NOT NULL, leaver TEXT NOT NULL, step TEXT NOT NULL,
    key TEXT NOT NULL, change TEXT NOT NULL, since TEXT NOT NULL,
    outcome TEXT, why TEXT, at TEXT, todo TEXT,
    PRIMARY KEY (run, leaver, step, key)
){strict}""",
    "CREATE INDEX IF NOT EXISTS evidence ON change (tenant, leaver, key, since)",
    """
CREATE TABLE IF NOT EXISTS share (
    run TEXT NOT NULL REFERENCES run(id), tenant TEXT NOT NULL, leaver TEXT NOT NULL, place INTEGER NOT NULL,
    state TEXT NOT NULL, due TEXT, leave TEXT NOT NULL, moved TEXT NOT NULL, hold TEXT, why TEXT NOT NULL,
    exit_code INTEGER, turn TEXT, upn TEXT NOT NULL DEFAULT '', name TEXT NOT NULL DEFAULT '', part {blob},
    PRIMARY KEY (run, leaver)
){strict}""",
    "CREATE INDEX IF NOT EXISTS share_of ON share (tenant, leaver)",
    "CREATE INDEX IF NOT EXISTS share_due ON share (tenant, state, due)",
    "CREATE INDEX IF NOT EXISTS share_so_far ON share (run, state, exit_code, hold, due)",
    "CREATE INDEX IF NOT EXISTS share_turn ON share (turn)",
    "CREATE INDEX IF NOT EXISTS share_undealt ON share (run) WHERE turn IS NULL AND due IS NOT NULL",
    """
CREATE TABLE IF NOT EXISTS lease (
    tenant TEXT NOT NULL, leaver TEXT NOT NULL, run TEXT NOT NULL, owner TEXT NOT NULL, fence INTEGER NOT NULL,
    expires {real} NOT NULL,
    PRIMARY KEY (tenant, leaver)
){strict}""",
    """
CREATE TABLE IF NOT EXISTS quota (
    tenant TEXT PRIMARY KEY, level {real} NOT NULL, at {real} NOT NULL, not_before {real} NOT NULL
){strict}""",
    """
CREATE TABLE IF NOT EXISTS approval (
    run TEXT NOT NULL REFERENCES run(id), place INTEGER NOT NULL, approval TEXT NOT NULL,
    PRIMARY KEY (run, place)
){strict}""",
    "CREATE TABLE IF NOT EXISTS process (owner TEXT PRIMARY KEY, seen {real} NOT NULL){strict}",
)
FROM_TWO = (
    "ALTER TABLE run ADD COLUMN desk TEXT",
    "ALTER TABLE run ADD COLUMN deals INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE share ADD COLUMN turn TEXT",
    "ALTER TABLE share ADD COLUMN upn TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE share ADD COLUMN name TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE share ADD COLUMN part {blob}",
)
"""What brings the tables of formats 2 to 4 up to today's; format 1 lacks `share`, so it is made new."""
SQLITE = {"blob": "BLOB", "real": "REAL", "number": "", "strict": " STRICT"}
POSTGRES = {"blob": "BYTEA", "real": "DOUBLE PRECISION", "number": ", rowid BIGSERIAL", "strict": ""}


def prepare(db: Database, where: str, migrate: Callable[[int], None]) -> None:
    """Make the tables, or bring them up to today's format.

    Args:
        db: Open.
        where: Its name, for messages.
        migrate: Moves the runs that a version with this format stored, once the tables are today's.

    Raises:
        UsageError: A newer version wrote it.
    """
    if db.format() == FORMAT:
        return
    with db.transaction():
        found = db.format()
        if found > FORMAT:
            raise UsageError(
                f"The run store {where} was written by a newer version of offboard (format {found}).",
                todo="Use that version, or another folder with --state.",
            )
        words = POSTGRES if db.shared else SQLITE
        older = () if found == 0 else FROM_TWO[:2] if found == 1 else FROM_TWO
        for statement in older:
            db.rows(statement.format(**words))
        for table in TABLES:
            db.rows(table.format(**words))
        if 0 < found < FORMAT:
            migrate(found)
        if found < FORMAT:
            db.set_format(FORMAT)
