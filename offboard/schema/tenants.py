"""The schema of `offboard.toml`, from the table of its keys."""

from __future__ import annotations

from collections.abc import Mapping

from offboard.loading.grammar import DRAFT
from offboard.model import JSON
from offboard.settings.configfile import REQUIRED
from offboard.settings.configkeys import (
    APPROVAL,
    CLOUDS,
    GUARDS,
    GUID,
    REPORT,
    SEVERITY,
    SIGN_IN,
    TENANT,
    Check,
    Key,
    a_count,
    a_flag,
    a_guid,
    a_percentage,
    a_text,
    guids,
    periods,
    texts,
)

_GUID: JSON = {"type": "string", "pattern": f"^{GUID.pattern}$"}
_TEXT: JSON = {"type": "string", "minLength": 1}
_TIME: JSON = {"type": "string", "format": "date-time"}
_FORMS: Mapping[Check, JSON] = {
    a_text: _TEXT,
    a_guid: _GUID,
    a_flag: {"type": "boolean"},
    a_count: {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    a_percentage: {"type": "number", "minimum": 0, "maximum": 100},
    texts: {"type": "array", "items": _TEXT},
    guids: {"type": "array", "items": _GUID},
    periods: {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["from", "until"],
            "properties": {"from": _TIME, "until": _TIME, "reason": _TEXT},
        },
    },
}
_NAMED: Mapping[str, JSON] = {
    "sign_in": {"enum": list(SIGN_IN), "default": "device-code"},
    "cloud": {"enum": list(CLOUDS), "default": "global"},
    "approval": {"enum": list(APPROVAL)},
    "administrators": {"enum": list(SEVERITY), "default": "stop"},
    "mailboxes": {"enum": list(SEVERITY), "default": "stop"},
    "read_mailboxes": {"type": "boolean", "default": False},
    "pim_for_groups": {"type": "boolean", "default": True},
    "synced": {"enum": list(SEVERITY), "default": "stop"},
    "graph_url": {"type": "string", "pattern": "^https?://[^/]+/?$"},
    "authority": {"type": "string", "pattern": "^https://[^/]+/?$"},
}
"""Keys whose check is made for them alone."""


def tenants_schema() -> dict[str, JSON]:
    """The closed schema of the tenants file, its TOML tables read as JSON objects."""
    return {
        "$schema": DRAFT,
        "$id": "urn:offboard:schema:tenants:1",
        "title": "offboard tenants",
        "description": "offboard.toml: the tenants and how to sign in to them.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "default": {"description": "The tenant used without --tenant.", "type": "string"},
            "database": {
                "description": "Where the runs are kept for many workers; a file in the state folder when not given.",
                "type": "string",
                "pattern": "^postgres(ql)?://[!-~]+$",
            },
            "tenants": {
                "description": "By the name used on the command line.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9._-]{1,64}$", "not": {"const": "sandbox"}},
                "additionalProperties": _tenant(),
            },
        },
    }


def _keys(keys: Mapping[str, Key]) -> dict[str, JSON]:
    return {
        name: {"description": key.text, **(_NAMED[name] if name in _NAMED else _FORMS[key.check])}
        for name, key in keys.items()
    }


def _tenant() -> dict[str, JSON]:
    guards = {
        "description": "What a plan may not do.",
        "type": "object",
        "additionalProperties": False,
        "properties": _keys(GUARDS),
    }
    report = {
        "description": "What a report measures by.",
        "type": "object",
        "additionalProperties": False,
        "properties": _keys(REPORT),
    }
    return {
        "description": "One tenant.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_keys(TENANT), "guards": guards, "report": report},
        "allOf": [_needs(kind, names) for kind, names in REQUIRED.items()],
    }


def _needs(kind: str, names: tuple[str, ...]) -> dict[str, JSON]:
    """What a way to sign in needs; the default way also when none is written."""
    written: dict[str, JSON] = {"properties": {"sign_in": {"const": kind}}}
    if kind != _NAMED["sign_in"]["default"]:
        written["required"] = ["sign_in"]
    return {"if": written, "then": {"required": list(names)}}
