"""Which of the leaver's devices a step means: shared by the actions on devices.

`owned` and `registered` mean the leaver's devices *as the plan found them*, and any that came since: an earlier step
that removes the ownership does not change which devices a later step is about. A display name must be unambiguous among
the leaver's devices; if it is not, the step is refused with the candidates, because choosing one would be guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from offboard.facts import Device, Devices, Facts, Unreadable
from offboard.model import JSON, Doing, Note, Ref

NAMED: dict[str, JSON] = {
    "type": "object",
    "properties": {
        "display_name": {"type": "string", "minLength": 1, "maxLength": 256},
        "id": {"type": "string", "minLength": 1, "maxLength": 64},
    },
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


def parameter(*words: str) -> dict[str, JSON]:
    """The JSON Schema of a `devices:` parameter that allows these words, a name or an id."""
    return {
        "description": f"Which devices: {', '.join(words)}, or one by display_name or object id.",
        "default": words[0],
        "if": {"type": "string"},
        "then": {"enum": list(words)},
        "else": NAMED,
    }


def chosen(facts: Facts, parameters: Mapping[str, JSON]) -> Iterator[Device | Note]:
    """The devices that the step means, or a note saying why they cannot be told."""
    devices = facts.get(Devices)
    if isinstance(devices, Unreadable):
        yield Note(
            Doing.UNKNOWN,
            None,
            f"the leaver's devices could not be read: {devices.reason}",
            "devices-unknown",
            open=True,
        )
        return
    choice = parameters.get("devices", "owned")
    if isinstance(choice, str):
        yield from _by_relation(devices, facts.account.id, choice)
    elif "id" in choice:
        yield from _one(devices, lambda d: choice["id"].lower() in (d.id.lower(), d.device_id.lower()), choice["id"])
    else:
        name = choice["display_name"].casefold()
        yield from _one(devices, lambda d: d.name.casefold() == name, choice["display_name"])


def _by_relation(devices: Devices, leaver: str, word: str) -> Iterator[Device]:
    pinned = devices.owned_before if word == "owned" else devices.owned_before | devices.registered_before
    for device in devices.items:
        # Whose it is could not be read: then it may be meant, and the action says that it cannot tell.
        owned = isinstance(device.owners, Unreadable) or any(r.id == leaver for r in device.owners)
        used = isinstance(device.users, Unreadable) or any(r.id == leaver for r in device.users)
        if device.id in pinned or owned or (word == "registered" and used):
            yield device


def _one(devices: Devices, matches: Callable[[Device], bool], what: str) -> Iterator[Device | Note]:
    found = [d for d in devices.items if matches(d)]
    if len(found) == 1:
        yield found[0]
    elif not found:
        yield Note(Doing.SKIP, Ref("device", "", what), "the leaver has no such device", "no-such-device")
    else:
        candidates = ", ".join(f"{d.name} ({d.id})" for d in found)
        yield Note(
            Doing.ASK,
            Ref("device", "", what),
            f"the name is ambiguous; give the id of one of: {candidates}",
            "ambiguous-device",
            open=True,
        )
