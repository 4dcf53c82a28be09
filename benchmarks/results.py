"""Rows of figures, kept between runs, and the page made of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "RESULTS.md"
KEPT = Path(__file__).parent / "results.json"
TOO_WIDE = 0.20
"""Spread, as a share of the median, above which a figure decides nothing."""

ELSEWHERE = (
    "- `kill -9` at every persisted point: `tests/crash`, judged by the tenant's journal; random faults: `tests/simulation`.",
    "- Every single-byte edit of a plan is refused: `tests/runs/test_drift.py`; every edit, cut and swap of an audit is found: "
    "`tests/audit`.",
    "- The quota is never exceeded, nothing leaves before its `Retry-After`: `tests/runs/test_bulk.py`, `tests/simulation`.",
)
"""Rows of the design that are true or false, and have no figure."""


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        what: What was measured.
        goal: As it stands in the design; empty when there is none.
        values: One per repetition; empty when it is missing.
        unit: Of the values.
        most: The goal as a number that must not be exceeded.
        least: The goal as a number that must be reached.
        possible: What nobody can exceed here, whatever the program; why, the note says.
        note: What must be known to read it; for a missing figure, why it is missing.
        command: What made it.
        when: And when, on which commit, under which load.
    """

    what: str
    goal: str
    values: tuple[float, ...] = ()
    unit: str = ""
    most: float | None = None
    least: float | None = None
    possible: float | None = None
    note: str = ""
    command: str = ""
    when: str = ""

    @property
    def middle(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def wide(self) -> bool:
        """Whether the spread is too large for a verdict."""
        return len(self.values) > 1 and max(self.values) - min(self.values) > TOO_WIDE * abs(self.middle)

    def verdict(self) -> str:
        """Reached or not, or why nothing can be said."""
        if not self.values:
            return "missing"
        if self.most is None and self.least is None:
            return ""
        if self.least is not None and self.possible is not None and self.possible < self.least:
            return "impossible here"
        every = [self._fits(value) for value in self.values]
        if self.wide and not (all(every) or not any(every)):
            return "undecided: spread too large"
        return "reached" if self._fits(self.middle) else "**not reached**"

    def _fits(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def line(self) -> str:
        """As a row of the table."""
        if not self.values:
            return f"| {self.what} | {self.goal} | – | – | – | missing | {self.note} |"
        low, high = min(self.values), max(self.values)
        spread = "–" if len(self.values) == 1 else f"{_short(low)} to {_short(high)}"
        spread += " (wide)" if self.wide else ""
        figure = f"{_short(self.middle)} {self.unit}".strip()
        verdict = self.verdict()
        return f"| {self.what} | {self.goal} | {figure} | {spread} | {len(self.values)} | {verdict} | {self.note} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def keep(section: str, rows: Iterable[Row], command: str) -> None:
    """Remember a section's rows in place of those of an earlier run, and write the page anew."""
    known = _known()
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%MZ}, commit {_commit()}, load {os.getloadavg()[0]:.1f}"
    known[section] = [asdict(row) | {"command": command, "when": when} for row in rows]
    _write(known)


def keep_bulk(key: str, runs: list[dict[str, Any]]) -> None:
    """Remember bulk runs, for the sections that compare with them or look at their growth."""
    known = _known()
    known.setdefault("bulk runs", {})[key] = runs
    _write(known)


def kept_bulk() -> dict[str, list[dict[str, Any]]]:
    """The bulk runs that are remembered."""
    found: dict[str, list[dict[str, Any]]] = _known().get("bulk runs", {})
    return found


def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return known


def _write(known: dict[str, Any]) -> None:
    KEPT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=KEPT.parent, check=False)
    return done.stdout.strip() or "unknown"


def write_page(titles: dict[str, str]) -> None:
    """The page, from all sections that were measured."""
    known = _known()
    lines = [
        "# Results",
        "",
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}. "
        "Written by `python -m benchmarks`; the figures are kept in `results.json`.",
        "",
        "Every figure of a leaver was taken against the sandbox served by a process of its own on loopback, with a latency of 80 "
        "to 150 ms for each HTTP request, drawn from the same seed for all, and the published quotas; and only after its journal "
        "showed that every effect had happened, and exactly once. Figures are medians; *wide* marks a spread of more than 20 %. "
        "`load` is the machine's load average at the end: other work on the machine lengthens wall times.",
        "",
        "Where a row says *×N*, the tenant's clock, its latency and its quotas, and the clock of `offboard`, ran N times as "
        "fast, and times are given on that clock. What the processor takes is not scaled, so it weighs N times as much in such "
        "a row as in life; the row in real time is the one to trust.",
        "",
        "*Impossible here* is a goal that nobody can reach on this machine: 9,000 writes of a thousand leavers cannot take less "
        "than 300 s, because the quota gives 3,000 at once and 20 a second, so a peer that takes X seconds cannot be beaten by "
        "more than X ÷ 300, with nothing read and nothing verified.",
    ]
    for section, title in titles.items():
        rows = [Row(**{**row, "values": tuple(row["values"])}) for row in known.get(section, [])]
        lines += ["", f"## {title}", ""]
        if not rows:
            lines += ["Not measured yet."]
            continue
        lines += [
            f"`{rows[0].command}`, {rows[0].when}.",
            "",
            "| what | goal | median | spread | runs | verdict | remark |",
            "|---|---|---|---|---|---|---|",
            *(row.line() for row in rows),
        ]
    lines += ["", "## Held by tests, not measured here", "", *ELSEWHERE]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


Progress = Callable[[str], None]
