"""Accounts that are not what a leaver usually is, and devices that belong to somebody who stays."""

from __future__ import annotations

from collections.abc import Iterator

from offboard.facts import Unreadable
from offboard.guards.guard import Guard, Question, Said, cannot_read, who
from offboard.model import LeaverPlan

HARMS = ("disable", "delete", "wipe", "retire")
_AT_HOME = {
    "revoke-sessions": "revoking sessions",
    "reset-password": "a new password",
    "remove-sign-in-methods": "removing sign-in methods",
}
"""What happens where a guest is at home, and not here."""
NOBODYS = {"shared": "a shared mailbox", "room": "a room", "equipment": "a piece of equipment"}
SOMEBODYS = ("user", "linked")
"""What a mailbox is for, in Graph's words; of what is not among them nothing is known."""
GIVES = ("enable", "restore", "assign", "add", "own")
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


def _mailboxes(each: LeaverPlan, asked: Question) -> Iterator[Said]:
    about, purpose = each.leaver.about, asked.around.mailboxes.get(each.leaver.id)
    if about.get("isResourceAccount") is True:
        yield Said(
            f"{who(each)} is a resource account (a room, a device, a call queue), not a person. Take it out of use where it "
            "is managed: Exchange or Teams."
        )
    elif isinstance(purpose, Unreadable):
        yield Said(cannot_read(f"whether the mailbox of {who(each)} is a person's cannot be told", purpose))
    elif purpose in NOBODYS:
        yield Said(
            f"{who(each)} is {NOBODYS[purpose]}, not a person: others may work with it. Take it out of use in Exchange."
        )
    elif purpose not in SOMEBODYS and _like_a_mailbox(each) and _takes(each):
        yield Said(
            f"{who(each)} may be a shared mailbox or a room rather than a person: it has a mail address and is disabled, "
            "without a license, manager, department, title or employee id. The directory does not tell them apart: look in "
            "Exchange, or let it be asked (read_mailboxes = true).",
            asked.limits.mailboxes,
        )


def _like_a_mailbox(each: LeaverPlan) -> bool:
    about = each.leaver.about
    bare = about.get("accountEnabled") is False and about.get("licensed") is False and not _personal(each)
    return bare and bool(about.get("mail"))


def _takes(each: LeaverPlan) -> bool:
    """Whether anything is taken away; who gets back what an earlier run took is disabled and bare for that reason."""
    return any(change.verb not in GIVES for change in each.changes)


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
    Guard("mailboxes", "Shared mailboxes, rooms and equipment, and what may be one.", _mailboxes),
    Guard("shared_devices", "Devices that belong to somebody who stays.", _shared_devices),
)
