"""Plans built by hand, as the planner makes them: the article's people and devices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from offboard.actions import ACTIONS
from offboard.model import (
    Change,
    Doing,
    Due,
    Effect,
    Leaver,
    LeaverPlan,
    Note,
    Objection,
    OnFailure,
    Outcome,
    Plan,
    PlannedStep,
    Playbook,
    Ref,
    Result,
    Step,
    Table,
    Tenant,
)
from offboard.permissions import as_json, needs

NOW = datetime(2026, 11, 23, 17, 5, 12, tzinfo=UTC)
SAWYER = Leaver(
    "2b6f0c1d-51c4-4c0b-9d6e-0f4a3e7b8c21",
    "SawyerM@contoso.com",
    "Sawyer Miller",
    {
        "userType": "Member",
        "accountEnabled": True,
        "onPremisesSyncEnabled": False,
        "department": "Finance",
        "jobTitle": "Analyst",
        "employeeId": "10427",
        "mail": "SawyerM@contoso.com",
        "manager": "Megan Bowen",
        "createdDateTime": "2021-03-01T08:12:00Z",
        "devices": 2,
        "licenses": 3,
        "roles": [],
    },
)
LAPTOP = Ref("device", "1d0c4f5a-6a0e-4b8e-8f0a-3d1c9b7e2a10", "Sawyer Laptop")
DESKTOP = Ref("device", "77ab2e9c-0d5b-4f3a-a1c4-5e8f6d7b9c31", "Woodgrove Desktop")
E3 = Ref("license", "05e9a617-0261-4cee-bb44-138d3ef5d965", "Microsoft 365 E3")
VISIO = Ref("license", "c5928f49-12ba-48f7-ada3-0d743a3601d5", "Visio Plan 2")
POWER_BI = Ref("license", "f8a1db68-be16-40ed-86d5-cb42ce701560", "Power BI Pro")

ACTION_NAMES = (
    "disable-user",
    "revoke-sessions",
    "reset-password",
    "unown-devices",
    "disable-devices",
    "remove-licenses",
    "delete-user",
)
AT_ONCE = Due()
DELETED = Table(
    "Deleted users",
    ("id", "userPrincipalName", "displayName", "accountEnabled", "deletedDateTime", "age_days", "userType"),
    (
        {
            "id": "8a1f6c7e-22b1-4a5d-9f10-7c3e5b2d4a66",
            "userPrincipalName": "8a1f6c7e22b14a5d9f107c3e5b2d4a66AveryS@contoso.com",
            "displayName": "Avery Smith",
            "accountEnabled": False,
            "deletedDateTime": "2026-11-20T09:00:00Z",
            "age_days": 3,
            "userType": "Member",
        },
        {
            "id": "91d2a3b4-5c6d-4e7f-8091-a2b3c4d5e6f7",
            "userPrincipalName": "91d2a3b45c6d4e7f8091a2b3c4d5e6f7JonasB@contoso.com",
            "displayName": "Jonas Berg",
            "accountEnabled": None,
            "deletedDateTime": "2026-11-01T16:30:00Z",
            "age_days": 22,
            "userType": None,
        },
    ),
)


def changes(leaver: Leaver = SAWYER, devices: tuple[Ref, ...] = (LAPTOP, DESKTOP)) -> dict[str, tuple[Change, ...]]:
    """The changes of the article's steps, by action."""
    me = leaver.ref
    at = NOW + timedelta(days=30)
    return {
        "disable-user": (Change("disable", me, "enabled", "disabled"),),
        "revoke-sessions": (
            Change(
                "revoke",
                me,
                {"signInSessionsValidFromDateTime": "2026-11-02T07:58:11+00:00"},
                {"signInSessionsValidFromDateTime": "time of the call"},
            ),
        ),
        "reset-password": (
            Change(
                "set",
                me,
                {"lastPasswordChangeDateTime": "2026-08-14T06:30:02+00:00"},
                "a random password nobody will see",
            ),
        ),
        "unown-devices": tuple(
            Change("unown", d, {"owners": [leaver.display_name]}, {"owners": []}, data={"owner": leaver.id})
            for d in devices
        ),
        "disable-devices": (Change("disable", devices[-1], "enabled", "disabled"),),
        "remove-licenses": (
            Change("free", me, {E3.id: {"disabledPlans": []}, VISIO.id: {}}, "not assigned", parts=(E3, VISIO)),
        ),
        "delete-user": (Change("delete", me, "active user", "deleted user", effect=Effect.RECOVERABLE, until=at),),
    }


def notes(laptop: Ref = LAPTOP, power_bi: Ref = POWER_BI) -> dict[str, tuple[Note, ...]]:
    """What the article's steps leave as it is, by action."""
    return {
        "disable-devices": (
            Note(Doing.SKIP, laptop, "also used by Adele Vance; stays enabled", "shared-device", open=True),
        ),
        "remove-licenses": (
            Note(Doing.KEEP, power_bi, "comes with group BI-Users; leaves with it", "license-by-group", open=True),
        ),
    }


