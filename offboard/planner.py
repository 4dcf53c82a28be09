"""What a playbook would do: a pure function of facts.

`plan_leaver` asks every action what it would change and folds each answer onto the facts, so that later steps are planned
on what will be true by then. `replan` asks one step again on fresh facts; `compare` intersects the two answers. Dry run,
idempotence, drift, recovery and verification are all made of these three.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offboard.actions import ACTIONS
from offboard.actions.base import Since
from offboard.facts import (
    Account,
    Devices,
    Facts,
    FactType,
    Licenses,
    ManagedDevices,
    Memberships,
    Unreadable,
)
from offboard.loading.expression import ExpressionError, compile_expression
from offboard.model import JSON, Change, Doing, Leaver, LeaverPlan, Note, Planned, PlannedStep, Playbook, Ref, Step, Table


def never(_key: str) -> None:
    """The `Since` of a leaver whom no earlier run has touched."""
    return


@dataclass(frozen=True, slots=True)
class Answer:
    """What one step says on given facts."""

    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[Table, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Approved against fresh.

    Args:
        todo: Approved and still needed.
        already: Approved and no longer needed: already so.
        drifted: Needed and never approved.
    """

    todo: tuple[Change, ...]
    already: tuple[Change, ...]
    drifted: tuple[Change, ...]


def fact_types(steps: Iterable[Step]) -> frozenset[FactType]:
    """The facts that these steps may look at."""
    return frozenset(fact for step in steps for fact in ACTIONS[step.action].reads)


def replan(step: Step, facts: Facts, since: Since, values: Mapping[str, str], *, afterwards: bool = False) -> Answer:
    """What the step would do on these facts.

    Args:
        step: Parameters filled in.
        facts: Fresh, or predicted.
        since: Our own recorded intents.
        values: The playbook's parameters for this leaver, for `when:`.
        afterwards: Asked about what was approved; what outlives a deleted leaver is looked at, too.
    """
    action = ACTIONS[step.action]
    reason = _why_not(step, facts, values, afterwards=afterwards)
    if reason is not None:
        return Answer(skipped=reason)
    answer: list[Planned] = list(action.plan(facts, step.parameters, since))
    if facts.app_only and not action.permissions.application:
        answer = [_delegated_only(x) if isinstance(x, Change) else x for x in answer]
    return Answer(
        changes=tuple(x for x in answer if isinstance(x, Change)),
        notes=tuple(x for x in answer if isinstance(x, Note)),
        tables=tuple(x for x in answer if isinstance(x, Table)),
    )


def _delegated_only(change: Change) -> Note:
    """What an app without a signed-in person cannot do is a duty for somebody, not an error at two in the morning."""
    reason = f"{change.verb}: Graph does not offer this to an app; sign in as a person (device-code) for this step"
    return Note(Doing.ASK, change.target, reason, "delegated-only", open=True)


def _why_not(step: Step, facts: Facts, values: Mapping[str, str], *, afterwards: bool) -> str | None:
    account = facts.account
    action = ACTIONS[step.action]
    if action.needs_user and not (afterwards and action.outlives) and (account.gone or account.deleted is not None):
        when = f" since {account.deleted:%Y-%m-%d %H:%MZ}" if account.deleted else ""
        return f"the leaver is deleted{when}"
    if step.when is None:
        return None
    try:
        holds = compile_expression(step.when).holds(account.graph(), values)
    except ExpressionError as error:
        return f"its condition could not be decided: {error.what}"
    return None if holds else f"its condition does not hold: {step.when}"


def fold(step: Step, facts: Facts, changes: Iterable[Change]) -> Facts:
    """The facts as they will be after these changes of the step."""
    for change in changes:
        facts = ACTIONS[step.action].fold(facts, change)
    return facts


def cannot_tell(change: Change, answer: Answer) -> str:
    """Why the answer does not tell whether the change is so; empty when it does.

    A change that is not asked for any more is done only if the action looked and found it so. Where it says instead that
    it leaves the object alone, or could not read it, nothing is known.
    """
    if answer.skipped is not None:
        return answer.skipped
    for note in answer.notes:
        if (note.doing is Doing.UNKNOWN and _part(note.target, change)) or _about(note, change):
            return note.reason
    return ""


