"""What a playbook needs to be allowed: the least permissions, with the step that needs each.

Every action and every fact declares its own; this adds them up. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offboard.actions import ACTIONS
from offboard.facts import Account, FactType, Memberships
from offboard.model import JSON, Permissions, Step


@dataclass(frozen=True, slots=True)
class Need:
    """What one step, or reading for all of them, needs.

    Args:
        step: Step id; `reading` for the facts that the plan rests on, `guards` for what the guards must know.
        action: The action's name, or the fact's.
        permissions: Alternatives, least first.
    """

    step: str
    action: str
    permissions: Permissions


TENANT = Permissions(
    delegated=(("User.Read.All",), ("User.Read",), ("Organization.Read.All",), ("Directory.Read.All",)),
    application=(("User.Read.All",), ("Organization.Read.All",), ("Directory.Read.All",)),
)
"""To know which tenant one is signed in to. Source: https://learn.microsoft.com/graph/api/organization-list"""
READ_ROLES = Permissions(
    delegated=(
        ("RoleManagement.Read.Directory",),
        ("Directory.Read.All", "RoleEligibilitySchedule.Read.Directory"),
    ),
    application=(
        ("RoleManagement.Read.Directory",),
        ("Directory.Read.All", "RoleEligibilitySchedule.Read.Directory"),
    ),
    remark="To know administrators, eligible ones too; without it the guards stop every plan.",
)
"""Source: https://learn.microsoft.com/graph/api/rbacapplication-list-roleeligibilityscheduleinstances"""
GROUPS = Permissions(
    delegated=(("GroupMember.Read.All",), ("Group.Read.All",), ("Directory.Read.All",)),
    application=(("GroupMember.Read.All",), ("Group.Read.All",), ("Directory.Read.All",)),
    remark="Members of groups that hold roles or are protected.",
)
"""Source: https://learn.microsoft.com/graph/api/group-list-transitivemembers"""
COUNTING = Permissions(
    delegated=(("User.Read.All",), ("Directory.Read.All",)),
    application=(("User.Read.All",), ("Directory.Read.All",)),
    remark="How many people the tenant has, and which administrators can sign in.",
)
"""Source: https://learn.microsoft.com/graph/api/user-list"""
OWN_APP = Permissions(
    delegated=(("Application.Read.All",), ("Directory.Read.All",)),
    application=(("Application.Read.All",), ("Directory.Read.All",)),
    remark="Who owns the app that is signed in with.",
)
"""Source: https://learn.microsoft.com/graph/api/serviceprincipal-list"""
JOINING = Permissions(
    delegated=(("PrivilegedEligibilitySchedule.Read.AzureADGroup",),),
    application=(("PrivilegedEligibilitySchedule.Read.AzureADGroup",),),
    remark="Who may put themselves into a group that holds a role; pim_for_groups = false where nobody may.",
)
"""Source: https://learn.microsoft.com/graph/api/privilegedaccessgroup-list-eligibilityscheduleinstances"""
MAILBOXES = Permissions(
    delegated=(("MailboxSettings.Read",), ("MailboxSettings.ReadWrite",)),
    application=(("MailboxSettings.Read",), ("MailboxSettings.ReadWrite",)),
    remark="What each leaver's mailbox is for; Exchange tells it to an app only, and only with read_mailboxes = true.",
)
"""Source: https://learn.microsoft.com/graph/api/user-get-mailboxsettings"""
GUARDS = {"Roles": READ_ROLES, "Groups": GROUPS, "Users": COUNTING, "App": OWN_APP, "Eligible": JOINING}
"""What the guards read, besides the leavers."""
AS_THE_PERSON = "Directory.AccessAsUser.All"
"""A delegated token with this may do whatever the signed-in person's roles allow."""


def needs(steps: Iterable[Step], *, pim_for_groups: bool = True, read_mailboxes: bool = False) -> list[Need]:
    """What these steps need, reading first.

    Args:
        steps: Of a playbook.
        pim_for_groups: Whether the tenant's guards ask who may put themselves into groups that hold roles.
        read_mailboxes: Whether they ask Exchange what each leaver's mailbox is for.
    """
    steps = list(steps)
    facts: set[FactType] = {Account, Memberships}
    facts |= {fact for step in steps for fact in ACTIONS[step.action].reads}
    reading = [Need("reading", fact.__name__, fact.permissions) for fact in sorted(facts, key=lambda f: f.__name__)]
    return [
        Need("reading", "Tenant", TENANT),
        *reading,
        *(Need("guards", name, each) for name, each in GUARDS.items() if pim_for_groups or each is not JOINING),
        *([Need("guards", "Mailboxes", MAILBOXES)] if read_mailboxes else []),
        *(Need(step.id, step.action, ACTIONS[step.action].permissions) for step in steps),
    ]


def least(found: Iterable[Need], kind: str) -> list[str]:
    """The least set of permissions that covers all needs.

    Args:
        found: As from `needs`.
        kind: `delegated` or `application`.

    A permission that another chosen one already covers as an alternative is left out.
    """
    sides = [getattr(need.permissions, kind) for need in found]
    chosen: set[str] = set()
    for alternatives in sorted((s for s in sides if s), key=lambda s: len(s)):
        if not any(set(alternative) <= chosen for alternative in alternatives):
            chosen |= set(alternatives[0])
    return sorted(chosen)


def not_for_apps(found: Sequence[Need]) -> list[Need]:
    """The needs that no app can meet without a signed-in person."""
    return [need for need in found if not need.permissions.application]


def as_json(found: Iterable[Need]) -> list[dict[str, JSON]]:
    """For plans and `--json`."""
    return [
        {
            "step": need.step,
            "action": need.action,
            "delegated": [list(alternative) for alternative in need.permissions.delegated],
            "application": [list(alternative) for alternative in need.permissions.application],
            "roles": list(need.permissions.roles),
            "app_roles": list(need.permissions.app_roles),
            "remark": need.permissions.remark,
        }
        for need in found
    ]
