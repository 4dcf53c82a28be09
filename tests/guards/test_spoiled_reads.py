"""Whatever the tenant answers to what the guards ask: an error, a stop, or what is true; never a way through."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from offboard.errors import OffboardError
from tests.guards.scenes import ADMIN, ALEX, CHRIS, DIEGO, INFO, MIRIAM, NESTOR, PATTI, limit, sign_in
from tests.hostile.poison import body
from tests.hostile.test_every_read import SPOILS
from tests.hostile.test_graph_answers import poisoned
from tests.world import fault, steps

pytestmark = pytest.mark.anyio
GUARDED = {
    "the app": (r"^GET /servicePrincipals\?", ADMIN),
    "its registration": (r"^GET /applications\?", MIRIAM),
    "eligible roles": (r"^GET /roleManagement/directory/roleEligibility", NESTOR),
    "who may join a group": (r"^GET /identityGovernance/", CHRIS),
    "roles in force": (r"^GET /roleManagement/directory/roleAssignments", ALEX),
    "groups that hold roles": (r"^GET /groups\?", DIEGO),
    "members of such a group": (r"^GET /groups/[0-9a-f-]{36}/transitiveMembers", DIEGO),
    "mailboxes": (r"^GET /users/[0-9a-f-]{36}/mailboxSettings", INFO),
}


@pytest.mark.parametrize("spoiled", SPOILS)
@pytest.mark.parametrize("what", GUARDED)
async def test_nobody_who_is_guarded_comes_through_on_a_spoiled_answer(tmp_path: Path, what: str, spoiled: str) -> None:
    pattern, user = GUARDED[what]
    async with poisoned(tmp_path) as (world, poison):
        limit(world, read_mailboxes=True, mailboxes="stop", max_percent=100)
        if what in ("the app", "its registration"):
            limit(world, administrators="warn")
            sign_in(world, PATTI)
        poison.spoil(pattern, SPOILS[spoiled])
        with suppress(OffboardError):
            await world.apply(await world.plan(steps("disable-user", "revoke-sessions"), user))

        assert world.writes() == []


async def test_owners_that_are_left_out_of_an_answer_are_asked_for(tmp_path: Path) -> None:
    async with poisoned(tmp_path) as (world, poison):
        limit(world, administrators="warn")
        sign_in(world, PATTI)
        poison.spoil(r"^GET /applications\?", body(owners=None))
        plan = await world.plan(steps("disable-user"), MIRIAM)

        assert {o.guard for o in plan.leavers[0].objections if o.severity == "stop"} == {"app_owner"}


@pytest.mark.parametrize(("status", "told"), [(403, True), (400, False)])
async def test_only_a_refusal_is_said_to_be_mended_by_a_consent(tmp_path: Path, status: int, told: bool) -> None:
    async with poisoned(tmp_path) as (world, _):
        world.misbehave(fault("/roleManagement/directory/roleAssignments", "GET", status=status, times="all"))
        plan = await world.plan(steps("disable-user"), "IsaiahL@contoso.com")

        (said,) = [o.reason for o in plan.leavers[0].objections if o.guard == "administrators"]
        assert ("Consent to RoleManagement.Read.Directory" in said) is told, said
