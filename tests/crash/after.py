"""What the operator does after a blow: the one command that should be enough, whatever was in the middle."""

from __future__ import annotations

import json
import re
from typing import Any

from offboard.audit import verify
from tests.crash.cases import APPLY, BACK, PLAN, RESUME, SAVED, SIGNED, Case, command
from tests.crash.lab import Ended, Lab


class BrokenError(AssertionError):
    """Something does not hold."""


def must(holds: object, what: object) -> None:
    """It must hold.

    Raises:
        BrokenError: It does not.
    """
    if not holds:
        raise BrokenError(str(what))


def go_on(lab: Lab, case: Case, ended: Ended) -> Ended:
    """Go on after the operation, struck or not; how the last command ended."""
    lab.let_leases_end()
    match case.operation:
        case "plan":
            return _planned_again(lab, case, ended)
        case "undo":
            _file_is_whole_or_not_there(lab, "back.json", ended)
            _well(lab, command(lab, case))
            return lab.run(*BACK)
        case "hold" | "cancel" | "reschedule":
            return _steered(lab, case, ended)
        case "rotate":
            return _rotated(lab, case)
        case "approve":
            return _approved(lab, case, ended)
        case "restore":
            again = lab.run(*command(lab, case))
            must(again.code == 0 or (again.code == 2 and "No deleted user" in again.said), again.said)
            return lab.run("audit", "verify")
        case "back" | "purge":
            return _resumed(lab, command(lab, case), earlier=1)
    return _resumed(lab, APPLY)


def _resumed(lab: Lab, words: tuple[str, ...], *, earlier: int = 0) -> Ended:
    """Resume once, or repeat the command if there was nothing to resume yet."""
    begun = runs(lab)
    if len(begun) == earlier:
        return lab.run(*words)
    if begun[0]["state"] != "ended":
        return lab.run(*RESUME)
    must(lab.run(*RESUME).said.strip() == "No run is open.", "a run is over and open")
    return Ended(begun[0]["exit_code"], "", [])


def _planned_again(lab: Lab, case: Case, ended: Ended) -> Ended:
    _file_is_whole_or_not_there(lab, "plan.json", ended)
    must(lab.run(*RESUME).said.strip() == "No run is open.", "a run is open, and there was none")
    _well(lab, (*PLAN, *case.people, *SAVED))
    return lab.run(*APPLY)


def _file_is_whole_or_not_there(lab: Lab, name: str, ended: Ended) -> None:
    if (lab.desk / name).exists():
        shown = lab.run("show", name)
        must(shown.code == 0, f"{name} was saved and is torn: {shown.said}")
    else:
        must("Saved to" not in ended.said, f"{name} was said to be saved, and is gone")


def _steered(lab: Lab, case: Case, ended: Ended) -> Ended:
    """Said again; then nothing is carried out that is held or canceled, and everything that was moved to the past."""
    again = lab.run(*command(lab, case))
    if case.operation == "reschedule":
        must(again.code == 0, again.said)
        return lab.run(*RESUME)
    told = "is not held already" if case.operation == "hold" else "is open"
    if again.code == 2 and told in again.said:
        must(lab.run(*RESUME).code in (0, 1, 2, 3), "what is held or canceled cannot be resumed, and says so otherwise")
    else:
        must(again.code == 0 and ended.code != 0, f"said to be done, and is not: {again.said}")
    worked = lab.run("worker", "--once")
    must(not lab.tenant.journal(), f"carried out although {case.operation}: {worked.said}")
    return worked


def _rotated(lab: Lab, case: Case) -> Ended:
    """Said again; nothing that was written before is missing, and the log goes on."""
    before = lab.kept_lines("done_1")
    _well(lab, command(lab, case))
    found = verify(audit_path(lab))
    must(found.ok, f"the audit is broken: {found.problem}")
    kept = [line for path in audit_files(lab) for line in path.read_bytes().splitlines()]
    must([line for line in kept if line in set(before)] == before, "records are missing, or stand in another order")
    return lab.run("audit", "verify")


def _approved(lab: Lab, case: Case, ended: Ended) -> Ended:
    """The approval counts, or it is given again."""
    applied = lab.run(*SIGNED, *APPLY)
    if applied.code != 3:
        return applied
    must(ended.code != 0, f"said to be approved, and is not: {applied.said}")
    must(not lab.tenant.journal(), "carried out without an approval")
    _well(lab, command(lab, case))
    return lab.run(*SIGNED, *APPLY)


def _well(lab: Lab, words: tuple[str, ...]) -> None:
    ended = lab.run(*words)
    must(ended.code == 0, ended.said)


def runs(lab: Lab) -> list[dict[str, Any]]:
    """What the program says of its runs, the newest first."""
    found: list[dict[str, Any]] = json.loads(lab.run("--json", "runs").said or "[]")
    return found


def audit_path(lab: Lab) -> Any:
    """Where the audit stands."""
    return next(lab.state.glob("tenants/*/audit.jsonl"), lab.state / "none")


def audit_files(lab: Lab) -> list[Any]:
    """All files of the audit, the oldest first."""
    rotated = lab.state.glob("tenants/*/audit.*-*.jsonl")
    numbers = {path: int(found[1]) for path in rotated if (found := re.search(r"audit\.(\d+)-\d+\.jsonl$", path.name))}
    return [*sorted(numbers, key=lambda path: numbers[path]), *lab.state.glob("tenants/*/audit.jsonl")]
