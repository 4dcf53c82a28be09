"""Records of the audit → what is known about runs. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from offboard.audit import Flaw, Verification
from offboard.errors import UsageError
from offboard.model import JSON, Change
from offboard.planjson import change_from_json
from offboard.report.shape import shaped
from offboard.report.tally import ENDED, Record, RunHead, Tally, key_of, outcome_of, part, time_of

SEAL = "checkpoint"
"""A record that vouches, by a signature, for all records before it."""
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
        return outcome_of(self.record)

    @property
    def key(self) -> str:
        """What it is about."""
        return key_of(self.record)

    @property
    def graph(self) -> Record:
        """The request, as far as there was one."""
        return self.record.get("graph") or {}


@dataclass
class LeaverFile(Tally):
    """All that the audit says about one leaver of a run: what is counted, and the records behind it."""

    entries: list[Entry] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    """Numbers of the records about this leaver."""
    overrides: list[Record] = field(default_factory=list)
    """Guards that were lifted for this leaver, each with a reason."""
    steered: list[Record] = field(default_factory=list)
    """Held, released, canceled, moved: what people decided meanwhile."""

    def moved(self, leave: datetime | None) -> timedelta:
        """By how much what is still to come was moved since it was last told when it falls due.

        Args:
            leave: The leave time as it was told then.
        """
        told = int(self.closing["seq"]) if self.closing else 0
        later = [record for record in self.steered if record["event"] == "rescheduled" and int(record["seq"]) > told]
        new = time_of(part(later[-1], "detail").get("leave")) if later else None
        return new - leave if new is not None and leave is not None else timedelta()

    def done(self, kind: str = "") -> list[Entry]:
        """Changes that this run made, read back; of one kind of object, or of all."""
        return [e for e in self.entries if e.outcome == "changed" and e.change and kind in ("", e.change.target.kind)]


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
    def head(self) -> RunHead:
        """The run, counted."""
        people: dict[str, Tally] = {each.id: each for each in self.leavers}
        first, last = self.records[0], self.records[-1]
        return RunHead(self.run, self.started, self.verification, first, last, len(self.records), people, self.checkpoint)

    @property
    def digest(self) -> str:
        """The digest of the plan that was carried out."""
        return self.head.digest

    @property
    def flaw(self) -> Flaw | None:
        """What is wrong with the log up to the end of this run."""
        return self.head.flaw


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
    for record in shaped(records):
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
    return RunFile(run, mine, _leavers(mine), verification, _after(seals, mine[-1]))


def survey(
    records: Iterable[Record], verification: Verification, since: datetime, until: datetime | None
) -> list[RunHead]:
    """Every run that began in a period, counted, in order; whatever happened in it later is counted too.

    Args:
        records: The whole log, in order.
        verification: What the check of the same log found.
        since: First instant of the period.
        until: First instant after it; None for no end.
    """
    plans: dict[str, Record] = {}
    runs: dict[str, RunHead] = {}
    seals: list[Record] = []
    for record in shaped(records):
        run, event = record.get("run"), record["event"]
        if run in runs:
            runs[run].fold(record)
        elif run:
            if event == "run-started" and _within(record, since, until):
                before = plans.get(str(record.get("plan")))
                runs[run] = RunHead(run, record, verification, before or record, record, 1 if before else 0)
                runs[run].fold(record)
        elif event == SEAL:
            seals.append(record)
        elif plan := record.get("plan"):
            plans.setdefault(str(plan), record)
    for head in runs.values():
        head.checkpoint = _after(seals, head.last)
    return list(runs.values())


def _within(record: Record, since: datetime, until: datetime | None) -> bool:
    at = datetime.fromisoformat(record["time"])
    return since <= at and (until is None or at < until)


def gather(records: Iterable[Record], heads: Sequence[RunHead], wanted: Collection[str]) -> dict[str, RunFile]:
    """Everything about a few of the runs that were counted, by id.

    Args:
        records: The whole log, in order.
        heads: As counted.
        wanted: Ids of the runs to be told in full.
    """
    found: dict[str, list[Record]] = {head.run: [] for head in heads if head.run in wanted}
    plans = {str(head.started.get("plan")): found[head.run] for head in heads if head.run in wanted}
    for record in shaped(records):
        run = record.get("run")
        if run in found:
            found[run].append(record)
        elif not run and (mine := plans.get(str(record.get("plan")))) is not None and not mine:
            mine.append(record)
    known = {head.run: head for head in heads}
    return {
        run: RunFile(run, mine, _leavers(mine), known[run].verification, known[run].checkpoint)
        for run, mine in found.items()
    }


def _after(seals: Sequence[Record], last: Record) -> Record | None:
    at = bisect.bisect(seals, last["seq"], key=lambda seal: int(seal["seq"]))
    return seals[at] if at < len(seals) else None


def _only(runs: Mapping[str, str], asked: str) -> str:
    if asked in runs:
        return asked
    if len(runs) != 1:
        what = f"knows several runs that begin with {asked!r}" if runs else f"knows no run {asked!r}"
        raise UsageError(f"The audit {what}.", todo="List the tenant's runs with: offboard runs")
    return next(iter(runs))


def _leavers(records: Sequence[Record]) -> list[LeaverFile]:
    found: dict[str, LeaverFile] = {}
    intents: dict[tuple[str, str], datetime] = {}
    quiet: dict[tuple[str, str], int] = {}
    for record in records:
        who = record.get("leaver")
        if not isinstance(who, dict):
            continue
        leaver = found.setdefault(str(who.get("id")), LeaverFile(str(who.get("id")), str(who.get("upn"))))
        leaver.fold(record)
        leaver.seqs.append(int(record["seq"]))
        key = (leaver.id, key_of(record))
        if record["event"] == "intent":
            intents.setdefault(key, datetime.fromisoformat(record["time"]))
        elif record["event"] in ENDED:
            _enter(leaver, Entry(record, _change(record.get("change")), intents.get(key)), key, quiet)
        elif record["event"] == "guard-overridden":
            leaver.overrides.append(record)
        elif record["event"] not in ("leaver-ended", "refused"):
            leaver.steered.append(record)
    return list(found.values())


def _enter(leaver: LeaverFile, entry: Entry, key: tuple[str, str], quiet: dict[tuple[str, str], int]) -> None:
    if entry.record["event"] in QUIET:
        if key in quiet:
            leaver.entries[quiet[key]] = entry
            return
        quiet[key] = len(leaver.entries)
    leaver.entries.append(entry)


def _change(found: JSON) -> Change | None:
    try:
        change = change_from_json(found) if isinstance(found, dict) else None
    except (AttributeError, KeyError, TypeError, ValueError, UsageError):
        return None  # a text was cut short; the record itself is still shown
    return change if change is not None and _sound(change) else None


def _sound(change: Change) -> bool:
    """Whether the names in it are names; a log that was edited may hold anything."""
    refs = (change.target, *change.parts)
    return isinstance(change.verb, str) and all(isinstance(x, str) for ref in refs for x in (ref.kind, ref.id, ref.name))