def cannot_read(change: Change, answer: Answer) -> bool:
    """Whether the answer cannot tell because something could not be read."""
    return any(
        note.doing is Doing.UNKNOWN and (_part(note.target, change) or _about(note, change)) for note in answer.notes
    )


def left_alone(change: Change, answer: Answer) -> str:
    """Why the step would leave the object as it is, which is not as the change wanted it; empty when it would not.

    What could not be read is no reason: it was read back once.
    """
    notes = (note for note in answer.notes if note.doing is not Doing.UNKNOWN and _about(note, change))
    return next((note.reason for note in notes), "")


def _part(target: Ref | None, change: Change) -> bool:
    return target is None or any((target.kind, target.id) == (part.kind, part.id) for part in change.parts)


def _about(note: Note, change: Change) -> bool:
    return note.target is not None and (note.target.kind, note.target.id) == (change.target.kind, change.target.id)


def compare(approved: Sequence[Change], fresh: Sequence[Change]) -> Comparison:
    """Intersect what was approved with what is needed now, part by part for sets."""
    wanted = {change.key: change for change in fresh}
    known = {change.key: change for change in approved}
    todo, already, drifted = [], [], []
    for change in approved:
        now = wanted.get(change.key)
        if now is None:
            already.append(change)
            continue
        ids = {part.id for part in now.parts}
        both = tuple(part for part in change.parts if part.id in ids)
        gone = tuple(part for part in change.parts if part.id not in ids)
        if both or not change.parts:
            todo.append(replace(now, parts=both, effect=change.effect, until=change.until))
        if gone:
            already.append(change.only(gone))
    for change in fresh:
        before = known.get(change.key)
        ids = {part.id for part in before.parts} if before else set()
        extra = tuple(part for part in change.parts if part.id not in ids)
        if before is None:
            drifted.append(change)
        elif extra:
            drifted.append(change.only(extra))
    return Comparison(tuple(todo), tuple(already), tuple(drifted))


def plan_leaver(
    facts: Facts,
    playbook: Playbook,
    leave: datetime,
    since: Since,
    values: Mapping[str, str],
    *,
    fill: Callable[[Step, Facts, Mapping[str, str]], Step],
    leaving: Collection[str] = (),
) -> LeaverPlan:
    """All that the playbook would do for one leaver.

    Args:
        facts: As read.
        playbook: As loaded.
        leave: T.
        since: Intents of earlier runs that still count as evidence.
        values: Parameter values for this leaver.
        fill: Puts values into a step's texts.
        leaving: Object ids of all leavers of the plan.
    """
    reviewed = fingerprint(facts, leaving)
    predicted, planned = _pinned(facts, reviewed), dict[int, PlannedStep]()
    # In the order in which they fall due, whatever the order in which they are written: that is how they will be done.
    for place, written in sorted(enumerate(playbook.steps), key=lambda each: each[1].due.minutes):
        step, due = fill(written, facts, values), written.due.at(leave)
        at_due = replace(predicted, read_at=max(predicted.read_at, due))
        answer = replan(step, at_due, since, values)
        planned[place] = PlannedStep(step, due, answer.changes, answer.notes, answer.tables, answer.skipped)
        predicted = replace(fold(step, at_due, answer.changes), read_at=predicted.read_at)
    steps = _with_deletion([planned[place] for place in range(len(playbook.steps))])
    return LeaverPlan(
        leaver=identify(facts.account, facts, values),
        leave=leave,
        fingerprint=reviewed,
        steps=tuple(steps),
        consequences=tuple(consequences(steps, facts)),
    )


def _with_deletion(steps: list[PlannedStep]) -> list[PlannedStep]:
    """What a deletion at the same time ends anyway is not left open."""
    dues = {step.due for step in steps for c in step.changes if c.verb == "delete" and c.target.kind == "user"}
    return [
        replace(step, notes=tuple(map(ended_by_deletion, step.notes))) if step.due in dues else step for step in steps
    ]


