"""A plan's nouns ⇄ JSON, and the canonical form in which JSON is written when its bytes matter.

Canonical means: keys sorted, no spaces, UTF-8, no floats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from offboard.model import (
    JSON,
    Change,
    Doing,
    Due,
    Effect,
    Leaver,
    LeaverPlan,
    Note,
    Objection,
    OnFailure,
    Override,
    Parameter,
    Plan,
    PlannedStep,
    Playbook,
    Ref,
    Step,
    Table,
    Tenant,
    Unplanned,
)

SCHEMA = "offboard.plan/1"


def canonical(value: JSON) -> bytes:
    """The one way in which a JSON value is written when its bytes matter."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def stamp(moment: datetime) -> str:
    """A time as plans write it: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """A time from a plan.

    Raises:
        ValueError: It is none, or is written in another way.
    """
    found = datetime.fromisoformat(text)
    if len(text) != 20 or text[10] != "T" or text[-1] != "Z":
        raise ValueError(f"{text!r} is not written as 2026-11-23T17:05:12Z")
    return found


def to_json(plan: Plan) -> dict[str, JSON]:
    """The plan as a JSON document, digest included."""
    return {
        "schema": SCHEMA,
        "id": plan.id,
        "created": stamp(plan.created),
        "valid_until": stamp(plan.valid_until),
        "tenant": {"id": plan.tenant.id, "name": plan.tenant.name, "alias": plan.tenant.alias},
        "actor": plan.actor,
        "tool": plan.tool,
        "actions": dict(plan.actions),
        "needs": [dict(need) for need in plan.needs],
        "playbook": playbook_json(plan.playbook),
        "leavers": [leaver_plan_json(each) for each in plan.leavers],
        # Left out when there are none, so that plans of before keep their digest.
        **({"unplanned": [asdict(each) for each in plan.unplanned]} if plan.unplanned else {}),
        "digest": plan.digest,
    }


def playbook_json(playbook: Playbook) -> dict[str, JSON]:
    """The playbook inside a plan: what the run needs, so that it never re-reads the YAML."""
    return {
        "name": playbook.name,
        "description": playbook.description,
        "digest": playbook.digest,
        "accept": list(playbook.accept),
        "parameters": [
            {
                "name": p.name,
                "type": p.type,
                "required": p.required,
                "default": p.default,
                "description": p.description,
            }
            for p in playbook.parameters
        ],
        "steps": [step_json(step) for step in playbook.steps],
    }


def step_json(step: Step) -> dict[str, JSON]:
    """One step, under the words of the YAML."""
    return {
        "id": step.id,
        "action": step.action,
        "with": dict(step.parameters),
        "when": step.when,
        "on_failure": step.on_failure.value,
        "due": str(step.due),
    }


def ref_json(ref: Ref) -> dict[str, JSON]:
    """An object reference."""
    return {"kind": ref.kind, "id": ref.id, "name": ref.name}


def change_json(change: Change) -> dict[str, JSON]:
    """A change, as plans and audit records write it."""
    return {
        "verb": change.verb,
        "target": ref_json(change.target),
        "before": change.before,
        "after": change.after,
        "effect": change.effect.value,
        "until": stamp(change.until) if change.until else None,
        "parts": [ref_json(part) for part in change.parts],
        "data": dict(change.data),
    }


def note_json(note: Note) -> dict[str, JSON]:
    """A note, as plans and audit records write it."""
    return {
        "doing": note.doing.value,
        "target": ref_json(note.target) if note.target else None,
        "reason": note.reason,
        "code": note.code,
        "open": note.open,
    }


def table_json(table: Table) -> dict[str, JSON]:
    """The rows of a read-only step."""
    return {"title": table.title, "columns": list(table.columns), "rows": [dict(row) for row in table.rows]}


def leaver_plan_json(each: LeaverPlan) -> dict[str, JSON]:
    """One leaver's part of a plan."""
    return {
        "leaver": {
            "id": each.leaver.id,
            "userPrincipalName": each.leaver.user_principal_name,
            "displayName": each.leaver.display_name,
            "about": dict(each.leaver.about),
        },
        "leave": stamp(each.leave),
        "fingerprint": dict(each.fingerprint),
        "steps": [
            {
                "step": step_json(planned.step),
                "due": stamp(planned.due),
                "changes": [change_json(change) for change in planned.changes],
                "notes": [note_json(note) for note in planned.notes],
                "tables": [table_json(table) for table in planned.tables],
                "skipped": planned.skipped,
            }
            for planned in each.steps
        ],
        "objections": [{"guard": o.guard, "severity": o.severity, "reason": o.reason} for o in each.objections],
        "consequences": list(each.consequences),
        # Left out when there are none, so that plans of before keep their digest.
        **({"overrides": [asdict(override) for override in each.overrides]} if each.overrides else {}),
    }


