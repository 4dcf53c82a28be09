"""One case: a process of the program struck at one point, resumed, and judged."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.crash.lab import Ended, Lab

ONE = ("SawyerM@contoso.com",)
MANY = ("MeganB@contoso.com", "IsaiahL@contoso.com", "SawyerM@contoso.com")
OPERATIONS = ("plan", "apply", "resume")
DATABASES = ("sqlite", "postgresql")
PLAN, APPLY, RESUME = ("plan", "leaver-now"), ("apply", "plan.json", "--yes"), ("resume",)


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


def prepare(lab: Lab, case: Case) -> None:
    """Everything as it stands before the operation."""
    lab.tenant.reset()
    if case.operation == "plan":
        lab.clear()
        return
    name = f"planned_{case.leavers}"
    if name not in lab.kept:
        lab.clear()
        assert lab.run(*PLAN, *case.people, "--out", "plan.json").code == 0
        assert lab.run("worker", "--once").code == 0  # the engine makes its tables when it is first needed
        lab.keep(name)
    lab.go_back(name)
    if case.operation == "resume":
        whole = lab.run(*APPLY, place=lab.sore_point(case), kind="kill")
        assert whole.code == -9
        lab.let_leases_end()


def operate(lab: Lab, case: Case) -> Ended:
    """The operation, struck where the case says."""
    words = {"plan": (*PLAN, *case.people, "--out", "plan.json"), "apply": APPLY, "resume": RESUME}[case.operation]
    return lab.run(*words, place=case.place, kind=case.kind, seed=case.seed)
