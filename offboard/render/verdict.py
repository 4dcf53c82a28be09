"""How a run ended: what is so now, what is left, what comes later, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from offboard.model import Leaver, Note, Outcome, Result, Table, Unplanned
from offboard.render.layout import hang, wrap
from offboard.render.safe import PROSE, safe
from offboard.render.style import Style, for_encoding
from offboard.render.tables import table_lines
from offboard.render.words import SAID, clock, clock_after, count, exact, stamp

TOKEN = timedelta(minutes=90)
"""How long an access token issued before the block may still be accepted: 60 to 90 minutes; the worst is said."""

EVALUATED = timedelta(minutes=15)
"""How long at most where Exchange, SharePoint and Teams evaluate access continuously."""


@dataclass(frozen=True, slots=True)
class LeaverVerdict:
    """How a run ended for one leaver.

    Args:
        leaver: Who.
        results: One per change, and one per step that ended as a whole.
        open_items: What is left open and was not accepted.
        accepted_items: What is left open and was accepted.
        disabled_at: When sign-in was known to be blocked by this run; None when the run did not block it.
        revoked_at: When the sessions were known to be revoked by this run.
        not_started: Ids of steps that a failure kept from being started.
        due_later: Step ids with the time at which they fall due.
        refused: Why nothing was done, headline first; empty when something was.
        stopped: Why the run stopped in the middle; empty when it went to its end.
        tables: Rows of read-only steps.
        fine: Of many leavers: how many changes ended in which way besides `results`.
    """

    leaver: Leaver
    results: tuple[Result, ...] = ()
    open_items: tuple[Note, ...] = ()
    accepted_items: tuple[Note, ...] = ()
    disabled_at: datetime | None = None
    revoked_at: datetime | None = None
    not_started: tuple[str, ...] = ()
    due_later: tuple[tuple[str, datetime], ...] = ()
    refused: tuple[str, ...] = ()
    stopped: str = ""
    tables: tuple[Table, ...] = ()
    fine: Mapping[Outcome, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended.

    Args:
        run: Its id.
        tenant: The tenant as people say it.
        leavers: One per leaver of the plan.
        exit_code: What the process ends with.
        later_needs: What must be running, or be run, when later steps fall due; one sentence.
        next: What to do now: a command to resume with, a plan to make again; one sentence.
        unplanned: Who was asked for and was in no plan.
    """

    run: str
    tenant: str
    leavers: tuple[LeaverVerdict, ...]
    exit_code: int
    later_needs: str = ""
    next: str = ""
    unplanned: tuple[Unplanned, ...] = ()


def verdict_text(verdict: Verdict, *, width: int = 80, color: bool = False, utf8: bool = True) -> str:
    """The end of a run in a few sentences: what is so now, what is left, what comes later, what to do.

    Args:
        verdict: How the run ended.
        width: Columns of the terminal.
        color: Whether to emphasize with ANSI sequences.
        utf8: Whether the output can take other than ASCII characters.
    """
    lines = list(_verdict(verdict, width, Style(color)))
    text = "\n".join(lines) + "\n"
    return text if utf8 else for_encoding(text, "ascii")


def _verdict(verdict: Verdict, size: int, style: Style) -> Iterator[str]:
    for table in _tables(verdict):
        yield from table_lines(table, size, style)
        yield ""
    head, *rest = wrap(f"{_headline(verdict)} {_counts(verdict)}".strip(), size)
    paint = style.good if verdict.exit_code == 0 else style.bad if verdict.exit_code != 1 else style.warn
    word = _headline(verdict)
    yield head.replace(word, paint(word), 1) if word in head else head
    yield from rest
    many = len(verdict.leavers) > 1
    for each in verdict.leavers:
        yield from _trouble(each, many, size)
    for person in verdict.unplanned:
        yield from hang("  ", f"{safe(person.user, 160)} was not in the plan: {safe(person.what, PROSE)}", size)
    for each in verdict.leavers:
        yield from _open(each, many, size, style)
        yield from _accepted(each, many, size)
    yield from _residual(verdict, size)
    yield from _later(verdict, many, size)
    if verdict.next:
        yield safe(verdict.next, PROSE)  # not wrapped: it may hold a command to copy
    yield style.dim(f"run {safe(verdict.run)}  tenant {safe(verdict.tenant)}  exit {verdict.exit_code}")


def _tables(verdict: Verdict) -> list[Table]:
    """Rows of read-only steps; what several leavers' steps returned alike is shown once."""
    found: list[Table] = []
    for table in (table for each in verdict.leavers for table in each.tables):
        if table not in found:
            found.append(table)
    return found


def _headline(verdict: Verdict) -> str:
    refused = [each.refused for each in verdict.leavers]
    if refused and all(refused):
        return "Refused."
    if verdict.exit_code == 5 or any(each.stopped for each in verdict.leavers):
        return "Stopped early."
    failed = any(r.outcome is Outcome.FAILED for each in verdict.leavers for r in each.results)
    if failed or any(each.not_started for each in verdict.leavers):
        return "Finished, but not everything worked."
    if any(refused) or verdict.unplanned:
        return "Finished, but not for everybody."
    if any(r.outcome is Outcome.DRIFTED for each in verdict.leavers for r in each.results):
        return "Finished, but something is not as it was reviewed."
    return "Done, but something stays open." if any(each.open_items for each in verdict.leavers) else "Done."


