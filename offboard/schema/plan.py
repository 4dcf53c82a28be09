"""The schema of a plan file, in the words of `planfile`."""

from __future__ import annotations

from collections.abc import Mapping

from offboard.actions import ACTIONS
from offboard.loading.grammar import CODE, DRAFT, DUE, ID, PARAMETER, TYPES
from offboard.model import JSON, Doing, Effect, OnFailure
from offboard.planjson import SCHEMA

_TEXT: JSON = {"type": "string"}
_TEXT_OR_NULL: JSON = {"type": ["string", "null"]}
_OPEN: JSON = {"type": "object"}
_TIME: JSON = {
    "description": "UTC, whole seconds.",
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
_DIGEST: JSON = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_REF = {"$ref": "#/$defs/ref"}


def _closed(description: str, properties: Mapping[str, JSON]) -> dict[str, JSON]:
    """An object of which every property is written, and no other."""
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": dict(properties),
    }


def _list(items: JSON) -> dict[str, JSON]:
    return {"type": "array", "items": items}


def plan_schema() -> dict[str, JSON]:
    """The closed schema of `plan.json`; what is open in it holds values as Graph names them."""
    top = _closed(
        "All changes of one playbook for one or more leavers; canonical JSON, bound by its digest.",
        {
            "schema": {"const": SCHEMA},
            "id": {"description": "Unique; consumed by the first run made from it.", **_TEXT},
            "created": {**_TIME, "description": "Graph's clock when the facts were read; UTC."},
            "valid_until": {**_TIME, "description": "After this the plan is refused; UTC."},
            "tenant": _closed("Where.", {"id": _TEXT, "name": _TEXT, "alias": _TEXT}),
            "actor": {"description": "Who planned it, as far as the token tells.", **_TEXT},
            "tool": {"description": "Version of offboard.", **_TEXT},
            "actions": {
                "description": "Version of each action used.",
                "type": "object",
                "propertyNames": {"enum": list(ACTIONS)},
                "additionalProperties": {"type": "integer", "minimum": 1},
            },
            "needs": {"description": "Permissions, one entry per step.", **_list(_OPEN)},
            "playbook": {"$ref": "#/$defs/playbook"},
            "leavers": _list({"$ref": "#/$defs/leaver_plan"}),
            "digest": {**_DIGEST, "description": "SHA-256 over the canonical form of all but the digest."},
        },
    )
    said = {"user": _TEXT, "what": _TEXT, "todo": _TEXT}
    top["properties"]["unplanned"] = _list(_closed("Somebody asked for, for whom nothing could be planned.", said))
    return {
        "$schema": DRAFT,
        "$id": "urn:offboard:schema:plan:1",
        "title": "offboard plan",
        **top,
        "$defs": {
            "ref": _closed("One Graph object.", {"kind": _TEXT, "id": _TEXT, "name": _TEXT}),
            "step": _step(),
            "change": _change(),
            "note": _note(),
            "playbook": _playbook(),
            "leaver_plan": _leaver_plan(),
        },
    }


def _step() -> dict[str, JSON]:
    return _closed(
        "A step as written, parameters filled in.",
        {
            "id": {"type": "string", "pattern": ID},
            "action": {"enum": list(ACTIONS)},
            "with": _OPEN,
            "when": _TEXT_OR_NULL,
            "on_failure": {"enum": [str(x) for x in OnFailure]},
            "due": {"type": "string", "pattern": DUE},
        },
    )


def _change() -> dict[str, JSON]:
    return _closed(
        "One intended effect on one Graph object.",
        {
            "verb": _TEXT,
            "target": _REF,
            "before": {"description": "The value as read."},
            "after": {"description": "The value that must be read back."},
            "effect": {"description": "What may be lost.", "enum": [str(x) for x in Effect]},
            "until": {"description": "For recoverable changes: until when.", "anyOf": [_TIME, {"type": "null"}]},
            "parts": _list(_REF),
            "data": _OPEN,
        },
    )


def _note() -> dict[str, JSON]:
    return _closed(
        "Something a step does not do, and why.",
        {
            "doing": {"enum": [str(x) for x in Doing]},
            "target": {"anyOf": [_REF, {"type": "null"}]},
            "reason": _TEXT,
            "code": {"type": "string", "pattern": CODE},
            "open": {"description": "Whether access or a duty is left behind.", "type": "boolean"},
        },
    )


def _playbook() -> dict[str, JSON]:
    parameter = {
        "name": {"type": "string", "pattern": PARAMETER},
        "type": {"enum": list(TYPES)},
        "required": {"type": "boolean"},
        "default": _TEXT_OR_NULL,
        "description": _TEXT,
    }
    return _closed(
        "The playbook inside the plan: a run never re-reads the YAML.",
        {
            "name": {"type": "string", "pattern": ID},
            "description": _TEXT,
            "digest": _DIGEST,
            "accept": _list(_TEXT),
            "parameters": _list(_closed("A parameter as declared.", parameter)),
            "steps": _list({"$ref": "#/$defs/step"}),
        },
    )


def _leaver_plan() -> dict[str, JSON]:
    who = {"id": _TEXT, "userPrincipalName": _TEXT, "displayName": _TEXT, "about": _OPEN}
    table = {"title": _TEXT, "columns": _list(_TEXT), "rows": _list(_OPEN)}
    planned = {
        "step": {"$ref": "#/$defs/step"},
        "due": _TIME,
        "changes": _list({"$ref": "#/$defs/change"}),
        "notes": _list({"$ref": "#/$defs/note"}),
        "tables": _list(_closed("Rows that a read-only step returned.", table)),
        "skipped": {"description": "Why the whole step is not carried out.", **_TEXT_OR_NULL},
    }
    objection = {"guard": _TEXT, "severity": {"enum": ["stop", "warn"]}, "reason": _TEXT}
    override = {"guard": _TEXT, "reason": _TEXT, "by": _TEXT}
    found = _closed(
        "All that the playbook would do for one leaver.",
        {
            "leaver": _closed("Who, resolved.", who),
            "leave": {**_TIME, "description": "T, the leave time; UTC."},
            "fingerprint": {"description": "Facts the review rests on.", **_OPEN},
            "steps": _list(_closed("What one step would do.", planned)),
            "objections": _list(_closed("What a guard says.", objection)),
            "consequences": _list(_TEXT),
        },
    )
    found["properties"]["overrides"] = _list(_closed("A guard that is lifted, and why.", override))
    return found
