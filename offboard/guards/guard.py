"""What a guard is, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from offboard.facts import Unreadable
from offboard.guards.limits import Limits
from offboard.guards.surroundings import Surroundings
from offboard.model import LeaverPlan, Override, Plan


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of a plan, in one pass: a large one is unpacked each time that somebody looks through it.

    Args:
        leavers: Object ids of all leavers.
        acting: Of those who are acted on now.
        deletes: Ids of users that the plan deletes.
        deletes_now: Of those who are acted on, what is due.
        wipes: Ids of devices that the plan wipes.
        wipes_now: Of those who are acted on, what is due.
        dues: When something falls due.
        lifted: Overrides that stand with everybody who is acted on: only they lift what is about the run as a whole.
    """

    leavers: frozenset[str]
    acting: frozenset[str]
    deletes: frozenset[str]
    deletes_now: frozenset[str]
    wipes: frozenset[str]
    wipes_now: frozenset[str]
    dues: frozenset[datetime]
    lifted: tuple[Override, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """What guards must know of a whole plan when only a part of it is carried out; what was reviewed never changes."""

    leavers: frozenset[str]
    deletes: frozenset[str]
    wipes: frozenset[str]
    dues: frozenset[datetime]


def outline(plan: Plan) -> Outline:
    """The outline of a whole plan."""
    counted = tally(plan, plan.created, ())
    return Outline(counted.leavers, counted.deletes, counted.wipes, counted.dues)


def tally(plan: Plan, now: datetime, acting: Collection[str] | None, whole: Outline | None = None) -> Tally:
    """Count what the plan holds.

    Args:
        plan: The whole plan, or the part of it that is carried out.
        now: What is due until then is due now.
        acting: Object ids of those who are acted on; None means everybody.
        whole: Of the whole plan, when `plan` is a part.
    """
    leavers, dues, lifted = set[str](), set[datetime](), None
    found: dict[tuple[str, bool], set[str]] = {}
    for each in plan.leavers:
        leavers.add(each.leaver.id)
        acts = acting is None or each.leaver.id in acting
        if acts:
            lifted = each.overrides if lifted is None else tuple(one for one in lifted if one in each.overrides)
        for planned in each.steps:
            for change in planned.changes:
                dues.add(planned.due)
                kind = _COUNTED.get((change.verb, change.target.kind)) or _COUNTED.get((change.verb, ""))
                if kind:
                    found.setdefault((kind, False), set()).add(change.target.id)
                    if acts and planned.due <= now:
                        found.setdefault((kind, True), set()).add(change.target.id)

    def of(kind: str, *, due: bool) -> frozenset[str]:
        return frozenset(found.get((kind, due), ()))

    whole = whole or Outline(frozenset(leavers), of("delete", due=False), of("wipe", due=False), frozenset(dues))
    return Tally(
        whole.leavers,
        frozenset(leavers if acting is None else acting),
        whole.deletes,
        of("delete", due=True),
        whole.wipes,
        of("wipe", due=True),
        whole.dues,
        lifted or (),
    )


_COUNTED = {("delete", "user"): "delete", ("purge", "user"): "delete", ("wipe", ""): "wipe"}


@dataclass(frozen=True, slots=True)
class Question:
    """What a guard is asked about.

    Args:
        plan: What is counted of the whole plan, as reviewed.
        limits: The tenant's configuration.
        around: The tenant around the leavers.
        binding: Whether something is about to be written; otherwise a plan is being made.
    """

    plan: Tally
    limits: Limits
    around: Surroundings
    binding: bool

    @property
    def now(self) -> datetime:
        """Graph's clock."""
        return self.around.now


@dataclass(frozen=True, slots=True)
class Said:
    """What a guard says.

    Args:
        reason: One or more sentences, with the name of the person and the next thing to do.
        severity: `stop` or `warn`.
        until: For a stop that ends by itself: when.
    """

    reason: str
    severity: str = "stop"
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Args:
        name: As in the configuration, in plans, in the audit and on the command line.
        text: What it does, in one line.
        each: Asked about one leaver.
        whole: Asked about the run as a whole.
        overridable: Whether a reason and an approval lift it.
        warns_in_plan: Whether a plan that it will stop may still be made and shown.
    """

    name: str
    text: str
    each: Callable[[LeaverPlan, Question], Iterator[Said]] | None = None
    whole: Callable[[Question], Iterator[Said]] | None = None
    overridable: bool = True
    warns_in_plan: bool = False


def who(each: LeaverPlan) -> str:
    """The leaver, as messages name people."""
    return f"{each.leaver.display_name} ({each.leaver.user_principal_name})"


def cannot_read(what: str, why: Unreadable) -> str:
    """A guard that cannot read what it needs says stop, and how that is mended."""
    mend = f" Consent to {why.permission}." if why.permission and why.permission not in why.reason else ""
    return f"{what}: {why.reason}.{mend}"
