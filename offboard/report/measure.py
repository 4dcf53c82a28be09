"""How long it took, until when access may have lasted, and what is not as it should be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from offboard.render.verdict import EVALUATED, TOKEN
from offboard.report.collect import LeaverFile, RunFile
from offboard.report.tally import Record, Tally, time_of

SOON = timedelta(days=1)
"""Until what may still be access, or is not known, has to be settled."""
BY_ITSELF = "ends by itself"
COMING = ("due-later", "residual-access", "restorable")
"""Codes of what is as it should be, and ends or comes by itself."""
_URGENT = ("refused", "failed", "drifted", "not-started", "stopped", "not-ended", "synced-user")


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed, and a report measures by.

    Args:
        target: Until access has to be ended, from the leave time on. An hour is a usual value for NIST PS-4.
        days: Until what a run leaves open has to be settled.
        owner: Who settles it; empty for whoever carried the run out.
    """

    target: timedelta = timedelta(hours=1)
    days: timedelta = timedelta(days=14)
    owner: str = ""


AGREED = Terms()
"""Where nothing else is agreed."""

VERBS = {"disable": "disable-user", "revoke": "revoke-sessions"}
"""What ends access, and the action that does it."""


@dataclass(frozen=True, slots=True)
class Times:
    """One leaver's times.

    Args:
        leave: T, as planned; None where it is not recorded.
        began: When the run began.
        disabled: When sign-in was read back as blocked by this run.
        revoked: When the revocation was read back.
        deleted: When the user was read back as deleted.
        restorable: Until when a deletion can be taken back.
        target: Within which access was to be ended.
    """

    leave: datetime | None
    began: datetime
    disabled: datetime | None
    revoked: datetime | None
    deleted: datetime | None
    restorable: datetime | None
    target: timedelta

    @classmethod
    def of(cls, started: Record, leaver: Tally, target: timedelta) -> Times:
        """The times of one leaver of the run that this record began."""
        return cls(
            time_of(leaver.detail.get("leave")),
            datetime.fromisoformat(started["time"]),
            leaver.at("disable"),
            leaver.at("revoke"),
            leaver.at("delete"),
            time_of(leaver.restorable),
            target,
        )

    @property
    def since(self) -> datetime:
        """From when the target is counted: the leave time; the beginning of the run where that is not recorded."""
        return self.leave or self.began

    @property
    def contained(self) -> datetime | None:
        """When sign-in was blocked and the sessions revoked, whichever came last."""
        return max((at for at in (self.disabled, self.revoked) if at), default=None)

    @property
    def residual(self) -> datetime | None:
        """Until when a token issued before may have been accepted: an estimate."""
        return self.contained + TOKEN if self.contained else None

    @property
    def evaluated(self) -> datetime | None:
        """The same, where access is evaluated continuously."""
        return self.contained + EVALUATED if self.contained else None

    def took(self, at: datetime) -> timedelta:
        """From the leave time on; nothing when it was before."""
        return max(at - self.since, timedelta())

    def met(self, at: datetime) -> bool:
        """Whether it was in time."""
        return self.took(at) <= self.target


def punctual(leaver: Tally, times: Times) -> str:
    """`in time`, `late`, `already blocked` (before this run), or `not blocked`."""
    if times.disabled is not None:
        return "in time" if times.met(times.disabled) else "late"
    return "already blocked" if leaver.blocked_before else "not blocked"


def state(leaver: Tally) -> tuple[str, str]:
    """How it stands with the leaver, as a word and its tone."""
    if leaver.closing is None:
        return ("refused", "stop") if leaver.refused else ("not finished", "stop")
    detail = leaver.detail
    if leaver.steered_to:
        return leaver.steered_to, "warn"
    if detail.get("refused"):
        return "refused", "stop"
    if detail.get("stopped") or detail.get("not_started"):
        return "not finished", "stop"
    if leaver.failed:
        return "failed steps", "stop"
    accepted = set(detail.get("accepted") or ())
    if any(note.get("code") not in accepted for note in leaver.open_items):
        return "open items", "warn"
    return ("steps to come", "good") if detail.get("later") else ("complete", "good")


