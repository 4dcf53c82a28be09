"""All that a seed decides, decided before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from offboard.runs.engine.turns import HANDFUL
from tests.simulation.faults import DELAYS, LAGS, draw_faults
from tests.simulation.meddling import Meddle, draw_meddle

PEOPLE = {
    "SawyerM@contoso.com": "a0000000-0000-4000-8000-000000000001",  # everything
    "AdeleV@contoso.com": "a0000000-0000-4000-8000-000000000003",  # shares devices
    "AlexW@contoso.com": "a0000000-0000-4000-8000-000000000004",  # an administrator
    "dana_fabrikam.com#EXT#@contoso.onmicrosoft.com": "a0000000-0000-4000-8000-000000000009",  # a guest
    "LynneR@contoso.com": "a0000000-0000-4000-8000-000000000010",  # synchronized
    "Miles.O'Brien@contoso.com": "a0000000-0000-4000-8000-000000000013",
    "IsaiahL@contoso.com": "a0000000-0000-4000-8000-000000000016",  # nothing attached
    "DiegoS@contoso.com": "a0000000-0000-4000-8000-000000000018",  # a role through a group
}
WEIGHTS = (10, 3, 3, 2, 1, 2, 2, 2)
LATER = ("T+1h", "T+30d", "T+30d", "T+30d")
LEAVES = (None, timedelta(hours=-2), timedelta(hours=5), timedelta(days=40))
"""From now to the leave time; None when it is now and nobody says so."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ends before its time.

    Args:
        kind: `kill`, `stop` (SIGTERM), `full` (the disk), or `stall`: a request hangs and the lease is not renewed, until
            another process has gone on with the run.
        around: `http`, `audit` or `store`.
        number: Which of these, from 1.
        when: `before` or `after`; `torn` for an audit line of which only a part reaches the disk.
    """

    kind: str
    around: str
    number: int
    when: str


@dataclass(frozen=True)
class Attempt:
    """One process: what goes wrong while it lives.

    Args:
        faults: A fault script of the sandbox.
        lag: For so many seconds reads show the past.
        delay: How long an HTTP request takes.
        ending: How it ends before its time.
        before: What somebody else did before.
        during: What somebody else does meanwhile: at which HTTP request, before or after it.
        dated: Whether `Retry-After` is a date.
        twice: HTTP requests in whose batch answer one call is answered a second time, otherwise.
        steered: At which HTTP request a person does what with the run (0: before the process), for which of the people
            (None: for all).
    """

    faults: tuple[Any, ...] = ()
    lag: float = 0.0
    delay: tuple[float, float] | None = None
    ending: Ending | None = None
    before: tuple[Meddle, ...] = ()
    during: tuple[tuple[int, str, Meddle], ...] = ()
    dated: bool = False
    twice: tuple[int, ...] = ()
    steered: tuple[tuple[int, str, int | None], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Everything that happens under one seed.

    Args:
        seed: The seed.
        people: Who leaves.
        steps: The playbook's.
        planning: The process that makes the plan.
        attempts: The processes that carry it out.
        meddled: Whether somebody else acts meanwhile.
        leaves: When each of them leaves.
        back: The processes that undo it all afterwards; nobody undoes anything when there are none.
        again: The processes that then carry out the same playbook once more, if there are any.
        handful: Leavers of one turn.
    """

    seed: int
    people: tuple[str, ...]
    steps: tuple[str, ...]
    planning: Attempt
    attempts: tuple[Attempt, ...]
    meddled: bool
    leaves: tuple[timedelta | None, ...] = ()
    back: tuple[Attempt, ...] = ()
    again: tuple[Attempt, ...] = ()
    handful: int = HANDFUL


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    rng = Random(seed)
    names, count = list(PEOPLE), rng.choice((1, 1, 1, 1, 2, 2, 3, 5, 6))
    people: list[str] = []
    while len(people) < count:
        name = rng.choices(names, WEIGHTS)[0]
        people += [name] if name not in people else []
    ids = [PEOPLE[name] for name in people]
    meddled = rng.random() < 0.5
    planning = Attempt(tuple(draw_faults(rng)) if rng.random() < 0.3 else (), rng.choice(LAGS), rng.choice(DELAYS))
    attempts = tuple(_attempt(rng, ids, meddled) for _ in range(rng.choice((1, 2, 2, 3, 4))))
    return _with_more(Scenario(seed, tuple(people), tuple(_steps(rng)), planning, attempts, meddled), ids)


