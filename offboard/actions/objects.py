"""Objects that a step names one by one, by object id: shared by the actions that give something back.

They name ids and not names because what was taken away can no longer be found by looking at the person. A name beside
the id is for whoever reviews; nothing is looked up by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from offboard.facts import Device, Devices, Facts, Unreadable
from offboard.model import JSON, Doing, Note, Ref

GUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def listed(description: str, **more: JSON) -> dict[str, JSON]:
    """The JSON Schema of a parameter that lists objects.

    Args:
        description: What is listed.
        more: Further properties of one entry.
    """
    entry: dict[str, JSON] = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": GUID},
            "name": {"type": "string", "minLength": 1, "maxLength": 256},
            **more,
        },
        "required": ["id"],
        "additionalProperties": False,
    }
    return {"description": description, "type": "array", "items": entry, "minItems": 1, "maxItems": 1000}


def named(parameters: Mapping[str, JSON], key: str, kind: str) -> list[Ref]:
    """The objects that the step lists, each once."""
    found = {str(entry["id"]).lower(): entry for entry in parameters.get(key, ())}
    return [Ref(kind, id, str(entry.get("name") or id)) for id, entry in found.items()]


def devices(facts: Facts, parameters: Mapping[str, JSON]) -> Iterator[Device | Note]:
    """The devices that the step lists, or a note for each that cannot be looked at."""
    known = facts.get(Devices)
    for ref in named(parameters, "devices", "device"):
        if isinstance(known, Unreadable):
            reason = f"could not be read: {known.reason}"
            yield Note(Doing.UNKNOWN, ref, reason, "devices-unknown", open=True)
        elif (device := known.by_id(ref.id)) is not None:
            yield device
        else:
            reason = "is not among the person's devices, or no longer there; look at it by hand"
            yield Note(Doing.ASK, ref, reason, "no-such-device", open=True)
