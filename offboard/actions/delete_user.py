"""Delete the leaver's account.

The user goes to the deleted items and can be restored for 30 days, with mailbox, licenses and group memberships. After
that the deletion is final and nobody, Microsoft included, can bring the account back.

Deleting starts the clean-up of the leaver's OneDrive and leaves groups and apps that only the leaver owned without an
owner: hand over first. Disabling now and deleting later is safer than deleting now.

A user who is synchronized from Active Directory must be deleted there; deleted here, the next synchronization would
bring the user back.

Source: https://learn.microsoft.com/graph/api/user-delete
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

RETENTION = timedelta(days=30)
"""How long Entra ID keeps deleted users; not configurable."""


class DeleteUser(Action):
    """See the module's docstring, which is the reference page."""

    name = "delete-user"
    effect = Effect.RECOVERABLE
    reads = (Account,)
    calls = ("DELETE /users/{id}",)
    undo_calls = ("POST /directory/deletedItems/{id}/restore",)
    permissions = Permissions(
        delegated=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
        application=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
        roles=("User Administrator", "Privileged Authentication Administrator"),
        remark="For an administrator as leaver an app must itself hold a higher role.",
        over="sensitive",
    )
    example = "- action: delete-user\n  due: T+30d"
    needs_user = False
    takes_effect = "At once; reads may show the user for some seconds more."
    verified_by = "The user is no longer found and stands in the deleted items, read back."
    undo_text = "Restore the user within 30 days: offboard deleted restore USER."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.gone or account.deleted is not None:
            return
        if account.synced:
            yield Note(
                Doing.ASK,
                account.ref,
                "is synchronized from Active Directory: delete the account there",
                "synced-user",
                open=True,
            )
            return
        yield Change(
            "delete",
            account.ref,
            before="active user",
            after="deleted user",
            effect=self.effect,
            until=facts.read_at + RETENTION,
        )

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        if change.verb == "restore":
            deleted = wire.graph.directory.deleted_items.by_directory_object_id(change.target.id)
            return wire.request("POST", deleted.restore)
        return wire.request("DELETE", wire.graph.users.by_user_id(change.target.id))

    def seen(self, facts: Facts, change: Change) -> JSON:
        return {"deletedDateTime": facts.account.deleted.isoformat() if facts.account.deleted else None}

    def fold(self, facts: Facts, change: Change) -> Facts:
        return facts.put(replace(facts.account, deleted=facts.read_at))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("restore", change.target, before="deleted user", after="active user"))
