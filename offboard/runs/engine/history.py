"""What other runs have done lately, or are about to do: what caps and the count of administrators are held against."""

from __future__ import annotations

from datetime import datetime

from offboard.guards import History
from offboard.planjson import stamp
from offboard.runs.engine.caps import DELETES, DONE, WINDOW, WIPES, lately
from offboard.runs.engine.database import Database

_BEGUN = (
    "SELECT DISTINCT leaver FROM change WHERE tenant = ? AND since > ? AND {done} AND NOT EXISTS (SELECT 1 FROM change "
    "AS before WHERE before.run = change.run AND before.leaver = change.leaver AND before.since <= ?)"
)
_OPEN = "SELECT DISTINCT leaver FROM share WHERE tenant = ? AND run <> ? AND state NOT IN ('ended', 'canceled')"
_EARLIER = "SELECT DISTINCT leaver FROM change WHERE run = ? AND since <= ?"


def history(db: Database, tenant: str, now: datetime, run: str = "") -> History:
    """What is known of a tenant's runs.

    Args:
        db: Open.
        tenant: The tenant's id.
        now: Graph's clock.
        run: The run that asks; empty when a plan is being made.
    """
    start = stamp(now - WINDOW)

    def ask(query: str, *values: object) -> frozenset[str]:
        return frozenset(str(row[0]) for row in db.rows(query.format(done=DONE), values))

    about_to = ask(f"{_OPEN} AND hold IS NULL AND due <= ?", tenant, run, stamp(now))
    return History(
        leavers=ask(_BEGUN, tenant, start, start) | (about_to - _acted_on(db, tenant, run)),
        earlier=ask(_EARLIER, run, start),
        deletes=lately(db, tenant, now, DELETES),
        wipes=lately(db, tenant, now, WIPES),
        pending=ask(_OPEN, tenant, run),
    )


def _acted_on(db: Database, tenant: str, run: str) -> frozenset[str]:
    """Leavers of other open runs on whom these have acted: they are counted by when that was."""
    query = (
        "SELECT DISTINCT share.leaver FROM share JOIN change ON change.run = share.run AND change.leaver = share.leaver "
        "WHERE share.tenant = ? AND share.run <> ? AND share.state NOT IN ('ended', 'canceled')"
    )
    return frozenset(str(row[0]) for row in db.rows(query, (tenant, run)))