def _counts(verdict: Verdict) -> str:
    """Changes by outcome; steps that ended as a whole are not changes and are not counted among them."""
    by = Counter(r.outcome for each in verdict.leavers for r in each.results if r.change)
    for each in verdict.leavers:
        by.update(each.fine)
    skipped = sum(not r.change and r.outcome is Outcome.SKIPPED for each in verdict.leavers for r in each.results)
    waiting = sum(len(each.not_started) for each in verdict.leavers)
    said = [f"{count(by[Outcome.CHANGED], 'change')} done and verified"] if by[Outcome.CHANGED] else []
    said += [f"{by[outcome]} {word}" for outcome, word in SAID.items() if by[outcome]]
    if skipped:
        said.append(f"{count(skipped, 'step')} skipped")
    if waiting:
        said.append(f"{count(waiting, 'step')} not started")
    if not by[Outcome.CHANGED]:
        said.insert(0, "Nothing was changed")
    return ", ".join(said) + "."


def _trouble(each: LeaverVerdict, many: bool, size: int) -> Iterator[str]:
    who = f"{safe(each.leaver.display_name)} ({safe(each.leaver.user_principal_name, 160)}): " if many else ""
    if each.refused:
        head, *details = each.refused
        yield from hang("  ", f"{who}{safe(head, PROSE)}", size)
        for detail in details:
            yield from hang("    ", safe(detail, PROSE), size)
    if each.stopped:
        yield from hang("  ", f"{who}{safe(each.stopped, PROSE)}", size)
    by = Counter((r.step, r.outcome) for r in each.results if r.outcome in (Outcome.FAILED, Outcome.DRIFTED))
    for (step, outcome), number in by.items():
        times = "" if number == 1 else f" ({number} changes)"
        yield from hang("  ", f"{who}{safe(step)} {SAID[outcome]}{times}", size)
    if each.not_started:
        yield from hang("  ", f"{who}not started: {', '.join(map(safe, each.not_started))}", size)


def _open(each: LeaverVerdict, many: bool, size: int, style: Style) -> Iterator[str]:
    for note in each.open_items:
        first, *rest = hang("  ! ", f"{_whose(each, note, many)}{safe(note.reason, PROSE)} [{safe(note.code)}]", size)
        yield first.replace("!", style.warn("!"), 1)
        yield from rest


def _accepted(each: LeaverVerdict, many: bool, size: int) -> Iterator[str]:
    for note in each.accepted_items:
        said = f"{_whose(each, note, many)}{safe(note.reason, PROSE)}; accepted [{safe(note.code)}]"
        yield from hang("  - ", said, size)


def _whose(each: LeaverVerdict, note: Note, many: bool) -> str:
    """The object of a note, and its leaver when there are several; with the id when two objects share a name."""
    said = [safe(each.leaver.display_name)] if many else []
    target = note.target
    if target and (target.id != each.leaver.id or not many):
        others = {
            n.target.id for n in (*each.open_items, *each.accepted_items) if n.target and n.target.name == target.name
        }
        said.append(f"{safe(target.name)} ({safe(target.id)})" if len(others) > 1 else safe(target.name))
    return f"{', '.join(said)}: " if said else ""


def _residual(verdict: Verdict, size: int) -> Iterator[str]:
    """What a token that was issued before the block may still open, and until when."""
    blocked = [each.disabled_at for each in verdict.leavers if each.disabled_at]
    revoked = [each.revoked_at for each in verdict.leavers if each.revoked_at and not each.disabled_at]
    for times, what in ((blocked, "Sign-in is blocked"), (revoked, "Sessions are revoked")):
        if not times:
            continue
        last = max(times)
        whom = f" for {count(len(times), 'leaver')}" if len(verdict.leavers) > 1 else ""
        yield from wrap(f"{what}{whom} since {exact(last)}.", size)
        yield from wrap(
            f"An access token issued before {clock(last)} may still be accepted until about "
            f"{clock_after(last + TOKEN, last)}; Exchange, SharePoint, Teams: {clock_after(last + EVALUATED, last)}.",
            size,
        )


def _later(verdict: Verdict, many: bool, size: int) -> Iterator[str]:
    """Steps that fall due later, those of the same step and minute together."""
    due: dict[tuple[str, str], list[str]] = {}
    for each in verdict.leavers:
        for step, moment in each.due_later:
            due.setdefault((stamp(moment), safe(step)), []).append(safe(each.leaver.display_name))
    for (at, step), names in sorted(due.items()):
        whom = "" if not many else f" for {names[0] if len(names) == 1 else count(len(names), 'leaver')}"
        yield from wrap(f"Falls due later: {step}{whom} on {at}.", size)
    if due and verdict.later_needs:
        yield safe(verdict.later_needs, PROSE)
