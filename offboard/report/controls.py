"""What auditors ask for, and which part of a report answers it. A report supports a control; it does not pass judgment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offboard.render.words import count, exact
from offboard.report.tally import RunHead, Tally


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement of a standard.

    Args:
        name: As the standard calls it.
        asks: What it asks for, in a few words of ours.
        answer: What the runs show about it.
    """

    name: str
    asks: str
    answer: Callable[[Sequence[RunHead]], str]


def _people(runs: Sequence[RunHead]) -> list[Tally]:
    return [leaver for run in runs for leaver in run.leavers]


def _blocked(runs: Sequence[RunHead]) -> str:
    people = _people(runs)
    disabled = [at for each in people if (at := each.at("disable"))]
    revoked = sum(1 for each in people if each.at("revoke"))
    reset = sum(1 for each in people if each.at("set"))
    methods = sum(each.kinds["signInMethod"] for each in people)
    last = f", the last at {exact(max(disabled))}" if disabled else ""
    return (
        f"Sign-in blocked for {len(disabled)} of {count(len(people), 'leaver')}{last}; {revoked} signed out everywhere, "
        f"{count(reset, 'password')} replaced, {count(methods, 'sign-in method')} removed."
    )


def _accounts(runs: Sequence[RunHead]) -> str:
    people = _people(runs)
    changes = sum(each.kinds.total() for each in people)
    deleted = sum(1 for each in people if each.at("delete"))
    waits = sum(len(each.detail.get("later") or ()) for each in people)
    later = f", {count(waits, 'step')} still to come" if waits else ""
    return f"{count(changes, 'change')} made and read back, {count(deleted, 'account')} deleted{later}."


def _assets(runs: Sequence[RunHead]) -> str:
    devices = {id for each in _people(runs) for id in each.devices}
    many = count(len(devices), "device")
    return f"{many} disabled, or taken from the leaver in the directory or by Intune; hand-over is not shown here."


def _rights(runs: Sequence[RunHead]) -> str:
    groups = sum(each.kinds["group"] for each in _people(runs))
    seats = sum(len(each.licenses) for each in _people(runs))
    return f"{count(groups, 'group membership')} ended, {count(seats, 'license')} taken back."


def _after(runs: Sequence[RunHead]) -> str:
    left = sum(len(each.open_items) for each in _people(runs))
    return f"{count(left, 'open item')} named, each with its reason." if left else "Nothing was left open."


def _process(runs: Sequence[RunHead]) -> str:
    books = sorted({str((run.started.get("detail") or {}).get("playbook") or "unknown") for run in runs})
    said = f"plan {runs[0].digest[:19]}…" if len(runs) == 1 else count(len(runs), "plan")
    noun = "Playbook" if len(books) == 1 else "Playbooks"
    return f"{noun} {', '.join(books) or 'none'}, carried out as reviewed ({said}), every effect read back."


CONTROLS = (
    Control("NIST SP 800-53 PS-4", "Access ends and authenticators are revoked on termination.", _blocked),
    Control("NIST SP 800-53 AC-2", "Accounts are disabled and removed when no longer needed.", _accounts),
    Control("ISO/IEC 27001:2022 A.5.11", "Assets are returned.", _assets),
    Control("ISO/IEC 27001:2022 A.5.18", "Access rights are removed.", _rights),
    Control("ISO/IEC 27001:2022 A.6.5", "Duties that remain after the end are known.", _after),
    Control("CIS Controls v8 6.2", "An access-revoking process disables accounts at once.", _process),
    Control("SOC 2 CC6.3", "Access is removed when no longer required.", _rights),
)


def answers(runs: Sequence[RunHead]) -> list[tuple[str, str, str]]:
    """Control, what it asks, what these runs show."""
    return [(each.name, each.asks, each.answer(runs)) for each in CONTROLS]
