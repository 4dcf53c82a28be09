"""Of Exchange only what a mailbox is for: a person's, a shared one, a room's, a piece of equipment's."""

from __future__ import annotations

from . import lookup
from .call import Answer, Call
from .entity import Entity
from .options import ENTITY
from .problems import GraphError, bad_uri
from .wire import Json

_SETTINGS: Json = {
    "archiveFolder": None,
    "timeZone": "UTC",
    "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
    "dateFormat": "",
    "timeFormat": "",
    "userPurpose": "user",
    "automaticRepliesSetting": {"status": "disabled", "externalAudience": "all"},
    "language": {"locale": "en-US", "displayName": "English (United States)"},
    "workingHours": {"daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"]},
}
_NONE = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."


def _purpose(user: Entity) -> str | None:
    """As the seed says; otherwise whoever has an address and is no guest has a mailbox of their own."""
    has = user.body.get("mail") and user.body.get("userType") != "Guest"
    return str(user.body.get("_mailbox") or "user") if has else None


def get_settings(call: Call) -> Answer:
    """GET /users/{id}/mailboxSettings"""
    options = call.options(ENTITY)
    for name in options.select:
        if name not in _SETTINGS:
            raise bad_uri(f"Could not find a property named '{name}' on type 'microsoft.graph.mailboxSettings'.")
    user = lookup.user(call)
    purpose = _purpose(user)
    if purpose is None:
        raise GraphError(404, "MailboxNotEnabledForRESTAPI", _NONE)
    found = {**_SETTINGS, "userPurpose": purpose}
    shown = {name: value for name, value in found.items() if not options.select or name in options.select}
    return Answer(200, {"@odata.context": call.context(f"users('{user.id}')/mailboxSettings"), **shown})
