"""Bring a deleted user back.

The way back from `delete-user`, within 30 days. Mailbox, group memberships and the licenses that were assigned at the time
of the deletion come back with the user; sign-in stays as it was, so a user who was disabled comes back disabled.

It needs the old user principal name to be free. If somebody else has it meanwhile, Graph refuses, and
`offboard deleted restore USER --new-name UPN` brings the user back under another one. A user whose 30 days are over, or who was
purged, is gone for good.

Source: https://learn.microsoft.com/graph/api/directory-deleteditems-restore
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.delete_user import DeleteUser
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class RestoreUser(Action):
    """See the module's docstring, which is the reference page."""

    name = "restore-user"
    effect = Effect.REVERSIBLE
    gives = True
    reads = (Account,)
    calls = DeleteUser.undo_calls
    undo_calls = DeleteUser.calls
    permissions = DeleteUser.permissions
    example = "- action: restore-user"
    needs_user = False
    takes_effect = "The user is back within seconds; the mailbox within an hour or so."
    verified_by = "The user is found again, and no longer in the deleted items, read back."
    undo_text = "Delete the user again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.gone:
            yield Note(Doing.ASK, account.ref, "is gone for good and cannot be restored", "user-gone", open=True)
        elif account.deleted is not None:
            yield Change("restore", account.ref, before="deleted user", after="active user", effect=self.effect)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return DeleteUser().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        return facts.put(replace(facts.account, deleted=None))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("delete", change.target, before="active user", after="deleted user"))
