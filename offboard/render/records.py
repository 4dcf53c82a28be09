"""Audit records and journal entries, one line each, for people."""

from __future__ import annotations

from collections.abc import Mapping

from offboard.model import JSON
from offboard.render.safe import PROSE, safe


def record_text(record: Mapping[str, JSON]) -> str:
    """One audit record: when, what, to whom, how it ended."""
    leaver = record.get("leaver") or {}
    change = record.get("change") or {}
    target = change.get("target") or {}
    graph = record.get("graph") or {}
    parts = [
        f"{record.get('time', '')}",
        f"{record.get('seq', '')}".rjust(6),
        f"{record.get('event', '')}".ljust(16),
        f"{leaver.get('upn') or ''}",
        f"{record.get('step') or ''}",
        f"{change.get('verb')} {target.get('name')}" if change else "",
        f"{record.get('outcome') or ''}",
        f"HTTP {graph['status']} request-id {graph.get('request_id')}" if graph.get("status") else "",
        f"{record.get('why') or ''}",
        _about(record),
    ]
    # Nothing in a log is trusted on a terminal, not even what this tool writes itself: the file may have been edited.
    return "  ".join(safe(part, PROSE, keep_spaces=True) for part in parts if part)


def _about(record: Mapping[str, JSON]) -> str:
    """What the log's own records, and approvals, are about."""
    detail, event = record.get("detail") or {}, record.get("event")
    if event == "checkpoint":
        return f"signed: records {detail.get('first')} to {detail.get('last')}"
    if event == "rotated":
        return f"goes on from {detail.get('file')}"
    return f"by {record.get('actor')}, key {detail.get('fingerprint')}" if event == "approved" else ""


def journal_text(entry: Mapping[str, JSON]) -> str:
    """One write that the simulated tenant executed."""
    effect = entry.get("effect")
    what = effect.get("verb", "") if isinstance(effect, Mapping) else ""
    words = (entry["time"], str(entry["method"]).ljust(6), entry["status"], what, entry["path"])
    return "  ".join(safe(str(word), PROSE, keep_spaces=True) for word in words)
