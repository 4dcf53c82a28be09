"""What every action promises, held against the sandbox: idempotence, declared calls, least permissions, the way back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from offboard.actions import ACTIONS
from offboard.actions.base import Action, Wire
from offboard.errors import UsageError
from offboard.model import Change, Effect, Playbook
from offboard.permissions import least, needs
from offboard.sandbox.behavior import Behavior
from tests.world import SAWYER, World, a_world, outcomes, steps

pytestmark = pytest.mark.anyio
ALL = pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda a: a.name)
WRITING = [action for action in ACTIONS.values() if action.calls]
BEFORE = {
    "restore-user": "delete-user",
    "purge-user": "delete-user",
    "assign-licenses": "remove-licenses",
    "add-groups": "remove-groups",
    "own-devices": "unown-devices",
    "enable-devices": "disable-devices",
    "enable-user": "disable-user",
}
"""What must have happened for an action that gives something back to have something to do."""


def example(action: Action) -> Playbook:
    """A playbook of the action's own example, due at once."""
    (step,) = yaml.safe_load(action.example)
    step.pop("due", None)
    return steps(yaml.safe_dump(step, default_flow_style=True, width=1000).strip())


@asynccontextmanager
async def prepared(action: Action, folder: Path) -> AsyncIterator[World]:
    """A world in which the action's example has something to do."""
    async with a_world(folder) as world:
        if action.name in BEFORE:
            await world.run(steps(BEFORE[action.name]), "SawyerM@contoso.com")
        yield world


def pattern(call: str) -> re.Pattern[str]:
    """`GET /users/{id}` as something to match against."""
    return re.compile(
        re.escape(call).replace(r"\{id\}", "[^/]+").replace("microsoft.graph.user", r"(microsoft\.)?graph\.user")
    )


def allowed(action: Action) -> list[re.Pattern[str]]:
    """Everything that planning and applying this action may ask of Graph."""
    from offboard.facts import Account, Memberships
    from offboard.guards import Surroundings

    calls: Iterable[str] = [
        *action.calls,
        *(call for fact in {*action.reads, Account, Memberships} for call in fact.calls),
        *Surroundings.calls,
        "GET /organization",
        "GET /directory/deletedItems/{id}",
        "POST /$batch",
    ]
    return [pattern(call) for call in calls]


async def planned_again(action: Action, world: World, book: Playbook) -> list[Change]:
    """What the example would change now; of somebody who is gone for good there is no plan any more."""
    if action.name == "purge-user":
        with pytest.raises(UsageError, match="There is no user"):
            await world.plan(book, SAWYER)
        return []
    return list((await world.plan(book, SAWYER)).leavers[0].changes)


@ALL
async def test_after_applying_the_example_there_is_nothing_left_to_do(action: Action, tmp_path: Path) -> None:
    async with prepared(action, tmp_path) as world:
        book, before = example(action), len(world.writes())
        first = await world.run(book, "SawyerM@contoso.com")
        writes = world.writes()[before:]
        again = await planned_again(action, world, book)

        assert bool(writes) == bool(action.calls)
        assert {"changed"} >= {end for _, _, end in outcomes(first.leavers[0].results)}
        left = [change for change in again if change.verb not in ("revoke", "set")]
        assert left == []


@ALL
async def test_only_declared_calls_are_seen_on_the_wire(action: Action, tmp_path: Path) -> None:
    async with prepared(action, tmp_path) as world:
        before = len(world.sandbox.requests())
        await world.run(example(action), SAWYER)
        seen = {f"{r.method} {r.path.removeprefix('/v1.0')}" for r in world.sandbox.requests()[before:]}
        rules = allowed(action)

        assert sorted(call for call in seen if not any(rule.fullmatch(call) for rule in rules)) == []


@ALL
async def test_the_example_is_reversible_only_as_far_as_the_action_declares(action: Action, tmp_path: Path) -> None:
    order = [Effect.REVERSIBLE, Effect.RECOVERABLE, Effect.IRREVERSIBLE]
    async with prepared(action, tmp_path) as world:
        plan = await world.plan(example(action), "SawyerM@contoso.com")

        assert all(order.index(change.effect) <= order.index(action.effect) for change in plan.leavers[0].changes)


@pytest.mark.parametrize("action", WRITING, ids=lambda a: a.name)
async def test_the_way_back_really_leads_back_or_says_why_not(action: Action, tmp_path: Path) -> None:
    async with prepared(action, tmp_path) as world:
        book = example(action)
        outcome = await world.run(book, "SawyerM@contoso.com")
        before = outcome.plan.leavers[0]
        wire = Wire(world.connection.graph, lambda: "not-used")
        for change in reversed(before.changes):
            back = action.undo(change)
            if back.change is None:
                assert back.why
                continue
            (answer,) = await world.sender.write([action.requests(back.change, wire)])
            assert answer.ok, answer.body
        again = await planned_again(action, world, book)

        undone = [change.key for change in before.changes if action.undo(change).change is not None]
        assert undone == [change.key for change in again if change.key in undone]


def token(world: World, action: Action, kind: str, without: Iterable[str] = ()) -> str:
    """A token with the least permissions for the action's example, less some of them."""
    found = needs(example(action).steps)
    granted = [name for name in least(found, kind) if name not in without]
    if kind == "delegated":
        return world.sandbox.issue_token(scopes=granted, user="admin@contoso.com", roles=["Global Administrator"])
    return world.sandbox.issue_token(app_roles=granted)


def sign_in(world: World, bearer: str) -> None:
    """From now on all requests carry this token, and the tenant enforces what it allows."""

    async def hook(request: object) -> None:
        request.headers["Authorization"] = f"Bearer {bearer}"  # type: ignore[attr-defined]

    world.connection.http.event_hooks["request"] = [hook]
    world.sandbox.behavior = Behavior(enforce_permissions=True)


@pytest.mark.parametrize("kind", ["delegated", "application"])
@pytest.mark.parametrize("action", WRITING, ids=lambda a: a.name)
async def test_the_declared_permissions_are_enough(action: Action, kind: str, tmp_path: Path) -> None:
    if kind == "application" and not action.permissions.application:
        kind = "delegated"
    async with prepared(action, tmp_path) as world:
        sign_in(world, token(world, action, kind))
        outcome = await world.run(example(action), "SawyerM@contoso.com")

        assert {"changed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}, [
            (r.why, r.todo) for r in outcome.leavers[0].results
        ]


@pytest.mark.parametrize("action", WRITING, ids=lambda a: a.name)
async def test_without_its_own_permission_the_action_is_refused_and_says_what_is_missing(
    action: Action, tmp_path: Path
) -> None:
    reading = {n for need in needs(()) for names in need.permissions.delegated for n in names}
    own = set(action.permissions.delegated[0]) - reading
    async with prepared(action, tmp_path) as world:
        plan, before = await world.plan(example(action), "SawyerM@contoso.com"), len(world.writes())
        sign_in(world, token(world, action, "delegated", without=own))
        outcome = await world.apply(plan)

        assert {"failed"} == {end for _, _, end in outcomes(outcome.leavers[0].results)}
        assert world.writes()[before:] == []
