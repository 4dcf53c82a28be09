"""A report for programs: the same facts as the other formats, under stable names."""

from __future__ import annotations

from datetime import datetime, timedelta

from offboard.model import JSON
from offboard.planfile import change_json
from offboard.render.verdict import EVALUATED, TOKEN
from offboard.report.collect import Entry, LeaverFile, Record, RunFile
from offboard.report.controls import answers
from offboard.report.evidence import TARGET

SCHEMA = "offboard.report/1"


def report_json(run: RunFile, target: timedelta = TARGET) -> dict[str, JSON]:
    """The report as one document.

    Args:
        run: As collected.
        target: Within which access was to be ended.
    """
    detail = run.started.get("detail") or {}
    ended = run.last("run-ended")
    return {
        "schema": SCHEMA,
        "run": run.run,
        "tenant": detail.get("tenant"),
        "playbook": detail.get("playbook"),
        "started": _event(run.started),
        "resumed": [_event(record) for record in run.all("run-resumed")],
        "ended": _event(ended) if ended else None,
        "exit_code": (ended.get("detail") or {}).get("exit_code") if ended else None,
        "authority": {
            "plan": run.started.get("plan"),
            "digest": run.digest,
            "planned": [_event(record) for record in run.all("playbook-planned")],
            "approved": [_event(record) for record in run.all("approved")],
        },
        "leavers": [_leaver(run, each, target) for each in run.leavers],
        "controls": [dict(zip(("control", "asks", "shows"), row, strict=True)) for row in answers(run)],
        "integrity": _integrity(run),
    }


def _event(record: Record) -> dict[str, JSON]:
    return {
        "seq": record["seq"],
        "time": record["time"],
        "actor": record.get("actor"),
        "digest": (record.get("detail") or {}).get("digest"),
    }


def _leaver(run: RunFile, leaver: LeaverFile, target: timedelta) -> dict[str, JSON]:
    began = datetime.fromisoformat(run.started["time"])
    since = leaver.at("disable") or leaver.at("revoke")
    return {
        "id": leaver.id,
        "userPrincipalName": leaver.upn,
        "displayName": leaver.name,
        "leave": leaver.detail.get("leave"),
        "target_seconds": round(target.total_seconds()),
        "disabled": _took(leaver.at("disable"), began),
        "revoked": _took(leaver.at("revoke"), began),
        "residual_access": {"tokens_until": _iso(since + TOKEN), "evaluated_until": _iso(since + EVALUATED)}
        if since
        else None,
        "refused": list(leaver.refused),
        "decisions": [{**_event(r), "event": r["event"], "why": r.get("why")} for r in leaver.steered],
        "entries": [_entry(each) for each in leaver.entries],
        "open_items": leaver.open_items if leaver.closing else None,
        "accepted": list(leaver.detail.get("accepted") or ()),
        "not_started": list(leaver.detail.get("not_started") or ()),
        "later": list(leaver.detail.get("later") or ()),
        "licenses_freed": leaver.freed(),
    }


def _took(at: datetime | None, began: datetime) -> JSON:
    return {"at": _iso(at), "seconds": round((at - began).total_seconds())} if at else None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entry(entry: Entry) -> dict[str, JSON]:
    record = entry.record
    return {
        "seq": record["seq"],
        "step": record.get("step"),
        "action": record.get("action"),
        "event": record["event"],
        "outcome": entry.outcome,
        "why": record.get("why"),
        "intended": _iso(entry.intended) if entry.intended else None,
        "at": record["time"],
        "change": change_json(entry.change) if entry.change else record.get("change"),
        "graph": dict(entry.graph) or None,
    }


def _integrity(run: RunFile) -> dict[str, JSON]:
    first, last = run.records[0], run.records[-1]
    return {
        "first": {"seq": first["seq"], "hash": first["hash"]},
        "last": {"seq": last["seq"], "hash": last["hash"]},
        "records": len(run.records),
        "valid": run.flaw is None,
        "problem": str(run.flaw) if run.flaw else None,
        "anchor": f"{last['seq']}:{last['hash']}",
    }
