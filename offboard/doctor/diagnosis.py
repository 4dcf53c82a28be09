"""What was found, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from offboard.model import JSON
from offboard.permissions import Caller, Surplus

SCHEMA = "offboard.doctor/1"


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should look."""
    PROBLEM = "problem"
    """A run would be refused or go wrong."""
    MISSING = "missing"
    """A right is needed that the sign-in does not have."""
    IMPOSSIBLE = "impossible"
    """Nobody can grant it to this kind of sign-in."""
    UNKNOWN = "unknown"
    """It could not be found out."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        name: What.
        state: How it stands.
        said: One sentence or clause.
        todo: The next thing to do; empty when nothing is.
    """

    name: str
    state: State
    said: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found.

    Args:
        checks: Of the surroundings, in the order in which a run would meet them.
        playbook: Its name; empty when none was asked about.
        steps: For each step and for reading: whether it is permitted; `name` is the step's id.
        leavers: For each leaver: what is left to somebody else, or stopped by a guard.
        excess: What the sign-in holds and nothing needs.
        broader: Step, what serves, the least that would do.
        caller: Who is signed in; None when nobody could be.
        who: The caller's name, for people.
        code: Exit code of the trouble that ended it early; 0 when nothing did.
    """

    checks: Sequence[Check]
    playbook: str = ""
    steps: Sequence[Check] = ()
    leavers: Sequence[Check] = ()
    excess: Sequence[Surplus] = ()
    broader: Sequence[tuple[str, str, str]] = ()
    caller: Caller | None = None
    who: str = ""
    code: int = 0
    extra: dict[str, JSON] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """4 when a right is missing, 1 when something else would go wrong, else 0."""
        states = {check.state for check in (*self.checks, *self.steps, *self.leavers)}
        if self.code:
            return self.code
        return 4 if State.MISSING in states else 1 if State.PROBLEM in states else 0

    def to_json(self) -> dict[str, JSON]:
        """For programs."""
        caller = self.caller
        return {
            "schema": SCHEMA,
            "exit_code": self.exit_code,
            **self.extra,
            "caller": {
                "name": self.who,
                "kind": caller.kind,
                "permissions": sorted(caller.granted),
                "roles": sorted(caller.roles),
                "roles_unsure": caller.unsure or None,
            }
            if caller
            else None,
            "checks": [_check(each) for each in self.checks],
            "playbook": self.playbook or None,
            "steps": [_check(each) for each in self.steps],
            "leavers": [_check(each) for each in self.leavers],
            "surplus": [{"name": each.name, "kind": each.kind, "severity": each.severity} for each in self.excess],
            "broader_than_needed": [{"step": step, "held": held, "least": small} for step, held, small in self.broader],
        }


def _check(check: Check) -> dict[str, JSON]:
    return {"name": check.name, "state": check.state.value, "said": check.said, "todo": check.todo or None}