def from_json(doc: Mapping[str, Any]) -> Plan:
    """A plan from its document, whose digest was checked.

    Raises:
        KeyError, TypeError, ValueError: Something is missing or of the wrong kind.
    """
    return Plan(
        id=doc["id"],
        created=moment(doc["created"]),
        valid_until=moment(doc["valid_until"]),
        tenant=Tenant(**doc["tenant"]),
        actor=doc["actor"],
        tool=doc["tool"],
        actions=dict(doc["actions"]),
        needs=tuple(doc["needs"]),
        playbook=_playbook(doc["playbook"]),
        leavers=tuple(leaver_plan_from_json(each) for each in doc["leavers"]),
        digest=doc["digest"],
        unplanned=tuple(Unplanned(**each) for each in doc.get("unplanned", ())),
    )


def _playbook(doc: Mapping[str, Any]) -> Playbook:
    return Playbook(
        name=doc["name"],
        description=doc["description"],
        digest=doc["digest"],
        accept=tuple(doc["accept"]),
        parameters=tuple(Parameter(**p) for p in doc["parameters"]),
        steps=tuple(_step(step) for step in doc["steps"]),
    )


def _step(doc: Mapping[str, Any]) -> Step:
    return Step(
        id=doc["id"],
        action=doc["action"],
        parameters=dict(doc["with"]),
        when=doc["when"],
        on_failure=OnFailure(doc["on_failure"]),
        due=Due.parse(doc["due"]),
    )


def change_from_json(doc: Mapping[str, Any]) -> Change:
    """A change from a plan or a run's record."""
    return Change(
        verb=doc["verb"],
        target=Ref(**doc["target"]),
        before=doc["before"],
        after=doc["after"],
        effect=Effect(doc["effect"]),
        until=moment(doc["until"]) if doc["until"] else None,
        parts=tuple(Ref(**part) for part in doc["parts"]),
        data=dict(doc["data"]),
    )


def note_from_json(doc: Mapping[str, Any]) -> Note:
    """A note from a plan or a run's record."""
    target = Ref(**doc["target"]) if doc["target"] else None
    return Note(Doing(doc["doing"]), target, doc["reason"], doc["code"], doc["open"])


def table_from_json(doc: Mapping[str, Any]) -> Table:
    """The rows of a read-only step."""
    return Table(doc["title"], tuple(doc["columns"]), tuple(doc["rows"]))


def _planned(doc: Mapping[str, Any]) -> PlannedStep:
    return PlannedStep(
        step=_step(doc["step"]),
        due=moment(doc["due"]),
        changes=tuple(change_from_json(change) for change in doc["changes"]),
        notes=tuple(note_from_json(note) for note in doc["notes"]),
        tables=tuple(map(table_from_json, doc["tables"])),
        skipped=doc["skipped"],
    )


def leaver_plan_from_json(doc: Mapping[str, Any]) -> LeaverPlan:
    who = doc["leaver"]
    return LeaverPlan(
        leaver=Leaver(who["id"], who["userPrincipalName"], who["displayName"], dict(who["about"])),
        leave=moment(doc["leave"]),
        fingerprint=dict(doc["fingerprint"]),
        steps=tuple(_planned(step) for step in doc["steps"]),
        objections=tuple(Objection(**o) for o in doc["objections"]),
        consequences=tuple(doc["consequences"]),
        overrides=tuple(Override(**o) for o in doc.get("overrides", ())),
    )
