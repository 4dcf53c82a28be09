"""Every case under `cases/`: parameters and facts in, planned changes and notes out. The cases are the specification."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from offboard.actions import ACTIONS
from offboard.actions.base import Action
from offboard.model import Change, Step
from offboard.planner import Answer, replan
from tests.actions.facts_from_yaml import facts_from

CASES = sorted((Path(__file__).parent / "cases").glob("*/*.yaml"))


def answer_of(path: Path) -> tuple[dict[str, Any], Answer]:
    """The case, and what its action says."""
    case = yaml.safe_load(path.read_text())
    step = Step(path.parent.name, path.parent.name, case.get("with", {}))
    recorded = case.get("since")
    since = datetime.fromisoformat(recorded) if recorded else None
    return case, replan(step, facts_from(case), lambda _key: since, {})


def brief(change: Change) -> dict[str, Any]:
    """What a case says about a change."""
    found: dict[str, Any] = {"verb": change.verb, "target": change.target.name}
    if change.parts:
        found["parts"] = [part.name for part in change.parts]
    if change.until:
        found["until"] = change.until.isoformat()
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}: {p.stem}")
def test_the_action_plans_what_the_case_expects(path: Path) -> None:
    case, answer = answer_of(path)

    assert case.get("changes", []) == [brief(change) for change in answer.changes]
    assert case.get("notes", []) == [
        {"doing": n.doing.value, "target": n.target.name if n.target else None, "code": n.code, "open": n.open}
        for n in answer.notes
    ]
    assert case.get("rows", []) == [row["displayName"] for table in answer.tables for row in table.rows]
    if "skipped" in case:
        assert case["skipped"] in (answer.skipped or "")
    else:
        assert answer.skipped is None


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}: {p.stem}")
def test_planning_is_pure_and_nothing_is_left_to_do_on_the_folded_facts(path: Path) -> None:
    case, answer = answer_of(path)
    action = ACTIONS[path.parent.name]
    facts = facts_from(case)
    step = Step(action.name, action.name, case.get("with", {}))
    for change in answer.changes:
        facts = action.fold(facts, change)

    assert answer_of(path)[1] == answer
    again = replan(step, facts, lambda _key: facts.read_at, {})
    assert not [c for c in again.changes if c.verb not in ("revoke", "set")]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
def test_every_action_has_cases_and_says_all_about_itself(action: Action) -> None:
    assert [path for path in CASES if path.parent.name == action.name]
    assert action.takes_effect
    assert action.verified_by
    assert action.undo_text
    assert yaml.safe_load(action.example)[0]["action"] == action.name
