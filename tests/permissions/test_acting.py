"""The roles of a leaver, as a plan names them, and who may act on their holder."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.guards.permission import acting
from offboard.permissions.roles import RESTRICTED, ROLES, who_may
from tests.world import a_world, steps

pytestmark = pytest.mark.anyio

LAST_HELD = {
    "AlexW@contoso.com": "User Administrator",
    "NestorW@contoso.com": "Global Administrator",
    "MiriamG@contoso.com": "Helpdesk Administrator",
}


@pytest.mark.parametrize("user", LAST_HELD)
async def test_active_and_eligible_roles_are_known_by_their_names(tmp_path: Path, user: str) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), user)
        (held,) = acting(plan).values()
        assert set(held) == {"disable-user"}
        assert LAST_HELD[user] in held["disable-user"]
        assert {role for role in held["disable-user"] if " the group " not in role} <= set(ROLES)


async def test_whoever_is_in_a_group_that_holds_roles_is_out_of_reach_for_all_but_the_highest(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        group = world.graph(
            "POST",
            "/groups",
            {
                "displayName": "Helpdesk Administrator friends",
                "mailEnabled": False,
                "mailNickname": "friends",
                "securityEnabled": True,
                "isAssignableToRole": True,
            },
        )
        body = {"principalId": group["id"], "roleDefinitionId": ROLES["Reports Reader"], "directoryScopeId": "/"}
        world.graph("POST", "/roleManagement/directory/roleAssignments", body)
        user = world.graph("GET", "/users/IsaiahL@contoso.com")["id"]
        ref = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{user}"}
        world.graph("POST", f"/groups/{group['id']}/members/$ref", ref)
        plan = await world.plan(steps("disable-user"), "IsaiahL@contoso.com")
        held = acting(plan)[user]["disable-user"]

        assert any(" the group " in role for role in held)
        assert who_may(held, password=False) == {"Global Administrator", "Privileged Authentication Administrator"}


def test_a_restricted_unit_stands_among_the_roles_and_lets_nobody_in() -> None:
    assert who_may(["User Administrator", RESTRICTED], password=False) == frozenset()
