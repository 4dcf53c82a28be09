"""Each guard stops what it is there for, alone; taken away, the same thing goes through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offboard.errors import Refused
from offboard.guards import GUARDS, History, SignedIn, Surroundings, judge, parse_override
from offboard.model import Effect, Plan
from offboard.runs.planning import Wanted
from offboard.sandbox.seedfile import contoso
from tests.desk import begin
from tests.guards.scenes import (
    ADMIN,
    ALEX,
    BREAKGLASS,
    CHRIS,
    DIEGO,
    FINANCE_EVERYONE,
    INFO,
    LYNNE,
    MIRIAM,
    NESTOR,
    PATTI,
    PEOPLE,
    SCENES,
    SYNC,
    limit,
    sign_in,
    with_device,
)
from tests.world import DANA, SAWYER, START, World, a_world, steps

pytestmark = pytest.mark.anyio
CALM = Surroundings(START, SignedIn())


def stops(plan: Plan) -> set[str]:
    """The guards that stop the plan as made."""
    return {o.guard for each in plan.leavers for o in each.objections if o.severity == "stop"}


@pytest.mark.parametrize("name", SCENES)
async def test_a_guard_stops_its_scene_before_anything_is_written(tmp_path: Path, name: str) -> None:
    async with a_world(tmp_path) as world:
        book = SCENES[name].set_up(world)
        plan = await world.plan(book, *SCENES[name].users)
        said = [o.guard for each in plan.leavers for o in each.objections]
        with pytest.raises(Refused) as refused:
            await world.apply(plan)

        assert name in said, "the reviewer is told"
        assert {detail.partition(":")[0] for detail in refused.value.details} == {name}
        assert world.writes() == []
        assert world.store.consumed_by(plan.id) is None
        assert "Nothing was written" in refused.value.todo


@pytest.mark.parametrize("name", SCENES)
async def test_without_the_guard_its_scene_goes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delitem(GUARDS, name)
    async with a_world(tmp_path) as world:
        book = SCENES[name].set_up(world)
        await world.apply(await world.plan(book, *SCENES[name].users))

        assert world.writes() != []


def test_every_guard_that_stops_has_a_scene_or_a_test_of_its_own() -> None:
    elsewhere = {"approver", "guests", "shared_devices"}

    assert set(GUARDS) == set(SCENES) | elsewhere


# -- those that no action of today and no tenant can be brought to ----------------------------------------------------


async def a_plan(folder: Path, *users: str) -> Plan:
    async with a_world(folder) as world:
        return await world.plan(steps("disable-user"), *(users or (SAWYER,)))


async def judged(folder: Path, plan: Plan, around: Surroundings = CALM) -> list[str]:
    """What stops the plan when it is about to be carried out, under the default guards."""
    async with a_world(folder) as world:
        said = judge(plan, world.tenant.guards, around, binding=True)
        return [stop for each in plan.leavers for stop in said.stops(each.leaver.id)]


async def test_a_device_that_belongs_to_somebody_who_stays_is_not_taken_away(tmp_path: Path) -> None:
    plan = await a_plan(tmp_path)

    assert await judged(tmp_path, plan) == []
    (stop,) = await judged(tmp_path, with_device(plan, "disable", Effect.REVERSIBLE))
    assert stop.startswith("shared_devices: disable Sawyer Laptop")
    assert await judged(tmp_path, with_device(plan, "unown", Effect.REVERSIBLE)) == []
    for verb in ("wipe", "retire"):
        (stop,) = await judged(tmp_path, with_device(plan, verb, Effect.IRREVERSIBLE, "managedDevice"))
        assert stop.startswith(f"shared_devices: {verb} Sawyer Laptop")


async def test_what_intune_manages_and_somebody_else_uses_is_known_to_the_guard(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("wipe-devices"), SAWYER)

        assert "e0000000-0000-4000-8000-000000000001" in plan.leavers[0].fingerprint["staying"]
        assert "e0000000-0000-4000-8000-000000000002" not in plan.leavers[0].fingerprint["staying"]


async def test_wipes_are_counted_over_a_day(tmp_path: Path) -> None:
    plan = with_device(await a_plan(tmp_path), "wipe", Effect.IRREVERSIBLE)
    plan = replace(plan, leavers=(replace(plan.leavers[0], fingerprint={}),))
    before = [frozenset(f"d{n}" for n in range(many)) for many in (4, 5)]
    around = [replace(CALM, history=History(wipes=wipes)) for wipes in before]

    assert await judged(tmp_path, plan, around[0]) == []
    (stop,) = await judged(tmp_path, plan, around[1])
    assert stop.startswith("max_wipes: 1 wiped device now, and with those of the last 24 hours 6")


async def test_whoever_approves_is_no_leaver(tmp_path: Path) -> None:
    plan = await a_plan(tmp_path)

    for name in ("sawyerm@CONTOSO.com", SAWYER):
        (stop,) = await judged(tmp_path, plan, replace(CALM, approvers=frozenset({name})))
        assert stop.startswith("approver: Sawyer Miller (SawyerM@contoso.com)")
    assert await judged(tmp_path, plan, replace(CALM, approvers=frozenset({"erin@contoso.com"}))) == []


# -- what each looks at -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (ALEX, "User Administrator"),
        (NESTOR, "Global Administrator (eligible)"),
        (NESTOR, "Helpdesk Administrator as owner of the group Service Desk Rota"),
        (DIEGO, "Helpdesk Administrator through the group Service Desk Rota"),
        (SYNC, "Directory Synchronization Accounts"),
        (CHRIS, "Helpdesk Administrator through the group Service Desk Rota, for which eligible"),
    ],
)
async def test_an_administrator_is_known_in_every_way_in_which_one_may_be(tmp_path: Path, user: str, words: str) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), user)
        (said,) = [o for o in plan.leavers[0].objections if o.guard == "administrators"]

        assert said.severity == "stop"
        assert words in said.reason
        assert plan.leavers[0].leaver.user_principal_name in said.reason


async def test_a_role_given_after_the_review_stops_the_apply(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), SAWYER)
        body = {
            "principalId": SAWYER,
            "roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1",
            "directoryScopeId": "/",
        }
        world.graph("POST", "/roleManagement/directory/roleAssignments", body)
        before = world.writes()
        with pytest.raises(Refused, match="guards stop"):
            await world.apply(plan)

        assert world.writes() == before


async def test_a_role_given_between_the_check_and_the_first_write_stops_it_too(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("revoke-sessions"), SAWYER)
        applier = world.applier("run-1", plan)
        await applier.check(plan)
        world.graph("POST", f"/groups/{FINANCE_EVERYONE}/members/$ref", {"@odata.id": f"/users/{SAWYER}"})
        before = world.writes()
        limit(world, protected_groups=(FINANCE_EVERYONE,))
        applier.limits = world.tenant.guards
        outcome = await begin(applier, plan, "run-1")

        assert outcome.exit_code() == 3
        assert "protected group" in outcome.leavers[0].refused[0]
        assert world.writes() == before


async def test_two_global_administrators_must_be_left_all_pending_runs_counted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        later = START.replace(year=START.year + 1)
        await world.apply(await world.plan(steps("disable-user"), BREAKGLASS, leave=later))
        plan = await world.plan(steps("disable-user"), PATTI)

        assert stops(plan) == {"last_global_administrators"}
        assert "1 would be left" in next(o.reason for o in plan.leavers[0].objections if o.severity == "stop")


async def test_two_of_three_global_administrators_in_one_plan_are_one_too_many(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        one = await world.plan(steps("disable-user"), PATTI)
        two = await world.plan(steps("disable-user"), PATTI, BREAKGLASS)

        assert stops(one) == set()
        assert stops(two) == {"last_global_administrators"}


async def test_a_global_administrator_who_cannot_sign_in_is_nobody_to_count_on(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        world.graph("PATCH", f"/users/{BREAKGLASS}", {"accountEnabled": False})

        assert stops(await world.plan(steps("disable-user"), PATTI)) == {"last_global_administrators"}
        assert stops(await world.plan(steps("revoke-sessions"), BREAKGLASS)) == set()


async def test_a_global_administrator_for_some_hours_through_a_group_is_nobody_to_count_on(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        seed = contoso()
        temporary = {"displayName": "Admins", "isAssignableToRole": True, "roles": ["Global Administrator"]}
        seed["groups"].append({**temporary, "members": ["MeganB@contoso.com"]})
        world.sandbox.reset(seed)
        limit(world, administrators="warn", emergency_access=(BREAKGLASS,))
        assert stops(await world.plan(steps("disable-user"), PATTI)) == set(), "Megan is one for good"
        seed["groups"][-1]["eligible_members"] = ["MeganB@contoso.com"]
        world.sandbox.reset(seed)

        assert stops(await world.plan(steps("disable-user"), PATTI)) == {"last_global_administrators"}


async def test_who_is_signed_in_is_refused_in_a_batch_and_the_others_go_without(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        sign_in(world, SAWYER)
        plan = await world.plan(steps("disable-user"), SAWYER, "IsaiahL@contoso.com")
        assert stops(plan) == {"self"}
        with pytest.raises(Refused):
            await world.apply(plan)
        assert world.writes() == []

        await world.apply(await world.plan(steps("disable-user"), "IsaiahL@contoso.com"))
        assert len(world.writes()) == 1


async def test_a_protected_name_that_nobody_has_is_warned_of(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, protected_users=("president@contoso.com", "PattiF@contoso.com"))
        plan = await world.plan(steps("disable-user"), SAWYER)
        (said,) = [o for o in plan.leavers[0].objections if o.guard == "protected_users"]

        assert said.severity == "warn"
        assert "president@contoso.com" in said.reason
        assert "PattiF" not in said.reason


async def test_a_protected_person_who_was_renamed_after_the_review_is_protected_by_the_id(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("disable-user"), SAWYER)
        limit(world, protected_users=(SAWYER.upper(),))
        with pytest.raises(Refused):
            await world.apply(plan)
        assert world.writes() == []


async def test_guests_and_synchronized_users_are_told_what_does_not_work(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps("revoke-sessions"), DANA, LYNNE)
        said = {o.guard: o for each in plan.leavers for o in each.objections}

        assert "revoking sessions has no effect there" in said["guests"].reason
        assert "Active Directory" in said["synced"].reason
        assert "twice" in said["synced"].reason
        assert (said["guests"].severity, said["synced"].severity) == ("warn", "stop")


async def test_a_synchronized_user_is_written_to_only_with_an_override_and_only_where_that_holds(tmp_path: Path) -> None:
    everything = ("disable-user", "revoke-sessions", "reset-password", "remove-licenses", "remove-groups", "delete-user")
    async with a_world(tmp_path) as world:
        plan = await world.plan(steps(*everything), LYNNE)
        with pytest.raises(Refused) as refused:
            await world.apply(plan)
        assert world.writes() == []
        assert "Disable the account in Active Directory and reset its password there twice" in refused.value.details[0]
        assert "--override synced:USER=REASON" in refused.value.todo

        maker = replace(world.maker(), overrides=[parse_override("synced=disabled on-premises, HR-4711")])
        outcome = await world.apply(await maker.make(steps(*everything), [Wanted(LYNNE, None, {})]))
        assert world.writes() == [
            ("POST", f"/users/{LYNNE}/revokeSignInSessions"),
            ("POST", f"/users/{LYNNE}/assignLicense"),
        ]
        assert outcome.exit_code() == 1, "what is to be done on-premises stays open"


async def test_a_tenant_may_ask_to_be_warned_only_of_synchronized_users(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, synced="warn")
        await world.apply(await world.plan(steps("revoke-sessions"), LYNNE))

        assert len(world.writes()) == 1


async def about_mailboxes(world: World, *users: str, book: str = "revoke-sessions") -> list[list[tuple[str, str]]]:
    plan = await world.plan(steps(book), *users)
    return [[(o.severity, o.reason) for o in each.objections if o.guard == "mailboxes"] for each in plan.leavers]


@pytest.mark.parametrize("severity", ["stop", "warn"])
async def test_what_may_be_a_shared_mailbox_is_not_known_to_be_a_person(tmp_path: Path, severity: str) -> None:
    async with a_world(tmp_path) as world:
        limit(world, mailboxes=severity)
        info, isaiah = await about_mailboxes(world, INFO, "IsaiahL@contoso.com")

        assert ([said for said, _ in info], isaiah) == ([severity], [])
        assert "may be a shared mailbox" in info[0][1]


async def test_who_gets_back_what_an_earlier_run_took_is_no_mailbox(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        assert await about_mailboxes(world, INFO, book="enable-user") == [[]]


@pytest.mark.parametrize(
    ("user", "words"), [(INFO, "is a shared mailbox"), ("AdeleV@contoso.com", "is a room"), ("IsaiahL@contoso.com", "")]
)
async def test_what_exchange_says_of_a_mailbox_counts_whatever_it_looks_like(
    tmp_path: Path, user: str, words: str
) -> None:
    async with a_world(tmp_path) as world:
        seed = contoso()
        adele = next(each for each in seed["people"] if each["userPrincipalName"] == "AdeleV@contoso.com")
        adele["mailbox"] = "room"
        world.sandbox.reset(seed)
        limit(world, read_mailboxes=True, mailboxes="warn")
        (said,) = await about_mailboxes(world, user)

        assert [severity for severity, _ in said] == (["stop"] if words else [])
        assert all(words in reason for _, reason in said)


async def test_a_disabled_person_whom_exchange_knows_as_one_is_no_mailbox(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        seed = contoso()
        next(each for each in seed["people"] if each["userPrincipalName"] == INFO)["mailbox"] = "user"
        world.sandbox.reset(seed)
        assert await about_mailboxes(world, INFO) != [[]]
        limit(world, read_mailboxes=True)

        assert await about_mailboxes(world, INFO) == [[]]


async def test_a_leaver_who_became_a_shared_mailbox_after_the_review_is_not_touched(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, read_mailboxes=True)
        plan = await world.plan(steps("disable-user"), "IsaiahL@contoso.com")
        seed = contoso()
        next(each for each in seed["people"] if each["userPrincipalName"] == "IsaiahL@contoso.com")["mailbox"] = "shared"
        world.sandbox.reset(seed)
        with pytest.raises(Refused) as refused:
            await world.apply(plan)

        assert [detail.partition(":")[0] for detail in refused.value.details] == ["mailboxes"]
        assert world.writes() == []


async def test_mailboxes_are_read_only_where_the_tenant_wants_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await world.run(steps("disable-user"), "IsaiahL@contoso.com")
        assert all("mailboxSettings" not in request.path for request in world.sandbox.requests())
        assert all(need["action"] != "Mailboxes" for need in (await world.plan(steps("disable-user"), SAWYER)).needs)
        limit(world, read_mailboxes=True)
        assert "Mailboxes" in [need["action"] for need in (await world.plan(steps("disable-user"), SAWYER)).needs]


async def test_a_tenant_that_names_no_account_for_emergencies_is_told_before_anything_is_deleted(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:

        async def said(*written: str) -> list[str]:
            plan = await world.plan(steps(*written), "IsaiahL@contoso.com")
            return [
                o.reason for o in plan.leavers[0].objections if o.guard == "emergency_access" and o.severity == "warn"
            ]

        assert await said("delete-user") == [], "nobody is signed in: a simulated tenant"
        sign_in(world, PATTI)
        (told,) = await said("disable-user", "{action: delete-user, due: T+30d}")
        assert "emergency_access = [" in told
        assert await said("disable-user") == []
        limit(world, emergency_access=(BREAKGLASS,))
        assert await said("delete-user") == []


async def test_an_owner_of_the_app_is_stopped_whoever_is_signed_in_with_it(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        limit(world, administrators="warn")
        sign_in(world, PATTI)

        assert stops(await world.plan(steps("disable-user"), ADMIN)) == {"app_owner"}
        assert stops(await world.plan(steps("disable-user"), MIRIAM)) == {"app_owner"}, "owner of the registration only"
        assert stops(await world.plan(steps("disable-user"), *PEOPLE[:2])) == set()


def test_what_the_guards_read_is_declared(tmp_path: Path) -> None:
    from offboard.permissions import least, needs

    found = needs(steps("disable-user").steps)
    assert {need.action for need in found if need.step == "guards"} == {"Roles", "Groups", "Users", "App", "Eligible"}
    assert "RoleManagement.Read.Directory" in least(found, "application")


async def test_one_leaver_still_costs_seven_requests(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        await one_process(world)
        assert world.http_requests() <= 7


async def one_process(world: World) -> None:
    """`offboard run`: one reader for the plan and for carrying it out."""
    maker = world.maker()
    from offboard.runs.planning import Wanted
    from tests.world import SEED

    plan = await maker.make(steps(*SEED), [Wanted("SawyerM@contoso.com", None, {})])
    applier = world.applier("run-1", plan)
    applier.tools.reader = maker.reader
    await applier.check(plan)
    outcome = await begin(applier, plan, "run-1")
    assert outcome.exit_code() in (0, 1)
