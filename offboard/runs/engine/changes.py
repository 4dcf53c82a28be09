"""What was intended and what came of it, change by change: the part of the store that decides whether anything may leave.

Many leavers' intents and outcomes are written in one transaction, which asks for all of them whether this process may
still act; one who may not is left out, and the others go on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from offboard.errors import GraphUnavailable
from offboard.model import Change, Outcome, Result
from offboard.planjson import canonical, change_from_json, change_json, moment, stamp
from offboard.runs.engine.caps import Cap, Count
from offboard.runs.engine.database import Database, among
from offboard.runs.engine.leases import Leases

CANCELED = "the run was canceled"
INTEND = (
    "INSERT INTO change (run, tenant, leaver, step, key, change, since) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (run, leaver, step, key) DO UPDATE SET change = excluded.change, since = excluded.since, "
    "outcome = NULL, why = NULL, at = NULL, todo = NULL"
)
CONCLUDE = (
    "UPDATE change SET change = coalesce(?, change), outcome = ?, why = ?, at = ?, todo = ? "
    "WHERE run = ? AND leaver = ? AND step = ? AND key = ?"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One change's intent, and its outcome once there is one."""

    change: Change
    since: datetime
    result: Result | None


class Interrupted(GraphUnavailable):
    """This process may not go on with a leaver: canceled, held, or the lease was lost. Nothing more was sent."""


@dataclass(frozen=True, slots=True)
class Whose:
    """One leaver's share of one run.

    Args:
        run: The run.
        tenant: The tenant's id.
        leaver: Object id.
        leave: T, by which what is due was decided; None where that does not matter.
    """

    run: str
    tenant: str
    leaver: str
    leave: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """What keeps this process from acting for a leaver.

    Args:
        lost: Why it may not speak for the leaver at all: another process does.
        steered: Why a person wants nothing more to be done.
    """

    lost: str = ""
    steered: str = ""

    @property
    def why(self) -> str:
        """Either; empty when it may act."""
        return self.lost or self.steered

    def interrupted(self) -> Interrupted:
        """The same, to be raised."""
        return Interrupted(f"Nothing more was sent: {self.why}.")


FREE = Bar()


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome of an intent.

    Args:
        key: Of the intent's record.
        result: How it ended.
        change: What it ended for, where that is not all that was intended.
    """

    key: str
    result: Result
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What is to be written down of one leaver.

    Args:
        whose: The leaver.
        outcomes: Of earlier intents.
        intents: Step, key of the record, and change of what is to leave next.
        since: When the intents began to be.
        caps: What a day may lose, as far as nobody has lifted it for this leaver.
    """

    whose: Whose
    outcomes: Sequence[Ended]
    intents: Sequence[tuple[str, str, Change]]
    since: datetime
    caps: Sequence[Cap] = ()


