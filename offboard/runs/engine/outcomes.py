"""What came of a turn, as JSON that the queue keeps and any process reads. Pure.

Of a run of many leavers, what is fine is only counted: what went wrong, and what stays open, is told in full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from offboard.model import JSON, Outcome, Plan, Result
from offboard.planjson import (
    change_from_json,
    change_json,
    moment,
    note_from_json,
    note_json,
    stamp,
    table_from_json,
    table_json,
)
from offboard.runs.outcome import LeaverOutcome, RunOutcome

FORMAT = 1
BAD = (Outcome.FAILED, Outcome.DRIFTED)
TIMES = ("disable", "revoke")
"""Verbs on the user whose time is said at the end."""


def outcome_json(outcome: RunOutcome, *, compact: bool) -> dict[str, JSON]:
    """A turn's outcome.

    Args:
        outcome: For the leavers of the turn.
        compact: Whether what is fine is only counted.
    """
    leavers: list[JSON] = [
        {"id": outcome.plan.leavers[each.index].leaver.id, **_leaver(each, compact)} for each in outcome.leavers
    ]
    return {"format": FORMAT, "leavers": leavers}


def _leaver(each: LeaverOutcome, compact: bool) -> dict[str, JSON]:
    told = [r for r in each.results if not compact or r.outcome in BAD]
    notes = [note for note in each.notes if not compact or note.open]
    fine = Counter(r.outcome.value for r in each.results if compact and r.outcome not in BAD and r.change)
    times = {verb: at for verb in TIMES if (at := each.at(verb))} if compact else {}
    return {
        "results": [_result(result) for result in told],
        "fine": {**fine},
        "times": {verb: stamp(at) for verb, at in times.items()},
        "refused": list(each.refused),
        "code": each.code,
        "not_started": list(each.not_started),
        "notes": [note_json(note) for note in notes],
        "tables": [[step, table_json(table)] for step, table in each.tables],
        "later": [planned.step.id for planned in each.later],
        "stopped": each.stopped,
    }


def _result(result: Result) -> dict[str, JSON]:
    return {
        "outcome": result.outcome.value,
        "step": result.step,
        "change": change_json(result.change) if result.change else None,
        "why": result.why,
        "at": stamp(result.at) if result.at else None,
        "todo": result.todo,
        "detail": dict(result.detail),
    }


def leavers_of(document: JSON) -> dict[str, Mapping[str, Any]]:
    """What a turn's document says, by leaver; nothing when it says nothing that this version understands."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return {}
    leavers: Any = document["leavers"]
    return {each["id"]: each for each in leavers}


def read_outcome(plan: Plan, index: int, said: Mapping[str, Any]) -> LeaverOutcome:
    """How it ended for one leaver.

    Args:
        plan: With the leaver, due times as they are now.
        index: The leaver's place in it.
        said: Of the turn's document.
    """
    later = set(said["later"])
    return LeaverOutcome(
        index,
        results=tuple(map(_read_result, said["results"])),
        refused=tuple(said["refused"]),
        code=said.get("code", 3),
        not_started=tuple(said["not_started"]),
        notes=tuple(map(note_from_json, said["notes"])),
        tables=tuple((step, table_from_json(table)) for step, table in said["tables"]),
        later=tuple(p for p in plan.leavers[index].steps if p.step.id in later),
        stopped=said["stopped"],
        fine={Outcome(name): number for name, number in said["fine"].items()},
        times={verb: moment(at) for verb, at in said["times"].items()},
    )


def _read_result(said: Mapping[str, Any]) -> Result:
    return Result(
        Outcome(said["outcome"]),
        said["step"],
        change_from_json(said["change"]) if said["change"] else None,
        said["why"],
        moment(said["at"]) if said["at"] else None,
        said["todo"],
        said["detail"],
    )
