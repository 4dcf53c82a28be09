"""How a run went: lines while it works, and a short verdict at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from offboard.model import Leaver, LeaverPlan, Note, Outcome, Result
from offboard.render.labels import Labels
from offboard.render.layout import hang, pad, wrap
from offboard.render.safe import PROSE, safe
from offboard.render.safe import width as columns
from offboard.render.style import Style, for_encoding
from offboard.render.words import DONE, clock, clock_after, count, exact, stamp

TOKEN = timedelta(minutes=90)
"""How long an access token that was issued before the block may still be accepted (60 to 90 minutes; the worst is said)."""

EVALUATED = timedelta(minutes=15)
"""How long at most where Exchange, SharePoint and Teams evaluate access continuously."""

_MARKS = {
    Outcome.CHANGED: "✓",
    Outcome.UNCHANGED: "=",
    Outcome.SKIPPED: "-",
    Outcome.DRIFTED: "!",
    Outcome.FAILED: "✗",
}
_SAID = {
    Outcome.UNCHANGED: "already so",
    Outcome.SKIPPED: "skipped",
    Outcome.DRIFTED: "drifted",
    Outcome.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class LeaverVerdict:
    """How a run ended for one leaver.

    Args:
        leaver: Who.
        results: One per change, and one per step that ended as a whole.
        open_items: What is left open and was not accepted.
        disabled_at: When sign-in was known to be blocked by this run; None when the run did not block it.
        revoked_at: When the sessions were known to be revoked by this run.
        not_started: Ids of steps that a failure kept from being started.
        due_later: Step ids with the time at which they fall due.
        refused: Why nothing was done, headline first; empty when something was.
        stopped: Why the run stopped in the middle; empty when it went to its end.
    """

    leaver: Leaver
    results: tuple[Result, ...] = ()
    open_items: tuple[Note, ...] = ()
    disabled_at: datetime | None = None
    revoked_at: datetime | None = None
    not_started: tuple[str, ...] = ()
    due_later: tuple[tuple[str, datetime], ...] = ()
    refused: tuple[str, ...] = ()
    stopped: str = ""


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
    """

    run: str
    tenant: str
    leavers: tuple[LeaverVerdict, ...]
    exit_code: int
    later_needs: str = ""
    next: str = ""


def result_lines(
    planned: LeaverPlan, results: Sequence[Result], *, width: int = 80, color: bool = False, utf8: bool = True
) -> list[str]:
    """The results of one leaver, one line each, reasons and advice below.

    Works for all results at once and for one at a time while they come in.

    Args:
        planned: The leaver's part of the plan, for the numbers of steps and the names of objects.
        results: In the order in which they are to be shown.
        width: Columns of the terminal.
        color: Whether to emphasize with ANSI sequences.
        utf8: Whether the output can take `✓`, `✗`, `→`; else words and `->`.
    """
    numbers = {step.step.id: number for number, step in enumerate(planned.steps, 1)}
    size = min(20, max((columns(id) for id in map(safe, numbers)), default=8))
    labels, style = Labels(planned), Style(color)
    lines: list[str] = []
    shown = ""
    for result in results:
        front = "" if result.step == shown else f"{numbers.get(result.step, '-'):>3} {safe(result.step)}"
        shown = result.step
        if columns(front) > size + 4:
            lines.append(front)
            front = ""
        lines += _result(result, pad(front, size + 4), labels, width, style)
    return lines if utf8 else [for_encoding(line, "ascii") for line in lines]


def _result(result: Result, front: str, labels: Labels, size: int, style: Style) -> Iterator[str]:
    mark, word = _MARKS[result.outcome], outcome_word(result)
    label = labels.of_change(result.change) if result.change else "whole step"
    if result.outcome in (Outcome.FAILED, Outcome.DRIFTED) and result.change:
        label = f"{safe(result.change.verb)} {label}"
    start = f"{front}  {_paint(result.outcome, pad(f'{mark} {word}', 13), style)}"
    indent = columns(front) + 2
    first, *rest = wrap(label, max(20, size - indent - 24))
    yield f"{start} {clock(result.at) if result.at else ' ' * 9}  {first}".rstrip()
    yield from (" " * (indent + 25) + line for line in rest)
    for text in (result.why, result.todo):
        if text:
            yield from hang(" " * (indent + 2), safe(text, PROSE), size)


def outcome_word(result: Result) -> str:
    """`disabled`, `already so`, `failed`: how a result is said."""
    if result.outcome is Outcome.CHANGED:
        return DONE.get(result.change.verb, "done") if result.change else "done"
    return _SAID[result.outcome]


