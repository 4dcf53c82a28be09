"""What Graph leaves out was not told, which is not the same as nothing; and what it asks to wait for is waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offboard.graph.answers import Answer
from offboard.graph.requests import get
from offboard.model import LeaverPlan, Plan, Playbook
from offboard.sandbox.transport import SandboxTransport
from offboard.sandbox.wire import Request, Response
from tests.guards.scenes import PEOPLE, limit
from tests.hostile.poison import Poison, Spoil
from tests.world import ADELE, SAWYER, START, a_world, fault, steps

pytestmark = pytest.mark.anyio
FEW, MANY = PEOPLE[:1], PEOPLE
DEVICES = steps("{action: disable-devices, with: {devices: registered}}")
BOTH = steps("remove-groups", "{action: disable-devices, with: {devices: registered}}")


def objects(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects of an answer: one, or a list."""
    found = answer.get("body")
    if not isinstance(found, dict):
        return []
    return found["value"] if isinstance(found.get("value"), list) else [found]


def leaving_out(*names: str) -> Spoil:
    """Answers without these properties."""

    def how(answer: dict[str, Any]) -> None:
        for each in objects(answer):
            for name in names:
                each.pop(name, None)

    return how


def going_on_elsewhere(name: str) -> Spoil:
    """Answers whose relationship is empty here, and goes on at another page."""

    def how(answer: dict[str, Any]) -> None:
        for each in objects(answer):
            if name in each:
                each |= {name: [], f"{name}@odata.nextLink": f"https://graph.microsoft.com/v1.0/x/{name}?$skiptoken=1"}

    return how


def told(each: LeaverPlan) -> list[tuple[str, ...]]:
    """What is planned for somebody, and what is said."""
    changes = [(change.verb, change.target.id, str(change.before)) for change in each.changes]
    notes = [note for planned in each.steps for note in planned.notes]
    return [*changes, *((note.doing.value, note.target.id if note.target else "", note.reason) for note in notes)]


def disabled(plan: Plan) -> set[str]:
    """Devices that are to be disabled."""
    return {change.target.id for each in plan.leavers for change in each.changes if change.verb == "disable"}


