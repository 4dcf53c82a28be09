"""From an approved plan to a run's outcome: the checks at the door, then one leaver after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from offboard.actions import ACTIONS
from offboard.approval import Approval, refuse_unless_approved
from offboard.approval.consent import refuse_same_person
from offboard.audit import AuditError
from offboard.errors import NotPermitted, Refused
from offboard.facts import Licenses
from offboard.graph.read import ONE_BY_ONE, Missing
from offboard.graph.send import utc_now_of
from offboard.guards import Limits, Outline, object_to, refuse_if_lacking, refuse_if_stopped
from offboard.model import Plan
from offboard.planner import fact_types
from offboard.runs.closing import closing, opening
from offboard.runs.engine.caps import caps_of
from offboard.runs.executor import LeaverRun
from offboard.runs.gate import Gate, beside
from offboard.runs.ledger import Tools
from offboard.runs.outcome import LeaverOutcome, RunOutcome


@dataclass
class Applier:
    """Carries out plans in one tenant.

    Args:
        tools: The edge of the world.
        limits: The tenant's guards.
        alias: The tenant's name in the configuration, for messages.
        accepted: Codes of open items that the caller accepts besides the playbook's author.
        approvals: Of the plan, judged good by what their files and the list of signers say.
    """

    tools: Tools
    limits: Limits
    alias: str
    accepted: Sequence[str] = ()
    approvals: Sequence[Approval] = ()

    @property
    def gate(self) -> Gate:
        """Asks the guards."""
        return Gate(self.tools.reader, self.tools.store, self.limits, self.approvals)

    async def check(self, plan: Plan) -> None:
        """Refuse what must not be carried out; nothing is consumed or written by asking.

        Raises:
            NotPermitted: The sign-in certainly lacks what a step needs.
            Busy: A leaver has an open run.
            Refused: Another tenant, expired, consumed, other versions of actions, a guard, a missing approval.
        """
        asked = asyncio.gather(self.tools.reader.tenant(self.alias), self.gate.caller(), self._names(plan))
        (tenant, caller, _), seen = await beside(asked, self.gate.recent())
        if tenant.id.lower() != plan.tenant.id.lower():
            raise Refused(
                f"This is a plan for tenant {plan.tenant.name} ({plan.tenant.id}); "
                f"you are signed in to {tenant.name} ({tenant.id}).",
                todo="Choose the tenant with --tenant, or make a new plan. Nothing was written.",
            )
        now = utc_now_of(self.tools.reader.sender)
        if now > plan.valid_until:
            raise Refused(
                f"Plan {plan.short_id} expired at {plan.valid_until:%Y-%m-%d %H:%MZ}; it is now {now:%Y-%m-%d %H:%MZ}.",
                todo="Make and review a new plan. Nothing was written.",
            )
        run = self.tools.store.consumed_by(plan.id)
        if run is not None:
            raise Refused(
                f"Plan {plan.short_id} was already carried out by run {run}.",
                todo="Make and review a new plan; what is done already will be shown as unchanged. Nothing was written.",
            )
        self._check_actions(plan)
        self.tools.store.refuse_if_busy(plan, now)
        refuse_if_lacking(plan, caller)
        around = await self.gate.complete(seen, plan)
        refuse_if_stopped(object_to(plan, self.limits, around, binding=True))
        refuse_unless_approved(plan, self.limits, self.approvals)
        await self._check_people(plan)

    async def _names(self, plan: Plan) -> None:
        if len(plan.leavers) > ONE_BY_ONE and Licenses in fact_types(plan.playbook.steps):
            await self.tools.reader.learn_names()

    async def _check_people(self, plan: Plan) -> None:
        """Compare the approvers as the tenant knows them: a second address of the planner or a leaver is the same person."""
        names = [approval.approver for approval in self.approvals]
        for name, found in zip(names, await self.tools.reader.resolve(names) if names else (), strict=True):
            accounts = found.candidates if isinstance(found, Missing) else (found,)
            for account in accounts:
                aliases = [account.id, account.user_principal_name, account.mail or account.id]
                refuse_same_person(plan, name, aliases, "The approval")
                if account.account_enabled is False or account.deleted is not None:
                    raise Refused(
                        f"The approval: {name} is {'deleted' if account.deleted else 'disabled'} in the tenant.",
                        todo="Nothing was written. Somebody who may still sign in must approve.",
                    )

    def _check_actions(self, plan: Plan) -> None:
        for name, version in plan.actions.items():
            if name not in ACTIONS or ACTIONS[name].version != version:
                mine = f"version {ACTIONS[name].version}" if name in ACTIONS else "none"
                raise Refused(
                    f"The plan was made with {name} version {version}; this offboard has {mine}.",
                    todo="Make and review a new plan with this version. Nothing was written.",
                )

    def consume(self, plan: Plan, run: str) -> None:
        """Open a run of the plan, which is then used up. Nothing is sent yet.

        Raises:
            Refused: It was consumed by somebody else meanwhile.
            Busy: A leaver has an open run.
            AuditError: The audit cannot be written.
        """
        at = utc_now_of(self.tools.reader.sender)
        self.tools.audit.write(
            "run-started",
            **opening(plan, self.tools.reader.sender.connection.token_info()),
            approvals=[approval.to_json() for approval in self.approvals] or None,
        )
        self.tools.store.start(run, plan, at, self.approvals)
        for person in plan.unplanned:
            self.tools.audit.write("unplanned", why=person.what, user=person.user, todo=person.todo)
        for each in plan.leavers:
            for override in each.overrides:
                who = {"id": each.leaver.id, "upn": each.leaver.user_principal_name}
                self.tools.audit.write(
                    "guard-overridden", leaver=who, why=override.reason, guard=override.guard, by=override.by
                )

    async def carry_on(
        self, plan: Plan, run: str, *, whole: Outline | None = None, begins: bool = False, contain: bool = False
    ) -> RunOutcome:
        """Carry out what is due in a run that is open: also how a stopped run is resumed.

        Args:
            plan: The part that is carried out, with due times as they are now.
            run: The run.
            whole: Of the plan as reviewed, with all its leavers; None when that is the part.
            begins: Whether this is the run's first turn.
            contain: Only what cuts access at the playbook's beginning; the rest is left for later.
        """
        self.tools.bulk, self.tools.caps = len(plan.leavers) > 1, caps_of(self.limits)
        now = utc_now_of(self.tools.reader.sender)
        acting = [e.leaver.id for e in plan.leavers if any(p.due <= now and p.changes for p in e.steps)]
        # Started with the leavers' own reading, so that both share their requests; awaited by each before it writes.
        bars = asyncio.ensure_future(self.gate.bars(plan, run, acting, whole)) if acting else None
        size = range(len(plan.leavers))
        runs = [LeaverRun(self.tools, run, plan, n, values_of(plan, n), bars, contain) for n in size]
        try:
            found = await together(runs)
        except AuditError as error:
            # Where the disk is only full, the log has kept room for this.
            with suppress(AuditError):
                self.tools.audit.write("stopped", why=" ".join(error.lines()))
            raise
        finally:
            if bars is not None:
                bars.cancel()
                await asyncio.gather(bars, return_exceptions=True)
        outcome = RunOutcome(run, plan, tuple(found), plan.unplanned if begins else ())
        code = outcome.exit_code(self.accepted)
        # Whoever goes on at once with the rest has not come to an end.
        ended = [each for each in found if not contain or each.ended_early]
        # Another process may have gone on with somebody: then that one tells the end.
        ended = [each for each in ended if self.tools.store.leases.kept(plan.leavers[each.index].leaver.id)]
        if ended:
            last = ("run-ended", {"exit_code": code, "counts": _counts(outcome)})
            self.tools.audit.write_many([*(("leaver-ended", closing(plan, each)) for each in ended), last])
        held = not begins and any(each.barred for each in found)
        waits = held or (code not in (3, 4) and any(each.unfinished for each in found))
        state = "stopped" if code == 5 else "open" if waits else "ended"
        self.tools.store.end(run, state, code, [each.leaver.id for each in plan.leavers])
        return outcome


async def together(runs: Sequence[LeaverRun]) -> list[LeaverOutcome]:
    """Carry out all leavers at the same time; a person's trouble stays that person's.

    Being told to stop, or not being permitted, ends the run for everybody who is not done.

    Raises:
        AuditError: The audit cannot be written; nothing more was sent for anybody.
    """
    tasks = [asyncio.ensure_future(one.carry_out()) for one in runs]
    why = ""
    try:
        await asyncio.gather(*tasks)
    except asyncio.CancelledError:
        why = "stopped on request"
    except NotPermitted as error:
        why = " ".join(error.lines())
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    found = []
    for one, end in zip(runs, ended, strict=True):
        if isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError | NotPermitted):
            raise end
        found.append(one.stopped(why) if isinstance(end, BaseException) else end)
    return found


def values_of(plan: Plan, index: int) -> dict[str, str]:
    """The playbook's parameters for this leaver, as the plan holds them."""
    values = plan.leavers[index].leaver.about.get("parameters")
    return {str(k): str(v) for k, v in values.items()} if isinstance(values, dict) else {}


def _counts(outcome: RunOutcome) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in outcome.leavers:
        for result in each.results:
            counts[result.outcome.value] = counts.get(result.outcome.value, 0) + 1
    return counts
