"""Records of a log that nobody vouches for → records that have the shape of records. Pure.

Why: a log that was edited is reported on all the same, under a warning that it does not verify. Whatever somebody wrote into
it, the report must be made: what has not the shape it must have is left out, and only that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from offboard.audit.events import OBJECTS, TEXTS
from offboard.report.tally import Record

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _plain(value: Any) -> bool:
    """An object of texts, numbers and nothing deeper."""
    return isinstance(value, dict) and not any(isinstance(each, dict | list) for each in value.values())


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(map(_plain, value))


def _number(value: Any) -> bool:
    return isinstance(value, int)


def _items(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and (each.get("target") is None or _plain(each["target"])) and _text(each.get("code"))
        for each in value
    )


def _later(value: Any) -> bool:
    return _objects(value) and all(_text(each.get("step")) and _text(each.get("due")) for each in value)


_DETAIL: dict[str, Check] = {
    "about": _object,
    "accepted": _texts,
    "actions": _texts,
    "approvals": _objects,
    "by": _text,
    "caller": _plain,
    "digest": _text,
    "display_name": _text,
    "guard": _text,
    "later": _later,
    "leave": _text,
    "not_started": _texts,
    "open_items": _items,
    "planned": _plain,
    "playbook": _text,
    "playbook_digest": _text,
    "refused": _texts,
    "seen": _object,
    "stopped": _text,
    "tenant": _plain,
    "tool": _text,
    "user": _text,
}
_GRAPH: dict[str, Check] = {"method": _text, "path": _text, "request_id": _text, "client_request_id": _text}
_GRAPH |= {"status": _number, "attempts": _number}
_LEAVER: dict[str, Check] = {"id": _text, "upn": _text}
_INSIDE = {"detail": _DETAIL, "graph": _GRAPH, "leaver": _LEAVER}


def shaped(records: Iterable[Record]) -> Iterator[Record]:
    """The records, without what cannot be part of one; those without number, time or event are left out.

    Args:
        records: As read.
    """
    for record in records:
        if _framed(record):
            yield record if _whole(record) else _mended(record)


def _framed(record: Record) -> bool:
    try:
        seq, hash, event = record["seq"], record["hash"], record["event"]
        return (
            type(seq) is int
            and isinstance(hash, str)
            and isinstance(event, str)
            and datetime.fromisoformat(record["time"]).tzinfo is not None
        )
    except (KeyError, TypeError, ValueError):
        return False


def _whole(record: Record) -> bool:
    """Whether everything has its shape: so it is in every log that verifies, and nothing is copied then."""
    for name, value in record.items():
        if value is None:
            continue
        if name in TEXTS:
            if not isinstance(value, str):
                return False
        elif name in OBJECTS and (not isinstance(value, dict) or not _whole_inside(_INSIDE.get(name), value)):
            return False
    return True


def _whole_inside(checks: dict[str, Check] | None, value: dict[str, Any]) -> bool:
    if checks is None:
        return True
    return all(each is None or name not in checks or checks[name](each) for name, each in value.items())


def _mended(record: Record) -> Record:
    kept: dict[str, Any] = {}
    for name, value in record.items():
        if name in OBJECTS and isinstance(value, dict):
            checks = _INSIDE.get(name, {})
            kept[name] = {k: v for k, v in value.items() if k not in checks or v is None or checks[k](v)}
        elif name not in OBJECTS and (name not in TEXTS or isinstance(value, str)):
            kept[name] = value
    return kept
