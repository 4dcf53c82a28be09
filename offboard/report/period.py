"""A period: everybody in it, who was late, who is unfinished, and a sample that anybody can draw again. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from offboard.model import JSON
from offboard.report.collect import LeaverFile, RunFile
from offboard.report.measure import Times, punctual, state
from offboard.report.packet import NONE, iso


@dataclass(frozen=True, slots=True)
class Case:
    """One leaver of one run."""

    run: RunFile
    leaver: LeaverFile
    times: Times

    @property
    def state(self) -> tuple[str, str]:
        """How it stands, and its tone."""
        return state(self.leaver)

    @property
    def punctual(self) -> str:
        """Whether sign-in was blocked in time."""
        return punctual(self.leaver, self.times)

    @property
    def unfinished(self) -> bool:
        """Whether something failed, was refused or did not end; what waits for its day is not unfinished."""
        return self.state[1] == "stop"

    def row(self) -> dict[str, JSON]:
        """One line of the population."""
        return {
            "run": self.run.run,
            "id": self.leaver.id,
            "userPrincipalName": self.leaver.upn,
            "displayName": self.leaver.name,
            "leave": iso(self.times.leave) or NONE,
            "run_began": iso(self.times.began),
            "disabled_at": iso(self.times.disabled) or NONE,
            "revoked_at": iso(self.times.revoked) or NONE,
            "deleted_at": iso(self.times.deleted) or NONE,
            "punctual": self.punctual,
            "state": self.state[0],
        }

    def name_in_list(self) -> dict[str, JSON]:
        """Who, in a list of a few."""
        return {"run": self.run.run, "id": self.leaver.id, "userPrincipalName": self.leaver.upn, "state": self.state[0]}


@dataclass(frozen=True, slots=True)
class Period:
    """A period's cases.

    Args:
        since: First instant.
        until: First instant after it; None for no end.
        target: Within which access was to be ended.
        runs: Every run that began in it.
        cases: Every leaver of these runs.
        packets: The cases told in full.
        expected: Who should be among them, as listed by somebody else; None when nobody said.
    """

    since: datetime
    until: datetime | None
    target: timedelta
    runs: Sequence[RunFile]
    cases: Sequence[Case]
    packets: Sequence[Case]
    expected: Collection[str] | None = None

    @property
    def missing(self) -> list[str]:
        """Of those expected, who is not here, under any name that is known."""
        known = {name.casefold() for case in self.cases for name in (case.leaver.id, case.leaver.upn)}
        return [name for name in self.expected or () if name.casefold() not in known]

    @property
    def runs_of_packets(self) -> list[RunFile]:
        """The runs behind the packets, each once."""
        return list({case.run.run: case.run for case in self.packets}.values())

    def totals(self) -> dict[str, JSON]:
        """How many of what."""
        states = Counter(case.state[0] for case in self.cases)
        licenses = Counter(name for case in self.cases for name in case.leaver.freed())
        return {
            "runs": len(self.runs),
            "leavers": len(self.cases),
            "people": len({case.leaver.id for case in self.cases}),
            "states": dict(sorted(states.items())),
            "punctual": dict(sorted(Counter(case.punctual for case in self.cases).items())),
            "unfinished": sum(1 for case in self.cases if case.unfinished),
            "changes": sum(len(case.leaver.done()) for case in self.cases),
            "accounts_deleted": sum(1 for case in self.cases if case.times.deleted),
            "licenses_freed": dict(sorted(licenses.items())),
        }


def make_period(
    runs: Sequence[RunFile],
    since: datetime,
    until: datetime | None,
    target: timedelta,
    *,
    sample: int | None = None,
    only: Collection[str] = (),
    expected: Collection[str] | None = None,
) -> Period:
    """A period from its runs.

    Args:
        runs: As collected.
        since: First instant.
        until: First instant after it.
        target: Within which access was to be ended.
        sample: How many are told in full; None for all.
        only: Object ids or user principal names: only these are told in full.
        expected: Who should be among them, as listed by somebody else.
    """
    cases = [Case(run, leaver, Times.of(run, leaver, target)) for run in runs for leaver in run.leavers]
    wanted = {name.casefold() for name in only}
    chosen = [c for c in cases if not wanted or wanted & {c.leaver.id.casefold(), c.leaver.upn.casefold()}]
    if sample is not None and sample < len(chosen):
        drawn = {id(case) for case in sorted(chosen, key=_lot)[:sample]}
        chosen = [case for case in chosen if id(case) in drawn]
    return Period(since, until, target, runs, cases, chosen, expected)


def _lot(case: Case) -> str:
    """Chance that anybody can draw again from the same log, and nobody could arrange."""
    return hashlib.sha256(f"{case.run.started['hash']} {case.leaver.id}".encode()).hexdigest()
