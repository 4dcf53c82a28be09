"""One person has one open run at a time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from offboard.errors import Busy
from offboard.model import LeaverPlan, Plan
from offboard.runs.engine.shares import Share


def refuse_second(
    plan: Plan, at: datetime, others: Callable[[str], Sequence[Share]], theirs: Callable[[Share], LeaverPlan]
) -> dict[str, str]:
    """Refuse a plan for somebody who has an open run, unless it changes nothing that the other does not.

    Args:
        plan: To be carried out.
        at: Graph's time.
        others: The shares of a leaver that are not over.
        theirs: What was planned for a share.

    Returns:
        By leaver: why nothing is to be carried out later, because an open run does it.

    Raises:
        Busy: Naming the leavers, and the first run of each.
    """
    found: list[tuple[str, Share]] = []
    carried: dict[str, str] = {}
    for each in plan.leavers:
        for other in others(each.leaver.id):
            if other.due is None and other.exit_code is not None:
                continue  # it has failed and waits for nobody: a new plan is a way on
            if not _same(each, theirs(other), other, at):
                found.append((each.leaver.user_principal_name, other))
                break
            carried[each.leaver.id] = f"what is still to come is carried out by run {other.run}"
    if found:
        raise _busy(found)
    return carried


def _same(mine: LeaverPlan, theirs: LeaverPlan, other: Share, at: datetime) -> bool:
    """Whether mine changes nothing now, and later nothing but what the other run is going to."""
    if other.exit_code is None or other.state != "open" or other.hold is not None:
        return False
    known = {(p.step.id, c.key) for p in theirs.steps for c in p.changes}
    return all(p.due > at and (p.step.id, change.key) in known for p in mine.steps for change in p.changes)


def _busy(found: Sequence[tuple[str, Share]]) -> Busy:
    run = found[0][1].run[:8]
    return Busy(
        "\n".join(f"{name} has the open run {other.run} ({other.said})." for name, other in found),
        why="One person has one open run at a time, so that no two act on the same account. Nothing was written.",
        todo=f"Look: offboard status {run}. Go on with it: offboard resume {run}. "
        f"Or end it: offboard cancel {run} --reason TEXT; then make a new plan.",
    )
