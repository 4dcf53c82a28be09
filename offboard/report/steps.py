"""The table of what was done: one row for each change, or for a step as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from offboard.model import JSON
from offboard.render.words import clock, detail, done, exact, loss, words
from offboard.report.blocks import Cell, Lines
from offboard.report.collect import Entry

HEAD = ("step", "object", "before → after, as read back", "time", "request")
TONES = {"changed": "good", "failed": "stop", "drifted": "warn"}


def row(entry: Entry) -> list[Cell]:
    """One row."""
    record, change = entry.record, entry.change
    verb = done(change.verb) if change and entry.outcome == "changed" else entry.outcome
    return [
        Lines(str(record.get("step") or ""), [f"record {record['seq']}"]),
        Lines(change.target.name, [f"{change.target.kind} {change.target.id}"]) if change else "the step as a whole",
        Lines(verb, list(_what(entry)), TONES.get(entry.outcome, "")),
        Lines(exact(entry.at), [_sent(entry.intended, entry.at)]),
        _request(entry),
    ]


def _what(entry: Entry) -> Iterator[str]:
    change = entry.change
    if change is not None:
        said = ", ".join(part.name for part in change.parts) if change.parts else detail(change)
        yield from (text for text in (said, _seen(entry), loss(change)) if text)
    if entry.record.get("why"):
        yield str(entry.record["why"])


def _seen(entry: Entry) -> str:
    """What the tenant itself said afterwards, where that says more than the intention."""
    seen: JSON = (entry.record.get("detail") or {}).get("seen")
    if not isinstance(seen, dict):
        return ""
    return "read back: " + ", ".join(f"{name} {_exactly(value)}" for name, value in seen.items())


def _exactly(value: JSON) -> str:
    """A time to the second: here it is evidence."""
    try:
        return exact(datetime.fromisoformat(str(value)))
    except ValueError:
        return words(value)


def _sent(intended: datetime | None, at: datetime) -> str:
    if intended is None:
        return "nothing was sent"
    return f"intent {clock(intended) if intended.date() == at.date() else exact(intended)}"


def _request(entry: Entry) -> Cell:
    graph = entry.graph
    if not graph:
        return Lines("", ["none"])
    tries = int(graph.get("attempts") or 1)
    more = [f"request-id {graph.get('request_id')}", f"client-request-id {graph.get('client_request_id')}"]
    return Lines(f"{graph.get('method')} {graph.get('status')}{f', {tries} attempts' if tries > 1 else ''}", more)
