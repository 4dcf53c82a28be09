"""What a record can be about, and its fields. The codes are stable: they are never given to another event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of record.

    Args:
        code: Stable, for rules in a SIEM.
        description: One sentence, for the reference page.
    """

    code: str
    description: str


EVENTS: dict[str, Event] = {
    "playbook-planned": Event("OFB1001", "A plan was made and saved; nothing was changed."),
    "approved": Event("OFB1002", "A named person consented to one plan."),
    "run-started": Event("OFB1003", "The carrying out of one plan began; it consumes the plan."),
    "run-resumed": Event("OFB1004", "A run that had stopped, or has steps that fell due, goes on."),
    "guard-overridden": Event("OFB1021", "A guard was lifted for one leaver, by whom and why; it stands in the plan."),
    "unplanned": Event("OFB1022", "Somebody was asked for and is in no plan, because nothing could be known; and why."),
    "intent": Event("OFB1005", "A change is about to be sent; written before the request leaves."),
    "outcome": Event("OFB1006", "How one change ended, after re-reading what it did."),
    "step-skipped": Event("OFB1007", "A step was not carried out for one leaver, and why."),
    "unchanged": Event("OFB1014", "A step or change needed no request, because it was already so."),
    "drifted": Event("OFB1015", "Something was needed that nobody had reviewed; it was left alone."),
    "undone": Event("OFB1016", "A change that was read back no longer held at the end of the run."),
    "unverified": Event(
        "OFB1023", "A change that was read back earlier could not be read any more at the end of the run."
    ),
    "refused": Event("OFB1008", "Carrying on was refused (guard, drift, missing approval); nothing more was sent."),
    "stopped": Event("OFB1009", "The run stopped early and can be resumed."),
    "run-ended": Event("OFB1010", "The run ended; its verdict and what is left open."),
    "leaver-ended": Event("OFB1018", "How a run ended for one leaver: what is left open, and what is still to come."),
    "held": Event("OFB1011", "A run was put on hold by a person."),
    "released": Event("OFB1012", "A held run was released by a person."),
    "canceled": Event("OFB1013", "A run was canceled by a person."),
    "rescheduled": Event("OFB1017", "What is still to come of a run was moved to another leave time by a person."),
    "deleted-restored": Event("OFB1101", "A deleted user was brought back from the tenant's deleted items."),
    "deleted-purged": Event("OFB1102", "A deleted user was removed for good from the tenant's deleted items."),
    "checkpoint": Event(
        "OFB1902",
        "The log signed how far it had come: the records before this one, their number, and the hash of the last of them.",
    ),
    "rotated": Event(
        "OFB1903", "A new file of the log began; the records before it stand in the file that this record names."
    ),
    "tail-recovered": Event(
        "OFB1901",
        "The log ended in the middle of a line (a crash or a full disk while writing); the torn bytes were cut off, "
        "and their number, their SHA-256 and their beginning stand in this record.",
    ),
}

FRAME = frozenset({"seq", "time", "event", "code", "prev", "hash"})
"""Fields that the log itself fills in."""

TEXTS = ("run", "plan", "step", "action", "outcome", "why", "actor")
OBJECTS = ("leaver", "change", "graph", "detail")
FIELDS = frozenset({*TEXTS, *OBJECTS})
"""Fields that callers give. Anything else goes into `detail`, so that the schema stays closed."""


def record_schema() -> dict[str, object]:
    """The JSON Schema of one record, for `schemas/`."""
    digest = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
    text = {"type": ["string", "null"], "maxLength": 512}
    about_leaver = {"type": "object", "properties": {"id": text, "upn": text}}
    about_graph = {
        "type": "object",
        "properties": {
            "method": text,
            "path": text,
            "status": {"type": ["integer", "null"]},
            "request_id": text,
            "client_request_id": text,
            "attempts": {"type": ["integer", "null"]},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A record of offboard's audit log",
        "description": "One line of audit.jsonl. `hash` is SHA-256 over the record without it, as canonical JSON.",
        "type": "object",
        "properties": {
            "seq": {"type": "integer", "minimum": 1},
            "time": {"type": "string", "format": "date-time"},
            "event": {"enum": list(EVENTS)},
            "code": {"enum": [event.code for event in EVENTS.values()]},
            **dict.fromkeys(TEXTS, text),
            "leaver": about_leaver,
            "change": {"type": "object"},
            "graph": about_graph,
            "detail": {"type": "object"},
            "prev": digest,
            "hash": digest,
        },
        "required": sorted(FRAME),
        "additionalProperties": False,
    }
