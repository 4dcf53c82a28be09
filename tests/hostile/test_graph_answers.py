"""Whatever Graph answers: a clear error for the leaver it is about, others go on, and no token leaves its host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from offboard.errors import OffboardError
from offboard.model import Outcome
from offboard.sandbox.transport import SandboxTransport
from tests.hostile.poison import Poison, Spoil, body, instead, top
from tests.world import ADELE, DANA, SAWYER, World, a_world, steps

pytestmark = pytest.mark.anyio

PEOPLE = (SAWYER, ADELE, DANA)
STEPS = ("disable-user", "revoke-sessions", "disable-devices", "remove-groups")
GRAPH = "https://graph.sandbox.invalid"


@asynccontextmanager
async def poisoned(folder: Path) -> AsyncIterator[tuple[World, Poison]]:
    """A world whose answers can be spoiled."""
    poison = Poison()
    async with a_world(folder, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        yield world, poison


LISTS: dict[str, Spoil] = {
    "a link to another host": top(odata_nextLink="https://evil.example/v1.0/users?$skiptoken=1"),
    "a link to another port": top(odata_nextLink=f"{GRAPH}:8443/v1.0/users"),
    "a link without TLS": top(odata_nextLink="http://graph.sandbox.invalid/v1.0/users"),
    "a link with a password": top(odata_nextLink="https://a:b@graph.sandbox.invalid/v1.0/users"),
    "a link that is none": top(odata_nextLink="https://["),
    "a link out of the version": top(odata_nextLink=f"{GRAPH}/beta/users"),
    "a relative link": top(odata_nextLink="//evil.example/v1.0/users"),
    "a link of another type": top(odata_nextLink=["https://evil.example"]),
    "a link with a line end": top(odata_nextLink=f"{GRAPH}/v1.0/users\r\nHost: evil.example"),
    "an empty link": top(odata_nextLink=""),
    "a list that is a text": top(value="none"),
    "a list of texts": top(value=["x"]),
    "a list that is null": top(value=None),
    "no object": instead([1, 2, 3]),
    "nothing": instead(None),
    "entries without id": body(id=None),
    "entries with a path for an id": body(id="../users/" + DANA),
    "names that are numbers": body(displayName=7),
    "flags that are texts": body(accountEnabled="false", onPremisesSyncEnabled="no"),
    "a redirect": instead(None, 302, Location="https://evil.example/v1.0/users"),
    "a status of its own": instead({}, 299),
    "I'm a teapot": instead({"error": {"code": ["x"], "message": {"y": 1}}}, 418),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_senseless_list_is_unknown_and_the_others_are_done(tmp_path: Path, name: str) -> None:
    async with poisoned(tmp_path) as (world, poison):
        poison.spoil(rf"^GET /users/{SAWYER}/(memberOf|ownedDevices|registeredDevices)", LISTS[name])
        plan = await world.plan(steps(*STEPS), *PEOPLE)
        outcome = await world.apply(plan)

        reasons = [note.reason for note in plan.leavers[0].open_items()]
        assert any("could not be read" in reason or "cannot be read" in reason for reason in reasons), reasons
        assert world.user(SAWYER)["accountEnabled"] is False  # what is known is done all the same
        assert outcome.leavers[0].refused == ()
        for share in outcome.leavers[1:]:
            assert not share.stopped
            assert not share.refused
            assert {r.outcome for r in share.results} <= {Outcome.CHANGED, Outcome.UNCHANGED, Outcome.SKIPPED}
        assert poison.hosts == {"graph.sandbox.invalid"}


USERS: dict[str, Spoil] = {
    "somebody else": body(id=ADELE),
    "no id": body(id=None),
    "a path for an id": body(id="me"),
    "a name that is a list": body(userPrincipalName=["a"]),
    "a flag that is a text": body(accountEnabled="true"),
    "a time that is none": body(lastPasswordChangeDateTime="yesterday"),
    "a time out of the calendar": body(lastPasswordChangeDateTime="0001-01-01T00:00:00+14:00"),
    "a time that is a number": body(signInSessionsValidFromDateTime=0),
    "a list": instead([]),
    "nothing": instead(None),
    "a number": instead(5),
    "a redirect": instead(None, 307, Location="https://evil.example/"),
    "a teapot": instead("<html>", 418),
}


@pytest.mark.parametrize("name", USERS)
async def test_a_senseless_user_stops_that_leaver_alone(tmp_path: Path, name: str) -> None:
    async with poisoned(tmp_path) as (world, poison):
        plan = await world.plan(steps(*STEPS), *PEOPLE)
        poison.spoil(rf"^GET /users/{SAWYER}\?", USERS[name])
        outcome = await world.apply(plan)

        first, *others = outcome.leavers
        assert first.stopped or first.refused
        assert not any(SAWYER in path for _, path in world.writes())
        for share in others:
            assert not share.stopped
            assert not share.refused
            assert {r.outcome for r in share.results} <= {Outcome.CHANGED, Outcome.UNCHANGED, Outcome.SKIPPED}
        assert poison.hosts == {"graph.sandbox.invalid"}


@pytest.mark.parametrize("name", USERS)
async def test_a_senseless_user_is_named_when_a_plan_is_wanted(tmp_path: Path, name: str) -> None:
    async with poisoned(tmp_path) as (world, poison):
        poison.spoil(rf"^GET /users/{SAWYER}\?", USERS[name])
        with pytest.raises(OffboardError) as error:
            await world.plan(steps(*STEPS), *PEOPLE)

        assert SAWYER in " ".join(error.value.lines())
        assert world.journal() == []
