"""Plan ⇄ canonical JSON, and the digest that binds a review to what is applied.

Canonical means: keys sorted, no spaces, UTF-8, no floats, one newline at the end. The digest is SHA-256 over the
canonical form of everything but the digest itself; a plan file whose bytes are not exactly the canonical form of what
they say is refused as edited, so no byte of it can change unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from offboard.errors import Refused, UsageError
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
)
from offboard.planshape import PLAN
from offboard.shape import misfit

SCHEMA = "offboard.plan/1"
MAX_BYTES = 256 * 1024 * 1024


def canonical(value: JSON) -> bytes:
    """The one way in which a JSON value is written when its bytes matter."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def digest(document: Mapping[str, JSON]) -> str:
    """`sha256:` over the canonical form, the digest itself left out."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(canonical(rest)).hexdigest()


def seal(plan: Plan) -> Plan:
    """The plan with its digest."""
    return replace(plan, digest=digest(to_json(plan)))


def dump(plan: Plan) -> bytes:
    """The bytes of the plan file."""
    return canonical(to_json(plan)) + b"\n"


def load(data: bytes, name: str) -> Plan:
    """A plan from its file.

    Args:
        data: The file's bytes.
        name: The file as the user named it, for messages.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
        Refused: It was edited after it was made.
    """
    document = _document(data, name)
    if document.get("digest") != digest(document) or data != canonical(document) + b"\n":
        raise Refused(
            f"{name} was edited after it was made: its digest does not match its content.",
            todo="Make and review a new plan; a plan is never edited by hand.",
        )
    if wrong := misfit(document, PLAN):
        raise UsageError(f"{name} is not a complete plan: {wrong}.", todo=_MAKE_ONE)
    try:
        return from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{name} is not a complete plan: {type(error).__name__} {error}.") from error


def split(plan: Plan) -> tuple[bytes, list[bytes]]:
    """The plan without its leavers, and each leaver's part: what is stored of a run, so that a part can be read alone."""
    return canonical(to_json(replace(plan, leavers=()))), [canonical(leaver_plan_json(each)) for each in plan.leavers]


def join(head: bytes, parts: Sequence[bytes], name: str) -> Plan:
    """The plan that was split.

    Args:
        head: The plan without its leavers.
        parts: Every leaver's part, in order.
        name: Where it stands, for messages.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
        Refused: A byte of it is not what it was.
    """
    plan = read_head(head, name)
    if plan.digest != _digest_of_parts(head, parts):
        raise Refused(f"The plan in {name} was changed after it was stored: its digest does not match its content.")
    return replace(plan, leavers=tuple(map(read_part, parts)))


def read_head(head: bytes, name: str) -> Plan:
    """The plan without its leavers. Its digest is that of the whole, and not checked here.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
    """
    return from_json(_document(head, name))


def read_part(part: bytes) -> LeaverPlan:
    """One leaver's part of a plan."""
    return _leaver_plan(json.loads(part))


def _digest_of_parts(head: bytes, parts: Sequence[bytes]) -> str:
    """The digest of the whole, without building it: no name before `leavers` can hold these bytes unescaped."""
    rest = {key: value for key, value in json.loads(head).items() if key != "digest"}
    before, _, after = canonical(rest).partition(b'"leavers":[]')
    made = hashlib.sha256(before + b'"leavers":[')
    for n, part in enumerate(parts):
        made.update(b"," + part if n else part)
    made.update(b"]" + after)
    return "sha256:" + made.hexdigest()


def _document(data: bytes, name: str) -> dict[str, JSON]:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB and no plan of this tool.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a plan: it is not JSON ({error}).", todo=_MAKE_ONE) from error
    if not isinstance(document, dict) or "schema" not in document:
        raise UsageError(f"{name} is JSON, but not a plan of this tool.", todo=_MAKE_ONE)
    if document["schema"] != SCHEMA:
        raise UsageError(
            f"{name} has the format {str(document['schema'])[:60]!r}; this version reads {SCHEMA!r}.",
            todo="Use the version of offboard that made it, or make a new plan.",
        )
    try:
        canonical(document)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a plan: {error}.", todo=_MAKE_ONE) from error
    return document


_MAKE_ONE = "Make one with: offboard plan PLAYBOOK USER --out FILE"


def stamp(moment: datetime) -> str:
    """A time as plans write it: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """A time from a plan."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


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
        leavers=tuple(_leaver_plan(each) for each in doc["leavers"]),
        digest=doc["digest"],
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


def _note(doc: Mapping[str, Any]) -> Note:
    target = Ref(**doc["target"]) if doc["target"] else None
    return Note(Doing(doc["doing"]), target, doc["reason"], doc["code"], doc["open"])


def _planned(doc: Mapping[str, Any]) -> PlannedStep:
    return PlannedStep(
        step=_step(doc["step"]),
        due=moment(doc["due"]),
        changes=tuple(change_from_json(change) for change in doc["changes"]),
        notes=tuple(_note(note) for note in doc["notes"]),
        tables=tuple(Table(t["title"], tuple(t["columns"]), tuple(t["rows"])) for t in doc["tables"]),
        skipped=doc["skipped"],
    )


def _leaver_plan(doc: Mapping[str, Any]) -> LeaverPlan:
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
