"""How many at once: caps per run and per rolling 24 hours, and periods in which nothing is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from offboard.facts import Unreadable
from offboard.guards.guard import Guard, Question, Said, cannot_read

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
    begins = asked.plan.acting - history.earlier
    lately = history.leavers | begins
    if many > allowed:
        yield Said(f"{_counted(many, 'leaver')}, and {rule} in one run. {_RAISE}")
    elif begins and len(lately) > allowed:
        yield Said(
            f"{_counted(many, 'leaver')}, and with those of the last 24 hours {len(lately)}; {rule} in 24 hours. "
            "Wait, raise the limit in offboard.toml, or override it."
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _max_deletes(asked: Question) -> Iterator[Said]:
    plan, lately = asked.plan, asked.around.history.deletes
    yield from _objects(plan.deletes, plan.deletes_now, lately, asked.limits.max_deletes, "deletion")


def _max_wipes(asked: Question) -> Iterator[Said]:
    plan, lately = asked.plan, asked.around.history.wipes
    yield from _objects(plan.wipes, plan.wipes_now, lately, asked.limits.max_wipes, "wiped device")


def _objects(
    planned: frozenset[str], due: frozenset[str], lately: frozenset[str], allowed: int, noun: str
) -> Iterator[Said]:
    if len(planned) > allowed:
        yield Said(f"{_counted(len(planned), noun)}, and the tenant allows {allowed} in one run. {_RAISE}")
    elif due and len(lately | due) > allowed:
        yield Said(
            f"{_counted(len(due), noun)} now, and with those of the last 24 hours {len(lately | due)}; the tenant allows "
            f"{allowed} in 24 hours. Wait, raise the limit in offboard.toml, or override it."
        )


def _freeze(asked: Question) -> Iterator[Said]:
    for period in asked.limits.freeze:
        why = f" ({period.reason})" if period.reason else ""
        begin, end = period.begin.astimezone(UTC), period.end.astimezone(UTC)
        span = f"from {begin:%Y-%m-%d %H:%MZ} until {end:%Y-%m-%d %H:%MZ}{why}"
        if period.begin <= asked.now < period.end:
            yield Said(f"nothing is carried out {span}. Wait, or override it.", until=period.end)
        elif not asked.binding and any(period.begin <= due < period.end for due in asked.plan.dues):
            yield Said(f"steps fall due while nothing is carried out, {span}; they will wait.", "warn")


CAPS = (
    Guard("max_leavers", "Leavers in one run and in 24 hours.", whole=_max_leavers, warns_in_plan=True),
    Guard("max_percent", "The same, in percent of the enabled members.", whole=_max_percent, warns_in_plan=True),
    Guard("max_deletes", "Deleted users in one run and in 24 hours.", whole=_max_deletes, warns_in_plan=True),
    Guard("max_wipes", "Wiped devices in one run and in 24 hours.", whole=_max_wipes, warns_in_plan=True),
    Guard("freeze", "Periods in which nothing is carried out.", whole=_freeze, warns_in_plan=True),
)