class Changes:
    """The changes of all runs.

    Args:
        db: Where they stand.
        leases: Of this process.
    """

    def __init__(self, db: Database, leases: Leases) -> None:
        self._db = db
        self._leases = leases

    def bars(self, whose: Sequence[Whose]) -> list[Bar]:
        """What keeps this process from acting for each of these; `write` asks it again, in its transaction."""
        lost, steered = dict[tuple[str, str], str](), dict[tuple[str, str], str]()
        for (run, tenant), leaves in _together(whose).items():
            lost |= {(run, one): why for one, why in self._leases.all_blocked(tenant, list(leaves)).items()}
            steered |= {(run, one): why for one, why in self._steered(run, leaves).items()}
        return [Bar(lost.get((w.run, w.leaver), ""), steered.get((w.run, w.leaver), "")) for w in whose]

    def may_write(self, news: Sequence[News]) -> list[Bar]:
        """The same, with what a day may lose; `write` asks it again, too."""
        count, found = Count(self._db), []
        for each, bar in zip(news, self.bars([each.whose for each in news]), strict=True):
            losing = [change for _, _, change in each.intents] if each.caps else []
            over = "" if bar.why or not losing else count.over(each.whose.tenant, each.since, each.caps, losing)
            found.append(Bar(steered=over) if over else bar)
        return found

    def steered(self, whose: Whose) -> str:
        """Why a person wants nothing more to be done for this leaver now; empty when nobody does."""
        return self._steered(whose.run, {whose.leaver: whose.leave}).get(whose.leaver, "")

    def _steered(self, run: str, leaves: Mapping[str, datetime | None]) -> dict[str, str]:
        question = "SELECT leaver, state, hold, why, leave FROM share WHERE run = ? AND leaver IN {}"
        found = {}
        for leaver, state, hold, why, leave in among(self._db, question, (run,), list(leaves)):
            known = leaves[str(leaver)]
            if state == "canceled":
                found[str(leaver)] = f"{CANCELED} ({why})"
            elif hold is not None:
                found[str(leaver)] = f"the run is held ({hold})"
            elif known is not None and leave != stamp(known):
                found[str(leaver)] = "what is still to come was moved to another leave time"
        return found

    def write(self, news: Sequence[News]) -> list[Bar]:
        """Record outcomes of intents that this process had, and intents before their requests leave.

        Returns:
            For each, why its intents were not recorded; `FREE` when they were.
        """
        bars = [FREE] * len(news)
        if not any(each.outcomes or each.intents for each in news):
            return bars
        with self._db.transaction():
            asking = [n for n, each in enumerate(news) if each.intents]
            for n, bar in zip(asking, self.may_write([news[n] for n in asking]), strict=True):
                bars[n] = bar
            self._db.many(CONCLUDE, [_outcome(each.whose, ended) for each in news for ended in each.outcomes])
            free = [each for each, bar in zip(news, bars, strict=True) if not bar.why]
            self._db.many(INTEND, [_intent(each, *intent) for each in free for intent in each.intents])
        return bars

    def conclude(self, whose: Whose, ended: Sequence[Ended]) -> None:
        """Record the outcomes of intents."""
        with self._db.transaction():
            self._db.many(CONCLUDE, [_outcome(whose, each) for each in ended])

    def found(self, whose: Whose, key: str, since: datetime, result: Result) -> None:
        """Record what was so without our doing: at once, for an intent that is open would be taken for our deed.

        Raises:
            Interrupted: The share is held or canceled, or this process may not act on the leaver (any more).
        """
        assert result.change is not None
        with self._db.transaction():
            bar = self.bars([whose])[0]
            if bar.why:
                raise bar.interrupted()
            self._db.many(INTEND, [_intent(News(whose, (), (), since), result.step, key, result.change)])
            self._db.many(CONCLUDE, [_outcome(whose, Ended(key, result))])

    def recorded(self, run: str, leaver: str) -> dict[tuple[str, str], Recorded]:
        """All intents of this run for this leaver, by step and change key."""
        rows = self._db.rows(
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
        rows = self._db.rows(
            "SELECT max(since) FROM change WHERE tenant = ? AND leaver = ? AND key = ? AND outcome = 'changed'",
            (tenant, leaver, key),
        )
        return moment(rows[0][0]) if rows and rows[0][0] else None

    def lately(
        self, tenant: str, leavers: Sequence[str], after: datetime, *, but: str = ""
    ) -> dict[str, tuple[str, datetime]]:
        """For whom any run has changed something since then: the run, and when it last did.

        Args:
            tenant: The tenant's id.
            leavers: Object ids.
            after: Since when.
            but: A run that does not count.
        """
        rows = among(
            self._db,
            "SELECT leaver, run, at FROM change WHERE tenant = ? AND at > ? AND run <> ? AND outcome = 'changed' "
            "AND leaver IN {} ORDER BY at",
            (tenant, stamp(after), but),
            leavers,
        )
        return {str(leaver): (str(run), moment(at)) for leaver, run, at in rows}


def _together(whose: Sequence[Whose]) -> dict[tuple[str, str], dict[str, datetime | None]]:
    """By run and tenant: the leavers, with their leave times."""
    found = defaultdict[tuple[str, str], dict[str, datetime | None]](dict)
    for each in whose:
        found[each.run, each.tenant][each.leaver] = each.leave
    return found


def _intent(news: News, step: str, key: str, change: Change) -> tuple[str, ...]:
    whose = news.whose
    return whose.run, whose.tenant, whose.leaver, step, key, _text(change), stamp(news.since)


def _outcome(whose: Whose, ended: Ended) -> tuple[str | None, ...]:
    result = ended.result
    assert result.at is not None
    told = (result.outcome.value, result.why, stamp(result.at), result.todo)
    fewer = _text(ended.change) if ended.change is not None else None
    return (fewer, *told, whose.run, whose.leaver, result.step, ended.key)


def _text(change: Change) -> str:
    return canonical(change_json(change)).decode()
