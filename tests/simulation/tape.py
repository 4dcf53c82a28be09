"""What happened, in order: the wire as the client saw it, the tenant's journal, the audit, the store, and the mishaps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from offboard.sandbox.journal import JournalEntry
from offboard.sandbox.wire import Response


@dataclass(frozen=True)
class Call:
    """One call as it left: alone, or an item of a batch."""

    id: str
    method: str
    path: str
    body: Any

    @property
    def write(self) -> bool:
        """Whether it is to change something."""
        return self.method != "GET"


@dataclass(frozen=True)
class Seen:
    """What the client was told about one call."""

    status: int
    body: Any
    not_before: float = 0.0
    """When the client may ask again, by the life's clock; 0 when it was not told to wait."""


@dataclass
class Asked:
    """One HTTP request. `seen` is empty when no usable answer came; `seen_at` is when it came."""

    process: int
    at: float
    calls: list[Call]
    effects: list[JournalEntry] = field(default_factory=list)
    executed: bool = False
    seen: dict[str, Seen] = field(default_factory=dict)
    seen_at: float | None = None

    @property
    def not_before(self) -> float:
        """Until when the client was told to wait; 0 when it was not."""
        return max((s.not_before for s in self.seen.values()), default=0.0)

    def people(self) -> dict[str, Mapping[str, Any] | None]:
        """The users that the client was shown, alone or in a list; None for one who is not there."""
        found: dict[str, Mapping[str, Any] | None] = {}
        for call in self.calls:
            seen = self.seen.get(call.id)
            if seen is None or call.write or not call.path.startswith("/users"):
                continue
            if seen.status == 404 and call.path.count("/") == 2:
                found[call.path.split("/")[2]] = None
            bodies = seen.body.get("value", [seen.body]) if seen.status == 200 and isinstance(seen.body, dict) else []
            found |= {b["id"]: b for b in bodies if isinstance(b, dict) and "accountEnabled" in b and "id" in b}
        return found


@dataclass(frozen=True)
class Recorded:
    """One record that is in the audit."""

    process: int
    record: dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """One transaction of the store that is committed."""

    process: int


@dataclass(frozen=True)
class Ended:
    """The process was killed (`kill`), told to stop (`stop`), cut off (`stall`), or the disk was full (`full`)."""

    process: int
    kind: str
    where: str
    at: float


@dataclass(frozen=True)
class Meddled:
    """Somebody else did something; `effects` is what the tenant executed of it."""

    at: float
    what: str
    status: int
    effects: list[JournalEntry]


@dataclass(frozen=True)
class Steered:
    """A person held, released, canceled or rescheduled the run, for these leavers."""

    at: float
    verb: str
    leavers: frozenset[str]


Event = Asked | Recorded | Stored | Ended | Meddled | Steered


def calls_of(request: httpx.Request, content: bytes) -> list[Call]:
    """The calls that an HTTP request carries."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v1.0")
    body = json.loads(content) if content else None
    if path != "/$batch" or body is None:
        return [Call("", request.method, path, body)]
    return [Call(i["id"], i["method"], i["url"].partition("?")[0], i.get("body")) for i in body["requests"]]


def seen_in(answer: Response, calls: list[Call], at: float, now: datetime) -> dict[str, Seen]:
    """What an answer that came at this time says about each call, in as far as it makes sense."""
    whole = _not_before(dict(answer.headers), at, now)
    try:
        body = json.loads(answer.body) if answer.body.strip() else None
    except ValueError:
        return {} if answer.status < 400 else {c.id: Seen(answer.status, None, whole) for c in calls}
    if calls[0].id == "" or answer.status >= 400:
        return {c.id: Seen(answer.status, body, whole) for c in calls}
    items = body.get("responses", []) if isinstance(body, dict) else []
    found: dict[str, Seen] = {}
    for item in items:
        seen = Seen(item["status"], item.get("body"), _not_before(item.get("headers", {}), at, now))
        if item["id"] in found and found[item["id"]] != seen:
            seen = Seen(0, None)  # told twice, and nobody knows which is true
        found[item["id"]] = seen
    return found


def _not_before(headers: dict[str, str], at: float, now: datetime) -> float:
    found = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    if not found:
        return 0.0
    if found[0].isdigit():
        return at + float(found)
    return at + max(0.0, (parsedate_to_datetime(found) - now).total_seconds())


def line(event: Event) -> str:
    """The event, for a person who looks for a bug."""
    if isinstance(event, Asked):
        writes = [f"{c.method} {c.path} → {_status(event, c)}" for c in event.calls if c.write]
        reads = Counter(_status(event, c) for c in event.calls if not c.write)
        told = [f"{count} reads → {status}" for status, count in reads.items()]
        effects = "".join(f"\n{'':14}! {e.method} {e.path} {e.effect}" for e in event.effects)
        return f"{event.process} {event.at:10.2f}  {', '.join([*writes, *told])}{effects}"
    if isinstance(event, Recorded):
        record = event.record
        change = record.get("change") or {}
        said = (record.get("step"), change.get("verb"), record.get("outcome"), record.get("why"))
        who = str((record.get("leaver") or {}).get("upn", ""))
        return f"{event.process}            audit {record['seq']} {record['event']} {who} {said}"
    if isinstance(event, Stored):
        return f"{event.process}            stored"
    if isinstance(event, Meddled):
        return f"- {event.at:10.2f}  MEDDLED {event.what} → {event.status}"
    if isinstance(event, Steered):
        return f"- {event.at:10.2f}  STEERED {event.verb} {', '.join(sorted(event.leavers))}"
    return f"{event.process} {event.at:10.2f}  {event.kind.upper()} {event.where}"


def _status(asked: Asked, call: Call) -> str:
    seen = asked.seen.get(call.id)
    if seen is None:
        return "lost" if asked.executed else "not executed or lost"
    return f"{seen.status}" + (f" not before {seen.not_before:.2f}" if seen.not_before else "")