async def honest_and_spoiled(
    folder: Path, people: tuple[str, ...], pattern: str, how: Spoil, book: Playbook
) -> tuple[Plan, Plan, list[str]]:
    """The plan before and after Graph begins to leave things out, and what was asked for the second."""
    poison = Poison()
    async with a_world(folder, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        limit(world, max_leavers=100, max_percent=100)
        honest = await world.plan(book, *people)
        poison.spoil(pattern, how)
        poison.lines.clear()
        return honest, await world.plan(book, *people), poison.lines


UNTOLD: dict[str, Callable[[str], Spoil]] = {"left out": leaving_out, "goes on elsewhere": going_on_elsewhere}


@pytest.mark.parametrize("name", UNTOLD)
@pytest.mark.parametrize("people", [FEW, MANY], ids=["one leaver", "many leavers"])
async def test_a_device_whose_users_are_not_told_is_asked_about_alone(
    tmp_path: Path, people: tuple[str, ...], name: str
) -> None:
    spoil = UNTOLD[name]("registeredUsers")
    honest, spoiled, lines = await honest_and_spoiled(tmp_path, people, r"^GET /devices", spoil, DEVICES)

    assert disabled(honest)
    assert disabled(spoiled) == disabled(honest)
    shared = [text for *_, text in told(spoiled.leavers[0]) if text.startswith("also used by Adele Vance")]
    assert len(shared) == 1
    assert any("/registeredUsers" in line for line in lines)


@pytest.mark.parametrize("name", UNTOLD)
@pytest.mark.parametrize("relation", ["memberOf", "ownedDevices", "registeredDevices"])
async def test_leavers_whose_list_does_not_tell_a_relationship_are_asked_alone_and_planned_for_all_the_same(
    tmp_path: Path, relation: str, name: str
) -> None:
    honest, spoiled, lines = await honest_and_spoiled(
        tmp_path, MANY, rf"^GET /users\?.*{relation}", UNTOLD[name](relation), BOTH
    )

    assert [told(each) for each in spoiled.leavers] == [told(each) for each in honest.leavers]
    assert any(each.changes for each in honest.leavers)
    assert any(line.startswith("GET /users?") and relation in line for line in lines), "they were asked together"
    assert sum(f"/{relation}" in line for line in lines if not line.startswith("GET /users?")) == len(MANY)


async def test_a_group_of_which_only_the_id_is_told_is_left_alone_and_said_to_be_unknown(tmp_path: Path) -> None:
    def bare(answer: dict[str, Any]) -> None:
        for each in objects(answer):
            for name in set(each) - {"@odata.type", "id"}:
                del each[name]

    honest, spoiled, _ = await honest_and_spoiled(
        tmp_path, FEW, r"^GET /users/[^/]+/memberOf", bare, steps("remove-groups", "disable-user")
    )

    assert [change.verb for change in spoiled.leavers[0].changes] == ["disable"]
    notes = [note for planned in spoiled.leavers[0].steps for note in planned.notes]
    groups = {id for _, id, _ in told(honest.leavers[0])} - {SAWYER}
    assert {note.code for note in notes} == {"group-unknown"}
    assert {note.target.id for note in notes if note.target} == groups
    assert all(note.open for note in notes)


# -- waiting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90000", 90000.0),
        ("86400", 86400.0),
        ("0.5", 0.5),
        ("Tue, 24 Nov 2026 18:05:12 GMT", 90000.0),
        ("inf", None),
        ("nan", None),
        ("-1", None),
        ("1e999", None),
    ],
)
def test_how_long_graph_asks_to_wait(text: str, seconds: float | None) -> None:
    assert Answer("GET", "/x", 429, headers={"retry-after": text}).retry_after(START) == seconds


async def test_a_day_and_more_is_waited_for(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        sender, read = world.sender, get(world.connection.graph.users.by_user_id(ADELE), select=["id"])
        world.misbehave(fault(f"/users/{ADELE}", "GET", status=429, retry_after=90000))
        answers = [(await sender.pool.ask([read], priority=0, write=False))[0].status for _ in range(2)]

        assert answers == [429, 200]
        assert (world.time.moment - START).total_seconds() >= 90000


@pytest.mark.parametrize("still", [True, False], ids=["still wanted", "no longer wanted"])
async def test_a_write_that_was_being_signed_while_graph_asked_for_a_pause_leaves_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, still: bool
) -> None:
    async with a_world(tmp_path) as world:
        users, sender = world.connection.graph.users, world.sender
        write = users.by_user_id(SAWYER).revoke_sign_in_sessions.to_post_request_information()
        read = get(users.by_user_id(ADELE), select=["id"])
        world.misbehave(fault(f"/users/{ADELE}", "GET", status=429, retry_after=60))
        handle, signed = world.sandbox.handle, type(world.connection).signed
        left, wanted, signatures = list[float](), [True], [0]

        def handled(request: Request) -> Response:
            if request.method == "POST":
                left.append((world.time.moment - START).total_seconds())
            return handle(request)

        async def slow(self: Any, info: Any, claims: str | None = None) -> Any:
            if info is write:
                signatures[0] += 1
                if signatures[0] == 1:  # the token is renewed, and meanwhile somebody else is told to wait
                    (other,) = await sender.pool.ask([read], priority=0, write=False)
                    assert other.status == 429
                    wanted[0] = still
            return await signed(self, info, claims)

        world.sandbox.handle = handled  # type: ignore[method-assign]
        monkeypatch.setattr(type(world.connection), "signed", slow)
        (answer,) = await sender.write([write], gate=lambda: wanted[0])

        assert signatures == [2], "what was signed before the wait is not sent after it"
        assert left == ([60.0] if still else [])
        assert answer.status == (200 if still else 424)
