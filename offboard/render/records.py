"""Audit records and journal entries, one line each, for people."""

from __future__ import annotations

from collections.abc import Mapping

from offboard.model import JSON
from offboard.render.safe import safe


def record_text(record: Mapping[str, JSON]) -> str:
    """One audit record: when, what, to whom, how it ended."""
    leaver = record.get("leaver") or {}
    change = record.get("change") or {}
    target = change.get("target") or {}
    graph = record.get("graph") or {}
    parts = [
        str(record.get("time", "")),
        f"{record.get('seq', ''):>6}",
        f"{record.get('event', ''):<16}",
        safe(str(leaver.get("upn") or "")),
        str(record.get("step") or ""),
        f"{change.get('verb')} {safe(str(target.get('name')))}" if change else "",
        str(record.get("outcome") or ""),
        f"HTTP {graph['status']} request-id {graph.get('request_id')}" if graph.get("status") else "",
        safe(str(record.get("why") or ""), 200),
    ]
    return "  ".join(part for part in parts if part)


def journal_text(entry: Mapping[str, JSON]) -> str:
    """One write that the simulated tenant executed."""
    effect = entry.get("effect")
    what = effect.get("verb", "") if isinstance(effect, Mapping) else ""
    return "  ".join(
        (str(entry["time"]), f"{entry['method']:<6}", str(entry["status"]), str(what), safe(str(entry["path"]), 160))
    )
