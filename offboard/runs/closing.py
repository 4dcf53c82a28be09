"""What the audit keeps of how a run ended for one leaver: what is left open, and what is still to come. Pure."""

from __future__ import annotations

from offboard.model import JSON, Plan
from offboard.planfile import note_json, stamp
from offboard.runs.outcome import LeaverOutcome


def closing(plan: Plan, outcome: LeaverOutcome) -> dict[str, JSON]:
    """The fields of the record `leaver-ended`.

    Args:
        plan: As carried out.
        outcome: How it ended for one of its leavers.
    """
    mine = plan.leavers[outcome.index]
    return {
        "leaver": {"id": mine.leaver.id, "upn": mine.leaver.user_principal_name},
        "detail": {
            "display_name": mine.leaver.display_name,
            "leave": stamp(mine.leave),
            "open_items": [note_json(note) for note in outcome.open_items(())],
            "accepted": list(plan.playbook.accept),
            "not_started": list(outcome.not_started),
            "refused": list(outcome.refused),
            "stopped": outcome.stopped,
            "later": [{"step": p.step.id, "action": p.step.action, "due": stamp(p.due)} for p in outcome.later],
        },
    }
