"""Turns: handfuls of leavers of one run that are carried on together, and who is dealt into which.

A share names the turn that is to carry it on, and a turn carries on exactly the shares that name it. So a share that is
held, canceled or moved only has to forget its turn; the turn finds nobody and ends. An id is made once, because each deal
of a run has a number: whatever hands turns out may be told of one as often as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from offboard.planjson import stamp
from offboard.runs.engine.database import Database
from offboard.runs.engine.shares import Share, read_shares, update_shares

HANDFUL = 50
"""Leavers of one turn: enough to fill batches, few enough that a run of any size fits into memory and many processes."""
URGENT = 5
"""A run of so few leavers overtakes bigger ones."""
GOING = "state IN ('open', 'stopped') AND hold IS NULL AND due IS NOT NULL"
"""A share that goes on by itself."""
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    Args:
        run: The run.
        at: From when it may be carried out.
        part: `all` that is due, the `contain` part of it, or the `rest` after that.
        deal: The number of the deal.
        place: Its number in the deal.
        again: Whether a turn before it may have been interrupted, so that what it did has to be found out.
    """

    run: str
    at: datetime
    part: str
    deal: int
    place: int
    again: bool = False

    @property
    def id(self) -> str:
        """What it is called in the store and in the queue."""
        return f"{self.run}/{self.at.astimezone(UTC).strftime(_TIME)}/{self.part}/{self.deal}/{self.place}{'/again' * self.again}"

    @classmethod
    def of(cls, id: str) -> Turn:
        """The turn that is called so.

        Raises:
            ValueError: None is.
        """
        run, at, part, deal, place, *again = id.split("/")
        return cls(run, datetime.strptime(at, _TIME).replace(tzinfo=UTC), part, int(deal), int(place), bool(again))

    def priority(self, leavers: int) -> int:
        """Its place in the queue, the smallest first: containment before the rest, small runs before big ones.

        Args:
            leavers: Leavers of the run.
        """
        return {"contain": 1, "all": 1, "rest": 3}[self.part] + (leavers > URGENT)


