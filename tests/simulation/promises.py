"""I4 to I7: what is said is so, what must wait waits, what is over is over, and no secret is told."""

from __future__ import annotations

from collections import Counter

from offboard.model import Change, LeaverPlan, Outcome
from offboard.runs.outcome import LeaverOutcome
from tests.simulation.holds import holds
from tests.simulation.known import excused
from tests.simulation.life import Life, Try
from tests.simulation.process import files_below
from tests.simulation.tape import Asked, Ended
from tests.simulation.wording import BrokenError, expected, kind_of

ACCEPTED = (
    *("shared-device", "license-by-group", "guest-sessions", "synced-user", "synced-device", "dynamic-group"),
    *("synced-group", "role-assignable-group", "exchange-group", "delegated-only"),
)
"""Open items that count as success here: they were planned."""


def success_holds(life: Life, found: Try) -> None:
    """I4: what a run calls done is so; judged where nobody else could have undone it since it was read."""
    assert found.outcome is not None
    success = found.outcome.exit_code(ACCEPTED) == 0
    for each in found.outcome.leavers:
        leaver = found.outcome.plan.leavers[each.index]
        if _meddled_since_read(life, found, leaver.leaver.id):
            continue
        claims = [(r.step, r.change) for r in each.results if r.change and r.outcome in DONE]
        claims += _silent(leaver, each, found) if success and not each.refused else []
        for step, change in claims:
            if not holds(life, leaver.leaver.id, change) and not _excusable(life, change):
                raise BrokenError("I4", f"told as done, and yet not so: {step} {change.key}")


DONE = (Outcome.CHANGED, Outcome.UNCHANGED)


def _silent(leaver: LeaverPlan, each: LeaverOutcome, found: Try) -> list[tuple[str, Change]]:
    """What was planned and is due, and of which a successful run says nothing."""
    told = {(r.step, r.change.key) for r in each.results if r.change}
    due = [planned for planned in leaver.steps if planned.due <= found.now]
    return [(p.step.id, c) for p in due for c in p.changes if (p.step.id, c.key) not in told]


def _excusable(life: Life, change: Change) -> bool:
    """Whether the change may have been left out as shared or unreadable, and yet be told as done."""
    refusing = any(
        fault["fault"].get("status", 0) in (400, 403, 409) for found in life.tries for fault in found.attempt.faults
    )
    meddled = any(change.target.id in event.what for _, event in life.meddles())
    return excused("not-needed-is-not-so") and (refusing or (meddled and change.target.kind == "device"))


def _meddled_since_read(life: Life, found: Try, leaver: str) -> bool:
    places = [
        n
        for n, event in enumerate(life.tape[: found.end])
        if isinstance(event, Asked) and any(c.path == f"/users/{leaver}" and not c.write for c in event.calls)
    ]
    if not places:
        return True
    read = life.tape[places[-1]]
    assert isinstance(read, Asked)
    # A reading may take several requests, and with lag it shows the past.
    since = read.at - found.attempt.lag - 30.0
    return any(n > places[-1] or event.at >= since for n, event in life.meddles())


def nothing_after_the_end(life: Life, found: Try) -> None:
    """I5: no write after a kill, one second after a stop, or after an audit that cannot be written."""
    ended: Ended | None = None
    for event in life.tape[found.begin : found.end]:
        if isinstance(event, Ended):
            ended = event
        if ended is not None and isinstance(event, Asked) and any(call.write for call in event.calls):
            if event.at == ended.at and ended.kind != "kill" and excused("queued-writes"):
                continue
            raise BrokenError("I5", f"a write after {ended.kind} {ended.where}: {event.calls}")


def patience(life: Life, found: Try) -> None:
    """I6: nothing leaves to Graph before a throttled answer's time."""
    requests = [e for e in life.tape[found.begin : found.end] if isinstance(e, Asked)]
    for earlier in requests:
        if earlier.seen_at is None or not earlier.retry_after:
            continue
        for later in requests:
            if earlier.seen_at < later.at < earlier.seen_at + earlier.retry_after - 1e-6:
                raise BrokenError(
                    "I6", f"asked at {later.at:.3f}, told at {earlier.seen_at:.3f} to wait {earlier.retry_after:g} s"
                )


def nothing_resent_unread(life: Life) -> None:
    """I6: no write leaves again before what it did was read."""
    assert life.plan is not None
    planned = [(expected(change), each.leaver.id) for each in life.plan.leavers for change in each.changes]
    most = Counter(wanted for wanted, _ in planned)  # a playbook may well revoke the same sessions twice
    whom = dict(planned)
    unread: Counter[tuple[str, str, str]] = Counter()
    for asked in life.requests():
        for call in asked.calls:
            key = (call.method, call.path, kind_of(call))
            unread[key] += call.write
            if unread[key] > most[key]:
                raise BrokenError("I6", f"{call.method} {call.path} left again without a reading")
        for call in asked.calls:
            seen = asked.seen.get(call.id)
            if call.method == "GET" and seen is not None and seen.status in (200, 404):
                for key in [key for key in unread if call.path == f"/users/{whom.get(key)}"]:
                    del unread[key]


def no_secret(life: Life) -> None:
    """I7: no password stands anywhere but on the wire."""
    said = "\n".join([*life.said, *(repr(t.outcome) + repr(t.error) for t in life.tries)])
    for secret in life.passwords:
        if secret in said:
            raise BrokenError("I7", "a password was said")
        leaks = [str(path) for path, data in files_below(life.folder) if secret.encode() in data]
        if leaks:
            raise BrokenError("I7", f"a password stands in {leaks}")
