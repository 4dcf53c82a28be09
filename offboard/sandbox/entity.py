"""One stored object of the tenant."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .wire import Json

# Made once: json.dumps with options builds an encoder at every call.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass
class Entity:
    """One stored object. `key` is its second name (lower-cased UPN, appId), `parent` the object it hangs on."""

    id: str
    type: str
    body: Json
    key: str = ""
    parent: str = ""
    deleted: str | None = None
    seq: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """What an index by name holds."""
        return str(self.body.get("displayName") or "").lower()

    def row(self) -> tuple[str | None, ...]:
        """The columns, without the sequence number."""
        return (self.id, self.type, self.parent, self.key, self.name, self.deleted, _encode(self.body))
