"""The wrong person is never taken for the right one: only an exact user principal name or object id selects."""

from __future__ import annotations

from pathlib import Path

import pytest

from offboard.errors import OffboardError
from tests.world import SAWYER, a_world, steps

pytestmark = pytest.mark.anyio
LOOK_ALIKES = (
    "Sawyer Miller",
    "SawyerM",
    "SawyerM@contoso",
    "SawyerM@contoso.com.example",
    "SawyerM@contoso.onmicrosoft.com",
    "Sawyer@contoso.com",
    "\u0405awyerM@contoso.com",  # a Cyrillic letter
    "SawyerM@cont\u03bfso.com",  # a Greek one
    "SawyerM%40contoso.com",
    "a0000000-0000-4000-8000-00000000001",
    "a0000000000040008000000000000001",
    "*",
)


@pytest.mark.parametrize("name", LOOK_ALIKES)
async def test_what_merely_looks_like_a_name_selects_nobody(tmp_path: Path, name: str) -> None:
    async with a_world(tmp_path) as world:
        with pytest.raises(OffboardError):
            await world.plan(steps("disable-user"), name)
        assert world.writes() == []


async def test_two_people_of_one_name_are_both_named_and_neither_is_taken(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        with pytest.raises(OffboardError) as error:
            await world.plan(steps("disable-user"), "Chris Green")
        assert "ChrisG@contoso.com" in str(error.value)
        assert "ChrisG2@contoso.com" in str(error.value)


@pytest.mark.parametrize("name", ["sawyerm@CONTOSO.com", SAWYER.upper()])
async def test_the_case_of_letters_makes_nobody_else(tmp_path: Path, name: str) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), name)
        assert [each.leaver.id for each in plan.leavers] == [SAWYER]
