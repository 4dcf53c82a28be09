"""Block the leaver's sign-in.

Sets `accountEnabled` to false. Do it first: it stops new sign-ins at once, keeps mailbox, licenses, groups and files as
they are, and can be taken back with one click.

Sessions that are already open go on until their tokens expire; `revoke-sessions` afterwards shortens that. A user who is
synchronized from Active Directory must be disabled there: Graph refuses the change, or the next synchronization (every
30 minutes or so) undoes it. Such a leaver is left alone and reported as an open item.

An administrator as leaver needs more from the caller than an ordinary user: a delegated caller needs a higher role, an
app must hold the role Privileged Authentication Administrator itself.

Source: https://learn.microsoft.com/graph/api/user-update
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class DisableUser(Action):
    """See the module's docstring, which is the reference page."""

    name = "disable-user"
    effect = Effect.REVERSIBLE
    contains = True
    reads = (Account,)
    calls = ("PATCH /users/{id}",)
    permissions = Permissions(
        delegated=(
            ("User.EnableDisableAccount.All", "User.Read.All"),
            ("User.ReadWrite.All",),
            ("Directory.ReadWrite.All",),
        ),
        application=(
            ("User.EnableDisableAccount.All", "User.Read.All"),
            ("User.ReadWrite.All",),
            ("Directory.ReadWrite.All",),
        ),
        roles=("User Administrator", "Privileged Authentication Administrator"),
        remark="For an administrator as leaver an app must itself hold Privileged Authentication Administrator.",
        over="sensitive",
    )
    example = "- action: disable-user"
    takes_effect = "New sign-ins are refused at once; issued access tokens live on for about an hour."
    verified_by = "accountEnabled is read back as false."
    undo_text = "Enable the account again; revoked sessions stay revoked."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.account_enabled is None:
            yield Note(Doing.UNKNOWN, account.ref, "accountEnabled could not be read", "enabled-unknown", open=True)
        elif account.account_enabled and account.synced:
            yield Note(
                Doing.ASK,
                account.ref,
                "is synchronized from Active Directory: disable the account there",
                "synced-user",
                open=True,
            )
        elif account.account_enabled:
            yield Change("disable", account.ref, before="enabled", after="disabled", effect=self.effect)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        enabled = change.verb == "enable"
        return wire.request("PATCH", wire.graph.users.by_user_id(change.target.id), {"accountEnabled": enabled})

    def fold(self, facts: Facts, change: Change) -> Facts:
        return facts.put(replace(facts.account, account_enabled=False))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("enable", change.target, before="disabled", after="enabled"))
