"""I4 to I7: what is said is so, what must wait waits, what is over is over, and no secret is told."""

from __future__ import annotations

from collections import Counter

from offboard.model import Change, Outcome
from tests.simulation.holds import holds
from tests.simulation.life import Life, Try
from tests.simulation.process import files_below
from tests.simulation.tape import Asked, Ended, Recorded, Steered
from tests.simulation.wording import BrokenError, expected, kind_of


def success_holds(life: Life, found: Try) -> None:
    """I4: what a run calls done is so; judged where nobody else could have undone it since it was read."""
    assert found.outcome is not None
    for each in found.outcome.leavers:
        leaver = found.outcome.plan.leavers[each.index]
        claims = [(r.step, r.change) for r in each.results if r.change and r.outcome in DONE]
        for step, change in claims:
            told = _told_at(life, found, leaver.leaver.id, step, change)
            if each.stopped and told == found.end:
                continue  # what an earlier process did; this one did not come to look whether it lasted
            if not _meddled_since_read(life, found, leaver.leaver.id, told) and not holds(life, leaver.leaver.id, change):
                raise BrokenError("I4", f"told as done, and yet not so: {step} {change.key}")


def success_is_whole(life: Life, found: Try) -> None:
    """I4: after exit 0 everything that was planned and is due is so, whatever the single results say."""
    assert found.outcome is not None
    for each in found.outcome.leavers if found.outcome.exit_code() == 0 else ():
        leaver = found.outcome.plan.leavers[each.index]
        for planned in leaver.steps if not _meddled_since_read(life, found, leaver.leaver.id, found.end) else ():
            for change in planned.changes if planned.due <= found.now else ():
                if not holds(life, leaver.leaver.id, change):
                    raise BrokenError("I4", f"exit 0, and yet not so: {planned.step.id} {change.key}")


DONE = (Outcome.CHANGED, Outcome.UNCHANGED)
TOLD = ("outcome", "unchanged")
"""Records that tell how a change stands."""


def nothing_in_silence(found: Try) -> None:
    """I4: of every planned change that is due, every part is told how it ended, or that its step did not start."""
    assert found.outcome is not None
    for each in found.outcome.leavers:
        leaver = found.outcome.plan.leavers[each.index]
        told = {(r.step, r.change.key, part) for r in each.results if r.change for part in _parts(r.change)}
        for planned in leaver.steps:
            if planned.due > found.now or each.refused or each.stopped or planned.step.id in each.not_started:
                continue
            for change in planned.changes:
                missing = [part for part in _parts(change) if (planned.step.id, change.key, part) not in told]
                if missing:
                    raise BrokenError("I4", f"nothing is told of {planned.step.id} {change.key} {missing}")


def _parts(change: Change) -> list[str]:
    return [part.id for part in change.parts] or [""]


def _told_at(life: Life, found: Try, leaver: str, step: str, change: Change) -> int:
    """The place on the tape at which it was told: what is read after that, of another step's sake, it cannot know."""
    for n in range(found.end - 1, found.begin - 1, -1):
        event = life.tape[n]
        if isinstance(event, Recorded) and event.record["event"] in TOLD and event.record["step"] == step:
            target = (event.record.get("change") or {}).get("target", {}).get("id")
            if event.record["leaver"]["id"] == leaver and target == change.target.id:
                return n
    return found.end


def _meddled_since_read(life: Life, found: Try, leaver: str, end: int) -> bool:
    # What another process reads, this one cannot know.
    places = [
        n
        for n, e in enumerate(life.tape[:end])
        if isinstance(e, Asked) and e.process == found.process and leaver in e.people()
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
        if getattr(event, "process", found.process) != found.process:
            continue
        if isinstance(event, Ended) and event.kind != "stall":
            ended = event
        if ended is None or not isinstance(event, Asked) or not any(call.write for call in event.calls):
            continue
        if ended.kind != "stop" or event.at > ended.at + 1.0:
            raise BrokenError("I5", f"a write after {ended.kind} {ended.where}: {event.calls}")


def nothing_after_the_lease(life: Life, found: Try) -> None:
    """I5: no write of a process that was cut off, once another one has gone on."""
    cut = False
    for event in life.tape[found.begin : found.end]:
        if isinstance(event, Recorded) and event.record["event"] == "run-resumed":
            cut = event.process != found.process  # it may come back when the other one is done, with leases of its own
        if cut and isinstance(event, Asked) and event.process == found.process and any(c.write for c in event.calls):
            raise BrokenError("I5", f"process {found.process} writes although another has gone on: {event.calls}")


def nothing_against_a_hand(life: Life) -> None:
    """I5: no write for somebody whose share is held or canceled."""
    assert life.plan is not None
    whom = [(expected(change), each.leaver.id) for each in life.plan.leavers for change in each.changes]
    off: set[str] = set()
    for event in life.tape:
        if isinstance(event, Steered):
            off = off | event.leavers if event.verb in ("hold", "cancel") else off
            off = off - event.leavers if event.verb == "release" else off
        for call in event.calls if isinstance(event, Asked) else ():
            about = {who for wanted, who in whom if wanted == (call.method, call.path, kind_of(call))}
            if about and about <= off:
                raise BrokenError("I5", f"{call.method} {call.path} although held or canceled")


def patience(life: Life, found: Try) -> None:
    """I6: nothing leaves to Graph before a throttled answer's time."""
    tape = life.tape[found.begin : found.end]
    requests = [e for e in tape if isinstance(e, Asked) and e.process == found.process]
    for earlier in requests:
        if earlier.seen_at is None or not earlier.not_before:
            continue
        for later in requests:
            if earlier.seen_at < later.at < earlier.not_before - 1e-6:
                told = f"told at {earlier.seen_at:.3f} to wait until {earlier.not_before:.3f}"
                raise BrokenError("I6", f"asked at {later.at:.3f}, {told}")


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
        for key in [key for key in unread if whom.get(key) in asked.people()]:
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
