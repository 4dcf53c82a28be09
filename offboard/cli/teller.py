"""Saying results as they become known: line by line for a few leavers, a line each for many, an object a line for programs."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Protocol, TextIO

from offboard.cli.context import App
from offboard.model import LeaverPlan, Outcome, Result

if TYPE_CHECKING:
    from offboard.graph.send import Sender

FEW = 5
"""Up to so many leavers, every change gets its line."""
EVERY, EVERY_WITHOUT_TERMINAL = 0.5, 30.0
"""Seconds between two looks at the progress."""


class Teller(Protocol):
    """Told of each result; and that there will be no more."""

    def __call__(self, each: LeaverPlan, result: Result) -> None:
        """One more result."""

    def end(self) -> None:
        """There will be no more."""


def teller_for(app: App, leavers: int, sender: Sender, changes: int | None = None) -> Teller:
    """The teller that fits who is listening and how many leavers there are.

    Args:
        app: Who listens.
        leavers: How many there are.
        sender: Knows how fast it goes.
        changes: How many there will be, when that is known.
    """
    if app.as_json:
        return ForPrograms(app)
    return ForFew(app) if leavers <= FEW else ForMany(app, leavers, sender, changes)


class ForPrograms:
    """One object a line."""

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, each: LeaverPlan, result: Result) -> None:
        from offboard.cli.documents import result_json

        self.app.out_json({"event": "result", **result_json(each, result)}, line=True)

    def end(self) -> None:
        """Nothing is held back."""


class ForFew:
    """Every change, under its leaver's name."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.leaver = ""
        self.results: list[Result] = []
        self.said = 0

    def __call__(self, each: LeaverPlan, result: Result) -> None:
        from offboard.render.results import leaver_heading, result_lines

        color, utf8 = self.app.color(sys.stdout), can_utf8(sys.stdout)
        if self.leaver != each.leaver.id:
            self.leaver, self.results, self.said = each.leaver.id, [], 0
            self.app.out("\n" + leaver_heading(each.leaver, color=color))
        self.results.append(result)
        lines = result_lines(each, self.results, width=self.app.width(), color=color, utf8=utf8)
        for line in lines[self.said :]:
            self.app.out(line)
        self.said = len(lines)

    def end(self) -> None:
        """Nothing is held back."""


class ForMany:
    """A line for each leaver, what went wrong in full, and meanwhile how far it is."""

    def __init__(self, app: App, leavers: int, sender: Sender, changes: int | None) -> None:
        self.app = app
        self.sender = sender
        self.leavers = leavers
        self.changes = changes
        self.started = self.looked = app.clock.monotonic()
        self.seen: set[str] = set()
        self.begun: dict[str, Counter[str]] = {}
        """What was done for those of whom more is to come: of many, everybody's access is cut first."""
        self.troubled = 0
        self.who: LeaverPlan | None = None
        self.results: list[Result] = []
        self.live = sys.stderr.isatty() and not app.quiet

    def __call__(self, each: LeaverPlan, result: Result) -> None:
        if self.who is not None and self.who.leaver.id != each.leaver.id:
            self._leaver()
        self.who = each
        self.results.append(result)

    def end(self) -> None:
        """Say the last leaver, and take the progress line away."""
        self._leaver()
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _leaver(self) -> None:
        if self.who is None:
            return
        from offboard.render.results import leaver_heading, result_lines

        bad = [r for r in self.results if r.outcome in (Outcome.FAILED, Outcome.DRIFTED)]
        leaver = self.who.leaver.id
        counts = self.begun.pop(leaver, Counter()) + Counter(r.outcome.value for r in self.results)
        if not bad and self._more(self.who):
            self.begun[leaver] = counts
            self.who, self.results = None, []
            self._progress()
            return
        said = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
        color, utf8 = self.app.color(sys.stdout), can_utf8(sys.stdout)
        if self.live:
            sys.stderr.write("\r\x1b[K")
        self.app.out(f"{leaver_heading(self.who.leaver, color=color)}   {said}")
        for line in result_lines(self.who, bad, width=self.app.width(), color=color, utf8=utf8) if bad else ():
            self.app.out(line)
        self.seen.add(leaver)
        self.troubled += bool(bad)
        self.who, self.results = None, []
        self._progress()

    def _more(self, who: LeaverPlan) -> bool:
        """Whether a later part of the same run goes on with this leaver at once."""
        from offboard.graph.send import utc_now_of
        from offboard.runs.stages import containing

        first = {planned.step.id for planned in containing(who.steps)}
        now = utc_now_of(self.sender)
        rest = any(p.changes and p.due <= now and p.step.id not in first for p in who.steps)
        return rest and all(result.step in first for result in self.results)

    def _progress(self) -> None:
        now = self.app.clock.monotonic()
        if now - self.looked < (EVERY if self.live else EVERY_WITHOUT_TERMINAL):
            return
        self.looked = now
        text = self._text(now)
        if self.live:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        else:
            self.app.say(text)

    def _text(self, now: float) -> str:
        """How far it is, how fast, how much of the quota that is, and how long it will take."""
        writes, bucket = self.sender.counters.writes, self.sender.quota
        seconds = max(now - self.started, 0.001)
        spare = bucket.level()
        quota = min(100.0, 100 * writes / (bucket.size + bucket.per_second * seconds))
        cut = len(self.begun) + len(self.seen)
        parts = [
            *([f"{cut} cut off"] if self.begun else []),
            f"{len(self.seen)} of {self.leavers} leavers done, {self.troubled} with trouble",
            f"{writes / seconds:.1f} writes a second",
            f"{quota:.0f} % of the quota used",
            f"{self.sender.counters.throttled} throttled",
        ]
        if self.changes is not None:
            wait = max(0.0, self.changes - writes - spare) / bucket.per_second
            parts.append(f"at least {wait:.0f} s to go")
        return "; ".join(parts)


def can_utf8(stream: TextIO) -> bool:
    """Whether the stream takes characters such as ✓."""
    return "utf" in (stream.encoding or "").lower()
