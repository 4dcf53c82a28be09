"""Which plans need a second person."""

from __future__ import annotations

from offboard.errors import Refused
from offboard.guards.limits import Limits
from offboard.model import Effect, Plan


def refuse_if_unapproved(plan: Plan, limits: Limits) -> None:
    """Refuse a plan that needs a second person's signature.

    Raises:
        Refused: The tenant asks for an approval, which this version cannot check.
    """
    final = any(c.effect is Effect.IRREVERSIBLE for each in plan.leavers for c in each.changes)
    if limits.approval == "all" or (limits.approval == "irreversible" and final):
        raise Refused(
            f"The tenant asks for a second person's approval ({limits.approval}).",
            why="This version of offboard cannot check approvals yet, so it does not carry out such plans.",
            todo='Nothing was written. Set approval = "none" for the tenant if nobody needs to approve.',
        )
