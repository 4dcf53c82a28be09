"""I1 to I3: what was done was told before and after, happened once, and had been planned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from offboard.model import LeaverPlan
from offboard.sandbox.journal import JournalEntry
from tests.simulation.life import Life
from tests.simulation.tape import Asked, Call, Ended, Recorded, Stored
from tests.simulation.wording import ADDRESSES, GUID, BrokenError, Key, effect_key, expected, kind_of

LONG_AGO = 65.0
"""Seconds after a reading, with what a request may take, beyond which nobody is to be deleted on its strength."""


@dataclass
class Book:
    """The intents and outcomes of a life, with their places on the tape.

    A key is the step, the change and the leaver. Audit and store are two files, so a power cut can fall between a record
    and the transaction that belongs to it. The engine then says the record again: twice told, once done.
    """

    life: Life
    opened: dict[Key, int] = field(default_factory=dict)
    closed: dict[Key, int] = field(default_factory=dict)
    dropped: set[Key] = field(default_factory=set)
    owed: set[Key] = field(default_factory=set)
    unclaimed: list[set[Key]] = field(default_factory=list)
    """Per effect that no outcome has owned up to: the intents that may have brought it about."""

    def intent(self, key: Key, place: int) -> None:
        """One intent: the only one that is open."""
        if key in self.opened and not self.untold(self.opened[key], place):
            raise BrokenError("I1", f"a second intent of {key} without an outcome")
        self.opened[key] = place

    def outcome(self, key: Key, place: int, *, disowned: bool) -> None:
        """One outcome: of an intent that is open; `disowned` when it says that nothing was done."""
        for effect in [effect for effect in self.unclaimed if key in effect]:
            effect.discard(key)
            if not disowned:
                self.unclaimed.remove(effect)
            elif not effect:
                raise BrokenError("I1", f"told as not sent, and yet executed: {key}")
        known = key in self.opened or key in self.dropped or (key in self.closed and self.untold(self.closed[key], place))
        if not known:
            raise BrokenError("I1", f"an outcome of {key} without an intent")
        self.opened.pop(key, None)
        self.owed.discard(key)
        self.closed[key] = place

    def effect(self, effect: JournalEntry, place: int) -> None:
        """One executed write of ours: it had an intent, and owes an outcome."""
        verbs, target, who = effect_key(effect)
        doubtful = (
            key for key, told in self.closed.items() if self.untold(told, place) and not self.over(key, told, place)
        )
        known = [*self.opened, *doubtful]
        acts = [f"{verb} {target}" for verb in verbs]
        covered = [key for key in known if key[1] in acts and who in ("", key[2])]
        if not covered:
            raise BrokenError("I1", f"no intent before {effect.method} {effect.path}")
        # Where an intent is open, it is that one; else one whose end was told by a process that died over it.
        self.owed.update([key for key in covered if key in self.opened] or covered)
        if effect.effect.get("changed", True):
            self.unclaimed.append(set(covered))

    def refused(self, who: str, place: int) -> None:
        """The leaver was refused or called off: what never reached the store was never sent, and ends so."""
        for key in [key for key, opened in self.opened.items() if key[2] == who and self.untold(opened, place)]:
            del self.opened[key]
            self.dropped.add(key)  # unless the next process has stored it meanwhile: then that one tells its end

    def over(self, key: Key, place: int, until: int) -> bool:
        """Whether a later process has brought the leaver to an end since, with what was found of this change."""
        later = (event for event in self.life.tape[place + 1 : until] if isinstance(event, Recorded))
        return any(e.record["event"] == "leaver-ended" and e.record["leaver"]["id"] == key[2] for e in later)

    def untold(self, place: int, until: int) -> bool:
        """Whether the process died between this record and its transaction."""
        first = self.life.tape[place]
        assert isinstance(first, Recorded)
        for event in self.life.tape[place + 1 : until]:
            if isinstance(event, Stored) and event.process == first.process:
                return False
            if isinstance(event, Ended) and event.process == first.process:
                return event.kind in ("kill", "full")
        return False


def intents_and_outcomes(life: Life) -> None:
    """I1: every effect has exactly one intent before it and one outcome after it."""
    book = Book(life)
    for place, event in enumerate(life.tape):
        if isinstance(event, Recorded) and event.record["event"] in ("refused", "canceled"):
            book.refused(event.record["leaver"]["id"], place)
        if isinstance(event, Recorded) and event.record.get("change"):
            _enter(book, event.record, place)
        for effect in event.effects if isinstance(event, Asked) else ():
            book.effect(effect, place)
    last = life.tries[-1].outcome
    if last is not None and (book.owed or (book.opened and last.exit_code() != 5)):
        raise BrokenError("I1", f"no outcome after {sorted(book.owed | set(book.opened))}")


def _enter(book: Book, record: dict[str, Any], place: int) -> None:
    change = record["change"]
    key = record["step"], f"{change['verb']} {change['target']['id']}", record["leaver"]["id"]
    if record["event"] == "intent":
        book.intent(key, place)
    elif record["event"] == "outcome":
        nothing = record["outcome"] == "unchanged" or record.get("why", "").startswith("not sent: ")
        book.outcome(key, place, disowned=nothing)
    elif key in book.opened and book.untold(book.opened[key], place):
        del book.opened[key]  # the store never had it, so it was never sent: what was found instead ends it


def once(life: Life) -> None:
    """I2: nobody is deleted twice, unless somebody else brought them back in between."""
    deleted: set[str] = set()
    for effect, ours in _effects(life):
        if ours and effect.method == "DELETE" and re.fullmatch(rf"/v1.0/users/{GUID}", effect.path):
            if effect.path in deleted:
                raise BrokenError("I2", f"{effect.method} {effect.path} twice")
            deleted.add(effect.path)
        if effect.path.endswith("/restore"):
            deleted.discard(f"/v1.0/users/{effect.path.split('/')[-2]}")


def _effects(life: Life) -> Iterator[tuple[JournalEntry, bool]]:
    for event in life.tape:
        for effect in getattr(event, "effects", ()):
            yield effect, isinstance(event, Asked)


def only_what_was_planned(life: Life) -> None:
    """I3: writes only to what was planned, by object id, and never to a refused leaver."""
    assert life.plan is not None
    planned = {call for each in life.plan.leavers for change in each.changes for call in [expected(change)]}
    licenses = {each.leaver.id: _licenses(each) for each in life.plan.leavers}
    refused: set[tuple[int, str]] = set()
    for event in life.tape:
        if isinstance(event, Recorded) and event.record["event"] in ("refused", "canceled"):
            refused.add((event.process, event.record["leaver"]["id"]))
        for call in event.calls if isinstance(event, Asked) else ():
            if not call.write:
                continue
            if (call.method, call.path, kind_of(call)) not in planned or not ADDRESSES.fullmatch(call.path):
                raise BrokenError("I3", f"{call.method} {call.path} {kind_of(call)} was never planned")
            if call.path.endswith("/assignLicense"):
                _only_planned_licenses(call, licenses)
            assert isinstance(event, Asked)
            for process, leaver in refused:
                if process == event.process and leaver in call.path:
                    raise BrokenError("I3", f"{call.method} {call.path} after the leaver was refused")


def _licenses(each: LeaverPlan) -> dict[str, set[str]]:
    """What is planned to be given and taken, by the name of the body's list."""
    lists = {"removeLicenses": "free", "addLicenses": "assign"}
    return {
        name: {part.id for change in each.changes if change.verb == verb for part in change.parts}
        for name, verb in lists.items()
    }