def _paint(outcome: Outcome, text: str, style: Style) -> str:
    if outcome is Outcome.CHANGED:
        return style.good(text)
    if outcome is Outcome.FAILED:
        return style.bad(text)
    return style.warn(text) if outcome is Outcome.DRIFTED else style.dim(text)


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
    head, *rest = wrap(f"{_headline(verdict)} {_counts(verdict)}".strip(), size)
    paint = style.good if verdict.exit_code == 0 else style.bad if verdict.exit_code != 1 else style.warn
    word = _headline(verdict)
    yield head.replace(word, paint(word), 1) if word in head else head
    yield from rest
    many = len(verdict.leavers) > 1
    for each in verdict.leavers:
        yield from _trouble(each, many, size, style)
    yield from _open(verdict, many, size, style)
    yield from _residual(verdict, size)
    yield from _later(verdict, many, size)
    if verdict.next:
        yield from wrap(safe(verdict.next, PROSE), size)
    yield style.dim(f"run {safe(verdict.run)}  tenant {safe(verdict.tenant)}  exit {verdict.exit_code}")


def _headline(verdict: Verdict) -> str:
    refused = [each.refused for each in verdict.leavers]
    if refused and all(refused):
        return "Refused."
    if verdict.exit_code == 5 or any(each.stopped for each in verdict.leavers):
        return "Stopped early."
    failed = any(r.outcome is Outcome.FAILED for each in verdict.leavers for r in each.results)
    if failed or any(each.not_started for each in verdict.leavers):
        return "Finished, but not everything worked."
    if any(refused):
        return "Finished, but not for everybody."
    if any(r.outcome is Outcome.DRIFTED for each in verdict.leavers for r in each.results):
        return "Finished, but something is not as it was reviewed."
    return "Done, but something stays open." if any(each.open_items for each in verdict.leavers) else "Done."


def _counts(verdict: Verdict) -> str:
    """Changes by outcome; steps that ended as a whole are not changes and are not counted among them."""
    by = Counter(r.outcome for each in verdict.leavers for r in each.results if r.change)
    skipped = sum(not r.change and r.outcome is Outcome.SKIPPED for each in verdict.leavers for r in each.results)
    waiting = sum(len(each.not_started) for each in verdict.leavers)
    said = [f"{count(by[Outcome.CHANGED], 'change')} done and verified"] if by[Outcome.CHANGED] else []
    words = {**_SAID, Outcome.UNCHANGED: "already so"}
    said += [f"{by[outcome]} {word}" for outcome, word in words.items() if by[outcome]]
    if skipped:
        said.append(f"{count(skipped, 'step')} skipped")
    if waiting:
        said.append(f"{count(waiting, 'step')} not started")
    if not by[Outcome.CHANGED]:
        said.insert(0, "Nothing was changed")
    return ", ".join(said) + "."


def _trouble(each: LeaverVerdict, many: bool, size: int, style: Style) -> Iterator[str]:
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
        yield from hang("  ", f"{who}{safe(step)} {_SAID[outcome]}{times}", size)
    if each.not_started:
        yield from hang("  ", f"{who}not started: {', '.join(map(safe, each.not_started))}", size)


def _open(verdict: Verdict, many: bool, size: int, style: Style) -> Iterator[str]:
    for each in verdict.leavers:
        names = Counter(safe(note.target.name) for note in each.open_items if note.target)
        for note in each.open_items:
            said = [safe(each.leaver.display_name)] if many else []
            if note.target and (note.target.id != each.leaver.id or not many):
                name = safe(note.target.name)
                said.append(f"{name} ({safe(note.target.id)})" if names[name] > 1 and note.target.id else name)
            text = ": ".join([", ".join(said), safe(note.reason, PROSE)] if said else [safe(note.reason, PROSE)])
            first, *rest = hang("  ! ", f"{text} [{safe(note.code)}]", size)
            yield first.replace("!", style.warn("!"), 1)
            yield from rest


def _residual(verdict: Verdict, size: int) -> Iterator[str]:
    """What a token that was issued before the block may still open, and until when."""
    blocked = [each.disabled_at for each in verdict.leavers if each.disabled_at]
    revoked = [each.revoked_at for each in verdict.leavers if each.revoked_at and not each.disabled_at]
    for times, what in ((blocked, "Sign-in is blocked"), (revoked, "Sessions are revoked, sign-in is not blocked,")):
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
        for step, at in each.due_later:
            due.setdefault((stamp(at), safe(step)), []).append(safe(each.leaver.display_name))
    for (at, step), names in sorted(due.items()):
        whom = "" if not many else f" for {names[0] if len(names) == 1 else count(len(names), 'leaver')}"
        yield from wrap(f"Falls due later: {step}{whom} on {at}.", size)
    if due and verdict.later_needs:
        yield from wrap(safe(verdict.later_needs, PROSE), size)
