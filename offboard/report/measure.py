"""How long it took, until when access may have lasted, and what is not as it should be. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from offboard.render.verdict import EVALUATED, TOKEN
from offboard.render.words import words
from offboard.report.collect import LeaverFile, RunFile
from offboard.report.tally import Record, Tally, time_of

TARGET = timedelta(hours=1)
"""Until access has to be ended, where nothing else is agreed: a usual value for NIST PS-4."""

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
        owner: Who has to settle it, as far as anybody is named.
        due: Until when; empty when no date is recorded.
    """

    about: str
    reason: str
    code: str
    owner: str
    due: str = ""


def exceptions(run: RunFile, leaver: LeaverFile) -> list[Exempt]:
    """Everything that is not green, none hidden."""
    return list(_exceptions(leaver, str(run.started.get("actor") or "unknown")))


def _exceptions(leaver: LeaverFile, actor: str) -> Iterator[Exempt]:
    accepted = set(leaver.detail.get("accepted") or ())
    mine = f"{actor} (carried it out)"
    for why in leaver.refused:
        yield Exempt("the whole run", why, "refused", mine)
    for note in leaver.open_items:
        target = note.get("target") or {}
        owner = "accepted by the playbook's author" if note.get("code") in accepted else mine
        yield Exempt(str(target.get("name") or leaver.name), str(note.get("reason")), str(note.get("code")), owner)
    for entry in leaver.entries:
        if entry.outcome == "drifted" or (entry.outcome == "failed" and entry.key in leaver.failed):
            name = entry.change.target.name if entry.change else str(entry.record.get("step"))
            yield Exempt(name, str(entry.record.get("why") or "failed"), entry.outcome, mine)
    for step in leaver.detail.get("not_started") or ():
        yield Exempt(f"step {step}", "not started, because an earlier step failed", "not-started", mine)
    if leaver.detail.get("stopped"):
        yield Exempt("the run", str(leaver.detail["stopped"]), "stopped", mine)
    for step in leaver.detail.get("later") or ():
        due = words(str(step["due"]))
        yield Exempt(f"step {step['step']}", f"falls due {due}", "due-later", "whoever runs the worker", due)
    if leaver.closing is None and not leaver.refused:
        yield Exempt("the run", "it has not ended for this leaver, as far as the audit knows", "not-ended", mine)