@dataclass(frozen=True, slots=True)
class Exempt:
    """Something that is not as it should be.

    Args:
        about: The object or the step.
        reason: Why.
        code: Stable short name.
        owner: Who has to settle it.
        due: Until when; or when it ends, or comes, by itself.
    """

    about: str
    reason: str
    code: str
    owner: str
    due: datetime


def exceptions(run: RunFile, leaver: LeaverFile, terms: Terms) -> list[Exempt]:
    """Everything that is not green, none hidden, each with whoever has to settle it and until when."""
    actor = f"{run.started.get('actor') or 'unknown'} (carried it out)"
    times = Times.of(run.started, leaver, terms.target)
    return [*_left(leaver, terms, terms.owner or actor, times), *_coming(leaver, terms.owner or actor, times)]


def left_open(found: Iterable[Exempt]) -> int:
    """How many of these are for a person to settle."""
    return sum(1 for each in found if each.code not in COMING)


def _left(leaver: LeaverFile, terms: Terms, owner: str, times: Times) -> Iterator[Exempt]:
    ended = time_of(leaver.closing["time"]) if leaver.closing else None

    def item(about: str, reason: str, code: str, who: str = owner) -> Exempt:
        soon = code in _URGENT or code.endswith("-unknown")
        due = (ended or times.began) + (min(SOON, terms.days) if soon and who == owner else terms.days)
        if code == "guest-sessions" and times.residual:
            return Exempt(about, reason, code, BY_ITSELF, times.residual)  # the home tenant renews no token for here
        return Exempt(about, reason, code, who, due)

    accepted = set(leaver.detail.get("accepted") or ())
    yield from (item("the whole run", why, "refused") for why in leaver.refused)
    for note in leaver.open_items:
        name = str((note.get("target") or {}).get("name") or leaver.name)
        who = f"accepted by the playbook's author; {owner} looks again" if note.get("code") in accepted else owner
        yield item(name, str(note.get("reason")), str(note.get("code")), who)
    last = {entry.key: entry.outcome for entry in leaver.entries}
    for entry in leaver.entries:
        # What was held may have been carried out later; of a set, some parts may have been and others not.
        held = entry.outcome == "drifted" and (last[entry.key] == "drifted" or bool(entry.change and entry.change.parts))
        if held or (entry.outcome == "failed" and entry.key in leaver.failed):
            name = entry.change.target.name if entry.change else str(entry.record.get("step"))
            yield item(name, str(entry.record.get("why") or "failed"), entry.outcome)
    for step in leaver.detail.get("not_started") or ():
        yield item(f"step {step}", "not started, because an earlier step failed", "not-started")
    if leaver.detail.get("stopped"):
        yield item("the run", str(leaver.detail["stopped"]), "stopped")
    if leaver.closing is None and not leaver.refused:
        yield item("the run", "it has not ended for this leaver, as far as the audit knows", "not-ended")


def _coming(leaver: LeaverFile, owner: str, times: Times) -> Iterator[Exempt]:
    """What nobody has to settle: it ends, or is carried out, when its time has come; unless somebody holds it."""
    held = leaver.steering if leaver.steered_to == "held" else None
    for step in leaver.detail.get("later") or () if leaver.steered_to != "canceled" else ():
        due, name = time_of(step["due"]), f"step {step['step']}"
        if due is None:
            continue
        due += leaver.moved(times.leave)
        if held is not None:
            reason = f"held by {held.get('actor') or 'somebody'}: {held.get('why') or ''}"
            yield Exempt(name, reason, "held", owner, due)
        else:
            yield Exempt(name, "to be carried out then", "due-later", "whoever runs the worker", due)
    if times.residual:
        reason = "may be accepted until then, an estimate"
        yield Exempt("tokens issued before", reason, "residual-access", BY_ITSELF, times.residual)
    if times.restorable:
        yield Exempt("the deletion", "can be taken back until then", "restorable", BY_ITSELF, times.restorable)
