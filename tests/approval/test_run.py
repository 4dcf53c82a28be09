"""An approval is consumed with its plan, and holds for all that the plan still has to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from offboard.approval import Approval, judge
from offboard.approval.signers import parse_signers
from offboard.cli.session import new_run_id
from offboard.errors import Refused
from offboard.model import Plan
from offboard.runs.apply import Applier
from offboard.settings.tenantconfig import Guards
from tests.approval.people import Person
from tests.desk import begin, carry_on
from tests.world import ADELE, SAWYER, START, World, a_world, steps

pytestmark = pytest.mark.anyio
ADELE_V = Person("AdeleV@contoso.com")
WEEKS = ("disable-user", "{action: delete-user, due: T+30d}")


def approved(plan: Plan, person: Person) -> tuple[Approval, ...]:
    signers = parse_signers(person.line(), "allowed_signers")
    return judge(plan, [person.offer(plan)], signers, START + timedelta(minutes=1))


def applier(world: World, plan: Plan, run: str, *approvals: Approval) -> Applier:
    """As `World.applier`, in a tenant that asks for an approval of every plan."""
    found = world.applier(run, plan)
    found.limits, found.approvals = Guards(approval="all"), approvals
    return found


async def test_the_tenant_knows_the_approver_and_the_store_keeps_the_approval(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan, run = await world.plan(steps(*WEEKS), "SawyerM@contoso.com"), new_run_id()
        going = applier(world, plan, run, *approved(plan, ADELE_V))
        await going.check(plan)
        await begin(going, plan, run)
        assert [a.approver for a in world.store.approvals(run)] == ["AdeleV@contoso.com"]
        world.time.jump(days=30, hours=1)
        later = applier(world, plan, run)
        await later.tools.reader.tenant("sandbox")
        await carry_on(later, run)
        assert ("DELETE", f"/users/{SAWYER}") in world.writes()


async def test_a_later_phase_of_a_run_that_nobody_approved_is_held_where_one_is_needed(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan, run = await world.plan(steps(*WEEKS), "SawyerM@contoso.com"), new_run_id()
        await begin(world.applier(run, plan), plan, run)
        world.time.jump(days=30, hours=1)
        later = applier(world, plan, run)
        await later.tools.reader.tenant("sandbox")
        await carry_on(later, run)
        assert ("DELETE", f"/users/{SAWYER}") not in world.writes()
        assert "is not approved" in world.records("refused")[-1]["why"]


async def test_a_second_address_of_a_leaver_is_the_leaver(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{SAWYER}", {"mail": "s.m@contoso.com"})
        before = world.writes()
        with pytest.raises(Refused, match="is a leaver"):
            await applier(world, plan, "r", *approved(plan, Person("s.m@contoso.com"))).check(plan)
        assert world.writes() == before


async def test_an_approver_who_may_no_longer_sign_in_approves_nothing(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), "SawyerM@contoso.com")
        world.graph("PATCH", f"/users/{ADELE}", {"accountEnabled": False})
        with pytest.raises(Refused, match="is disabled in the tenant"):
            await applier(world, plan, "r", *approved(plan, ADELE_V)).check(plan)
        assert world.store.consumed_by(plan.id) is None
