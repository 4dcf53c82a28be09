"""Runs that an earlier version stored, made runs of today. Asked inside the transaction that changes the format."""

from __future__ import annotations

from dataclasses import replace

from offboard.model import Plan
from offboard.planfile import load, split
from offboard.runs.engine.database import Database
from offboard.runs.engine.shares import first_share, insert_shares


def upgrade(db: Database, found: int) -> None:
    """Move what stands in tables that are today's already.

    Args:
        db: Open.
        found: The format it was stored in.
    """
    for run, state, code, plan in db.rows("SELECT id, state, exit_code, plan FROM run"):
        whole = load(bytes(plan), f"run {run}")
        head, parts = split(whole)
        if found == 1:  # it knew runs as a whole only
            _shares(db, str(run), str(state), code, whole, list(parts))
        else:
            db.many(
                "UPDATE share SET part = ?, upn = ?, name = ? WHERE run = ? AND place = ?",
                [
                    (part, each.leaver.user_principal_name, each.leaver.display_name, run, place)
                    for place, (each, part) in enumerate(zip(whole.leavers, parts, strict=True))
                ],
            )
        db.rows("UPDATE run SET plan = ? WHERE id = ?", (head, run))


def _shares(db: Database, run: str, state: str, code: int | None, plan: Plan, parts: list[bytes]) -> None:
    first = [first_share(run, plan, place, over={}) for place in range(len(parts))]
    over = state == "ended"
    insert_shares(db, [replace(s, state=state, due=None if over else s.due, exit_code=code) for s in first], parts)
