"""Managing deleted users: list and restore, the way back from `delete-user`; a purge, which has none, is a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offboard.actions.base import Wire
from offboard.audit import Audit
from offboard.clock import Clock, pauses
from offboard.errors import GraphUnavailable, NotPermitted, OffboardError, UsageError
from offboard.facts import Account, DeletedUser, DeletedUsers, Unreadable
from offboard.graph.answers import Answer
from offboard.graph.read import Reader
from offboard.graph.requests import GUID, PERSON, get
from offboard.model import JSON, Change, Permissions, Playbook, Ref, Step
from offboard.planjson import canonical, change_from_json, change_json, step_json
from offboard.runs.sent import VISIBLE_WITHIN

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

RESTORE = Permissions(
    delegated=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    application=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    roles=("User Administrator", "Privileged Authentication Administrator"),
)
PURGE = "deleted-purge"
"""The name of the plans that purge; no playbook file stands behind them."""
RESTORING = "deleted-restore"
"""What a restoring is called in the audit."""


@dataclass
class Bin:
    """The deleted users of one tenant.

    Args:
        reader: Reads, and through its sender writes.
        wire: Words requests.
        audit: The record for people, bound to the actor.
        clock: Time.
    """

    reader: Reader
    wire: Wire
    audit: Audit
    clock: Clock

    async def users(self) -> DeletedUsers:
        """All deleted users.

        Raises:
            NotPermitted: They may not be read.
            GraphUnavailable: They could not be read.
        """
        found = await self.reader.deleted_users()
        if isinstance(found, Unreadable):
            what = f"The deleted users could not be read: {found.reason}."
            if found.permission:
                raise NotPermitted(what, todo=f"Needs {found.permission}.")
            raise GraphUnavailable(what, todo="Nothing was written. Try again later.")
        return found

    async def find(self, asked: str) -> DeletedUser:
        """The deleted user with this object id, or this user principal name as it was before the deletion.

        Raises:
            UsageError: There is none, or several.
        """
        return (await self.find_all([asked]))[0]

    async def find_all(self, asked: Sequence[str]) -> list[DeletedUser]:
        """Each of these deleted users.

        Raises:
            UsageError: One of them is not there, or there are several; all such are named at once.
        """
        users = (await self.users()).items
        found = [_named(name, users) for name in asked]
        problems = [each for each in found if isinstance(each, str)]
        if problems:
            raise UsageError("\n".join(problems), todo="List them with: offboard deleted list")
        return [each for each in found if not isinstance(each, str)]

    async def restore(self, user: DeletedUser, new_name: str | None) -> None:
        """Bring the user back, and read that it is so.

        Raises:
            OffboardError: Graph refused, or the user cannot be read back.
        """
        change = Change("restore", _ref(user), before="deleted user", after="active user")
        builder = self.wire.graph.directory.deleted_items.by_directory_object_id(user.id)
        body: JSON = {"newUserPrincipalName": new_name} if new_name else None
        await self._do(change, self.wire.request("POST", builder.restore, body), RESTORE)

    async def recovered(self, asked: str, records: Iterable[Mapping[str, Any]]) -> bool:
        """Whether an interrupted process has brought this user back and could not tell it any more; then it is told now.

        Args:
            asked: Object id, or user principal name.
            records: The audit.
        """
        owed: dict[str, Change] = {}
        for record in records:
            if record.get("step") == RESTORING:
                change = change_from_json(record["change"])
                owed.pop(change.target.id, None)
                if record["event"] == "intent":
                    owed[change.target.id] = change
        (found,) = await self.reader.resolve([asked]) if owed else (None,)
        change_owed = owed.get(found.id) if isinstance(found, Account) else None
        if change_owed is None or not await self._visible(change_owed.target.id):
            return False
        why = "recovered: found done on re-reading, after the process that did it was interrupted"
        self.audit.write(
            "outcome", step=RESTORING, action=RESTORING, change=change_json(change_owed), outcome="changed", why=why
        )
        return True

    async def _do(self, change: Change, info: RequestInformation, permissions: Permissions) -> None:
        step = RESTORING
        self.audit.write("intent", step=step, action=step, change=change_json(change))
        answer = (await self.reader.sender.write([info]))[0]
        if not answer.ok and not answer.ambiguous and not answer.throttled:
            error = self._refusal(change, answer, permissions)
            self._record(step, change, "failed", error.what, answer)
            raise error
        if not await self._visible(change.target.id):
            why = f"cannot be read back after {VISIBLE_WITHIN:.0f} s ({answer.lost or answer.status})"
            self._record(step, change, "failed", why, answer)
            raise GraphUnavailable(
                f"{change.verb} {change.target.name}: {why}.", todo="Look again with: offboard deleted list"
            )
        self._record(step, change, "changed", "" if answer.ok else "recovered: found done on re-reading", answer)

    async def _visible(self, id: str) -> bool:
        """Whether the user is active again and no longer in the bin, read back with patience."""
        started, pause = self.clock.monotonic(), pauses()
        graph = self.reader.graph
        while True:
            requests = {
                "user": get(graph.users.by_user_id(id), select=PERSON),
                "bin": get(graph.directory.deleted_items.by_directory_object_id(id), select=PERSON),
            }
            answers = await self.reader.sender.read(requests)
            if answers["bin"].status == 404 and answers["user"].ok:
                return True
            if self.clock.monotonic() - started > VISIBLE_WITHIN:
                return False
            await self.clock.sleep(next(pause))

    def _refusal(self, change: Change, answer: Answer, permissions: Permissions) -> OffboardError:
        trouble = self.reader.sender.explain(answer, change.verb, permissions)
        kind = NotPermitted if answer.status in (401, 403) else OffboardError
        return kind(trouble.what, why=trouble.why, todo=trouble.todo)

    def _record(self, step: str, change: Change, outcome: str, why: str, answer: Answer) -> None:
        graph = {
            "method": answer.method,
            "path": answer.path,
            "status": answer.status,
            "request_id": answer.request_id,
            "client_request_id": answer.client_request_id,
            "attempts": 1,
        }
        self.audit.write(
            "outcome", step=step, action=step, change=change_json(change), outcome=outcome, why=why, graph=graph
        )


def purging() -> Playbook:
    """The playbook that deletes users for good: one step, planned, approved and carried out like any other."""
    steps = (Step("purge", "purge-user"),)
    digest = hashlib.sha256(canonical([step_json(step) for step in steps])).hexdigest()
    return Playbook(PURGE, "Delete deleted users for good.", steps, digest=f"sha256:{digest}")


def _named(asked: str, users: Sequence[DeletedUser]) -> DeletedUser | str:
    """The one who is meant, or what is wrong."""
    by_id = [user for user in users if GUID.fullmatch(asked) and user.id == asked.lower()]
    found = by_id or [user for user in users if former_name(user).casefold() == asked.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        return f"No deleted user is {asked!r}."
    names = ", ".join(f"{user.id} (deleted {user.deleted:%Y-%m-%d %H:%MZ})" for user in found)
    return f"{asked!r} was the name of several deleted users: {names}. Name one by its id."


def former_name(user: DeletedUser) -> str:
    """The user principal name before the deletion: the directory had put the object id, without dashes, before it."""
    prefix = user.id.replace("-", "")
    name = user.user_principal_name
    return name[len(prefix) :] if name.casefold().startswith(prefix.casefold()) else name


def _ref(user: DeletedUser) -> Ref:
    return Ref("user", user.id, user.display_name or former_name(user))
