"""From a playbook and the names of people to a sealed plan: reading at the edge, deciding in `planner`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from offboard import __version__
from offboard.actions import ACTIONS
from offboard.errors import NotPermitted, UsageError
from offboard.facts import Account, Facts, FactType, Memberships
from offboard.graph.parse import Senseless, all_of
from offboard.graph.read import Missing, Reader
from offboard.graph.send import utc_now_of
from offboard.guards import Lift, Limits, needed, object_to, warn_of_lacking, with_overrides, with_roles
from offboard.loading.texts import fill_step
from offboard.model import LeaverPlan, Plan, Playbook, Step, Tenant, Unplanned
from offboard.permissions import as_json
from offboard.planfile import Packing, pack, seal
from offboard.planner import fact_types, plan_leaver
from offboard.runs.gate import Gate, beside
from offboard.runs.leftovers import FRESH
from offboard.runs.store import Store

VALID_FOR = timedelta(hours=24)
AT_A_TIME = 500
"""Leavers who are read at the same time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One person to plan for, as asked.

    Args:
        user: User principal name or object id.
        leave: T; None means now.
        values: Parameters of the playbook for this leaver.
    """

    user: str
    leave: datetime | None
    values: Mapping[str, str]


@dataclass
class PlanMaker:
    """Makes plans in one tenant.

    Args:
        reader: Reads facts.
        store: Knows what earlier runs did.
        alias: The tenant's name in the configuration.
        tenant_id: The tenant that the configuration expects, or empty.
        limits: The tenant's guards.
        new_id: Makes plan ids.
        actor: Who plans.
        overrides: Guards that are lifted, as asked for.
    """

    reader: Reader
    store: Store
    alias: str
    tenant_id: str
    limits: Limits
    new_id: Callable[[], str]
    actor: str
    overrides: Sequence[Lift] = ()

    async def make(self, playbook: Playbook, wanted: Sequence[Wanted]) -> Plan:
        """A sealed plan.

        Raises:
            UsageError: A user is unknown or ambiguous; all such are named at once.
            NotPermitted: Signed in to another tenant, or not permitted to read.
            GraphUnavailable: Graph did not answer, or what it answered makes sense for nobody.
        """
        # A plan does not know where its playbook stood, only what it says: it must read back as it was written.
        playbook = replace(playbook, path="", steps=tuple(replace(step, line=0) for step in playbook.steps))
        kinds = fact_types(playbook.steps) | {Memberships}
        gate = Gate(self.reader, self.store, self.limits)
        # All at the same time, so that who is asking, and the tenant around the leavers, cost no request of their own.
        read = beside(self._read(playbook, wanted, kinds), gate.look())
        ((tenant, now, leavers, unplanned), seen), caller = await beside(read, gate.caller())
        plan = Plan(
            id=self.new_id(),
            created=now,
            valid_until=now + VALID_FOR,
            tenant=tenant,
            playbook=playbook,
            leavers=leavers,
            actor=self.actor,
            actions={step.action: ACTIONS[step.action].version for step in playbook.steps},
            needs=tuple(as_json(needed(playbook.steps, self.limits))),
            tool=f"offboard {__version__}",
            unplanned=unplanned,
        )
        plan = replace(plan, leavers=pack((with_roles(each, seen) for each in leavers), len(leavers)))
        plan = with_overrides(plan, self.overrides, self.actor)
        plan = object_to(plan, self.limits, await gate.complete(seen, plan))
        return seal(warn_of_lacking(plan, caller))

    async def _read(
        self, playbook: Playbook, wanted: Sequence[Wanted], kinds: frozenset[FactType]
    ) -> tuple[Tenant, datetime, Sequence[LeaverPlan], tuple[Unplanned, ...]]:
        found = await self._look_up([w.user for w in wanted], kinds)
        tenant = await self._tenant()
        accounts, wanted, unplanned = self._found(wanted, found)
        leaving = frozenset(account.id for account in accounts)
        packing, now = Packing(len(accounts)), None
        for some in _portions(len(accounts)):
            facts = await self.reader.facts(accounts[some], kinds)
            now = now or utc_now_of(self.reader.sender)
            lately = self.store.changes.lately(tenant.id, [fact.account.id for fact in facts], now - FRESH)
            for fact, asked in zip(facts, wanted[some], strict=True):
                made = self._leaver(fact, playbook, asked, tenant, now, leaving)
                packing.add(_warned(made, lately.get(fact.account.id), now))
        return tenant, now or utc_now_of(self.reader.sender), packing.leavers(), unplanned

    async def _look_up(self, names: Sequence[str], kinds: frozenset[FactType]) -> list[Account | Missing | Senseless]:
        found: list[Account | Missing | Senseless] = []
        for some in _portions(len(names)):
            found += await self.reader.look_up(names[some], kinds)
        return found

    async def _tenant(self) -> Tenant:
        tenant = await self.reader.tenant(self.alias)
        if self.tenant_id and self.tenant_id.lower() != tenant.id.lower():
            raise NotPermitted(
                f"You are signed in to tenant {tenant.name} ({tenant.id}), not to {self.alias} ({self.tenant_id}).",
                todo="Check tenant_id in offboard.toml, or sign in with an account of that tenant.",
            )
        return tenant

    def _found(
        self, wanted: Sequence[Wanted], found: Sequence[Account | Missing | Senseless]
    ) -> tuple[list[Account], list[Wanted], tuple[Unplanned, ...]]:
        """Who is planned for, as asked, and who cannot be: an answer without sense concerns one person only."""
        problems = [_unknown(each) for each in found if isinstance(each, Missing)]
        seen: dict[str, str] = {}
        pairs, unplanned = [], []
        for ask, each in zip(wanted, found, strict=True):
            if isinstance(each, Senseless):
                unplanned.append(Unplanned(ask.user, each.what, each.todo))
            elif isinstance(each, Account):
                pairs.append((each, ask))
                if each.id in seen:
                    problems.append(f"{seen[each.id]} and {ask.user} are the same person ({each.id}).")
                seen.setdefault(each.id, ask.user)
        if problems:
            raise UsageError(
                "\n".join(problems),
                todo="Nothing was planned. Name each person by user principal name or object id, once.",
            )
        if unplanned and not pairs:
            raise all_of([each for each in found if isinstance(each, Senseless)])
        return [account for account, _ in pairs], [ask for _, ask in pairs], tuple(unplanned)

    def _leaver(
        self, facts: Facts, playbook: Playbook, wanted: Wanted, tenant: Tenant, now: datetime, leaving: frozenset[str]
    ) -> LeaverPlan:
        account = facts.account

        def since(key: str) -> datetime | None:
            # An enabled user may have opened sessions since; only a disabled one keeps what an earlier run did.
            if account.account_enabled is not False:
                return None
            return self.store.changes.evidence(tenant.id, account.id, key)

        leave = wanted.leave or now
        return plan_leaver(facts, playbook, leave, since, wanted.values, fill=_fill, leaving=leaving)


def _warned(made: LeaverPlan, lately: tuple[str, datetime] | None, now: datetime) -> LeaverPlan:
    """The plan of one person, with a word about what may be older than it looks."""
    if lately is None:
        return made
    run, ago = lately[0][:8], max(0, int((now - lately[1]).total_seconds()))
    said = (
        f"Run {run} changed something for this person {ago} s before this was read. A copy of the directory may still show "
        "what was before: look whether it is all here, and plan again in a minute if it is not."
    )
    return replace(made, consequences=(*made.consequences, said))


def _portions(count: int) -> Iterator[slice]:
    """Who is read at the same time: many enough to fill batches, few enough that their facts do not fill the memory."""
    return (slice(first, first + AT_A_TIME) for first in range(0, count, AT_A_TIME))


def _fill(step: Step, facts: Facts, values: Mapping[str, str]) -> Step:
    return fill_step(step, facts.account, values)


def _unknown(missing: Missing) -> str:
    if not missing.candidates:
        return f"There is no user {missing.asked!r} in this tenant, and no deleted one of that name."
    likely = "; ".join(f"{a.user_principal_name} ({a.display_name}, {a.id})" for a in missing.candidates[:10])
    if len(missing.candidates) > 1:
        return f"{missing.asked!r} is ambiguous and no user principal name. It could be: {likely}."
    return f"There is no user {missing.asked!r}. Did you mean {likely}?"
