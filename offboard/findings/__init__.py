"""What is no error in a playbook, and harmful all the same: orders and combinations, explained.

Why findings and not errors: the author may have a reason, and the article that many playbooks are taken from has its own
order. Why codes: a finding is talked about, searched for and explained (`offboard explain OFB201`) by its code, which
never changes its meaning.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from offboard.errors import UsageError
from offboard.findings.rules import RULES, Hit, Order, nobody_for_emergencies
from offboard.findings.words import WORDS, Word
from offboard.loading.source import near, shown
from offboard.model import Playbook

__all__ = ["CODES", "WORDS", "Finding", "Word", "explain", "find"]


CODES = tuple(WORDS)
"""The codes of all findings, in order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about one playbook.

    Args:
        code: `OFB201` …
        severity: `warning` or `remark`.
        title: One line.
        explanation: What happens, seen from the leaver's side.
        mend: What to write instead.
        line: 1-based; 0 when the playbook as a whole is meant.
        about: The step's id or the parameter's name.
    """

    code: str
    severity: str
    title: str
    explanation: str
    mend: str
    line: int
    about: str


def find(playbook: Playbook, *, emergency_access: bool = True) -> list[Finding]:
    """All findings about a playbook, warnings and remarks, from top to bottom.

    Args:
        playbook: As loaded.
        emergency_access: Whether the tenant that it is for names its accounts for emergencies.
    """
    order = Order.of(playbook)
    hits = [hit for rule in RULES for hit in rule(order, playbook)]
    hits += nobody_for_emergencies(order) if not emergency_access else ()
    return [_finding(hit) for hit in sorted(hits, key=lambda hit: (hit.line, hit.code, hit.about))]


def _finding(hit: Hit) -> Finding:
    word = WORDS[hit.code]
    return Finding(
        code=word.code,
        severity=hit.severity or word.severity,
        title=word.about(hit.about),
        explanation=word.explanation,
        mend=word.mend,
        line=hit.line,
        about=hit.about,
    )


def explain(code: str) -> str:
    """The page about one kind of finding, as plain text.

    Args:
        code: `OFB201`, in any case.

    Raises:
        UsageError: There is no such finding.
    """
    word = WORDS.get(code.strip().upper())
    if word is None:
        meant = near(code.upper(), WORDS)
        raise UsageError(
            f"There is no finding {shown(code)}" + (f"; did you mean {shown(meant)}?" if meant else "."),
            todo=f"Known are {', '.join(WORDS)}.",
        )
    text = f"{word.code} ({word.severity}): {word.general}\n\n{word.explanation}\n\nWhat to do: {word.mend}"
    if not word.bad:
        return text
    return f"{text}\n\nFound in:\n\n{_quoted(word.bad)}\n\nMended:\n\n{_quoted(word.good)}"


def _quoted(steps: str) -> str:
    """Steps of a playbook, set off in a page."""
    return textwrap.indent(f"steps:\n{textwrap.indent(steps, '  ')}", "    ")
