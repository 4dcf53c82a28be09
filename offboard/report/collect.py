"""Records of the audit → what is known about one run. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offboard.audit import Flaw, Verification
from offboard.errors import UsageError
from offboard.model import JSON, Change
from offboard.planfile import change_from_json

Record = Mapping[str, Any]

SEAL = "checkpoint"
"""A record that vouches, by a signature, for all records before it."""
ENDED = frozenset({"outcome", "undone", "drifted", "unchanged", "step-skipped"})
"""Events that say how a change, or a step as a whole, ended."""
QUIET = frozenset({"unchanged", "step-skipped"})
"""Of these a resumed run repeats some; the last one stands for all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How one change, or one step as a whole, ended.

    Args:
        record: As it stands in the audit.
        change: What was changed; None when the step as a whole is meant.
        intended: When the intent was recorded; None when nothing was to be sent.
    """

    record: Record
    change: Change | None
    intended: datetime | None

    @property
    def at(self) -> datetime:
        """When it was known."""
        return datetime.fromisoformat(self.record["time"])

    @property
    def outcome(self) -> str:
        """One of the five; a change that was undone by somebody has failed."""
        return "failed" if self.record["event"] == "undone" else str(self.record.get("outcome") or "")

    @property
    def graph(self) -> Record:
        """The request, as far as there was one."""
        return self.record.get("graph") or {}


@dataclass
class LeaverFile:
    """All that the audit says about one leaver of a run."""

    id: str
    upn: str
    entries: list[Entry] = field(default_factory=list)
    closing: Record | None = None
    """The last record of how the run ended for this leaver."""
    refused: list[str] = field(default_factory=list)
    intents: list[int] = field(default_factory=list)
    """Numbers of the records of what was about to be sent."""
    steered: list[Record] = field(default_factory=list)
    """Held, released, canceled, moved: what people decided meanwhile."""

    @property
    def detail(self) -> Record:
        """What the last record of how it ended says."""
        return (self.closing or {}).get("detail") or {}

    @property
    def name(self) -> str:
        """The name that people know."""
        return str(self.detail.get("display_name") or self.upn)

    @property
    def open_items(self) -> list[Record]:
        """What is left open, whether accepted or not."""
        return list(self.detail.get("open_items") or ())

    @property
    def about(self) -> Record | None:
        """Who the person is, under Graph's names; None when an older version carried the run out."""
        found = self.detail.get("about")
        return found if isinstance(found, dict) else None

    @property
    def seqs(self) -> tuple[int, int] | None:
        """Numbers of the first and the last record about this leaver."""
        found = [e.record["seq"] for e in self.entries] + self.intents
        found += [r["seq"] for r in (*self.steered, *((self.closing,) if self.closing else ()))]
        return (min(found), max(found)) if found else None

    def at(self, verb: str) -> datetime | None:
        """When this change of the user was first known to be so, by this run."""
        times = [e.at for e in self.done() if e.change and (e.change.verb, e.change.target.kind) == (verb, "user")]
        return min(times, default=None)

    def done(self, kind: str = "") -> list[Entry]:
        """Changes that this run made, read back; of one kind of object, or of all."""
        return [e for e in self.entries if e.outcome == "changed" and e.change and kind in ("", e.change.target.kind)]

    def freed(self) -> list[str]:
        """Names of the licenses that this run took back."""
        return [part.name for e in self.done() if e.change and e.change.verb == "free" for part in e.change.parts]


@dataclass
class RunFile:
    """All that the audit says about one run."""

    run: str
    records: list[Record]
    leavers: list[LeaverFile]
    verification: Verification
    checkpoint: Record | None = None
    """The first signed checkpoint at or after the run's end: it vouches for every record before it."""

    def first(self, event: str) -> Record | None:
        """The first record of this event."""
        return next((r for r in self.records if r["event"] == event), None)

    def all(self, event: str) -> list[Record]:
        """Every record of this event."""
        return [r for r in self.records if r["event"] == event]

    def last(self, event: str) -> Record | None:
        """The last record of this event."""
        return next(iter(reversed(self.all(event))), None)

    @property
    def started(self) -> Record:
        """The record of the run's beginning."""
        found = self.first("run-started")
        assert found is not None
        return found

    @property
    def digest(self) -> str:
        """The digest of the plan that was carried out."""
        return str((self.started.get("detail") or {}).get("digest") or "")

    @property
    def flaw(self) -> Flaw | None:
        """What is wrong with the log up to the end of this run; what was added later does not concern it."""
        problem = self.verification.problem
        return problem if problem is not None and problem.seq <= self.records[-1]["seq"] else None


