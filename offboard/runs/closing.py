"""What the audit keeps of how a run began, and of how it ended for one leaver. Pure."""

from __future__ import annotations

from offboard.graph.token import TokenInfo
from offboard.model import JSON, Outcome, Plan, Result
from offboard.planjson import note_json, ref_json, stamp
from offboard.runs.outcome import LeaverOutcome

ABOUT = (
    "userType",
    "onPremisesSyncEnabled",
    "department",
    "jobTitle",
    "employeeId",
    "mail",
    "manager",
    "createdDateTime",
    "roles",
    "devices",
    "licenses",
)
"""What an auditor needs to be sure of the person; no more of it is kept."""


def opening(plan: Plan, caller: TokenInfo) -> dict[str, JSON]:
    """The fields of the record `run-started`, besides approvals: on whose authority, what, and by whom.

    Args:
        plan: To be carried out.
        caller: Who carries it out, as far as the token tells.
    """
    return {
        "playbook": plan.playbook.name,
        "playbook_digest": plan.playbook.digest,
        "digest": plan.digest,
        "leavers": len(plan.leavers),
        "tenant": {"id": plan.tenant.id, "name": plan.tenant.name},
        "planned": {"by": plan.actor, "at": stamp(plan.created), "valid_until": stamp(plan.valid_until)},
        "caller": {"kind": caller.kind, "oid": caller.oid, "appid": caller.appid, "name": caller.name},
        "actions": [f"{name} {version}" for name, version in plan.actions.items()],
        "tool": plan.tool,
    }


def closing(plan: Plan, outcome: LeaverOutcome) -> dict[str, JSON]:
    """The fields of the record `leaver-ended`.

    Args:
        plan: As carried out.
        outcome: How it ended for one of its leavers.
    """
    mine = plan.leavers[outcome.index]
    # What is told and has not failed has been mended since it was told as failed; of whoever was stopped nobody can say so.
    told = None if outcome.stopped or outcome.refused else sorted({result.step for result in outcome.results})
    failed = (
        None
        if outcome.stopped or outcome.refused
        else [_brief(r) for r in outcome.results if r.outcome is Outcome.FAILED]
    )
    return {
        "leaver": {"id": mine.leaver.id, "upn": mine.leaver.user_principal_name},
        "detail": {
            "display_name": mine.leaver.display_name,
            "about": {key: mine.leaver.about[key] for key in ABOUT if key in mine.leaver.about},
            "leave": stamp(mine.leave),
            "open_items": [note_json(note) for note in outcome.open_items(())],
            "accepted": list(plan.playbook.accept),
            "told": told,
            "failed": failed,
            "not_started": list(outcome.not_started),
            "refused": list(outcome.refused),
            "stopped": outcome.stopped,
            "later": [{"step": p.step.id, "action": p.step.action, "due": stamp(p.due)} for p in outcome.later],
        },
    }


def _brief(result: Result) -> JSON:
    change = result.change
    about = {"verb": change.verb, "target": ref_json(change.target), "data": dict(change.data)} if change else {}
    return {"step": result.step, "change": about}
