"""Managing deleted users: list, restore, purge. Restore is the way back from `delete-user`; a purge has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from offboard.actions.base import Wire
from offboard.audit import Audit
from offboard.clock import Clock
from offboard.errors import GraphUnavailable, NotPermitted, OffboardError, UsageError
from offboard.facts import DeletedUser, DeletedUsers, Unreadable
from offboard.graph.answers import Answer
from offboard.graph.read import Reader
from offboard.graph.requests import GUID, PERSON, get
from offboard.model import JSON, Change, Effect, Permissions, Ref
from offboard.planjson import change_json

RESTORE = Permissions(
    delegated=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    application=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    roles=("User Administrator", "Privileged Authentication Administrator"),
)
PURGE = Permissions(
    delegated=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    application=(("User.DeleteRestore.All",), ("User.ReadWrite.All",)),
    roles=("User Administrator",),
    remark="Whether an app may purge is documented in two ways; on 403 sign in as a person.",
)
VISIBLE_WITHIN = 60.0


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
            NotPermitted: They could not be read.
        """
        found = await self.reader.deleted_users()
        if isinstance(found, Unreadable):
            raise NotPermitted(f"The deleted users could not be read: {found.reason}.", todo=f"Needs {found.permission}.")
        return found

    async def find(self, asked: str) -> DeletedUser:
        """The deleted user with this object id, or this user principal name as it was before the deletion.

        Raises:
            UsageError: There is none, or several.
        """
        users = (await self.users()).items
        by_id = [user for user in users if GUID.fullmatch(asked) and user.id == asked.lower()]
        found = by_id or [user for user in users if former_name(user).casefold() == asked.casefold()]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError(f"No deleted user is {asked!r}.", todo="List them with: offboard deleted list")
        names = ", ".join(f"{user.id} (deleted {user.deleted:%Y-%m-%d %H:%MZ})" for user in found)
        raise UsageError(f"{asked!r} was the name of several deleted users: {names}.", todo="Name one by its id.")

    async def restore(self, user: DeletedUser, new_name: str | None) -> None:
        """Bring the user back, and read that it is so.

        Raises:
            OffboardError: Graph refused, or the user cannot be read back.
        """
        change = Change("restore", _ref(user), before="deleted user", after="active user")
        builder = self.wire.graph.directory.deleted_items.by_directory_object_id(user.id)
        body: JSON = {"newUserPrincipalName": new_name} if new_name else None
        await self._do(change, builder.restore, "POST", body, RESTORE, alive=True)

    async def purge(self, user: DeletedUser) -> None:
        """Delete the user for good, and read that it is so.

        Raises:
            OffboardError: Graph refused, or the user is still there.
        """
        change = Change("purge", _ref(user), before="deleted user", after="gone", effect=Effect.IRREVERSIBLE)
        builder = self.wire.graph.directory.deleted_items.by_directory_object_id(user.id)
        await self._do(change, builder, "DELETE", None, PURGE, alive=False)

    async def _do(
        self,
        change: Change,
        builder: object,
        method: Literal["POST", "DELETE"],
        body: JSON,
        permissions: Permissions,
        *,
        alive: bool,
    ) -> None:
        step = f"deleted-{change.verb}"
        self.audit.write("intent", step=step, action=step, change=change_json(change))
        info = self.wire.request(method, builder, body)
        answer = (await self.reader.sender.write([info]))[0]
        if not answer.ok and not answer.ambiguous and not answer.throttled:
            error = self._refusal(change, answer, permissions)
            self._record(step, change, "failed", error.what, answer)
            raise error
        if not await self._visible(change.target.id, alive=alive):
            why = f"cannot be read back after {VISIBLE_WITHIN:.0f} s ({answer.lost or answer.status})"
            self._record(step, change, "failed", why, answer)
            raise GraphUnavailable(
                f"{change.verb} {change.target.name}: {why}.", todo="Look again with: offboard deleted list"
            )
        self._record(step, change, "changed", "" if answer.ok else "recovered: found done on re-reading", answer)

    async def _visible(self, id: str, *, alive: bool) -> bool:
        """Whether the user is (alive: active again; else: no longer in the bin), read back with patience."""
        started, wait = self.clock.monotonic(), 0.5
        graph = self.reader.graph
        while True:
            requests = {
                "user": get(graph.users.by_user_id(id), select=PERSON),
                "bin": get(graph.directory.deleted_items.by_directory_object_id(id), select=PERSON),
            }
            answers = await self.reader.sender.read(requests)
            in_bin = answers["bin"].ok
            if not in_bin and answers["bin"].status == 404 and answers["user"].ok == alive:
                return True
            if self.clock.monotonic() - started > VISIBLE_WITHIN:
                return False
            await self.clock.sleep(wait)
            wait = min(wait * 2, 8.0)

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


def former_name(user: DeletedUser) -> str:
    """The user principal name before the deletion: the directory had put the object id, without dashes, before it."""
    prefix = user.id.replace("-", "")
    name = user.user_principal_name
    return name[len(prefix) :] if name.casefold().startswith(prefix.casefold()) else name


def _ref(user: DeletedUser) -> Ref:
    return Ref("user", user.id, user.display_name or former_name(user))