def ended_by_deletion(note: Note) -> Note:
    """The note, when its leaver is deleted: licenses and sessions end with the user, a device stays as it is."""
    if not note.open or note.target is None or note.target.kind not in ("license", "user"):
        return note
    return replace(note, open=False, reason=f"{note.reason}; ends with the deletion")


def _pinned(facts: Facts, reviewed: Mapping[str, JSON]) -> Facts:
    """The facts, with the leaver's devices remembered as they are now, whatever earlier steps take away."""
    devices = facts.others.get(Devices)
    if not isinstance(devices, Devices):
        return facts
    owned, registered, _ = pins(reviewed)
    return together(facts.put(replace(devices, owned_before=owned, registered_before=registered)), reviewed)


def together(facts: Facts, reviewed: Mapping[str, JSON]) -> Facts:
    """The facts, with the other leavers of the same plan still counted as the people of the devices they had.

    What the run does to one leaver (a deletion, an ownership removed) changes whose a device is. Counted afresh, a device
    that was reviewed as shared would become the other leaver's alone, and ask for what nobody reviewed.
    """
    devices, shared = facts.others.get(Devices), reviewed.get("shared")
    if not isinstance(devices, Devices) or not shared:
        return facts
    leaving = {id: tuple(Ref("user", each["id"], each["name"]) for each in people) for id, people in shared.items()}
    return facts.put(replace(devices, leaving=leaving))


def identify(account: Account, facts: Facts, values: Mapping[str, str]) -> Leaver:
    """The leaver, with what a reviewer needs to be sure of the person."""
    about: dict[str, JSON] = {
        "userType": account.user_type,
        "accountEnabled": account.account_enabled,
        "onPremisesSyncEnabled": account.synced,
        "isManagementRestricted": account.management_restricted or None,
        "department": account.department,
        "jobTitle": account.job_title,
        "employeeId": account.employee_id,
        "mail": account.mail,
        "manager": account.manager.name if account.manager else None,
        "createdDateTime": account.created.strftime("%Y-%m-%dT%H:%M:%SZ") if account.created else None,
        "deletedDateTime": account.deleted.strftime("%Y-%m-%dT%H:%M:%SZ") if account.deleted else None,
        "devices": _count(facts.others.get(Devices)),
        "licenses": _count(facts.others.get(Licenses)),
        "roles": _roles(facts),
        "isResourceAccount": account.resource_account or None,
        "licensed": None if account.licensed else account.licensed,  # said only where there is none
        "parameters": dict(values) or None,
    }
    kept = {key: value for key, value in about.items() if value is not None}
    return Leaver(account.id, account.user_principal_name, account.display_name, kept)


def _count(fact: object) -> JSON:
    if isinstance(fact, Unreadable):
        return f"could not be read: {fact.reason}"
    if isinstance(fact, Devices):
        return len(fact.items)
    return len({x.sku_id for x in fact.items}) if isinstance(fact, Licenses) else None


def _roles(facts: Facts) -> JSON:
    fact = facts.others.get(Memberships)
    if isinstance(fact, Unreadable):
        return f"could not be read: {fact.reason}"
    if not isinstance(fact, Memberships):
        return None
    bare = sum(group.bare for group in fact.items)
    return f"could not be told: {bare} memberships are not shown" if bare else [role.name for role in fact.roles]


def fingerprint(facts: Facts, leaving: Collection[str] = ()) -> dict[str, JSON]:
    """The facts that a review rests on, in comparable form; also what `owned` and `shared` meant when it was reviewed.

    Args:
        facts: As read.
        leaving: Object ids of all leavers of the plan.
    """
    account = facts.account
    found: dict[str, JSON] = {
        "id": account.id,
        "userPrincipalName": account.user_principal_name,
        "userType": account.user_type,
        "onPremisesSyncEnabled": account.synced,
        "deleted": account.deleted is not None,
    }
    memberships = facts.others.get(Memberships)
    if isinstance(memberships, Memberships):
        found["roles"] = sorted(role.id for role in memberships.roles)
        found["groups"] = sorted(each.id for each in memberships.items)
    devices = facts.others.get(Devices)
    if isinstance(devices, Devices):
        found["owned"] = sorted(d.id for d in devices.items if _among(d.owners, account.id))
        found["registered"] = sorted(d.id for d in devices.items if _among(d.users, account.id))
        found["known"] = sorted(d.id for d in devices.items)
        staying = [d.id for d in devices.items if _stays(d.others(account.id), leaving)]
        if staying := sorted([*staying, *_managed_staying(facts, leaving)]):
            found["staying"] = staying
        if shared := _shared(devices, account.id, leaving):
            found["shared"] = shared
    return found


