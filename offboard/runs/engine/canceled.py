"""The ends of what a process had sent, or may have, for leavers whose share was canceled before it could look again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from offboard.audit import Audit
from offboard.errors import OffboardError
from offboard.model import Outcome, Result
from offboard.planjson import change_json
from offboard.runs.engine.changes import Ended, Whose
from offboard.runs.engine.shares import Share, read_shares
from offboard.runs.store import Store

WHY = "it may have been sent before the run was interrupted, and was not looked at again: the run was canceled"
OPEN = (
    "state = 'canceled' AND EXISTS "
    "(SELECT 1 FROM change WHERE change.run = share.run AND change.leaver = share.leaver AND change.outcome IS NULL)"
)


def close_canceled(store: Store, audit: Audit, tenant: str) -> None:
    """Close what every canceled leaver of the tenant left open: who canceled it may have relied on a process that died."""
    close(store, audit, read_shares(store.db, f"tenant = ? AND {OPEN}", (tenant,)))


def close(store: Store, audit: Audit, shares: Iterable[Share]) -> None:
    """Nobody will look any more at what was sent for these: then that is how it ended. Whoever is at work does it himself.

    Args:
        store: Where the runs stand.
        audit: Told before the store is.
        shares: Canceled.

    Raises:
        AuditError: The audit cannot be written.
    """
    for share in shares:
        if store.leases.take(share.run, share.tenant, [share.leaver]):
            continue
        try:
            _close(store, audit, share)
        finally:
            with suppress(OffboardError):  # a lease that cannot be given back runs out
                store.leases.release(share.tenant, [share.leaver])


def _close(store: Store, audit: Audit, share: Share) -> None:
    left = [
        (step, key, each)
        for (step, key), each in store.changes.recorded(share.run, share.leaver).items()
        if not each.result
    ]
    if not left:
        return
    actions = {p.step.id: p.step.action for p in store.parts(share.run, [share])[0].steps}
    plan = store.run(share.run).plan.id
    for step, key, each in left:
        told = {"step": step, "action": actions.get(step), "change": change_json(each.change)}
        who = {"id": share.leaver, "upn": share.upn}
        written = audit.write(
            "outcome", run=share.run, plan=plan, leaver=who, **told, outcome=Outcome.SKIPPED.value, why=WHY
        )
        at = datetime.fromisoformat(str(written["time"]))
        ended = Result(Outcome.SKIPPED, step, each.change, WHY, at)
        store.changes.conclude(Whose(share.run, share.tenant, share.leaver), [Ended(key, ended)])
