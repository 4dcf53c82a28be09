"""What is counted of one leaver of one run, record by record, without keeping the records. Pure.

Why: a period may hold a hundred thousand records, of which a report tells only a few leavers in full. Everybody is counted
in one pass that keeps next to nothing; the few are collected in another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offboard.audit import Flaw, Verification

Record = Mapping[str, Any]

DEVICES = ("device", "managedDevice")
"""Kinds of objects that are devices: in Entra ID, in Intune."""
ENDED = frozenset({"outcome", "undone", "unverified", "drifted", "unchanged", "step-skipped"})
"""Events that say how a change, or a step as a whole, ended."""


def part(record: Record, name: str) -> Record:
    """An object inside a record; an empty one where something else stands, as may be in a log that was edited."""
    found = record.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


def key_of(record: Record) -> str:
    """What a record of a change, or of a step as a whole, is about; the same for all records about it."""
    change = part(record, "change")
    target, data = part(change, "target"), change.get("data")
    more = json.dumps(data, sort_keys=True) if data else ""
    return f"{record.get('step')} {change.get('verb', '')} {target.get('id', '')} {more}"


def outcome_of(record: Record) -> str:
    """One of the five; a change that was undone by somebody has failed."""
    return "failed" if record["event"] == "undone" else str(record.get("outcome") or "")


STEERED = frozenset({"held", "released", "canceled"})
"""What a person decides about what is still to come."""


@dataclass
class Tally:
    """One leaver of one run, counted.

    Args:
        id: Object id.
        upn: User principal name, as in the first record.
        closing: The last record of how the run ended for this leaver.
        refused: Why it was refused.
        firsts: Per verb: when this run was first known to have done it to the user.
        restorable: Until when the deletion can be taken back.
        failed: Keys of what failed and was not mended since, with the step.
        blocked_before: Whether sign-in was found blocked already.
        kinds: How many changes were made, by kind of object.
        devices: Object ids of devices that were changed.
        licenses: Names of the licenses that were taken back.
        steering: What a person decided last about what is still to come.
    """

    id: str
    upn: str
    closing: Record | None = None
    refused: list[str] = field(default_factory=list)
    firsts: dict[str, str] = field(default_factory=dict)
    restorable: str = ""
    failed: dict[str, str] = field(default_factory=dict)
    blocked_before: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    devices: set[str] = field(default_factory=set)
    licenses: list[str] = field(default_factory=list)
    steering: Record | None = None

    def fold(self, record: Record) -> None:
        """Count one more record about this leaver."""
        event = record["event"]
        if event in ENDED:
            self._ended(record)
        elif event == "leaver-ended":
            self.closing = record
            self._mended(part(record, "detail"))
        elif event == "refused":
            self.refused.append(str(record.get("why") or ""))
        elif event in STEERED:
            self.steering = record

    def _ended(self, record: Record) -> None:
        outcome = outcome_of(record)
        if outcome == "failed":
            self.failed[key_of(record)] = str(record.get("step"))
        elif self.failed:
            self.failed.pop(key_of(record), None)
        if outcome == "changed":
            self._changed(record, part(record, "change"))
        elif outcome == "unchanged" and record.get("action") == "disable-user":
            self.blocked_before = True

    def _mended(self, detail: Record) -> None:
        """Of the steps that are told of, what had failed before and has not failed now is so again."""
        if self.failed:
            told = set(map(str, _list(detail.get("told"))))
            still = {key_of(each) for each in _list(detail.get("failed")) if isinstance(each, Mapping)}
            self.failed = {key: step for key, step in self.failed.items() if key in still or step not in told}

    def _changed(self, record: Record, change: Record) -> None:
        target, verb = part(change, "target"), str(change.get("verb") or "")
        kind = str(target.get("kind") or "")
        if not verb:
            return
        self.kinds[kind] += 1
        if kind in DEVICES:
            self.devices.add(str(target.get("id")))
        elif kind == "user":
            self.firsts.setdefault(verb, str(record["time"]))
            self.blocked_before |= verb == "purge"  # whoever is purged was deleted, and could not sign in
            if verb == "delete":
                self.restorable = str(change.get("until") or "")
            elif verb == "free":
                self.licenses += [
                    str(each.get("name")) for each in _list(change.get("parts")) if isinstance(each, Mapping)
                ]

    @property
    def detail(self) -> Record:
        """What the last record of how it ended says."""
        return part(self.closing, "detail") if self.closing else {}

    @property
    def steered_to(self) -> str:
        """`held` or `canceled`, as a person decided last; empty when what is still to come goes on."""
        event = str(self.steering["event"]) if self.steering else ""
        return event if event in ("held", "canceled") else ""

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

    def at(self, verb: str) -> datetime | None:
        """When this change of the user was first known to be so, by this run."""
        return time_of(self.firsts.get(verb))


def time_of(said: object) -> datetime | None:
    """A time from a record; a log that does not verify may hold anything."""
    try:
        found = datetime.fromisoformat(str(said)) if said else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


@dataclass
class RunHead:
    """One run, counted.

    Args:
        run: Its id.
        started: The record of its beginning.
        verification: What the check of the log found.
        first: The first record about it.
        last: The last record about it.
        count: How many there are.
        people: Its leavers, by object id.
        checkpoint: The first signed checkpoint after its last record: it vouches for every record before it.
        unplanned: Who was asked for, and is in no plan because nothing could be known.
    """

    run: str
    started: Record
    verification: Verification
    first: Record
    last: Record
    count: int = 0
    people: dict[str, Tally] = field(default_factory=dict)
    checkpoint: Record | None = None
    unplanned: list[str] = field(default_factory=list)

    def fold(self, record: Record) -> None:
        """Count one more record about this run."""
        self.last, self.count = record, self.count + 1
        if record["event"] == "unplanned":
            self.unplanned.append(str(part(record, "detail").get("user") or "somebody"))
        who = record.get("leaver")
        if isinstance(who, dict):
            id = str(who.get("id"))
            mine = self.people.get(id) or self.people.setdefault(id, Tally(id, str(who.get("upn"))))
            mine.fold(record)

    @property
    def leavers(self) -> list[Tally]:
        """Its leavers, in the order in which they appear."""
        return list(self.people.values())

    @property
    def digest(self) -> str:
        """The digest of the plan that was carried out."""
        return str(part(self.started, "detail").get("digest") or "")

    @property
    def flaw(self) -> Flaw | None:
        """What is wrong with the log up to the end of this run; what was added later does not concern it."""
        problem = self.verification.problem
        return problem if problem is not None and problem.seq <= self.last["seq"] else None
