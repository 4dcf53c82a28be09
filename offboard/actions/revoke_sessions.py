"""Sign the leaver out everywhere.

Invalidates every refresh token and browser session that was issued before the call. Use it after the user is disabled:
revoking first leaves a gap in which the leaver signs in again and gets a new session. Run it again after a password
reset if the reset comes later.

It does nothing for guests: they sign in at their home tenant, where this tenant cannot revoke anything. Disable or
delete a guest instead.

Access tokens that were already issued live on until they expire, about an hour. Exchange, SharePoint and Teams clients
that support continuous access evaluation react to the event within 15 minutes. Sessions that an application keeps for
itself (its own cookie) cannot be ended from here.

Source: https://learn.microsoft.com/graph/api/user-revokesigninsessions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, Wire
from offboard.facts import Account, Facts
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation


class RevokeSessions(Action):
    """See the module's docstring, which is the reference page."""

    name = "revoke-sessions"
    effect = Effect.REVERSIBLE
    contains = True
    reads = (Account,)
    calls = ("POST /users/{id}/revokeSignInSessions",)
    permissions = Permissions(
        delegated=(("User.RevokeSessions.All",), ("User.ReadWrite.All",), ("Directory.ReadWrite.All",)),
        application=(("User.RevokeSessions.All",), ("User.ReadWrite.All",), ("Directory.ReadWrite.All",)),
        roles=("User Administrator", "Helpdesk Administrator", "Privileged Authentication Administrator"),
    )
    example = "- action: revoke-sessions"
    takes_effect = "New tokens are refused within minutes; issued access tokens live on for about an hour."
    verified_by = "signInSessionsValidFromDateTime, read back, is not older than the recorded intent."
    undo_text = "Nothing to bring back: the user signs in again once enabled."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        account = facts.account
        if account.guest:
            yield Note(
                Doing.SKIP,
                account.ref,
                "a guest's sessions belong to the home tenant; revoking here has no effect",
                "guest-sessions",
                open=True,
            )
            return
        change = Change(
            "revoke",
            account.ref,
            before={"signInSessionsValidFromDateTime": _text(account)},
            after={"signInSessionsValidFromDateTime": "time of the call"},
            effect=self.effect,
        )
        recorded = since(change.key)
        valid_from = account.sessions_valid_from
        if recorded is None or valid_from is None or valid_from < recorded:
            yield change

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        user = wire.graph.users.by_user_id(change.target.id)
        return wire.request("POST", user.revoke_sign_in_sessions)

    def seen(self, facts: Facts, change: Change) -> JSON:
        return {"signInSessionsValidFromDateTime": _text(facts.account)}


def _text(account: Account) -> str | None:
    return account.sessions_valid_from.isoformat() if account.sessions_valid_from else None