def leaver_plan(leaver: Leaver = SAWYER, *, delete: Due = AT_ONCE) -> LeaverPlan:
    """The article's steps for one leaver."""
    by, left = changes(leaver), notes()
    steps = []
    for name in ACTION_NAMES:
        due = delete if name == "delete-user" else Due()
        found = tuple(replace(c, until=c.until + timedelta(minutes=due.minutes)) if c.until else c for c in by[name])
        step = Step(name, name, due=due, on_failure=OnFailure.CONTINUE if "devices" in name else OnFailure.STOP)
        steps.append(PlannedStep(step, due.at(NOW), found, left.get(name, ())))
    return LeaverPlan(
        leaver,
        NOW,
        {"id": leaver.id},
        tuple(steps),
        consequences=(
            "Access tokens already issued stay valid for about 90 minutes after the run (Exchange, SharePoint and "
            "Teams: about 15); sessions that an application keeps for itself may live longer.",
            "Sawyer Miller can be restored until 2026-12-23 17:05Z; then the deletion is final.",
        ),
    )


def plan(*leavers: LeaverPlan, accept: tuple[str, ...] = ()) -> Plan:
    """A plan for these leavers; for Sawyer, when none are given."""
    chosen = leavers or (leaver_plan(),)
    steps = tuple(s.step for s in chosen[0].steps)
    return Plan(
        id="7f3a21c9-8c0e-4c69-b4a5-6e4d1f0b2a93",
        created=NOW,
        valid_until=NOW + timedelta(hours=24),
        tenant=Tenant("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "contoso.com", "sandbox"),
        playbook=Playbook("leaver-now", "Cut access now.", steps, accept=accept, digest="sha256:3e91c0aa" + "5d" * 28),
        leavers=tuple(chosen),
        actor="admin@contoso.com",
        needs=tuple(as_json(needs(s for s in steps if s.action in ACTIONS))),
        tool="offboard 0.1.0",
        digest="sha256:" + "9c4e01b7" * 8,
    )


def rich_plan() -> Plan:
    """One leaver with everything a plan can hold: objections, skips, unknowns, tables, later steps, irreversible ones."""
    base = leaver_plan(delete=Due.parse("T+30d"))
    more = (
        PlannedStep(
            Step("check-groups", "list-deleted-users", on_failure=OnFailure.PAUSE),
            NOW,
            notes=(Note(Doing.UNKNOWN, None, "the deleted users could not be read: 403", "deleted-unknown", open=True),),
        ),
        PlannedStep(Step("disable-user-2", "disable-user"), NOW, skipped='its condition does not hold: leaver.x == "y"'),
        PlannedStep(Step("revoke-sessions-2", "revoke-sessions"), NOW),
        PlannedStep(
            Step("purge-after-the-legal-hold-has-ended", "delete-user", due=Due.parse("T+60d")),
            NOW + timedelta(days=60),
            (Change("purge", base.leaver.ref, "deleted user", "gone", effect=Effect.IRREVERSIBLE),),
        ),
        PlannedStep(Step("list-deleted-users", "list-deleted-users"), NOW, tables=(DELETED,)),
    )
    objections = (
        Objection("last-admin", "stop", "Sawyer Miller is the last active Global Administrator"),
        Objection("young-account", "warn", "the account was created 3 days ago"),
    )
    return plan(replace(base, steps=base.steps + more, objections=objections), accept=("license-by-group",))


def person(number: int) -> Leaver:
    """One of many."""
    return Leaver(
        f"{number:08x}-51c4-4c0b-9d6e-0f4a3e7b8c21",
        f"person{number}@contoso.com",
        f"Person Number {number}",
        {"userType": "Member", "accountEnabled": True, "onPremisesSyncEnabled": number % 2 == 0},
    )


def results(failed: bool = False) -> tuple[Result, ...]:
    """How the article's steps ended."""
    at, found = NOW + timedelta(seconds=50), []
    for name, made in changes().items():
        for change in made:
            if failed and name == "disable-devices":
                why = "Graph refused (403 Authorization_RequestDenied)"
                todo = "You need Device.ReadWrite.All or the role Cloud Device Administrator."
                found.append(Result(Outcome.FAILED, name, change, why, at, todo))
                return tuple(found)
            found.append(Result(Outcome.CHANGED, name, change, at=at))
    return tuple(found)


def hostile_plan(text: str) -> Plan:
    """A plan in which everything that somebody else could have typed is this text."""
    leaver = replace(
        SAWYER,
        user_principal_name=text,
        display_name=text,
        about={**SAWYER.about, "department": text, "manager": text, "roles": [text], "devices": text, text: text},
    )
    laptop, desktop, power_bi = replace(LAPTOP, name=text), replace(DESKTOP, name=text), replace(POWER_BI, name=text)
    by = changes(leaver, (laptop, desktop))
    by["remove-licenses"] = (
        replace(by["remove-licenses"][0], parts=(replace(E3, name=text), replace(VISIO, name=text))),
    )
    left = notes(laptop, power_bi)
    steps = [
        PlannedStep(
            Step(name, name),
            NOW,
            by[name],
            tuple(replace(note, reason=f"also used by {text}") for note in left.get(name, ())),
        )
        for name in ACTION_NAMES
    ]
    rows = tuple({**row, "displayName": text, "userPrincipalName": text} for row in DELETED.rows)
    steps.append(PlannedStep(Step("list", "list-deleted-users"), NOW, tables=(replace(DELETED, rows=rows),)))
    steps.append(PlannedStep(Step("again", "disable-user"), NOW, skipped=f"its condition does not hold: {text}"))
    made = LeaverPlan(
        leaver,
        NOW,
        {},
        tuple(steps),
        (Objection("protected", "stop", text), Objection("young", "warn", text)),
        (f"The deletion also frees the licenses {text}.",),
    )
    base = plan(made)
    return replace(base, actor=text, tenant=Tenant("0a1b2c3d", text, text))