def _with_more(drawn: Scenario, ids: list[str]) -> Scenario:
    """What came later than the rest, and is drawn apart, so that the rest of a seed's story stays as it was."""
    rng, steps = Random(f"more of {drawn.seed}"), list(drawn.steps)
    leaves: tuple[timedelta | None, ...] = (None,) * len(ids)
    if rng.random() < 0.25:
        steps.insert(rng.randint(0, len(steps)), _step(rng, "remove-sign-in-methods"))
    if rng.random() < 0.25:
        leaves = tuple(rng.choice(LEAVES) for _ in ids)
        steps = [step.replace("T+1h", rng.choice(("T+1h", "T-1d"))) for step in steps]
    back: tuple[Attempt, ...] = ()
    if rng.random() < 0.35:
        back = (*(_attempt(rng, ids, drawn.meddled) for _ in range(rng.choice((0, 1, 1, 2)))), Attempt())
    again = tuple(_attempt(rng, ids, drawn.meddled) for _ in range(rng.choice((0, 1, 2))))
    handful = rng.choice((1, 1, 2, 2, HANDFUL))
    return replace(drawn, steps=tuple(steps), leaves=leaves, back=back, again=again, handful=handful)


def _attempt(rng: Random, ids: list[str], meddled: bool) -> Attempt:
    before: tuple[Meddle, ...] = ()
    during: tuple[tuple[int, str, Meddle], ...] = ()
    if meddled:
        before = tuple(draw_meddle(rng, ids) for _ in range(rng.choice((0, 0, 1, 2))))
        during = tuple(
            (rng.randint(1, 12), rng.choice(("before", "after")), draw_meddle(rng, ids))
            for _ in range(rng.choice((0, 1, 1, 2)))
        )
    ending = _ending(rng) if rng.random() < 0.7 else None
    dated, twice = rng.random() < 0.2, tuple(rng.randint(2, 10) for _ in range(rng.choice((0, 0, 0, 0, 1, 3))))
    faults, lag, delay = tuple(draw_faults(rng)), rng.choice(LAGS), rng.choice(DELAYS)
    return Attempt(faults, lag, delay, ending, before, during, dated, twice, tuple(_steered(rng)))


def _steered(rng: Random) -> Iterator[tuple[int, str, int | None]]:
    if rng.random() < 0.8:
        return
    for _ in range(rng.choice((1, 1, 2))):
        verb = rng.choices(("hold", "release", "cancel", "reschedule"), (4, 4, 1, 2))[0]
        yield rng.choice((0, rng.randint(1, 10))), verb, rng.choice((None, 0, 0, 1))


def _ending(rng: Random) -> Ending:
    kind = rng.choices(("kill", "stop", "full", "stall"), (7, 2, 1, 1))[0]
    if kind == "stall":
        return Ending(kind, "http", rng.randint(3, 12), rng.choice(("before", "after")))
    if kind == "full":
        return Ending(kind, "audit", rng.randint(1, 24), "before")
    if kind == "stop":
        return Ending(kind, "http", rng.randint(1, 14), rng.choice(("before", "after")))
    around = rng.choice(("http", "audit", "store"))
    whens = ("before", "after", "torn") if around == "audit" else ("before", "after")
    return Ending(kind, around, rng.randint(1, 14 if around == "http" else 24), rng.choice(whens))


def _steps(rng: Random) -> list[str]:
    """A playbook's steps as YAML list entries."""
    actions = [
        _step(rng, "disable-user"),
        _step(rng, "reset-password"),
        _step(rng, "revoke-sessions"),
        _step(rng, "disable-devices", rng.choice(("", "devices: owned", "devices: registered"))),
        _step(rng, "unown-devices", rng.choice(("", "devices: {display_name: Sawyer Laptop}"))),
        _step(rng, "remove-licenses", rng.choice(("", "", "keep: [VISIOCLIENT]"))),
        _step(rng, "remove-groups", rng.choice(("", "", "keep: [Finance Team]"))),
    ]
    if rng.random() < 0.4:
        rng.shuffle(actions)
    actions = [step for step in actions if rng.random() < 0.8] or actions[:1]
    if rng.random() < 0.2:
        actions.insert(rng.randint(0, len(actions)), _step(rng, "revoke-sessions", id="revoke-again"))
    if rng.random() < 0.65:
        place = len(actions) if rng.random() < 0.85 else rng.randint(0, len(actions))
        later = rng.choice(LATER) if rng.random() < 0.5 else ""
        actions.insert(place, _step(rng, "delete-user", due=later))
    if rng.random() < 0.15:
        actions.append(_step(rng, "list-deleted-users"))
    return actions


def _step(rng: Random, action: str, parameters: str = "", *, id: str = "", due: str = "") -> str:
    parts = [f"action: {action}", f"id: {id or action}"]
    parts += [f"with: {{{parameters}}}"] if parameters else []
    parts += [f"on_failure: {rng.choice(('continue', 'continue', 'pause'))}"] if rng.random() < 0.4 else []
    parts += ["when: 'leaver.userType == \"Member\"'"] if rng.random() < 0.08 else []
    due = due or (rng.choice(LATER) if rng.random() < 0.06 else "")
    parts += [f"due: {due}"] if due else []
    return "{" + ", ".join(parts) + "}"
