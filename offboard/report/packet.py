"""One leaver's evidence as a document for programs. Every field is there in every packet.

What does not apply says `not_applicable`; what an older version did not record, or nobody told this program, says
`not_recorded`. So nobody has to guess whether a field is missing or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from offboard.model import JSON
from offboard.planjson import change_json
from offboard.render.words import done as done_word
from offboard.report.collect import Entry, LeaverFile, RunFile
from offboard.report.measure import Terms, Times, exceptions, punctual, state
from offboard.report.tally import DEVICES, Record

NONE, UNRECORDED = "not_applicable", "not_recorded"
WHO = ("userType", "onPremisesSyncEnabled", "mail", "employeeId", "manager", "department", "jobTitle", "createdDateTime")


def packet(run: RunFile, leaver: LeaverFile, terms: Terms) -> dict[str, JSON]:
    """Everything about one leaver of a run.

    Args:
        run: As collected.
        leaver: One of its leavers.
        terms: What was agreed.
    """
    times = Times.of(run.started, leaver, terms.target)
    return {
        "state": state(leaver)[0],
        "identity": _identity(run, leaver),
        "clock": _clock(leaver, times),
        "entries": [_entry(each) for each in leaver.entries],
        "access": _access(leaver),
        "assets": _assets(leaver),
        "exceptions": [
            {"about": e.about, "reason": e.reason, "code": e.code, "owner": e.owner, "due": iso(e.due)}
            for e in exceptions(run, leaver, terms)
        ],
        "overrides": [override(each) for each in leaver.overrides] or NONE,
        "decisions": [{**event(r), "event": r["event"], "why": r.get("why")} for r in leaver.steered],
        "refused": list(leaver.refused),
        "open_items": leaver.open_items if leaver.closing else UNRECORDED,
        "accepted": list(leaver.detail.get("accepted") or ()),
        "not_started": list(leaver.detail.get("not_started") or ()),
        "later": list(leaver.detail.get("later") or ()),
        "records": [min(leaver.seqs), max(leaver.seqs)] if leaver.seqs else NONE,
    }


def authority(run: RunFile) -> dict[str, JSON]:
    """On whose authority, and what was meant to be done."""
    detail = run.started.get("detail") or {}
    planned, made = detail.get("planned") or {}, run.first("playbook-planned")
    approvals = list(detail.get("approvals") or ())
    return {
        "request_reference": UNRECORDED,
        "requested_by": planned.get("by") or (made.get("actor") if made else None) or UNRECORDED,
        "planned_at": planned.get("at") or (made["time"] if made else UNRECORDED),
        "valid_until": planned.get("valid_until") or UNRECORDED,
        "approvals": approvals or NONE,
        "plan": run.started.get("plan"),
        "digest": run.digest,
        "playbook": detail.get("playbook") or UNRECORDED,
        "playbook_digest": detail.get("playbook_digest") or UNRECORDED,
        "overrides": [{"leaver": leaver.id, **override(r)} for leaver in run.leavers for r in leaver.overrides] or NONE,
        "actions": detail.get("actions") or UNRECORDED,
        "tool": detail.get("tool") or UNRECORDED,
        "planned": [event(record) for record in run.all("playbook-planned")],
        "approved": [event(record) for record in run.all("approved")],
    }


def executed(run: RunFile) -> dict[str, JSON]:
    """Who carried it out."""
    caller = (run.started.get("detail") or {}).get("caller") or {}
    return {
        "actor": run.started.get("actor") or UNRECORDED,
        "kind": caller.get("kind") or UNRECORDED,
        "object_id": caller.get("oid") or UNRECORDED,
        "app_id": caller.get("appid") or UNRECORDED,
        "resumed": len(run.all("run-resumed")),
        "resumed_by": sorted({str(r.get("actor") or "unknown") for r in run.all("run-resumed")}) or NONE,
    }


def override(record: Record) -> dict[str, JSON]:
    """A guard that was lifted, by whom and why."""
    detail = record.get("detail") or {}
    guard, by = detail.get("guard") or UNRECORDED, detail.get("by") or UNRECORDED
    return {"guard": guard, "by": by, "reason": record.get("why") or UNRECORDED, "seq": record["seq"]}


def event(record: Record) -> dict[str, JSON]:
    """One record, in short."""
    digest = (record.get("detail") or {}).get("digest")
    return {"seq": record["seq"], "time": record["time"], "actor": record.get("actor"), "digest": digest}


def _identity(run: RunFile, leaver: LeaverFile) -> dict[str, JSON]:
    tenant = (run.started.get("detail") or {}).get("tenant") or {}
    about = leaver.about
    known = {name: _known(about, name) for name in WHO}
    return {
        "tenant_id": tenant.get("id") or UNRECORDED,
        "id": leaver.id,
        "userPrincipalName": leaver.upn,
        "displayName": leaver.name,
        **known,
    }


def _known(about: Mapping[str, JSON] | None, name: str) -> JSON:
    if about is None:
        return UNRECORDED
    found = about.get(name)
    return NONE if found is None or found == "" else found


def _clock(leaver: LeaverFile, times: Times) -> dict[str, JSON]:
    return {
        "leave": iso(times.leave) or UNRECORDED,
        "run_began": iso(times.began),
        "counted_from": "leave" if times.leave else "run_began",
        "target_seconds": round(times.target.total_seconds()),
        "disabled": _took(times, times.disabled),
        "revoked": _took(times, times.revoked),
        "contained": _took(times, times.contained),
        "punctual": punctual(leaver, times),
        "deleted_at": iso(times.deleted) or NONE,
        "restorable_until": iso(times.restorable) or NONE,
        "completed_at": leaver.closing["time"] if leaver.closing and not leaver.detail.get("later") else NONE,
        "residual_access": {
            "estimate": True,
            "tokens_until": iso(times.residual),
            "evaluated_until": iso(times.evaluated),
        }
        if times.contained
        else NONE,
    }


def _took(times: Times, at: datetime | None) -> JSON:
    if at is None:
        return NONE
    seconds = round(times.took(at).total_seconds())
    return {
        "at": iso(at),
        "seconds": seconds,
        "since_run_began": round((at - times.began).total_seconds()),
        "met": times.met(at),
    }


def iso(moment: datetime | None) -> str | None:
    """A time for programs."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _entry(entry: Entry) -> dict[str, JSON]:
    record = entry.record
    return {
        "seq": record["seq"],
        "step": record.get("step"),
        "action": record.get("action"),
        "event": record["event"],
        "outcome": entry.outcome,
        "why": record.get("why"),
        "intended": iso(entry.intended) or NONE,
        "at": record["time"],
        "change": change_json(entry.change) if entry.change else record.get("change") or NONE,
        "read_back": read_back(entry) or NONE,
        "graph": dict(entry.graph) or NONE,
    }


