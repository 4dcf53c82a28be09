"""A period: everybody in it, who was late, who is unfinished, and a sample that anybody can draw again. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from offboard.model import JSON
from offboard.report.collect import LeaverFile, RunFile
from offboard.report.measure import Terms, Times, punctual, state
from offboard.report.packet import NONE, iso
from offboard.report.tally import RunHead, Tally


@dataclass(frozen=True, slots=True)
class Case:
    """One leaver of one run."""

    run: RunHead
    leaver: Tally
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
        terms: What was agreed.
        runs: Every run that began in it.
        cases: Every leaver of these runs.
        packets: The leavers told in full, with their runs.
        expected: Who should be among them, as listed by somebody else; None when nobody said.
    """

    since: datetime
    until: datetime | None
    terms: Terms
    runs: Sequence[RunHead]
    cases: Sequence[Case]
    packets: Sequence[tuple[RunFile, LeaverFile]]
    expected: Collection[str] | None = None

    @property
    def missing(self) -> list[str]:
        """Of those expected, who is not here, under any name that is known."""
        known = {name.casefold() for case in self.cases for name in (case.leaver.id, case.leaver.upn)}
        return [name for name in self.expected or () if name.casefold() not in known]

    @property
    def runs_of_packets(self) -> list[RunFile]:
        """The runs behind the packets, each once."""
        return list({run.run: run for run, _ in self.packets}.values())

    def totals(self) -> dict[str, JSON]:
        """How many of what."""
        states = Counter(case.state[0] for case in self.cases)
        licenses = Counter(name for case in self.cases for name in case.leaver.licenses)
        return {
            "runs": len(self.runs),
            "leavers": len(self.cases),
            "people": len({case.leaver.id for case in self.cases}),
            "states": dict(sorted(states.items())),
            "punctual": dict(sorted(Counter(case.punctual for case in self.cases).items())),
            "unfinished": sum(1 for case in self.cases if case.unfinished),
            "changes": sum(case.leaver.kinds.total() for case in self.cases),
            "accounts_deleted": sum(1 for case in self.cases if case.times.deleted),
            "licenses_freed": dict(sorted(licenses.items())),
        }


def draw(cases: Sequence[Case], *, sample: int | None = None, only: Collection[str] = ()) -> list[Case]:
    """The cases that are told in full.

    Args:
        cases: Everybody.
        sample: How many; None for all.
        only: Object ids or user principal names: only these.
    """
    wanted = {name.casefold() for name in only}
    chosen = [c for c in cases if not wanted or wanted & {c.leaver.id.casefold(), c.leaver.upn.casefold()}]
    if sample is None or sample >= len(chosen):
        return chosen
    drawn = {id(case) for case in sorted(chosen, key=_lot)[:sample]}
    return [case for case in chosen if id(case) in drawn]


def cases_of(runs: Sequence[RunHead], terms: Terms) -> list[Case]:
    """Every leaver of these runs."""
    return [Case(run, leaver, Times.of(run.started, leaver, terms.target)) for run in runs for leaver in run.leavers]


def in_full(drawn: Sequence[Case], files: Mapping[str, RunFile]) -> list[tuple[RunFile, LeaverFile]]:
    """The drawn cases with everything that is known about them.

    Args:
        drawn: As drawn.
        files: Their runs, by id.
    """
    people = {(run.run, leaver.id): (run, leaver) for run in files.values() for leaver in run.leavers}
    return [people[case.run.run, case.leaver.id] for case in drawn]


def _lot(case: Case) -> str:
    """Chance that anybody can draw again from the same log, and nobody could arrange."""
    return hashlib.sha256(f"{case.run.started['hash']} {case.leaver.id}".encode()).hexdigest()
