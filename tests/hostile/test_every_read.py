"""Every read of a plan and of its carrying out, spoiled in every way: an error for a person, or done to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offboard.audit import verify
from offboard.errors import OffboardError
from tests.hostile.poison import Spoil, body, instead, top
from tests.hostile.test_graph_answers import GRAPH, poisoned
from tests.world import ADELE, SAWYER, SEED, steps

pytestmark = pytest.mark.anyio
STEPS = ("wipe-devices", *SEED, "remove-groups", "remove-sign-in-methods", "list-deleted-users")
HERS = ("/devices/", "/groups/", "/deviceManagement/managedDevices/e0000000-0000-4000-8000-000000000002/")
READS = {
    "users": r"^GET /users/{id}\?",
    "memberOf": r"^GET /users/{id}/memberOf",
    "methods": r"^GET /users/{id}/authentication/methods",
    "devices of a user": r"^GET /users/{id}/(owned|registered)Devices",
    "devices in Intune": r"^GET /users/{id}/managedDevices",
    "people of devices in Intune": r"^GET /deviceManagement/",
    "people of devices": r"^GET /devices",
    "products": r"^GET /subscribedSkus",
    "deleted users": r"^GET /directory/deletedItems/graph.user",
    "a deleted user": r"^GET /directory/deletedItems/[0-9a-f]{8}-",
    "the organization": r"^GET /organization",
    "the caller": r"^GET /me|^GET /servicePrincipals",
    "everything": r"^GET ",
    "batches": r"^POST /\$batch",
}


def deep(answer: dict[str, Any]) -> None:
    """Something nested deeper than anybody looks."""
    found: Any = {}
    for _ in range(150):
        found = {"value": [found], "id": "x"}
    answer["body"] = found


def every_value(value: Any) -> Spoil:
    """Every property of every object with this value instead."""

    def inside(found: Any) -> Any:
        if isinstance(found, dict):
            return {k: inside(v) if isinstance(v, dict | list) else value for k, v in found.items()}
        return [inside(each) for each in found] if isinstance(found, list) else value

    def how(answer: dict[str, Any]) -> None:
        answer["body"] = inside(answer.get("body"))

    return how


SPOILS: dict[str, Spoil] = {
    "foreign links": top(odata_nextLink="https://evil.example/v1.0/users"),
    "bad links": top(odata_nextLink="https://["),
    "the same page for ever": top(odata_nextLink=f"{GRAPH}/v1.0/users?$top=1"),
    "no lists": top(value={"id": SAWYER}),
    "nulls": every_value(None),
    "numbers": every_value(10**30),
    "texts": every_value("\ud800\x00\u202e"),
    "lists": every_value([]),
    "objects": every_value({"id": ADELE}),
    "other ids": body(id="../users/x"),
    "somebody's id": body(id="f0000000-0000-4000-8000-000000000001"),
    "times at the end of time": body(
        deletedDateTime="9999-12-31T23:59:59-14:00", createdDateTime="0001-01-01T00:00:00+14:00"
    ),
    "nothing": instead(None),
    "a list": instead([[]]),
    "depth": deep,
    "a redirect": instead(None, 302, Location="https://evil.example/"),
    "no content": instead(None, 204),
    "an error without a body": instead(None, 400),
    "not found": instead({"error": {"code": "Request_ResourceNotFound"}}, 404),
    "an error of texts": instead({"error": "no"}, 403),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("late", [False, True], ids=["before the plan", "after it"])
async def test_whatever_is_read_nobody_else_is_touched(tmp_path: Path, read: str, late: bool) -> None:
    for number, name in enumerate(SPOILS):
        if number % 2 == late or name in ("texts", "depth"):
            folder = tmp_path / str(number)
            folder.mkdir()
            await one_life(folder, READS[read].replace("{id}", SAWYER), name, late=late)


async def one_life(folder: Path, pattern: str, name: str, *, late: bool) -> None:
    async with poisoned(folder) as (world, poison):
        try:
            if late:
                plan = await world.plan(steps(*STEPS), SAWYER)
            poison.spoil(pattern, SPOILS[name])
            if not late:
                plan = await world.plan(steps(*STEPS), SAWYER)
            await world.apply(plan)
        except OffboardError:
            pass
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error

        assert poison.hosts == {"graph.sandbox.invalid"}
        for _, path in world.writes():
            assert path.split("/")[2] == SAWYER or path.startswith(HERS), (name, path)
        if (folder / "audit.jsonl").stat().st_size:
            assert verify(folder / "audit.jsonl").ok