def _only_planned_licenses(call: Call, planned: dict[str, dict[str, set[str]]]) -> None:
    mine = planned[call.path.split("/")[2]]
    given = {entry["skuId"] for entry in call.body["addLicenses"]}
    if set(call.body["removeLicenses"]) - mine["removeLicenses"] or given - mine["addLicenses"]:
        raise BrokenError("I3", f"licenses that were never planned: {call.body}")


def nobody_deleted_who_was_enabled(life: Life) -> None:
    """I3: whoever was read as enabled, although the plan disables them first, is not deleted; nor who was read long ago."""
    assert life.plan is not None
    first = {each.leaver.id for each in life.plan.leavers if _disables_before_deleting(each)}
    enabled: dict[str, bool] = {}
    read: dict[str, float] = {}
    for asked in life.requests():
        for call in asked.calls:
            id = call.path.split("/")[2] if call.path.startswith("/users/") else ""
            if call.method != "DELETE" or call.path != f"/users/{id}":
                continue
            if id in first and enabled.get(id):
                raise BrokenError("I3", f"{id} was deleted although read as enabled just before")
            if asked.at - read[id] > LONG_AGO:
                raise BrokenError("I3", f"{id} was deleted {asked.at - read[id]:.0f} s after it was read last")
        enabled |= {id: bool(body["accountEnabled"]) for id, body in asked.people().items() if body is not None}
        read |= dict.fromkeys(asked.people(), asked.at)


def _disables_before_deleting(each: LeaverPlan) -> bool:
    changes = [(c.verb, p.step.on_failure.value) for p in each.steps for c in p.changes if c.target.kind == "user"]
    verbs = [verb for verb, _ in changes]
    if "disable" not in verbs or "delete" not in verbs or ("disable", "continue") in changes:
        return False
    dues = {c.verb: p.due for p in each.steps for c in p.changes if c.target.kind == "user"}
    return verbs.index("disable") < verbs.index("delete") and dues["disable"] <= dues["delete"]
