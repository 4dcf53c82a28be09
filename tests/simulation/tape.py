"""What happened, in order: the wire as the client saw it, the tenant's journal, the audit, the store, and the mishaps."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
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
    retry_after: float | None


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
    def retry_after(self) -> float:
        """How long the client was told to wait."""
        return max((s.retry_after or 0.0 for s in self.seen.values()), default=0.0)


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
    """The process was killed (`kill`), told to stop (`stop`), or the disk was full (`full`)."""

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


Event = Asked | Recorded | Stored | Ended | Meddled


def calls_of(request: httpx.Request, content: bytes) -> list[Call]:
    """The calls that an HTTP request carries."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v1.0")
    body = json.loads(content) if content else None
    if path != "/$batch":
        return [Call("", request.method, path, body)]
    return [Call(i["id"], i["method"], i["url"].partition("?")[0], i.get("body")) for i in body["requests"]]


def seen_in(answer: Response, calls: list[Call]) -> dict[str, Seen]:
    """What an answer says about each call, in as far as it makes sense."""
    whole = _retry_after(dict(answer.headers))
    try:
        body = json.loads(answer.body) if answer.body.strip() else None
    except ValueError:
        return {} if answer.status < 400 else {c.id: Seen(answer.status, None, whole) for c in calls}
    if calls[0].id == "" or answer.status >= 400:
        return {c.id: Seen(answer.status, body, whole) for c in calls}
    items = body.get("responses", []) if isinstance(body, dict) else []
    return {i["id"]: Seen(i["status"], i.get("body"), _retry_after(i.get("headers", {}))) for i in items}


def _retry_after(headers: dict[str, str]) -> float | None:
    found = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    return float(found) if found else None


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
    return f"{event.process} {event.at:10.2f}  {event.kind.upper()} {event.where}"


def _status(asked: Asked, call: Call) -> str:
    seen = asked.seen.get(call.id)
    if seen is None:
        return "lost" if asked.executed else "not executed or lost"
    return f"{seen.status}" + (f" retry-after {seen.retry_after:g}" if seen.retry_after else "")