class Turns:
    """The turns of all runs in one store.

    Args:
        db: Where they stand.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def deal(
        self,
        run: str,
        at: datetime,
        *,
        among: Collection[str] | None = None,
        everybody: bool = False,
        part: str = "",
        split: bool = False,
        pause: bool = False,
        again: bool = False,
    ) -> list[Turn]:
        """Deal who goes on and has no turn: those who are due together, a handful each.

        Args:
            run: The run.
            at: The time now; nobody's turn comes before it.
            among: Only these leavers, by object id; None for all.
            everybody: At a run's beginning: all, whatever they are due for, and what waits for nobody as well.
            part: `rest` for those whose `contain` part is done; empty for those whose is not.
            split: Whether the playbook begins by cutting access: of many, that part is then carried out first.
            pause: Nobody's turn comes before `at`, even of those who are due already.
            again: Whether a turn of theirs may have been interrupted.
        """
        with self._db.transaction():
            which = "hold IS NULL" if everybody else GOING
            shares = read_shares(self._db, f"run = ? AND turn IS NULL AND {which}", (run,))
            if among is not None:
                shares = [share for share in shares if share.leaver in among]
            if not shares:
                return []
            self._db.rows("UPDATE run SET deals = deals + 1 WHERE id = ?", (run,))
            deal = int(self._db.rows("SELECT deals FROM run WHERE id = ?", (run,))[0][0])
            dealt = _hands(shares, lambda s: at if everybody or s.due is None else max(at, s.due) if pause else s.due)
            # Who was stopped may not be contained yet: it is looked at for everybody before anything else goes on.
            first = split and len(shares) > HANDFUL and any(share.exit_code in (None, 5) for share in shares)
            turns, named = [], []
            for place, (due, hand) in enumerate(dealt):
                some = part or ("contain" if first and due <= at else "all")
                turns.append(Turn(run, due, some, deal, place, again))
                # Whoever waited for nobody waits for this turn: if it dies, somebody must find that.
                when = [share.due if share.over else share.due or due for share in hand]
                named += [replace(s, turn=turns[-1].id, due=at) for s, at in zip(hand, when, strict=True)]
            update_shares(self._db, named)
        return turns

    def shares(self, id: str) -> list[Share]:
        """Whom this turn is to carry on."""
        return read_shares(self._db, "turn = ? AND hold IS NULL", (id,))

    def wanted(self, tenant: str) -> set[str]:
        """The turns that somebody waits for."""
        rows = self._db.rows(
            f"SELECT DISTINCT turn FROM share WHERE tenant = ? AND turn IS NOT NULL AND {GOING}",  # noqa: S608 -- ours
            (tenant,),
        )
        return {str(row[0]) for row in rows}

    def named(self, tenant: str) -> set[str]:
        """The turns that any share names, held ones too."""
        rows = self._db.rows("SELECT DISTINCT turn FROM share WHERE tenant = ? AND turn IS NOT NULL", (tenant,))
        return {str(row[0]) for row in rows}

    def undealt(self, tenant: str) -> list[str]:
        """The runs in which somebody goes on and has no turn."""
        rows = self._db.rows(
            f"SELECT DISTINCT run FROM share WHERE tenant = ? AND turn IS NULL AND {GOING}",  # noqa: S608 -- ours
            (tenant,),
        )
        return [str(row[0]) for row in rows]

    def forget(self, ids: Sequence[str]) -> None:
        """Nobody waits for these turns any more: who did is to be dealt anew."""
        with self._db.transaction():
            self._db.many("UPDATE share SET turn = NULL WHERE turn = ?", [(id,) for id in ids])

    def take_back(self, run: str, leavers: Collection[str]) -> None:
        """These leavers are to be dealt anew, whatever turn they wait for."""
        with self._db.transaction():
            self._db.many("UPDATE share SET turn = NULL WHERE run = ? AND leaver = ?", [(run, one) for one in leavers])

    def stop(self, id: str, why: str) -> None:
        """What was not begun of this turn is stopped; `resume` or a worker deals it anew."""
        with self._db.transaction():
            self._db.rows(
                "UPDATE share SET state = 'stopped', why = ?, exit_code = 5, turn = NULL WHERE turn = ? "
                "AND state IN ('open', 'stopped')",
                (why, id),
            )

    def sit_down(self, run: str, owner: str, gone: Callable[[str], bool]) -> str | None:
        """A process carries this run out for a person who waits for it.

        Args:
            run: The run.
            owner: The process.
            gone: Whether another process lives no more.

        Returns:
            The living process that does so already; None when this one does now.
        """
        with self._db.transaction():
            other = self.desk(run)
            if other is not None and other != owner and not gone(other):
                return other
            self._db.rows("UPDATE run SET desk = ? WHERE id = ?", (owner, run))
        return None

    def stand_up(self, run: str, owner: str) -> None:
        """It carries this run out no more."""
        with self._db.transaction():
            self._db.rows("UPDATE run SET desk = NULL WHERE id = ? AND desk = ?", (run, owner))

    def desk(self, run: str) -> str | None:
        """The process that carries this run out for a person who waits for it."""
        rows = self._db.rows("SELECT desk FROM run WHERE id = ?", (run,))
        return None if not rows or rows[0][0] is None else str(rows[0][0])


def _hands(shares: Sequence[Share], due: Callable[[Share], datetime | None]) -> list[tuple[datetime, list[Share]]]:
    by_time: dict[str, list[Share]] = {}
    times = {}
    for share in shares:
        when = due(share)
        assert when is not None
        by_time.setdefault(stamp(when), []).append(share)
        times[stamp(when)] = when
    return [
        (times[key], group[start : start + HANDFUL])
        for key, group in sorted(by_time.items())
        for start in range(0, len(group), HANDFUL)
    ]
