"""The gate: the guards, asked on what is true now, before anything is written in any turn of any run.

The tenant around the leavers is read together with the leavers' own facts, in the same requests. A name, a list, a file,
a resumed run, a step of weeks ago and another program all come through here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from offboard.approval import Approval, refuse_unless_approved
from offboard.errors import Refused
from offboard.graph.read import Reader
from offboard.graph.send import utc_now_of
from offboard.graph.standing import read_caller
from offboard.graph.surroundings import Lookout
from offboard.guards import Limits, Outline, Surroundings, judge, refused_steps
from offboard.model import Plan
from offboard.permissions import Caller
from offboard.runs.outcome import Barred
from offboard.runs.store import Store

A = TypeVar("A")
B = TypeVar("B")
FRESH = timedelta(seconds=30)
"""How old the surroundings may be for a check that is made again before the first write."""


async def beside(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Both at the same time, so that what they ask shares requests. The second ends when the first fails."""
    task = asyncio.ensure_future(second)
    try:
        return await first, await task
    finally:
        task.cancel()


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks the guards.

    Args:
        reader: Reads the tenant.
        store: Knows the other runs.
        limits: The tenant's guards.
        approvals: Of the plan that is about to begin; those of a run that has begun are in the store.
    """

    reader: Reader
    store: Store
    limits: Limits
    approvals: Sequence[Approval] = ()

    async def look(self) -> Surroundings:
        """The tenant around any leavers.

        Raises:
            GraphUnavailable: Graph did not answer.
            NotPermitted: Not signed in.
        """
        return await Lookout(self.reader, self.limits).look()

    async def recent(self) -> Surroundings:
        """The same, but what was seen just now will do: for a check that is made again before the first write.

        Raises:
            GraphUnavailable: Graph did not answer.
            NotPermitted: Not signed in.
        """
        seen, now = self.reader.surroundings, utc_now_of(self.reader.sender)
        return seen if seen is not None and now - seen.now <= FRESH else await self.look()

    async def caller(self) -> Caller:
        """Who is signed in, and what that allows; what was read just now will do."""
        known, sender = self.reader.caller, self.reader.sender
        if known is None or utc_now_of(sender) - known[0] > FRESH:
            found = await read_caller(sender)
            known = self.reader.caller = utc_now_of(sender), found
        return known[1]

    async def complete(self, seen: Surroundings, plan: Plan, run: str = "") -> Surroundings:
        """What was seen, with what matters for these leavers only.

        Args:
            seen: The tenant.
            plan: Whose leavers.
            run: The run that carries it out, whose own doings are not held against it.

        Raises:
            GraphUnavailable: Graph did not answer.
        """
        ids = [each.leaver.id for each in plan.leavers]
        found = await Lookout(self.reader, self.limits).complete(seen, ids)
        now = utc_now_of(self.reader.sender)
        history = self.store.history(plan.tenant.id, now, run)
        approvals = self.approvals or (self.store.approvals(run) if run else ())
        names = frozenset(name for each in approvals for name in (each.approver, *each.aliases))
        return replace(found, now=now, approvers=names, history=history)

    async def bars(
        self, part: Plan, run: str, acting: Collection[str], whole: Outline | None = None
    ) -> dict[str, Barred]:
        """Why nothing may be written now; by leaver, of those who are acted on.

        Args:
            part: The plan, with the leavers who are carried out together.
            run: The run.
            acting: Object ids of those who are to be acted on.
            whole: Of the plan as reviewed, with all its leavers; None when that is the part.

        Raises:
            GraphUnavailable: Graph did not answer; nothing may be written.
        """
        seen, caller = await beside(self.look(), self.caller())
        around = await self.complete(seen, part, run)
        said = judge(part, self.limits, around, binding=True, acting=acting, whole=whole)
        more, lacks = self._unapproved(part, run), refused_steps(part, caller)
        found = {}
        for id in acting:
            reasons = (*more, *said.stops(id))
            if reasons or id in lacks:
                own = more or any(each.severity == "stop" for each in said.each.get(id, ()))
                found[id] = Barred(reasons, None if own else said.until, lacks.get(id, {}))
        return found

    def _unapproved(self, plan: Plan, run: str) -> tuple[str, ...]:
        """Approvals are consumed with the plan: what counts is that the run had them."""
        try:
            refuse_unless_approved(plan, self.limits, self.store.approvals(run))
        except Refused as error:
            return (error.what,)
        return ()
