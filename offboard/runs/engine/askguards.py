"""The guards, asked again before a later phase acts: on what is true now, and about the run as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from offboard.approval import refuse_unless_approved
from offboard.errors import Refused
from offboard.facts import Memberships
from offboard.guards import object_to
from offboard.model import Plan
from offboard.planner import fingerprint, pins
from offboard.runs.apply import Applier
from offboard.runs.engine.shares import Share
from offboard.runs.store import RunRecord


async def ask_guards(applier: Applier, record: RunRecord, shares: Sequence[Share], now: datetime) -> dict[str, str]:
    """What the guards say before a later phase acts, on what is true now; by leaver."""
    store = applier.tools.store
    part = store.plan_of(record, shares)
    acting = [
        (share, each)
        for share, each in zip(shares, part.leavers, strict=True)
        if share.exit_code is not None and any(p.due <= now and p.changes and p.due > each.leave for p in each.steps)
    ]
    if not acting:
        return {}
    everybody = "; ".join(_whole(applier, store.whole(record.id), record.id))
    reader, pinned = applier.tools.reader, {share.leaver: pins(each.fingerprint) for share, each in acting}
    facts = await reader.again([share.leaver for share, _ in acting], frozenset({Memberships}), pinned)
    found = {}
    for (share, each), fact in zip(acting, facts, strict=True):
        name = fact.account.user_principal_name or each.leaver.user_principal_name
        alone = replace(each, leaver=replace(each.leaver, user_principal_name=name), fingerprint=fingerprint(fact))
        judged = object_to(replace(part, leavers=(replace(alone, objections=()),)), applier.limits)
        stops = [f"{o.guard}: {o.reason}" for o in judged.leavers[0].objections if o.severity == "stop"]
        if everybody or stops:
            found[share.leaver] = "; ".join(filter(None, [everybody, *stops]))
    return found


def _whole(applier: Applier, plan: Plan, run: str) -> list[str]:
    """What stands against the run as a whole. Approvals were consumed with the plan: what counts is that it had them."""
    bare = replace(plan, leavers=tuple(replace(each, objections=()) for each in plan.leavers))
    objections = object_to(bare, applier.limits).leavers[0].objections
    found = [f"{o.guard}: {o.reason}" for o in objections if o.severity == "stop" and o.guard.startswith("max_")]
    try:
        refuse_unless_approved(plan, applier.limits, applier.tools.store.approvals(run))
    except Refused as error:
        found.append(error.what)
    return found


def hold_refused(applier: Applier, shares: Sequence[Share], refused: dict[str, str]) -> None:
    """A guard's objection is kept until a person has looked: it holds the leaver's share."""
    held = [replace(share, hold=f"refused by the guards: {refused[share.leaver]}", exit_code=3) for share in shares]
    for share in held:
        applier.tools.audit.write("refused", leaver={"id": share.leaver}, why=share.hold)
    applier.tools.store.steer(held)
