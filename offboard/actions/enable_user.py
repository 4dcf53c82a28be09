"""Allow the user to sign in again.

The way back from `disable-user`. Sessions that were revoked stay revoked and a password that was replaced stays replaced: a
help desk sets a new one, and the user signs in afresh.

A user who is synchronized from Active Directory must be enabled there; such a user is left alone and reported.

Source: https://learn.microsoft.com/graph/api/user-update
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, WayBack, Wire
from offboard.actions.disable_user import DisableUser
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class EnableUser(Action):
    """See the module's docstring, which is the reference page."""

    name = "enable-user"
    effect = Effect.REVERSIBLE
    gives = True
    reads = (Account,)
    calls = DisableUser.calls
    permissions = DisableUser.permissions
    example = "- action: enable-user"
    takes_effect = "New sign-ins work within minutes."
    verified_by = "accountEnabled is read back as true."
    undo_text = "Disable the account again."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.account_enabled is None:
            yield Note(Doing.UNKNOWN, account.ref, "accountEnabled could not be read", "enabled-unknown", open=True)
        elif account.account_enabled:
            return
        elif account.synced:
            reason = "is synchronized from Active Directory: enable the account there"
            yield Note(Doing.ASK, account.ref, reason, "synced-user", open=True)
        else:
            yield Change("enable", account.ref, before="disabled", after="enabled", effect=self.effect)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        return DisableUser().requests(change, wire)

    def fold(self, facts: Facts, change: Change) -> Facts:
        return facts.put(replace(facts.account, account_enabled=True))

    def undo(self, change: Change) -> WayBack:
        return WayBack(Change("disable", change.target, before="enabled", after="disabled"))
