"""Accounts that are not what a leaver usually is, and devices that belong to somebody who stays."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.guards.guard import Guard, Question, Said, who
from offboard.model import LeaverPlan

HARMS = ("disable", "delete", "wipe", "retire")
_AT_HOME = {
    "revoke-sessions": "revoking sessions",
    "reset-password": "a new password",
    "remove-sign-in-methods": "removing sign-in methods",
}
"""What happens where a guest is at home, and not here."""
_PERSONAL = ("manager", "jobTitle", "department", "employeeId")


def _synced(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    if each.leaver.about.get("onPremisesSyncEnabled") is True:
        yield Said(
            f"{who(each)} is mastered on-premises: what is changed here is refused or comes back with the next "
            "synchronization. Disable the account in Active Directory and reset its password there twice. What works here "
            "all the same, as revoking sessions and taking away licenses, is done once this is overridden.",
            asked.limits.synced,
        )


def _guests(each: LeaverPlan, _asked: Question) -> Iterator[Said]:
    leaver = each.leaver
    if leaver.about.get("userType") != "Guest" and "#EXT#" not in leaver.user_principal_name.upper():
        return
    actions = {planned.step.action for planned in each.steps}
    useless = [name for action, name in _AT_HOME.items() if action in actions]
    if useless:
        yield Said(
            f"{who(each)} is a guest and signs in at another organization: {' and '.join(useless)} "
            "has no effect there. "
            "Disabling or deleting the guest ends the access to this tenant.",
            "warn",
        )


def _mailboxes(each: LeaverPlan, _asked: Question) -> Iterator[Said]:
    about = each.leaver.about
    if about.get("isResourceAccount") is True:
        yield Said(
            f"{who(each)} is a resource account (a room, a device, a call queue), not a person. Take it out of use where it "
            "is managed: Exchange or Teams."
        )
    elif about.get("accountEnabled") is False and about.get("licensed") is False and not _personal(each):
        yield Said(
            f"{who(each)} may be a shared mailbox or a room rather than a person: disabled, without a license, manager, "
            "department, title or employee id. Graph does not tell them apart without a permission to read mailboxes. "
            "Look in Exchange.",
            "warn",
        )


def _personal(each: LeaverPlan) -> bool:
    return any(each.leaver.about.get(name) for name in _PERSONAL)


def _shared_devices(each: LeaverPlan, _asked: Question) -> Iterator[Said]:
    staying = set(each.fingerprint.get("staying") or ())
    for change in each.changes:
        if change.target.kind in ("device", "managedDevice") and change.target.id in staying and change.verb in HARMS:
            yield Said(
                f"{change.verb} {change.target.name}: the device also belongs to somebody who is not {who(each)}, or that "
                "cannot be told. Take the device off the plan."
            )


KINDS = (
    Guard("synced", "Users who are mastered on-premises.", _synced),
    Guard("guests", "What does not work for guests.", _guests),
    Guard("mailboxes", "Shared mailboxes and rooms, as far as Graph tells.", _mailboxes),
    Guard("shared_devices", "Devices that belong to somebody who stays.", _shared_devices),
)
