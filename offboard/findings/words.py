"""What each finding means, for the terminal, `explain` and the reference page: one source for all three."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One kind of finding.

    Args:
        code: Stable; never given to another kind.
        severity: `warning` (the leaver can profit, or a step cannot work) or `remark` (worth knowing).
        title: One line; `{step}` stands for the step's id, `{parameter}` for the parameter's name.
        explanation: What happens, seen from the leaver's side.
        mend: What to write instead.
        bad: Steps in which it is found, as an author writes them; empty where no action of today can be written so.
        good: The same steps, mended.
    """

    code: str
    severity: str
    title: str
    explanation: str
    mend: str
    bad: str = ""
    good: str = ""

    def about(self, name: str) -> str:
        """The title, about this step or parameter."""
        return self.title.replace("{step}", name).replace("{parameter}", name)

    @property
    def general(self) -> str:
        """The title, about no step in particular."""
        return self.title.replace("the parameter {parameter}", "a parameter").replace("{step}", "a step")


_ALL = (
    Word(
        "OFB201",
        "warning",
        "sessions are revoked before the user is disabled",
        "Between the two, the leaver can sign in again and gets a new session, which the revocation no longer reaches.",
        "Disable first, or revoke once more afterwards.",
        bad="- revoke-sessions\n- disable-user",
        good="- disable-user\n- revoke-sessions",
    ),
    Word(
        "OFB202",
        "warning",
        "the user is disabled, and nobody revokes the sessions",
        "Disabling stops new sign-ins. Whoever is signed in stays so until the tokens expire: about an hour for most "
        "applications, longer for some.",
        "Add revoke-sessions after disable-user.",
        bad="- disable-user",
        good="- disable-user\n- revoke-sessions",
    ),
    Word(
        "OFB203",
        "warning",
        "{step} comes after the user is deleted and cannot work then",
        "A deleted user has no sign-in to disable, no password to set and no license to free. The step will be skipped "
        "for every leaver.",
        "Move it before delete-user.",
        bad="- delete-user\n- remove-licenses",
        good="- remove-licenses\n- delete-user",
    ),
    Word(
        "OFB204",
        "warning",
        "{step} needs a license that is gone by then",
        "It works on something that lives with a license, as a mailbox does. Once remove-licenses has freed the license, "
        "Graph no longer finds it, or finds it disconnected, and the step fails for every leaver.",
        "Move it before remove-licenses, or name the product it needs under keep there.",
        bad="- remove-licenses\n- retire-devices\n- action: delete-user\n  due: T+30d",
        good="- retire-devices\n- remove-licenses\n- action: delete-user\n  due: T+30d",
    ),
    Word(
        "OFB205",
        "remark",
        "{step} deletes the user at once, with no time to reconsider",
        "A deleted user stays 30 days in the tenant's deleted items and can be restored until then; after that the "
        "deletion is final. Mail, files and the question who takes over must be settled within these 30 days.",
        "Delete later (due: T+30d): a disabled user is out just as surely, and the 30 days begin only then.",
        bad="- delete-user",
        good="- action: delete-user\n  due: T+30d",
    ),
    Word(
        "OFB206",
        "warning",
        "{step} cannot be taken back, and nothing guards it",
        "The step is carried out for every leaver it is run for. What it removes is gone, also for the one leaver who "
        "should not have been on the list.",
        'Give it a condition, for example when: leaver.userType == "Guest".',
        bad="- action: delete-user\n  due: T+30d\n- action: purge-user\n  due: T+45d",
        good="- action: delete-user\n  due: T+30d\n- action: purge-user\n  due: T+45d\n"
        '  when: leaver.userType == "Guest"',
    ),
    Word(
        "OFB207",
        "remark",
        "the parameter {parameter} is declared and never used",
        "Whoever runs the playbook is asked for a value that changes nothing.",
        "Use it as ${parameters.NAME} under with, or as parameters.NAME under when, or remove it.",
    ),
    Word(
        "OFB208",
        "warning",
        "the password is reset after the sessions are revoked",
        "A session begun with the old password between the two lives on, and the revocation no longer reaches it.",
        "Reset first, or revoke once more afterwards.",
        bad="- revoke-sessions\n- reset-password",
        good="- reset-password\n- revoke-sessions",
    ),
    Word(
        "OFB209",
        "warning",
        "{step} takes back what an earlier step of the playbook did",
        "Both steps are carried out, and the second one wins: the leaver ends with the access that the first one took. "
        "The run says success, because each step did what it says.",
        "Keep only one of the two, or give them conditions of which only one can hold. To take a whole run back, use "
        "offboard undo.",
        bad="- disable-user\n- revoke-sessions\n- enable-user",
        good="- disable-user\n- revoke-sessions",
    ),
    Word(
        "OFB210",
        "warning",
        "sessions are revoked, and nothing keeps the leaver from signing in again",
        "The leaver is signed out within minutes, enters the password, and goes on.",
        "Add disable-user before revoke-sessions.",
        bad="- revoke-sessions",
        good="- disable-user\n- revoke-sessions",
    ),
    Word(
        "OFB211",
        "warning",
        "{step} takes effect before the leave time",
        "The leaver is still at work then and loses access without having left.",
        "Write due: T, or leave due out.",
        bad="- action: disable-user\n  due: T-7d\n- revoke-sessions",
        good="- disable-user\n- revoke-sessions",
    ),
    Word(
        "OFB212",
        "remark",
        "the licenses go while the account stays, and the mailbox goes with them",
        "Without its license a mailbox is disconnected and kept for 30 days, then it is deleted, although the account "
        "still exists. Restoring the user does not bring it back.",
        "Remove the licenses when the user is deleted, or convert the mailbox to a shared one first, or name the product "
        "with the mailbox under keep.",
        bad="- remove-licenses",
        good="- action: remove-licenses\n  due: T+30d\n- action: delete-user\n  due: T+30d",
    ),
    Word(
        "OFB213",
        "warning",
        "{step} stands below a step that falls due later",
        "A playbook is planned from top to bottom: the step would be planned as if the later one had happened already.",
        "Write the steps in the order in which they fall due.",
        bad="- action: delete-user\n  due: T+30d\n- disable-user\n- revoke-sessions",
        good="- disable-user\n- revoke-sessions\n- action: delete-user\n  due: T+30d",
    ),
    Word(
        "OFB214",
        "remark",
        "{step} comes before the groups are left that bring some of the licenses",
        "A license that comes with a group stays as long as the membership does. The step names it as left open, although "
        "remove-groups frees it a moment later.",
        "Write remove-groups before remove-licenses.",
        bad="- remove-licenses\n- remove-groups\n- delete-user",
        good="- remove-groups\n- remove-licenses\n- delete-user",
    ),
    Word(
        "OFB215",
        "warning",
        "{step} takes away for good, and the tenant names no account for emergencies",
        "Nothing marks such an account in Graph: only the configuration can keep it off every list. It is the last way into "
        "the tenant when everything else is lost, and whoever is deleted by mistake may be the one who needs it.",
        "Write the object ids of the accounts for emergencies into offboard.toml, as emergency_access under "
        "[tenants.NAME.guards]. It is about the tenant that the command is for (--tenant), and not asked in the sandbox.",
    ),
    Word(
        "OFB216",
        "warning",
        "{step} comes after the devices were disabled in Entra ID",
        "Intune wipes and retires a device when it checks in. One that was disabled before may not do so any more, and keeps "
        "everything that is on it.",
        "Wipe or retire first, and disable the devices afterwards; best at a later time, when the devices have checked in.",
        bad='- disable-devices\n- action: wipe-devices\n  when: leaver.userType == "Member"',
        good='- action: wipe-devices\n  when: leaver.userType == "Member"\n- disable-devices',
    ),
    Word(
        "OFB217",
        "warning",
        "{step} comes before the deletion, or less than a week after it",
        "A deleted user can be restored for 30 days, with mailbox, licenses and memberships; a purged one never. A deletion is "
        "often missed, and found to be a mistake, only days later. Before the deletion there is nothing to purge.",
        "Leave it out: the directory purges by itself after 30 days. Where it must be, let it fall due a week later or more.",
        bad='- action: delete-user\n  due: T+30d\n- action: purge-user\n  due: T+31d\n  when: leaver.userType == "Guest"',
        good='- action: delete-user\n  due: T+30d\n- action: purge-user\n  due: T+45d\n  when: leaver.userType == "Guest"',
    ),
)

WORDS: dict[str, Word] = {word.code: word for word in _ALL}
"""All kinds of findings, by code."""
