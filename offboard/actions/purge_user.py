"""Delete a deleted user for good.

A deleted user stays in the deleted items for 30 days and is then removed by the directory itself. This removes the user now.
Nobody, Microsoft included, can bring a purged user back: mailbox, licenses, memberships and the object id are gone.

Use it where the law or a contract asks for it. There is hardly ever another reason: waiting costs nothing and can be taken
back. A user who is not deleted is left alone. `offboard deleted purge USER` is the same step as a command.

Source: https://learn.microsoft.com/graph/api/directory-deleteditems-delete
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, Wire
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class PurgeUser(Action):
    """See the module's docstring, which is the reference page."""

    name = "purge-user"
    effect = Effect.IRREVERSIBLE
    reads = (Account,)
    calls = ("DELETE /directory/deletedItems/{id}",)
    permissions = Permissions(
        delegated=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
        application=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
        roles=("User Administrator",),
        remark="Whether an app may purge is documented in two ways; on 403 sign in as a person.",
        over="sensitive",
    )
    example = "- action: purge-user\n  due: T+60d"
    needs_user = False
    takes_effect = "At once, and for ever."
    verified_by = "The user is found neither among the users nor in the deleted items, read back."
    undo_text = "Nobody can bring a purged user back."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.gone:
            return
        if account.deleted is None:
            reason = "is not deleted: only a user in the deleted items can be purged"
            yield Note(Doing.ASK, account.ref, reason, "not-deleted", open=True)
            return
        yield Change("purge", account.ref, before="deleted user", after="gone", effect=self.effect)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return wire.request("DELETE", wire.graph.directory.deleted_items.by_directory_object_id(change.target.id))

    def fold(self, facts: Facts, change: Change) -> Facts:
        return facts.put(replace(facts.account, gone=True))
