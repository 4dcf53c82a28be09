"""What auditors ask for, and which part of a report answers it. A report supports a control; it does not pass judgment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offboard.render.words import count, exact
from offboard.report.collect import RunFile


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement of a standard.

    Args:
        name: As the standard calls it.
        asks: What it asks for, in a few words of ours.
        answer: What this run shows about it.
    """

    name: str
    asks: str
    answer: Callable[[RunFile], str]


def _blocked(run: RunFile) -> str:
    disabled = [at for each in run.leavers if (at := each.at("disable"))]
    revoked = sum(1 for each in run.leavers if each.at("revoke"))
    reset = sum(1 for each in run.leavers if each.at("set"))
    last = f", the last at {exact(max(disabled))}" if disabled else ""
    return (
        f"Sign-in blocked for {len(disabled)} of {count(len(run.leavers), 'leaver')}{last}; "
        f"{revoked} signed out everywhere, {count(reset, 'password')} replaced."
    )


def _accounts(run: RunFile) -> str:
    deleted = sum(1 for each in run.leavers if each.at("delete"))
    waits = sum(len(each.detail.get("later") or ()) for each in run.leavers)
    later = f", {count(waits, 'step')} still to come" if waits else ""
    return f"{count(_changes(run), 'change')} made and read back, {count(deleted, 'account')} deleted{later}."


def _assets(run: RunFile) -> str:
    devices = {e.change.target.id for each in run.leavers for e in each.done("device") if e.change}
    return f"{count(len(devices), 'device')} disabled or taken from the leaver in the directory; hand-over is not shown here."


def _rights(run: RunFile) -> str:
    groups = sum(len(each.done("group")) for each in run.leavers)
    seats = sum(len(each.freed()) for each in run.leavers)
    return f"{count(groups, 'group membership')} ended, {count(seats, 'license')} taken back."


def _after(run: RunFile) -> str:
    left = sum(len(each.open_items) for each in run.leavers)
    return f"{count(left, 'open item')} named, each with its reason." if left else "Nothing was left open."


def _process(run: RunFile) -> str:
    book = (run.started.get("detail") or {}).get("playbook") or "unknown"
    return f"Playbook {book}, carried out as reviewed (plan {run.digest[:19]}…), every effect read back."


def _changes(run: RunFile) -> int:
    return sum(len(each.done()) for each in run.leavers)


CONTROLS = (
    Control("NIST SP 800-53 PS-4", "Access ends and authenticators are revoked on termination.", _blocked),
    Control("NIST SP 800-53 AC-2", "Accounts are disabled and removed when no longer needed.", _accounts),
    Control("ISO/IEC 27001:2022 A.5.11", "Assets are returned.", _assets),
    Control("ISO/IEC 27001:2022 A.5.18", "Access rights are removed.", _rights),
    Control("ISO/IEC 27001:2022 A.6.5", "Duties that remain after the end are known.", _after),
    Control("CIS Controls v8 6.2", "An access-revoking process disables accounts at once.", _process),
    Control("SOC 2 CC6.3", "Access is removed when no longer required.", _rights),
)


def answers(run: RunFile) -> list[tuple[str, str, str]]:
    """Control, what it asks, what this run shows."""
    return [(each.name, each.asks, each.answer(run)) for each in CONTROLS]
