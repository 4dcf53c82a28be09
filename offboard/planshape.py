"""What a plan file holds, value by value: the published schema's types, checked before anything is made of them.

A digest proves only that a plan was not edited by somebody who does not know how to make one.
"""

from __future__ import annotations

import re

from offboard.shape import ANY, Known, Left, Maybe

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9!_=+@.-]{0,255}|")
"""Ids become parts of addresses: nothing that could lead elsewhere."""
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}Z")
_REF = {"kind": str, "id": _ID, "name": str}
_STEP = {"id": str, "action": str, "with": dict, "when": Maybe(str), "on_failure": str, "due": str}
_CHANGE = {
    "verb": str,
    "target": _REF,
    "before": ANY,
    "after": ANY,
    "effect": str,
    "until": Maybe(_TIME),
    "parts": [_REF],
    "data": dict,
}
_PLANNED = {
    "step": _STEP,
    "due": _TIME,
    "changes": [_CHANGE],
    "notes": [{"doing": str, "target": Maybe(_REF), "reason": str, "code": str, "open": bool}],
    "tables": [{"title": str, "columns": [str], "rows": [dict]}],
    "skipped": Maybe(str),
}
LEAVER = {
    "leaver": {"id": _GUID, "userPrincipalName": str, "displayName": str, "about": dict},
    "leave": _TIME,
    "fingerprint": dict,
    "steps": [_PLANNED],
    "objections": [{"guard": str, "severity": str, "reason": str}],
    "consequences": [str],
    "overrides": Left([{"guard": str, "reason": str, "by": str}]),
}
_PARAMETER = {"name": str, "type": str, "required": bool, "default": Maybe(str), "description": str}
_PLAYBOOK = {
    "name": str,
    "description": str,
    "digest": str,
    "accept": [str],
    "parameters": [_PARAMETER],
    "steps": [_STEP],
}
PLAN = {
    "schema": str,
    "id": str,
    "created": _TIME,
    "valid_until": _TIME,
    "tenant": {"id": str, "name": str, "alias": str},
    "actor": str,
    "tool": str,
    "actions": Known({}),
    "needs": [Known({"step": str, "delegated": [[str]], "application": [[str]]})],
    "playbook": _PLAYBOOK,
    "leavers": [LEAVER],
    "unplanned": Left([{"user": str, "what": str, "todo": str}]),
    "digest": str,
}
