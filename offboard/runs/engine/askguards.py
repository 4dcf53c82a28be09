"""What becomes of a leaver's share when the guards let nothing be written in a later turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from offboard.runs.apply import Applier
from offboard.runs.engine.shares import Share
from offboard.runs.outcome import RunOutcome


def hold_barred(applier: Applier, shares: Sequence[Share], outcome: RunOutcome) -> None:
    """A guard's objection is kept until a person has looked; one that ends by itself is waited for."""
    held = []
    for share, each in zip(shares, outcome.leavers, strict=True):
        barred = each.barred
        if barred is not None and barred.until is not None:
            held.append(replace(share, due=barred.until, why="; ".join(barred.reasons), exit_code=barred.code))
        elif barred is not None:
            whom = "the sign-in lacks a right" if barred.lacks else "refused by the guards"
            held.append(replace(share, hold=f"{whom}: {'; '.join(barred.reasons)}", exit_code=barred.code))
    if held:
        applier.tools.store.bar(held)
