"""Whatever Graph answers: a clear error for the leaver it is about, others go on, and no token leaves its host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offboard.errors import GraphUnavailable
from offboard.model import Outcome
from offboard.planfile import dump, load
from offboard.render.html import plan_html
from offboard.render.markdown import plan_markdown
from offboard.render.text import plan_text
from offboard.sandbox.transport import SandboxTransport
from tests.hostile.poison import Poison, Spoil, body, instead, top
from tests.world import ADELE, DANA, SAWYER, START, World, a_world, steps

pytestmark = pytest.mark.anyio

PEOPLE = (SAWYER, ADELE, DANA)
MANY = (*PEOPLE, "a0000000-0000-4000-8000-000000000013", "a0000000-0000-4000-8000-000000000016")
ACCEPTED = ("shared-device", "dynamic-group", "synced-group", "synced-user", "guest-sessions")
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
        with pytest.raises(GraphUnavailable) as error:
            await world.plan(steps(*STEPS), SAWYER)

        assert SAWYER in " ".join(error.value.lines())
        assert error.value.todo
        assert world.journal() == []


def never(answer: dict[str, Any]) -> None:
    """No usable answer, however often it is asked: not mentioned by the batch, cut short when alone."""
    answer |= {"status": "none"} if "id" in answer else {"body": b'{"id": "a00'}


def without_sawyer(answer: dict[str, Any]) -> None:
    """A list that lags behind, so that he is asked for by himself."""
    answer["body"]["value"] = [each for each in answer["body"]["value"] if each["id"] != SAWYER]


WORSE: dict[str, Spoil] = {
    **USERS,
    "no answer": never,
    "trouble without end": instead({"error": {"code": "UnknownError"}}, 500),
}


@pytest.mark.parametrize("people", [PEOPLE, MANY], ids=["of three", "of many"])
@pytest.mark.parametrize("name", WORSE)
async def test_a_senseless_user_keeps_nobody_else_from_being_planned_and_done(
    tmp_path: Path, name: str, people: tuple[str, ...]
) -> None:
    async with poisoned(tmp_path) as (world, poison):
        poison.spoil(r"^GET /users\?.*filter=id", without_sawyer)
        poison.spoil(rf"^GET /users/{SAWYER}\?", WORSE[name])
        plan = await world.plan(steps(*STEPS), *people)

        assert [each.leaver.id for each in plan.leavers] == list(people[1:])
        (missing,) = plan.unplanned
        assert missing.user == SAWYER
        assert "Graph" in missing.what
        assert missing.todo
        assert load(dump(plan), "plan.json") == plan
        for words in (plan_text(plan, now=START), plan_markdown(plan, START), plan_html(plan, START)):
            assert "is not in this plan" in words

        outcome = await world.apply(plan)
        assert replace(outcome, unplanned=()).exit_code(ACCEPTED) == 0
        assert outcome.exit_code(ACCEPTED) == 1
        assert not any(SAWYER in path for _, path in world.writes())
        assert [record["detail"]["user"] for record in world.records("unplanned")] == [SAWYER]
        assert poison.hosts == {"graph.sandbox.invalid"}


async def test_when_nothing_makes_sense_for_anybody_there_is_no_plan(tmp_path: Path) -> None:
    async with poisoned(tmp_path) as (world, poison):
        poison.spoil(r"^GET /users/a0", instead([]))
        with pytest.raises(GraphUnavailable) as error:
            await world.plan(steps(*STEPS), *PEOPLE)

        assert all(id in error.value.what for id in PEOPLE)


async def test_a_list_whose_next_page_never_comes_is_unknown_for_one_person(tmp_path: Path) -> None:
    async with poisoned(tmp_path) as (world, poison):
        poison.spoil(rf"^GET /users/{SAWYER}/memberOf", top(odata_nextLink=f"{GRAPH}/v1.0/users/{SAWYER}/lost?page=2"))
        poison.spoil(r"^GET /users/[^/]*/lost", never)
        plan = await world.plan(steps("disable-user", "remove-groups"), SAWYER, ADELE)

        assert [note.code for note in plan.leavers[0].open_items()] != []
        assert plan.leavers[1].changes
        assert plan.unplanned == ()
