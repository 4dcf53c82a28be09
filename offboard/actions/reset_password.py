"""Replace the leaver's password by a random one that nobody will see, or only a help desk.

The new password has at least 32 random characters. It is made at the moment of sending, travels once, and is kept
nowhere: not in the plan, the audit, the state folder or the output. The old password stops working at once, also for
whoever knows it besides the leaver.

With `seal_to` the new password is sealed to a public key, of age (`age1…`) or of SSH, before it is sent: a file in the state
folder that only the holder of the private key can open, with `age -d -i KEY FILE`. The plan and the audit name the key, the
verdict names the file. Clients that support continuous access evaluation drop their sessions.

An app without a signed-in person needs the role User Administrator on its own service principal besides the permission.
A user who is synchronized from Active Directory must get the new password there: this call does not write back.
Microsoft advises to reset twice there, against replayed hashes. A guest has no password in this tenant.

Source: https://learn.microsoft.com/graph/api/user-update
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, Wire
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned
from offboard.recipients import PATTERN, check_recipient, fingerprint

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class ResetPassword(Action):
    """See the module's docstring, which is the reference page."""

    name = "reset-password"
    effect = Effect.REVERSIBLE
    contains = True
    reads = (Account,)
    calls = ("PATCH /users/{id}",)
    permissions = Permissions(
        delegated=(("User-PasswordProfile.ReadWrite.All",), ("Directory.AccessAsUser.All",)),
        application=(("User-PasswordProfile.ReadWrite.All",),),
        roles=("User Administrator", "Privileged Authentication Administrator"),
        app_roles=("User Administrator", "Privileged Authentication Administrator"),
        remark="App-only: the app's own service principal must hold at least User Administrator.",
        over="password",
    )
    parameters = {
        "seal_to": {
            "description": "A public key of age or SSH: the new password is kept sealed to it. Without it, nobody learns it.",
            "type": "string",
            "pattern": PATTERN,
        }
    }
    example = "- action: reset-password"
    takes_effect = "At once for sign-ins; issued access tokens live on for about an hour."
    verified_by = "lastPasswordChangeDateTime, read back, is not older than the recorded intent."
    undo_text = "The old password is gone; a help desk sets a new one if the user comes back."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.guest:
            yield Note(
                Doing.SKIP,
                account.ref,
                "a guest's password belongs to the home tenant",
                "guest-password",
                open=False,
            )
            return
        if account.synced:
            yield Note(
                Doing.ASK,
                account.ref,
                "is synchronized from Active Directory: reset the password there, twice",
                "synced-user",
                open=True,
            )
            return
        last = account.last_password_change
        key = parameters.get("seal_to")
        change = Change(
            "set",
            account.ref,
            before={"lastPasswordChangeDateTime": last.isoformat() if last else None},
            after=_sealed(str(key)) if key else "a random password nobody will see",
            effect=self.effect,
            data={"seal_to": key} if key else {},
        )
        recorded = since(change.key)
        if recorded is None or last is None or last < recorded:
            yield change

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        password = wire.new_password()
        if key := change.data.get("seal_to"):
            wire.keep(password, str(key), change.target.id)
        profile = {"password": password, "forceChangePasswordNextSignIn": True}
        return wire.request("PATCH", wire.graph.users.by_user_id(change.target.id), {"passwordProfile": profile})

    def seen(self, facts: Facts, change: Change) -> JSON:
        last = facts.account.last_password_change
        return {"lastPasswordChangeDateTime": last.isoformat() if last else None}


def _sealed(key: str) -> str:
    check_recipient(key)
    return f"a random password, sealed to {fingerprint(key)}"
