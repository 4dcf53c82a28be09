"""One leaver's share of one run: how far it has come, when it goes on, and what a person decided about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offboard.model import LeaverPlan, Plan, PlannedStep
from offboard.planjson import moment, stamp
from offboard.runs.engine.database import Database
from offboard.runs.outcome import LeaverOutcome

COLUMNS = "run, tenant, leaver, place, state, due, leave, moved, hold, why, exit_code, turn, upn, name"


@dataclass(frozen=True, slots=True)
class Share:
    """As stored.

    Args:
        run: The run.
        tenant: The tenant's id.
        leaver: The leaver's object id.
        place: The leaver's place in the plan.
        state: `open`, `stopped` (in the middle), `ended` or `canceled`.
        due: When a worker goes on by itself; None when it does not.
        leave: T, as it is now.
        moved: The due times that were moved, by step id.
        hold: Why a person holds it; None when nobody does.
        why: Why it stopped, ended or was canceled, when that needs saying.
        exit_code: Of its last turn; None before the first has ended.
        turn: The turn that is to carry it on; None when none was dealt.
        upn: The leaver's name in the tenant, as reviewed.
        name: The leaver's display name, as reviewed.
    """

    run: str
    tenant: str
    leaver: str
    place: int
    state: str
    due: datetime | None
    leave: datetime
    moved: Mapping[str, datetime]
    hold: str | None = None
    why: str = ""
    exit_code: int | None = None
    turn: str | None = None
    upn: str = ""
    name: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing is carried out any more."""
        return self.state in ("ended", "canceled")

    @property
    def said(self) -> str:
        """Its state in one word, `held` included."""
        return "held" if self.hold is not None and not self.over else self.state


def first_share(run: str, plan: Plan, place: int, *, over: Mapping[str, str]) -> Share:
    """The share of a run that begins.

    Args:
        run: The run.
        plan: Its plan.
        place: The leaver's place.
        over: By leaver: why there will be nothing to carry out later.
    """
    each = plan.leavers[place]
    due = min((planned.due for planned in each.steps), default=each.leave)
    who = each.leaver
    share = Share(run, plan.tenant.id, who.id, place, "open", due, each.leave, {})
    share = replace(share, upn=who.user_principal_name, name=who.display_name)
    why = over.get(who.id)
    return replace(share, state="ended", due=None, why=why) if why else share


def as_moved(each: LeaverPlan, share: Share) -> LeaverPlan:
    """The leaver's part of the plan, with the due times as they are now."""
    steps = tuple(replace(p, due=share.moved.get(p.step.id, p.due)) for p in each.steps)
    return replace(each, leave=share.leave, steps=steps)


def after_turn(share: Share, outcome: LeaverOutcome, code: int, now: datetime) -> Share:
    """The share once a turn has ended.

    Args:
        share: Before.
        outcome: How it ended for this leaver.
        code: The turn's exit code, as if the leaver had been alone.
        now: When the turn began: what is due until then was carried out.
    """
    if outcome.stopped:
        return replace(share, state="stopped", due=now, why=outcome.stopped, exit_code=5)
    if outcome.refused:
        return replace(share, state="ended", due=None, why="; ".join(outcome.refused), exit_code=outcome.code)
    later = min((planned.due for planned in outcome.later), default=None)
    state = "open" if outcome.unfinished else "ended"
    return replace(share, state=state, due=later, why="", exit_code=code)


def pending(plan: LeaverPlan, share: Share, started: frozenset[str]) -> tuple[PlannedStep, ...]:
    """The later steps that are still to come.

    Args:
        plan: The leaver's part of the plan, due times as they are now.
        share: Its share.
        started: Steps of which an intent is recorded.
    """
    if share.over:
        return ()
    return tuple(p for p in plan.steps if p.step.id not in started and p.skipped is None and p.changes)


def insert_shares(db: Database, shares: Iterable[Share], parts: Iterable[bytes]) -> None:
    """Store new ones, each with its leaver's part of the plan. Asked inside a transaction."""
    db.many(
        f"INSERT INTO share ({COLUMNS}, part) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 -- constant
        (
            (s.run, s.tenant, s.leaver, s.place, *_what_changes(s), s.upn, s.name, part)
            for s, part in zip(shares, parts, strict=True)
        ),
    )


def update_shares(db: Database, shares: Sequence[Share]) -> None:
    """Store what has become of them. Asked inside a transaction."""
    db.many(
        "UPDATE share SET state = ?, due = ?, leave = ?, moved = ?, hold = ?, why = ?, exit_code = ?, turn = ? "
        "WHERE run = ? AND leaver = ?",
        [(*_what_changes(s), s.run, s.leaver) for s in shares],
    )


def _what_changes(share: Share) -> tuple[object, ...]:
    return (
        share.state,
        stamp(share.due) if share.due else None,
        stamp(share.leave),
        json.dumps({step: stamp(due) for step, due in share.moved.items()}, sort_keys=True),
        share.hold,
        share.why[:2000],
        share.exit_code,
        share.turn,
    )


def read_shares(db: Database, where: str, values: Sequence[object]) -> list[Share]:
    """The shares that fit, in the order of runs and places.

    Args:
        db: Open.
        where: A condition, written by us.
        values: For its placeholders.
    """
    rows = db.rows(f"SELECT {COLUMNS} FROM share WHERE {where} ORDER BY run, place", values)  # noqa: S608
    return [_share(row) for row in rows]


def _share(row: Sequence[object]) -> Share:
    run, tenant, leaver, place, state, due, leave, moved, hold, why, code, turn, upn, name = row
    return Share(
        str(run),
        str(tenant),
        str(leaver),
        int(str(place)),
        str(state),
        moment(str(due)) if due else None,
        moment(str(leave)),
        {step: moment(at) for step, at in json.loads(str(moved)).items()},
        None if hold is None else str(hold),
        str(why),
        None if code is None else int(str(code)),
        None if turn is None else str(turn),
        str(upn),
        str(name),
    )
