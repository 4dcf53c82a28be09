"""A run's outcome as JSON and as the renderer's verdict. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from offboard.model import JSON, LeaverPlan, Outcome, Result
from offboard.planjson import change_json, note_json, ref_json, stamp, table_json
from offboard.recipients import fingerprint
from offboard.render.verdict import LeaverVerdict, Verdict
from offboard.runs.engine.changes import Recorded
from offboard.runs.engine.shares import Share, as_moved
from offboard.runs.outcome import LeaverOutcome, RunOutcome
from offboard.runs.sealing import Sealer
from offboard.runs.store import RunRecord, Store

AGAIN = {"undo": "undo RUN", "deleted-purge": "deleted purge USER --out FILE"}
"""How the plans that no playbook file stands behind are made again, by the name that they bear."""


def verdict(outcome: RunOutcome, accepted: Sequence[str]) -> Verdict:
    """What the renderer needs."""
    accept = (*outcome.plan.playbook.accept, *accepted)
    return Verdict(
        run=outcome.run,
        tenant=outcome.plan.tenant.name,
        leavers=tuple(_leaver_verdict(outcome, each, accept) for each in outcome.leavers),
        exit_code=outcome.exit_code(accepted),
        later_needs="Carry them out then with: offboard worker (running then), or offboard resume (from cron, say).",
        next=_next(outcome),
        unplanned=outcome.unplanned,
    )


def _next(outcome: RunOutcome) -> str:
    """The one command that goes on from here, if there is one."""
    for each in outcome.leavers:
        if each.code == 4:
            run = outcome.run[:8]
            return f"When the right is there: offboard release {run} --reason WHY, then offboard resume {run}"
        if each.refused:
            who = outcome.plan.leavers[each.index].leaver.user_principal_name
            again = AGAIN.get(outcome.plan.playbook.name, f"plan {outcome.plan.playbook.name} {who}")
            return f"Make and review a new plan: offboard {again}"
    if any(each.stopped or each.failed for each in outcome.leavers):
        return f"When the cause is mended: offboard resume {outcome.run[:8]}"
    if outcome.unplanned:
        names = " ".join(each.user for each in outcome.unplanned[:5])
        return f"Plan for who is missing: offboard plan {outcome.plan.playbook.name} {names}"
    return ""


def _leaver_verdict(outcome: RunOutcome, each: LeaverOutcome, accept: Sequence[str]) -> LeaverVerdict:
    plan = outcome.plan.leavers[each.index]
    return LeaverVerdict(
        leaver=plan.leaver,
        results=each.results,
        open_items=each.open_items(accept),
        accepted_items=tuple(n for n in each.notes if n.open and n.code in accept),
        disabled_at=each.at("disable"),
        revoked_at=each.at("revoke"),
        not_started=each.not_started,
        due_later=tuple((p.step.id, p.due) for p in each.later),
        refused=each.refused,
        stopped=each.stopped,
        tables=tuple(table for _, table in each.tables),
        fine=each.fine,
    )


def result_json(each: LeaverPlan, result: Result) -> dict[str, JSON]:
    """One result."""
    return {
        "leaver": _who(each),
        "step": result.step,
        "outcome": result.outcome.value,
        "change": change_json(result.change) if result.change else None,
        "why": result.why,
        "todo": result.todo,
        "at": stamp(result.at) if result.at else None,
        "graph": dict(result.detail) or None,
    }


def outcome_json(outcome: RunOutcome, accepted: Sequence[str]) -> dict[str, JSON]:
    """The whole run."""
    accept = (*outcome.plan.playbook.accept, *accepted)
    return {
        "run": outcome.run,
        "plan": outcome.plan.id,
        "digest": outcome.plan.digest,
        "tenant": {"id": outcome.plan.tenant.id, "name": outcome.plan.tenant.name},
        "playbook": outcome.plan.playbook.name,
        "exit_code": outcome.exit_code(accepted),
        "leavers": [_leaver_json(outcome, each, accept) for each in outcome.leavers],
        "unplanned": [asdict(each) for each in outcome.unplanned],
    }


def sealed_json(outcome: RunOutcome, sealer: Sealer) -> list[dict[str, JSON]]:
    """Whose new password is kept sealed to whom, and in which file."""
    found: list[dict[str, JSON]] = []
    for each in outcome.leavers:
        leaver = outcome.plan.leavers[each.index].leaver
        for result in each.results:
            key = result.change.data.get("seal_to") if result.change else None
            path = sealer.newest(leaver.id) if key and result.outcome is Outcome.CHANGED else None
            if path is not None:
                who = {"id": leaver.id, "userPrincipalName": leaver.user_principal_name}
                found.append({**who, "step": result.step, "key": fingerprint(str(key)), "path": str(path)})
    return found


def _leaver_json(outcome: RunOutcome, each: LeaverOutcome, accept: Sequence[str]) -> dict[str, JSON]:
    plan = outcome.plan.leavers[each.index]
    return {
        "leaver": _who(plan),
        "refused": list(each.refused),
        "stopped": each.stopped or None,
        "not_started": list(each.not_started),
        "results": [result_json(plan, result) for result in each.results],
        "fine": {outcome.value: number for outcome, number in each.fine.items()},
        "open_items": [note_json(note) for note in each.open_items(accept)],
        "notes": [note_json(note) for note in each.notes],
        "tables": [{"step": step, **table_json(table)} for step, table in each.tables],
        "due_later": [{"step": p.step.id, "due": stamp(p.due)} for p in each.later],
    }


def _who(plan: LeaverPlan) -> dict[str, JSON]:
    leaver = plan.leaver
    return {"id": leaver.id, "userPrincipalName": leaver.user_principal_name, "displayName": leaver.display_name}


def run_json(record: RunRecord, shares: Sequence[Share]) -> dict[str, JSON]:
    """One line of `runs`."""
    return {
        "run": record.id,
        "plan": record.plan.id,
        "tenant": record.plan.tenant.name,
        "playbook": record.plan.playbook.name,
        "started": stamp(record.started),
        "state": record.state,
        "exit_code": record.exit_code,
        "next": stamp(record.next) if record.next else None,
        "leavers": [_whose(share) for share in shares],
    }


def _whose(share: Share) -> dict[str, JSON]:
    return {"id": share.leaver, "userPrincipalName": share.upn, "displayName": share.name}


NEEDS = "What is due later is carried out by a running `offboard worker`, or by `offboard resume` (from cron, say)."


def share_json(share: Share) -> dict[str, JSON]:
    """How far one leaver of a run is."""
    return {
        **_whose(share),
        "state": share.said,
        "why": share.hold if share.said == "held" else share.why,
        "leave": stamp(share.leave),
        "next": stamp(share.due) if share.due else None,
        "exit_code": share.exit_code,
    }


def _step_state(due: datetime, share: Share) -> str:
    """What becomes of a later step."""
    if share.said in ("held", "canceled"):
        return share.said
    return "due" if share.due is not None and due >= share.due else "past"


WORST = ("intended", "failed", "drifted", "skipped", "changed", "unchanged")


def _worst(records: Sequence[Recorded]) -> tuple[str, str]:
    """How it stands with a change, and why; of a set there may be several records, each for some of its parts."""
    said = [(r.result.outcome.value, r.result.why) if r.result else ("intended", "") for r in records]
    return min(said, key=lambda each: WORST.index(each[0]), default=("waiting", ""))


def status_json(record: RunRecord, store: Store) -> dict[str, JSON]:
    """One run, change by change, as the engine remembers it."""
    leavers: list[JSON] = []
    shares = store.shares(record.id)
    for share in shares:
        each = as_moved(store.parts(record.id, [share])[0], share)
        known = defaultdict[tuple[str, str], list[Recorded]](list)
        for (step, _), found in store.changes.recorded(record.id, each.leaver.id).items():
            known[step, found.change.key].append(found)
        changes = []
        for planned in each.steps:
            for change in planned.changes:
                outcome, why = _worst(known.get((planned.step.id, change.key), ()))
                changes.append(
                    {
                        "step": planned.step.id,
                        "verb": change.verb,
                        "name": change.target.name,
                        "target": ref_json(change.target),
                        "outcome": outcome,
                        "why": why,
                        "due": stamp(planned.due),
                    }
                )
        later = [
            {"step": p.step.id, "due": stamp(p.due), "state": _step_state(p.due, share)}
            for p in each.steps
            if p.step.due.minutes > 0
        ]
        leavers.append({**share_json(share), "changes": changes, "later": later})
    waits = any(share.due is not None and share.hold is None for share in shares)
    approvals: list[JSON] = [approval.to_json() for approval in store.approvals(record.id)]
    needs = NEEDS if waits else ""
    unplanned: list[JSON] = [asdict(each) for each in record.plan.unplanned]
    more = {"needs": needs, "approvals": approvals, "unplanned": unplanned, "leavers": leavers}
    return {**run_json(record, shares), **more}
