"""What a playbook may say: its JSON Schema, made from the table of actions.

Why if/then per action and never `oneOf`: a validator that tries alternatives can only say "not valid under any of the
given schemas".
"""

from __future__ import annotations

import sys

from offboard.actions import ACTIONS
from offboard.actions.base import Action
from offboard.model import JSON, OnFailure

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID = "^[A-Za-z0-9._-]{1,64}$"
DUE = "^T([+-][1-9][0-9]{0,6}[mhdw])?$"
PARAMETER = "^[A-Za-z][A-Za-z0-9_]{0,63}$"
CODE = "^[a-z][a-z0-9-]{0,63}$"
MAX_STEPS = 200
TYPES = ("text", "user")

_ON_FAILURE = (
    "What a failure does to the steps after it. stop (default): they are not started; continue: they are; pause: the run "
    "waits for `offboard resume`."
)
_DUE = "When the step falls due, relative to the leave time T: T, T+30d, T-7d, T+12h, T+90m (minutes), T+2w."
_WHEN = (
    "A condition in CEL over leaver.FIELD and parameters.NAME; the step is carried out only when it is true. "
    "If it cannot be decided, the step is not carried out and the plan says why."
)


def summary(action: Action) -> str:
    """The action in one sentence: the first line of its reference page."""
    return (sys.modules[type(action).__module__].__doc__ or "").strip().partition("\n")[0]


def playbook_schema() -> dict[str, JSON]:
    """The closed schema of `playbooks/*.yaml`."""
    return {
        "$schema": DRAFT,
        "$id": "urn:offboard:schema:playbook:1",
        "title": "offboard playbook",
        "description": "Ordered offboarding steps, for any leaver.",
        "type": "object",
        "additionalProperties": False,
        "required": ["playbook", "steps"],
        "properties": {
            "playbook": {
                "description": "The playbook's name, as on the command line and in the audit.",
                "type": "string",
                "pattern": ID,
                "examples": ["leaver"],
            },
            "description": {
                "description": "What it is for, in one sentence.",
                "type": "string",
                "maxLength": 1000,
                "default": "",
            },
            "parameters": _parameters(),
            "accept": {
                "description": "Codes of open items that the author accepts; they do not turn exit code 0 into 1.",
                "type": "array",
                "items": {"type": "string", "pattern": CODE},
                "uniqueItems": True,
                "maxItems": 100,
                "default": [],
                "examples": [["license-by-group"]],
            },
            "steps": {
                "description": "What is done, in this order.",
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_STEPS,
                "items": _step(),
            },
        },
    }


def _parameters() -> dict[str, JSON]:
    return {
        "description": "Values filled in per leaver: --set NAME=VALUE, a column of the leavers file, or the default. "
        "Used as ${parameters.NAME} under `with` and parameters.NAME under `when`.",
        "type": "object",
        "maxProperties": 50,
        "propertyNames": {"pattern": PARAMETER, "not": {"enum": ["user", "leave"]}},
        "default": {},
        "additionalProperties": {
            "description": "One parameter.",
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "type": {
                    "description": "text (default), or user: a user principal name or object id.",
                    "enum": list(TYPES),
                    "default": "text",
                },
                "required": {
                    "description": "Whether a value must be given.",
                    "type": "boolean",
                    "default": False,
                },
                "default": {
                    "description": "The value when none is given.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1000,
                },
                "description": {
                    "description": "What it is for, in one sentence.",
                    "type": "string",
                    "maxLength": 1000,
                    "default": "",
                },
            },
        },
    }


def _step() -> dict[str, JSON]:
    bare = [name for name, action in ACTIONS.items() if not action.required]
    return {
        "title": "Step",
        "description": "An action's name, or a mapping with `action:`.",
        "if": {"type": "string"},
        "then": {"enum": bare},
        "else": {
            "type": "object",
            "additionalProperties": False,
            "required": ["action"],
            "properties": {
                "id": {
                    "description": "Unique in the playbook; the action's name when left out.",
                    "type": "string",
                    "pattern": ID,
                },
                "action": {
                    "description": "\n".join(f"{name}: {summary(action)}" for name, action in ACTIONS.items()),
                    "enum": list(ACTIONS),
                },
                "with": {"description": "The action's parameters.", "type": "object", "default": {}},
                "when": {
                    "description": _WHEN,
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 500,
                    "examples": ['leaver.userType == "Member"'],
                },
                "on_failure": {
                    "description": _ON_FAILURE,
                    "enum": [str(x) for x in OnFailure],
                    "default": str(OnFailure.STOP),
                },
                "due": {"description": _DUE, "type": "string", "pattern": DUE, "default": "T", "examples": ["T+30d"]},
            },
            "allOf": [_branch(action) for action in ACTIONS.values()],
        },
    }


def _branch(action: Action) -> dict[str, JSON]:
    """What holds for one action; a step without this action passes."""
    then: dict[str, JSON] = {
        "properties": {
            "action": {"description": summary(action), "examples": [action.name]},
            "with": with_schema(action),
        }
    }
    if action.required:
        then["required"] = ["with"]
    return {
        "if": {"properties": {"action": {"const": action.name}}, "required": ["action"]},
        "then": then,
    }


def with_schema(action: Action) -> dict[str, JSON]:
    """The closed schema of what may stand under `with` for this action."""
    what = "Parameters: " + ", ".join(action.parameters) if action.parameters else "This action has no parameters"
    found: dict[str, JSON] = {
        "description": f"{what}. Example:\n{action.example}",
        "type": "object",
        "additionalProperties": False,
        "properties": dict(action.parameters),
    }
    if action.required:
        found["required"] = list(action.required)
    return found
