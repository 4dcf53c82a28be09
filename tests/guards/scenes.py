"""For each guard: a scene that it alone stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from offboard.graph.token import TokenInfo
from offboard.model import Change, Effect, LeaverPlan, Plan, Playbook, Ref
from offboard.settings.tenantconfig import Freeze
from tests.world import SAWYER, START, World, steps

ALEX = "a0000000-0000-4000-8000-000000000004"
ADMIN = "a0000000-0000-4000-8000-000000000005"
PATTI = "a0000000-0000-4000-8000-000000000006"
BREAKGLASS = "a0000000-0000-4000-8000-000000000007"
NESTOR = "a0000000-0000-4000-8000-000000000017"
DIEGO = "a0000000-0000-4000-8000-000000000018"
MIRIAM = "a0000000-0000-4000-8000-000000000008"
CHRIS = "a0000000-0000-4000-8000-000000000015"
LYNNE = "a0000000-0000-4000-8000-000000000010"
INFO = "info@contoso.com"
ROOM = "a0000000-0000-4000-8000-000000000012"
SYNC = "a0000000-0000-4000-8000-000000000020"
FINANCE_EVERYONE = "b0000000-0000-4000-8000-000000000009"
CONSOLE = "c0000000-0000-4000-8000-000000000002"
PEOPLE = (
    "SawyerM@contoso.com",
    "MeganB@contoso.com",
    "AdeleV@contoso.com",
    "IsaiahL@contoso.com",
    "Miles.O'Brien@contoso.com",
    "ChrisG@contoso.com",
    "JoniS@contoso.com",
)
"""Nobody special."""
NOW = Freeze(START - timedelta(days=1), START + timedelta(days=1), "year end")


@dataclass(frozen=True)
class Scene:
    """One.

    Args:
        users: Who is to leave.
        keys: Of the tenant's guards.
        steps: Of the playbook.
        caller: Who is signed in; nobody when None.
    """

    users: tuple[str, ...] = (SAWYER,)
    keys: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[str, ...] = ("disable-user", "revoke-sessions")
    caller: str | None = None

    def set_up(self, world: World) -> Playbook:
        """The tenant's guards and whoever is signed in; returns the playbook."""
        limit(world, **self.keys)
        if self.caller is not None:
            sign_in(world, self.caller)
        return steps(*self.steps)


def limit(world: World, **keys: Any) -> None:
    """The tenant's guards, from now on."""
    world.tenant = replace(world.tenant, guards=replace(world.tenant.guards, **keys))


def sign_in(world: World, person: str) -> None:
    """Somebody is signed in with the Offboarding Console."""
    scopes = frozenset({"Directory.AccessAsUser.All"})
    wids = frozenset({"62e90394-69f5-4237-9190-012177145e10"})
    world.connection._credential.info = TokenInfo("delegated", scopes, frozenset(), wids, person, CONSOLE)


SCENES: dict[str, Scene] = {
    "emergency_access": Scene(keys={"emergency_access": (SAWYER,)}),
    "protected_users": Scene(keys={"protected_users": ("sawyerm@contoso.com",)}),
    "protected_groups": Scene(keys={"protected_groups": (FINANCE_EVERYONE,)}),
    "self": Scene(caller=SAWYER),
    "app_owner": Scene((ADMIN,), {"administrators": "warn"}, caller=PATTI),
    "sync_accounts": Scene((SYNC,), {"administrators": "warn"}),
    "administrators": Scene((ALEX,)),
    "last_global_administrators": Scene((PATTI,), {"administrators": "warn", "emergency_access": (BREAKGLASS,)}),
    "synced": Scene((LYNNE,)),
    "mailboxes": Scene((ROOM,)),
    "max_leavers": Scene(PEOPLE[:3], {"max_leavers": 2}),
    "max_percent": Scene(PEOPLE[:6]),
    "max_wipes": Scene(keys={"max_wipes": 0}, steps=("wipe-devices",)),
    "max_deletes": Scene(PEOPLE[:2], {"max_deletes": 1}, ("delete-user",)),
    "freeze": Scene(keys={"freeze": (NOW,)}),
}
"""What the sandbox can be brought to."""


def with_device(plan: Plan, verb: str, effect: Effect, kind: str = "device") -> Plan:
    """The plan, with a change of a device that no action of today would plan."""
    change = Change(verb, Ref(kind, "d0000000-0000-4000-8000-000000000001", "Sawyer Laptop"), effect=effect)

    def changed(each: LeaverPlan) -> LeaverPlan:
        first = replace(each.steps[0], changes=(*each.steps[0].changes, change))
        return replace(
            each, steps=(first, *each.steps[1:]), fingerprint={**each.fingerprint, "staying": [change.target.id]}
        )

    return replace(plan, leavers=tuple(map(changed, plan.leavers)))


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
