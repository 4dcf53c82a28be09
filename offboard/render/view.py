"""What a reviewer must be told, once, for all renderings.

A `PlanView` holds finished, sanitized words in the order in which they are to be read; a renderer only lays it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offboard.model import Effect, LeaverPlan, Note, Plan, PlannedStep, Step, Table
from offboard.render.labels import Labels, objects
from offboard.render.safe import PROSE, safe, suspicious
from offboard.render.summary import idle, summary, total
from offboard.render.words import about, count, detail, distance, exact, kind, listed, remark, stamp

NAMED = 20
"""People who are named one by one, of those for whom nothing could be planned."""
UPN = 160
"""Columns for a user principal name: never cut, 113 characters is Entra's own limit and deletion prefixes 32."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a step: a change, or something that is not changed.

    Args:
        verb: What is done, or `skip`, `keep`, `ask`, `unknown`.
        label: The object, with a short id where a name alone may mislead.
        detail: Before → after, or the reason.
        remark: What may be lost, and other things worth a line of their own.
        sort: `change`, `lossy` (something may be lost), `note`, `open` (access or a duty is left), `accepted`, `quiet`.
    """

    verb: str
    label: str
    detail: str
    remark: str
    sort: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of one leaver; `due` is a heading that stands before it when its time differs from the step before."""

    number: int
    id: str
    remark: str
    due: str
    rows: tuple[Row, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class LeaverView:
    """One leaver. `alerts` are what must be seen before the steps, `objects` the full ids."""

    name: str
    upn: str
    kind: str
    id: str
    leave: str
    about: tuple[str, ...]
    alerts: tuple[tuple[str, str], ...]
    steps: tuple[StepView, ...]
    summary: tuple[str, ...]
    consequences: tuple[str, ...]
    objects: tuple[tuple[str, str, str], ...]
    changes: int
    open: int
    later: str
    stops: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan. `facts` are label and value, `needs` step, least permissions and remark.

    `summary` and `consequences` are what is said once for all leavers, `needed` is what `needs` comes to, in short.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    alerts: tuple[tuple[str, str], ...]
    leavers: tuple[LeaverView, ...]
    summary: tuple[str, ...]
    consequences: tuple[str, ...]
    needs: tuple[tuple[str, str, str], ...]
    needed: tuple[str, ...]
    closing: tuple[tuple[str, str], ...]


def see(plan: Plan, now: datetime) -> PlanView:
    """The plan, in words.

    Args:
        plan: As made.
        now: The reader's time; from it `in 30 days` is counted and expiry told.
    """
    shared = _shared(plan)
    leavers = tuple(_leaver(each, plan.playbook.accept, shared, now) for each in plan.leavers)
    who = leavers[0].name if len(leavers) == 1 else count(len(leavers), "leaver")
    return PlanView(
        title=f"Plan {safe(plan.short_id)}: {safe(plan.playbook.name)} for {who}",
        facts=tuple(_facts(plan, now)),
        alerts=tuple(_alerts(plan, leavers, now)),
        leavers=leavers,
        summary=tuple(total(plan, now)),
        consequences=tuple(safe(each, PROSE) for each in shared),
        needs=tuple(_needs(plan.needs)),
        needed=tuple(_needed(plan)),
        closing=tuple(_closing(plan)),
    )


def brief(plan: Plan, now: datetime, most: int) -> PlanView:
    """The plan of very many, with only those leavers about whom something must be known.

    Args:
        plan: As made.
        now: The reader's time.
        most: How many are shown at most.
    """
    told = [each for each in plan.leavers if each.objections or each.open_items(plan.playbook.accept)]
    shown = replace(plan, leavers=tuple(told[:most]) or (plan.leavers[0],))
    view, several = see(shown, now), count(len(plan.leavers), "leaver")
    left = f"{count(len(told) - most, 'more leaver')} with objections or open items; " if len(told) > most else ""
    whole = (
        f"{left}{len(plan.leavers) - len(shown.leavers)} leavers are not shown. In full: offboard show FILE, or --json."
    )
    return replace(
        view,
        title=f"Plan {safe(plan.short_id)}: {safe(plan.playbook.name)} for {several}",
        summary=(whole, *total(plan, now)),
        consequences=tuple(safe(each, PROSE) for each in _shared(plan)),
    )


def _shared(plan: Plan) -> tuple[str, ...]:
    """Consequences that hold for every leaver of several are said once."""
    if len(plan.leavers) < 2:
        return ()
    found = plan.leavers[0].consequences
    for each in plan.leavers:  # one after the other: a large plan is unpacked as it is looked through
        found = tuple(said for said in found if said in each.consequences)
    return found


def _facts(plan: Plan, now: datetime) -> Iterator[tuple[str, str]]:
    playbook = plan.playbook
    digest = f" ({short_digest(playbook.digest)})" if playbook.digest else ""
    yield "playbook", safe(playbook.name) + digest
    alias = f", called {safe(plan.tenant.alias)}" if plan.tenant.alias not in ("", plan.tenant.name) else ""
    yield "tenant", f"{safe(plan.tenant.name)}{alias}"
    yield "read", exact(plan.created) + (f" by {safe(plan.actor, UPN)}" if plan.actor else "")
    yield "valid until", f"{stamp(plan.valid_until)}, {distance(plan.valid_until, now)}"


def _closing(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "plan", safe(plan.id)
    yield "digest", safe(plan.digest) or "not sealed yet"
    yield "tenant", safe(plan.tenant.id)
    if plan.playbook.digest:
        yield "playbook", safe(plan.playbook.digest)
    if plan.tool:
        yield "made by", safe(plan.tool)


def short_digest(digest: str) -> str:
    """The first eight characters of a digest's value."""
    return safe(digest.removeprefix("sha256:")[:8])


def _alerts(plan: Plan, leavers: Sequence[LeaverView], now: datetime) -> Iterator[tuple[str, str]]:
    if plan.valid_until <= now:
        yield "stop", f"This plan expired on {stamp(plan.valid_until)}: make and review a new one."
    stopped = [each.name for each in leavers if each.stops]
    if stopped:
        named = listed(stopped[:5]) if len(stopped) <= 5 else count(len(stopped), "leaver")
        yield "stop", f"This plan cannot be applied: a guard objects to {named}."
    if not leavers:
        yield "warn", "This plan names nobody."
    for person in plan.unplanned[:NAMED]:
        yield (
            "warn",
            f"{safe(person.user, UPN)} is not in this plan: {safe(person.what, PROSE)} {safe(person.todo, PROSE)}",
        )
    if len(plan.unplanned) > NAMED:
        yield "warn", f"{len(plan.unplanned) - NAMED} more are not in this plan either; all are named with --json."


def _leaver(planned: LeaverPlan, accept: tuple[str, ...], shared: tuple[str, ...], now: datetime) -> LeaverView:
    leaver, labels = planned.leaver, Labels(planned)
    later = [step for step in planned.steps if step.due > now and not idle(step)]
    return LeaverView(
        name=safe(leaver.display_name) or "(no name)",
        upn=safe(leaver.user_principal_name, UPN),
        kind=kind(leaver),
        id=safe(leaver.id),
        leave=f"{stamp(planned.leave)}" + (f", {distance(planned.leave, now)}" if planned.leave > now else ""),
        about=tuple(about(leaver)),
        alerts=tuple(_warnings(planned)),
        steps=tuple(_steps(planned, labels, accept, now)),
        summary=tuple(summary(planned, labels, accept, now)),
        consequences=tuple(safe(each, PROSE) for each in planned.consequences if each not in shared),
        objects=tuple(
            (safe(ref.name) or "(no name)", safe(ref.kind), safe(ref.id))
            for ref in labels.refs.values()
            if ref.id != leaver.id
        ),
        changes=len(planned.changes),
        open=len(planned.open_items(accept)),
        later=stamp(min(step.due for step in later)) if later else "",
        stops=sum(o.severity == "stop" for o in planned.objections),
    )


def _warnings(planned: LeaverPlan) -> Iterator[tuple[str, str]]:
    for objection in planned.objections:
        yield objection.severity, f"{safe(objection.guard)}: {safe(objection.reason, PROSE)}"
    upn = suspicious(planned.leaver.user_principal_name)
    if upn:
        yield "warn", f"the user principal name {upn}: {safe(planned.leaver.user_principal_name, UPN)}"
    for ref in objects(planned):
        why = suspicious(ref.name)
        if why:
            yield "warn", f"the name of {safe(ref.kind)} {safe(ref.id)} {why}: {safe(ref.name)}"


def _steps(planned: LeaverPlan, labels: Labels, accept: tuple[str, ...], now: datetime) -> Iterator[StepView]:
    before = "now"
    for number, step in enumerate(planned.steps, 1):
        due = _due(step, now)
        yield StepView(
            number=number,
            id=safe(step.step.id),
            remark=_remark(step.step),
            due=due if due != before else "",
            rows=tuple(_rows(step, labels, accept)),
            tables=step.tables,
        )
        before = due


def _due(step: PlannedStep, now: datetime) -> str:
    if step.due <= now and not step.step.due.minutes:
        return "now"
    return f"{stamp(step.due)}, {distance(step.due, now)} ({step.step.due})"


def _remark(step: Step) -> str:
    return "" if step.id.startswith(step.action) else f"action {safe(step.action)}"


def _rows(step: PlannedStep, labels: Labels, accept: tuple[str, ...]) -> Iterator[Row]:
    if step.skipped is not None:
        yield Row("skip", "whole step", safe(step.skipped, PROSE), "", "quiet")
    for change in step.changes:
        sort = "change" if change.effect is Effect.REVERSIBLE else "lossy"
        # Who is in the heading: acts on the account itself say what they do, not to whom.
        label = "" if change.verb in ("revoke", "set") and change.target.id == labels.leaver else labels.of_change(change)
        yield Row(safe(change.verb), label, detail(change), remark(change), sort)
    for note in step.notes:
        label = labels.of(note.target) if note.target else ""
        yield Row(note.doing.value, label, safe(note.reason, PROSE), "", _sort(note, accept))
    if step.skipped is None and not (step.changes or step.notes or step.tables):
        yield Row("none", "", "nothing to do: already so", "", "quiet")


def _sort(note: Note, accept: tuple[str, ...]) -> str:
    if not note.open:
        return "note"
    return "accepted" if note.code in accept else "open"


def _needs(needs: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, str, str]]:
    """Least delegated permissions by step; what all the reading needs in one line."""
    by_step: dict[str, dict[str, None]] = {}
    people_only: set[str] = set()
    for need in needs:
        step = safe(str(need.get("step", "")))
        by_step.setdefault(step, {}).update(dict.fromkeys(_least(need.get("delegated"))))
        if not need.get("application"):
            people_only.add(step)
    for step, names in by_step.items():
        remark = "not possible for an app alone" if step in people_only else ""
        yield step, ", ".join(names) or "not possible for a signed-in person", remark


def _needed(plan: Plan) -> Iterator[str]:
    """What is needed and whether the sign-in has it, in short: what it has needs no reading."""
    needs = plan.needs
    if not needs:
        return
    number = count(len({name for _, names, _ in _needs(needs) for name in names.split(", ")}), "permission")
    lacking = [need for need in needs if need.get("held") is False]
    if any("held" not in need for need in needs):
        full = f"offboard permissions {safe(plan.playbook.name)}"
        yield f"Needs {number}; the sign-in does not show which of them it has. In full: {full}"
    elif not lacking:
        yield f"Needs {number}; the sign-in that read this plan has what it takes."
    else:
        yield f"Needs {number}; the sign-in that read this plan lacks something for:"
        for step, names, remark in _needs(lacking):
            yield f"- {step}: {names}" + (f" ({remark})" if remark else "")


def _least(alternatives: object) -> list[str]:
    first = alternatives[0] if isinstance(alternatives, list | tuple) and alternatives else ()
    return [safe(str(name)) for name in first]
