"""What a record of the audit holds, value by value. A chain proves only that nobody edited the log who cannot make one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from offboard.shape import ANY, Known, Maybe, misfit

_WORD = Maybe(str)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}Z")
_REF = Known({"kind": str, "id": str, "name": str})
_DETAIL = Known(
    {
        "digest": _WORD,
        "playbook": _WORD,
        "tenant": Maybe(Known({"id": _WORD, "name": _WORD})),
        "display_name": _WORD,
        "leave": Maybe(_TIME),
        "accepted": Maybe([str]),
        "failed": Maybe([Known({"step": str, "change": Known({"verb": str, "target": _REF})}, all=True)]),
        "told": Maybe([str]),
        "not_started": Maybe([str]),
        "later": Maybe([Known({"step": str, "due": _TIME}, all=True)]),
        "open_items": Maybe([Known({"target": Maybe(_REF), "reason": _WORD, "code": _WORD})]),
    }
)
_RECORD = Known(
    {
        **dict.fromkeys(("run", "plan", "step", "action", "outcome", "why", "actor"), _WORD),
        "seq": int,
        "time": _TIME,
        "event": str,
        "code": str,
        "prev": str,
        "hash": str,
        "leaver": Maybe(Known({"id": _WORD, "upn": _WORD})),
        "change": Maybe(Known({"verb": _WORD, "target": Maybe(_REF), "parts": [_REF], "until": _WORD, "after": ANY})),
        "graph": Maybe(Known({"method": _WORD, "path": _WORD, "status": Maybe(int), "request_id": _WORD})),
        "detail": Maybe(_DETAIL),
    }
)
_FRAME = ("seq", "time", "event", "code", "prev", "hash")


def senseless(record: Mapping[str, Any]) -> str:
    """Why nothing can be said on the strength of this record; empty when it can."""
    for key in _FRAME:
        if key not in record:
            return f"it has no {key}"
    if wrong := misfit(record, _RECORD):
        return wrong
    detail = record.get("detail") or {}
    later = [each["due"] for each in detail.get("later") or ()]
    try:
        for text in (record["time"], *later, *filter(None, [detail.get("leave")])):
            datetime.fromisoformat(text)
    except ValueError:
        return "a time in it is none"
    return ""
