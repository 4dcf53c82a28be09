"""How many at once: caps per run and per rolling 24 hours, and periods in which nothing is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from offboard.facts import Unreadable
from offboard.guards.guard import Guard, Question, Said, cannot_read
from offboard.model import LeaverPlan

FLOOR = 5
"""What a percentage never forbids: two percent of a small tenant would be nobody."""
_RAISE = "Split the run, raise the limit in offboard.toml, or override it."


def _max_leavers(asked: Question) -> Iterator[Said]:
    yield from _people(asked, asked.limits.max_leavers, f"the tenant allows {asked.limits.max_leavers}")


def _max_percent(asked: Question) -> Iterator[Said]:
    percent, members = asked.limits.max_percent, asked.around.enabled_members
    if percent >= 100:
        return
    if isinstance(members, Unreadable):
        yield Said(
            cannot_read("how many people the tenant has, of whom a share may leave at once, cannot be told", members)
        )
        return
    allowed = max(FLOOR, int(members * percent / 100))
    share = f"{percent:g} % of {members} enabled members allow {allowed}"
    yield from _people(asked, allowed, share)


def _people(asked: Question, allowed: int, rule: str) -> Iterator[Said]:
    many, history = len(asked.plan.leavers), asked.around.history
    begins = asked.acting - history.earlier
    lately = history.leavers | begins
    if many > allowed:
        yield Said(f"{many} leavers, and {rule} in one run. {_RAISE}")
    elif begins and len(lately) > allowed:
        yield Said(
            f"{many} leavers, and with those of the last 24 hours {len(lately)}; {rule} in 24 hours. "
            "Wait, raise the limit in offboard.toml, or override it."
        )


def _max_deletes(asked: Question) -> Iterator[Said]:
    yield from _objects(
        asked, "user", ("delete", "purge"), asked.limits.max_deletes, asked.around.history.deletes, "deletions"
    )


def _max_wipes(asked: Question) -> Iterator[Said]:
    yield from _objects(asked, "", ("wipe",), asked.limits.max_wipes, asked.around.history.wipes, "wiped devices")


def _objects(
    asked: Question, kind: str, verbs: tuple[str, ...], allowed: int, lately: frozenset[str], noun: str
) -> Iterator[Said]:
    planned = _targets(asked.plan.leavers, kind, verbs)
    acting = [each for each in asked.plan.leavers if each.leaver.id in asked.acting]
    due = _targets(acting, kind, verbs, asked.now)
    if len(planned) > allowed:
        yield Said(f"{len(planned)} {noun}, and the tenant allows {allowed} in one run. {_RAISE}")
    elif due and len(lately | due) > allowed:
        yield Said(
            f"{len(due)} {noun} now, and with those of the last 24 hours {len(lately | due)}; the tenant allows {allowed} in "
            "24 hours. Wait, raise the limit in offboard.toml, or override it."
        )


def _targets(
    leavers: Iterable[LeaverPlan], kind: str, verbs: tuple[str, ...], until: datetime | None = None
) -> frozenset[str]:
    return frozenset(
        change.target.id
        for each in leavers
        for planned in each.steps
        for change in planned.changes
        if change.verb in verbs and kind in ("", change.target.kind) and (until is None or planned.due <= until)
    )


def _freeze(asked: Question) -> Iterator[Said]:
    dues = {planned.due for each in asked.plan.leavers for planned in each.steps if planned.changes}
    for period in asked.limits.freeze:
        why = f" ({period.reason})" if period.reason else ""
        span = f"from {period.begin:%Y-%m-%d %H:%M%z} until {period.end:%Y-%m-%d %H:%M%z}{why}"
        if period.begin <= asked.now < period.end:
            yield Said(f"nothing is carried out {span}. Wait, or override it.", until=period.end)
        elif not asked.binding and any(period.begin <= due < period.end for due in dues):
            yield Said(f"steps fall due while nothing is carried out, {span}; they will wait.", "warn")


CAPS = (
    Guard("max_leavers", "Leavers in one run and in 24 hours.", whole=_max_leavers, warns_in_plan=True),
    Guard("max_percent", "The same, in percent of the enabled members.", whole=_max_percent, warns_in_plan=True),
    Guard("max_deletes", "Deleted users in one run and in 24 hours.", whole=_max_deletes, warns_in_plan=True),
    Guard("max_wipes", "Wiped devices in one run and in 24 hours.", whole=_max_wipes, warns_in_plan=True),
    Guard("freeze", "Periods in which nothing is carried out.", whole=_freeze, warns_in_plan=True),
)
