"""List the users in the tenant's deleted items.

Read-only: it changes nothing and needs no approval. Deleted users are kept for 30 days and can be restored until then.
Each row has the object id, the user principal name (which Graph prefixes on deletion), the display name, whether sign-in
was enabled, the time of deletion, the age in whole days, and the user type.

Source: https://learn.microsoft.com/graph/api/directory-deleteditems-list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from offboard.actions.base import Action, Since
from offboard.facts import Account, DeletedUser, DeletedUsers, Facts, Unreadable
from offboard.model import JSON, Doing, Effect, Note, Permissions, Planned, Table

COLUMNS = (
    "id",
    "userPrincipalName",
    "displayName",
    "accountEnabled",
    "deletedDateTime",
    "age_days",
    "userType",
)


def rows(users: DeletedUsers, sort: str = "newest") -> tuple[Mapping[str, JSON], ...]:
    """The deleted users as rows.

    Args:
        users: As read.
        sort: `newest` or `oldest` deletion first, or `name`.
    """
    ordered = sorted(users.items, key=lambda u: (u.deleted, u.id), reverse=sort == "newest")
    if sort == "name":
        ordered = sorted(users.items, key=lambda u: (u.display_name.casefold(), u.id))
    return tuple(_row(user, users) for user in ordered)


def _row(user: DeletedUser, users: DeletedUsers) -> Mapping[str, JSON]:
    age = (users.read_at - user.deleted).days if users.read_at else None
    return {
        "id": user.id,
        "userPrincipalName": user.user_principal_name,
        "displayName": user.display_name,
        "accountEnabled": user.account_enabled,
        "deletedDateTime": user.deleted.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "age_days": age,
        "userType": user.user_type,
    }


class ListDeletedUsers(Action):
    """See the module's docstring, which is the reference page."""

    name = "list-deleted-users"
    effect = Effect.REVERSIBLE
    reads = (Account, DeletedUsers)
    calls = ()
    permissions = Permissions(delegated=(("User.Read.All",),), application=(("User.Read.All",),))
    parameters = {
        "sort": {
            "description": "Order of the rows: newest or oldest deletion first, or by name.",
            "enum": ["newest", "oldest", "name"],
            "default": "newest",
        },
        "max": {
            "description": "At most this many rows; all when left out.",
            "type": "integer",
            "minimum": 1,
            "maximum": 100000,
        },
    }
    example = "- action: list-deleted-users\n  with: {sort: newest}"
    needs_user = False
    takes_effect = "Changes nothing."
    verified_by = "Nothing to verify."
    undo_text = "Nothing to undo."

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        users = facts.get(DeletedUsers)
        if isinstance(users, Unreadable):
            yield Note(
                Doing.UNKNOWN,
                None,
                f"the deleted users could not be read: {users.reason}",
                "deleted-unknown",
                open=True,
            )
            return
        found = rows(users, parameters.get("sort", "newest"))
        limit = parameters.get("max") or len(found)
        left = len(found) - limit
        yield Table("Deleted users", COLUMNS, found[:limit])
        if left > 0:
            yield Note(Doing.SKIP, None, f"{left} more deleted users are not shown (max: {limit})", "rows-cut")
