"""One case: a process of the program struck at one point, resumed, and judged."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.approval.people import Person, private_file

if TYPE_CHECKING:
    from tests.crash.lab import Ended, Lab

ONE = ("SawyerM@contoso.com",)
MANY = ("MeganB@contoso.com", "IsaiahL@contoso.com", "SawyerM@contoso.com")
DATABASES = ("sqlite", "postgresql")
PLAN, APPLY, RESUME = ("plan", "leaver-now"), ("apply", "plan.json", "--yes"), ("resume",)
SAVED = ("--out", "plan.json")
UNDO, BACK = ("undo", "RUN", "--out", "back.json"), ("apply", "back.json", "--yes")
PURGE = ("deleted", "purge", *ONE, "--yes")
SIGNED = ("--tenant", "signed")
RUN = "RUN"
"""Stands in words for the run that was begun before."""


@dataclass(frozen=True, order=True)
class Case:
    """What is struck, where and how.

    Args:
        operation: One of `OPERATIONS`. `resume` means a run that was killed while its answers were on the way.
        database: One of `DATABASES`.
        leavers: One (whose changes leave as a serial batch), or several (whose changes leave through the pool).
        place: The point: its name, and which of that name.
        kind: One of `points.KINDS`.
    """

    operation: str = "apply"
    database: str = "sqlite"
    leavers: int = 1
    place: str = ""
    kind: str = ""

    def __str__(self) -> str:
        return (
            f"--operation {self.operation} --database {self.database} --leavers {self.leavers} "
            f"--point {self.place!r} --kill {self.kind or 'never'}"
        )

    @property
    def people(self) -> tuple[str, ...]:
        """Who leaves."""
        return ONE if self.leavers == 1 else MANY

    @property
    def seed(self) -> int:
        """Draws what a power cut leaves in pieces."""
        return zlib.crc32(repr((self.place, self.leavers, self.operation, self.database)).encode())


def nothing(lab: Lab, case: Case) -> None:
    """As after the installation."""


def planned(lab: Lab, case: Case) -> None:
    """A plan is saved, and the engine has made its tables, which it does when it is first needed."""
    _well(lab, *PLAN, *case.people, *SAVED)
    _well(lab, "worker", "--once")


def waiting(lab: Lab, case: Case) -> None:
    """A run has begun and consumed its plan, and all of it is due the day after tomorrow."""
    leave = datetime.now(UTC) + timedelta(days=2)
    _well(lab, "run", "leaver-now", *case.people, "--leave", leave.strftime("%Y-%m-%dT%H:%M:%SZ"), "--yes")
    lab.find_run()


def due(lab: Lab, case: Case) -> None:
    """A run that waited, and may go on now."""
    waiting(lab, case)
    _well(lab, *_about(lab, MOVE))


def done(lab: Lab, case: Case) -> None:
    """A run is over."""
    planned(lab, case)
    assert lab.run(*APPLY).code in (0, 1)
    lab.let_a_minute_pass()
    lab.find_run()


def taken_back(lab: Lab, case: Case) -> None:
    """A run is over, and a plan of the way back is saved."""
    done(lab, case)
    _well(lab, *_about(lab, UNDO))


def asked(lab: Lab, case: Case) -> None:
    """A plan that a second person has to sign."""
    person = Person("dana@contoso.com")
    (lab.folder / "allowed_signers").write_text(person.line())
    private_file(lab.folder / "key", person.key)
    _well(lab, *SIGNED, *PLAN, *case.people, *SAVED)


MOVE = ("reschedule", RUN, "--leave", "2026-01-01T00:00:00Z", "--reason", "sooner")
OPERATIONS: dict[str, tuple[Callable[[Lab, Case], None], tuple[str, ...]]] = {
    "plan": (nothing, (*PLAN, *SAVED)),
    "apply": (planned, APPLY),
    "resume": (planned, RESUME),
    "later": (due, RESUME),
    "worker": (due, ("worker", "--once")),
    "hold": (waiting, ("hold", RUN, "--reason", "still needed")),
    "cancel": (waiting, ("cancel", RUN, "--reason", "stays")),
    "reschedule": (waiting, MOVE),
    "rotate": (done, ("audit", "rotate")),
    "undo": (done, UNDO),
    "back": (taken_back, BACK),
    "restore": (done, ("deleted", "restore", *ONE, "--yes")),
    "purge": (done, PURGE),
    "approve": (asked, (*SIGNED, "approve", "plan.json", "--key", "../key", "--yes")),
}
"""What goes before, and the command that is struck."""


def prepare(lab: Lab, case: Case) -> None:
    """Everything as it stands before the operation."""
    before, _ = OPERATIONS[case.operation]
    name = f"{before.__name__}_{case.leavers}"
    if name not in lab.kept:
        lab.clear()
        before(lab, case)
        lab.keep(name)
    lab.go_back(name)
    if case.operation == "resume":
        whole = lab.run(*APPLY, place=lab.sore_point(case), kind="kill")
        assert whole.code == -9
        lab.let_leases_end()


def command(lab: Lab, case: Case) -> tuple[str, ...]:
    """The words of the operation."""
    words = _about(lab, OPERATIONS[case.operation][1])
    return (*words, *case.people) if case.operation == "plan" else words


def operate(lab: Lab, case: Case) -> Ended:
    """The operation, struck where the case says."""
    return lab.run(*command(lab, case), place=case.place, kind=case.kind, seed=case.seed)


def _about(lab: Lab, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(lab.run_id if word == RUN else word for word in words)


def _well(lab: Lab, *words: str) -> None:
    ended = lab.run(*words)
    assert ended.code == 0, ended.said