def _managed_staying(facts: Facts, leaving: Collection[str]) -> list[str]:
    managed, devices = facts.others.get(ManagedDevices), facts.others.get(Devices)
    if not isinstance(managed, ManagedDevices) or not isinstance(devices, Devices | Unreadable):
        return []
    return [d.id for d in managed.items if _stays(d.others(facts.account.id, devices), leaving)]


def _stays(others: tuple[Ref, ...] | Unreadable, leaving: Collection[str]) -> bool:
    """Whether a device belongs to somebody who stays; "cannot be told" counts as somebody."""
    return isinstance(others, Unreadable) or any(ref.id not in leaving for ref in others)


def _shared(devices: Devices, leaver: str, leaving: Collection[str]) -> dict[str, JSON]:
    """Per device: the other leavers of the plan to whom it belongs too."""
    found: dict[str, JSON] = {}
    for device in devices.items:
        known = [refs for refs in (device.owners, device.users) if not isinstance(refs, Unreadable)]
        people = {ref.id: ref.name for refs in known for ref in refs if ref.id in leaving and ref.id != leaver}
        if people:
            found[device.id] = [{"id": id, "name": name} for id, name in sorted(people.items())]
    return found


def _among(refs: object, id: str) -> bool:
    return isinstance(refs, tuple) and any(ref.id == id for ref in refs)


SYNCED = ("onPremisesSyncEnabled",)
IDENTITY = ("id", "userType", *SYNCED, "userPrincipalName", "roles")
"""Fingerprint keys that must not differ at all; the others drift only where a step cares."""


def moved(reviewed: Mapping[str, JSON], fresh: Mapping[str, JSON], keys: Sequence[str] = IDENTITY) -> list[str]:
    """What about the leaver differs from what was reviewed, as sentences."""
    found = []
    for key in keys:
        if key in reviewed and key in fresh and reviewed[key] != fresh[key]:
            found.append(f"{key} was {_show(reviewed[key])} when reviewed and is {_show(fresh[key])} now")
    return found


def _show(value: JSON) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def consequences(steps: Sequence[PlannedStep], facts: Facts) -> list[str]:
    """What a reviewer must know besides the changes themselves."""
    said = []
    verbs = {change.verb for step in steps for change in step.changes}
    if verbs & {"disable", "revoke", "set", "delete"} and not facts.account.guest:
        said.append(
            "Access tokens already issued stay valid for about 90 minutes after the run "
            "(Exchange, SharePoint and Teams: about 15); sessions that an application keeps for itself may live longer."
        )
    for step in steps:
        for change in step.changes:
            if change.until is not None:
                said.append(
                    f"{change.target.name} can be restored until {change.until:%Y-%m-%d %H:%MZ}; then the deletion is final."
                )
                said.extend(_freed_by_deletion(facts, verbs))
    if verbs and facts.account.guest:
        said.append("The leaver is a guest and keeps the account at the home tenant; only access to this tenant ends.")
    return said


def _freed_by_deletion(facts: Facts, verbs: set[str]) -> list[str]:
    licenses = facts.others.get(Licenses)
    if not isinstance(licenses, Licenses) or not licenses.items or "free" in verbs:
        return []
    names = ", ".join(sorted({x.name for x in licenses.items}))
    return [f"The deletion also frees the licenses {names}."]


def unread(facts: Facts) -> list[Unreadable]:
    """The facts that could not be read."""
    return [fact for fact in facts.others.values() if isinstance(fact, Unreadable)]


def pins(reviewed: Mapping[str, JSON]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Device ids that the review found: owned, registered, all."""
    return (
        frozenset(reviewed.get("owned", ())),
        frozenset(reviewed.get("registered", ())),
        frozenset(reviewed.get("known", ())),
    )
