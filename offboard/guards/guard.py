"""What a guard is, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from offboard.facts import Unreadable
from offboard.guards.limits import Limits
from offboard.guards.surroundings import Surroundings
from offboard.model import LeaverPlan, Plan


@dataclass(frozen=True, slots=True)
class Question:
    """What a guard is asked about.

    Args:
        plan: The whole plan, as reviewed.
        limits: The tenant's configuration.
        around: The tenant around the leavers.
        acting: Object ids of the leavers who are acted on now; all of the plan's when it begins.
        binding: Whether something is about to be written; otherwise a plan is being made.
    """

    plan: Plan
    limits: Limits
    around: Surroundings
    acting: frozenset[str]
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
