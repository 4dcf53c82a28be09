"""A guard is lifted by name, for a person, with a reason; the plan and the audit say so; some are never lifted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offboard.errors import Refused, UsageError
from offboard.guards import GUARDS, parse_override, with_overrides
from offboard.planfile import dump, load
from offboard.settings.configkeys import GUARDS as KEYS
from tests.cli.conftest import Offboard
from tests.guards.scenes import ALEX, PEOPLE, SCENES, limit
from tests.world import a_world, steps

ALEX_NAME = "AlexW@contoso.com"


def test_a_run_with_an_override_is_carried_out_and_the_audit_says_why(offboard: Offboard) -> None:
    book = ("run", "emergency", ALEX_NAME, "--yes")
    assert offboard(*book).code == 3
    said = offboard(*book, "--override", f"administrators:{ALEX_NAME}=incident 4711")
    (record,) = offboard("--json", "audit", "show", "--event", "guard-overridden").lines

    assert said.code in (0, 1), said.err
    assert "Overridden by" in " ".join(said.out.split())
    assert (record["why"], record["leaver"]["upn"]) == ("incident 4711", ALEX_NAME)
    assert record["detail"]["guard"] == "administrators"


def test_an_override_is_part_of_what_is_reviewed(offboard: Offboard, tmp_path: Path) -> None:
    out = str(tmp_path / "plan.json")
    offboard("plan", "leaver", ALEX_NAME, "--override", "administrators=HR-4711", "--out", out)
    data = (tmp_path / "plan.json").read_bytes()
    plan = load(data, "plan")

    assert [(o.guard, o.reason) for o in plan.leavers[0].overrides] == [("administrators", "HR-4711")]
    assert dump(plan) == data
    with pytest.raises(Refused, match="edited"):
        load(data.replace(b"HR-4711", b"HR-4712"), "plan")
    assert "HR-4711" in offboard("show", out).out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("administrators", "gives no reason"),
        ("administrators=", "gives no reason"),
        ("administrators:AlexW@contoso.com=  ", "gives no reason"),
        ("adminstrators=because", "no guard"),
        ("max_leavers:AlexW@contoso.com=because", "about the run as a whole"),
        *((f"{name}=because", "cannot be overridden") for name, guard in GUARDS.items() if not guard.overridable),
    ],
)
def test_an_override_that_says_too_little_or_asks_too_much_is_refused(offboard: Offboard, text: str, words: str) -> None:
    said = offboard("run", "leaver", "SawyerM@contoso.com", "--yes", "--override", text)

    assert said.code == 2
    assert words in " ".join(said.err.split())


def test_those_that_nobody_lifts() -> None:
    assert {name for name, guard in GUARDS.items() if not guard.overridable} == {
        "emergency_access",
        "self",
        "approver",
        "sync_accounts",
        "last_global_administrators",
    }


@pytest.mark.anyio
async def test_an_override_names_one_leaver_and_lifts_nothing_for_the_others(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        maker = world.maker()
        maker.overrides = (parse_override(f"administrators:{ALEX}=HR-4711"),)
        from offboard.runs.planning import Wanted

        names = [ALEX_NAME, "MiriamG@contoso.com"]
        plan = await maker.make(steps("disable-user"), [Wanted(name, None, {}) for name in names])
        with pytest.raises(Refused) as refused:
            await world.apply(plan)

        assert len(refused.value.details) == 1
        assert "MiriamG" in refused.value.details[0]
        assert world.writes() == []


@pytest.mark.anyio
async def test_an_override_for_nobody_of_the_plan_or_for_nobody_in_particular_is_an_error(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), *PEOPLE[:2])
        for text, words in (
            ("administrators=because", "for whom of the 2 leavers"),
            ("administrators:AlexW@contoso.com=because", "not among the leavers"),
        ):
            with pytest.raises(UsageError, match=words):
                with_overrides(plan, [parse_override(text)], "tester")


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name for name in SCENES if GUARDS[name].overridable])
async def test_each_guard_that_may_be_lifted_is_lifted(tmp_path: Path, name: str) -> None:
    async with a_world(tmp_path) as world:
        book = SCENES[name].set_up(world)
        from offboard.runs.planning import Wanted

        maker = world.maker()
        maker.overrides = (parse_override(f"{name}=HR-4711"),)
        plan = await maker.make(book, [Wanted(user, None, {}) for user in SCENES[name].users])
        await world.apply(plan)

        assert world.writes() != []
        assert {record["detail"]["guard"] for record in world.records("guard-overridden")} == {name}


@pytest.mark.anyio
async def test_an_override_needs_the_approval_that_the_tenant_asks_for(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, approval="irreversible")
        from offboard.runs.planning import Wanted

        maker = world.maker()
        plain = await maker.make(steps("disable-user"), [Wanted(PEOPLE[0], None, {})])
        maker.overrides = (parse_override("administrators=HR-4711"),)
        plan = await maker.make(steps("disable-user"), [Wanted(ALEX_NAME, None, {})])
        with pytest.raises(Refused, match="not approved"):
            await world.apply(plan)

        assert world.writes() == []
        await world.apply(plain)
        assert len(world.writes()) == 1


def test_the_page_of_guards_names_every_guard_its_keys_and_whether_it_can_be_lifted() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guards.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")]
    listed = {row[0].strip("`"): row for row in rows}
    keys = set(re.findall(r"`(\w+) = ", "".join(row[2] for row in rows)))

    assert set(listed) == set(GUARDS)
    lifted = {name: row[3] for name, row in listed.items() if name != "guests"}
    assert lifted == {name: "yes" if GUARDS[name].overridable else "never" for name in lifted}
    assert keys == set(KEYS) - {"approval", "approvers", "allowed_signers"}