def read_back(entry: Entry) -> JSON:
    """The state after, as it was re-read; what was planned counts only when it was found to hold."""
    seen = (entry.record.get("detail") or {}).get("seen")
    if seen is not None:
        return seen
    return entry.change.after if entry.change and entry.outcome in ("changed", "unchanged") else None


def _access(leaver: LeaverFile) -> dict[str, JSON]:
    return {
        "roles_found": _known(leaver.about, "roles"),
        "groups_left": names(leaver, "group") or NONE,
        "sign_in_methods_removed": names(leaver, "signInMethod") or NONE,
        "password_replaced_at": iso(leaver.at("set")) or NONE,
    }


def names(leaver: LeaverFile, kind: str) -> list[str]:
    """Names of the objects of a kind that this run changed."""
    return [entry.change.target.name for entry in leaver.done(kind) if entry.change]


def _assets(leaver: LeaverFile) -> dict[str, JSON]:
    return {
        "devices": devices(leaver) or NONE,
        "licenses_freed": leaver.licenses or NONE,
        "mailbox": UNRECORDED,
        "files": UNRECORDED,
    }


def devices(leaver: LeaverFile) -> list[dict[str, JSON]]:
    """Each device that the run had to do with: what was done to it, and what was not."""
    found: dict[str, dict[str, JSON]] = {}
    for entry in leaver.entries:
        if entry.change and entry.change.target.kind in DEVICES:
            mine = found.setdefault(entry.change.target.id, _device(entry.change.target.id, entry.change.target.name))
            verb = entry.change.verb
            done = done_word(verb) if entry.outcome == "changed" else f"{verb}: {entry.outcome}"
            mine["done"].append(
                {"what": entry.change.verb, "outcome": entry.outcome, "at": entry.record["time"], "said": done}
            )
    for note in leaver.open_items:
        target = note.get("target") or {}
        if target.get("kind") in DEVICES:
            mine = found.setdefault(str(target.get("id")), _device(str(target.get("id")), str(target.get("name"))))
            mine["left"].append(str(note.get("reason")))
    return list(found.values())


def _device(id: str, name: str) -> dict[str, JSON]:
    return {"id": id, "name": name, "done": [], "left": []}