def collect(records: Iterable[Record], verification: Verification, asked: str) -> RunFile:
    """Everything about one run.

    Args:
        records: The whole log, in order.
        verification: What the check of the same log found.
        asked: The run's id, or its beginning.

    Raises:
        UsageError: The log knows no such run, or several.
    """
    mine: list[Record] = []
    by_plan: dict[str, list[Record]] = {}
    runs: dict[str, str] = {}
    seals: list[Record] = []
    for record in records:
        run, plan = str(record.get("run") or ""), str(record.get("plan") or "")
        if record["event"] == SEAL:
            seals.append(record)
        elif run.startswith(asked) and run:
            mine.append(record)
            if record["event"] == "run-started":
                runs[run] = plan
        elif plan and not run:
            by_plan.setdefault(plan, []).append(record)
    run = _only(runs, asked)
    mine = sorted((*by_plan.get(runs[run], ()), *(r for r in mine if r["run"] == run)), key=lambda r: r["seq"])
    return _file(run, mine, verification, seals)


def _file(run: str, mine: list[Record], verification: Verification, seals: Sequence[Record]) -> RunFile:
    at = bisect.bisect(seals, mine[-1]["seq"], key=lambda seal: int(seal["seq"]))
    return RunFile(run, mine, _leavers(mine), verification, seals[at] if at < len(seals) else None)


def collect_since(
    records: Iterable[Record], verification: Verification, since: datetime, until: datetime | None
) -> list[RunFile]:
    """Every run that began in a period, in order; whatever happened in it later is in it.

    Args:
        records: The whole log, in order.
        verification: What the check of the same log found.
        since: First instant of the period.
        until: First instant after it; None for no end.
    """
    begin, end = since.timestamp(), until.timestamp() if until else float("inf")
    plans: dict[str, list[Record]] = {}
    runs: dict[str, list[Record]] = {}
    seals: list[Record] = []
    for record in records:
        run, plan = str(record.get("run") or ""), str(record.get("plan") or "")
        if record["event"] == SEAL:
            seals.append(record)
        elif run in runs:
            runs[run].append(record)
        elif record["event"] == "run-started" and run:
            if begin <= datetime.fromisoformat(record["time"]).timestamp() < end:
                runs[run] = [*plans.get(plan, ()), record]
        elif plan and not run:
            plans.setdefault(plan, []).append(record)
    return [_file(run, mine, verification, seals) for run, mine in runs.items()]


def _only(runs: Mapping[str, str], asked: str) -> str:
    if asked in runs:
        return asked
    if len(runs) != 1:
        what = f"knows several runs that begin with {asked!r}" if runs else f"knows no run {asked!r}"
        raise UsageError(f"The audit {what}.", todo="List the tenant's runs with: offboard runs")
    return next(iter(runs))


def _leavers(records: Sequence[Record]) -> list[LeaverFile]:
    found: dict[str, LeaverFile] = {}
    intents: dict[tuple[str, str, str], datetime] = {}
    quiet: dict[tuple[str, str, str], int] = {}
    for record in records:
        who = record.get("leaver")
        if not isinstance(who, dict):
            continue
        leaver = found.setdefault(str(who.get("id")), LeaverFile(str(who.get("id")), str(who.get("upn"))))
        change = _change(record.get("change"))
        key = (leaver.id, str(record.get("step") or ""), change.key if change else "")
        if record["event"] == "intent":
            intents.setdefault(key, datetime.fromisoformat(record["time"]))
            leaver.intents.append(record["seq"])
        elif record["event"] in ENDED:
            _enter(leaver, Entry(record, change, intents.get(key)), key, quiet)
        elif record["event"] == "leaver-ended":
            leaver.closing = record
        elif record["event"] == "refused":
            leaver.refused.append(str(record.get("why") or ""))
        else:
            leaver.steered.append(record)
    return list(found.values())


def _enter(leaver: LeaverFile, entry: Entry, key: tuple[str, str, str], quiet: dict[tuple[str, str, str], int]) -> None:
    if entry.record["event"] in QUIET:
        if key in quiet:
            leaver.entries[quiet[key]] = entry
            return
        quiet[key] = len(leaver.entries)
    leaver.entries.append(entry)


def _change(found: JSON) -> Change | None:
    try:
        return change_from_json(found) if isinstance(found, dict) else None
    except (KeyError, TypeError, ValueError):
        return None  # a text was cut short; the record itself is still shown
