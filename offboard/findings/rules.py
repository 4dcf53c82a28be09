"""Which steps of a playbook are found harmful: one function per rule, over the steps in the order they fall due."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from offboard.actions import ACTIONS
from offboard.loading.texts import fields
from offboard.model import Effect, Playbook, Step

DISABLE, REVOKE, RESET = "disable-user", "revoke-sessions", "reset-password"
DELETE, LICENSES, METHODS = "delete-user", "remove-licenses", "remove-sign-in-methods"
DEVICES = ("wipe-devices", "retire-devices")
PURGE, WEEK = "purge-user", 7 * 24 * 60
CUTS = frozenset(
    {DISABLE, RESET, "disable-devices", "unown-devices", "remove-groups", METHODS, LICENSES, DELETE, *DEVICES}
)
"""What the leaver notices; being signed out once is a nuisance only."""
BACK = {
    DISABLE: "enable-user",
    "disable-devices": "enable-devices",
    "unown-devices": "own-devices",
    "remove-groups": "add-groups",
    LICENSES: "assign-licenses",
    DELETE: "restore-user",
}
"""What takes an action back."""

_GUEST = re.compile(r"""leaver\.userType\s*==\s*["']Guest["']""")
_PARAMETER = re.compile(r"\bparameters\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that a playbook meets.

    Args:
        code: Which rule.
        about: The id of the step, or the name of the parameter.
        line: 1-based; 0 when the playbook as a whole is meant.
        severity: When it differs from the rule's usual one.
    """

    code: str
    about: str
    line: int
    severity: str = ""


def _at(code: str, step: Step, severity: str = "") -> Hit:
    return Hit(code, step.id, step.line, severity)


@dataclass(frozen=True, slots=True)
class Order:
    """The steps in the order in which they fall due."""

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, playbook: Playbook) -> Order:
        """Steps that fall due together keep the author's order."""
        return cls(tuple(sorted(playbook.steps, key=lambda step: step.due.minutes)))

    def all(self, action: str) -> list[tuple[int, Step]]:
        """Each step of this action, with its place."""
        return [(n, step) for n, step in enumerate(self.steps) if step.action == action]

    def again_after(self, place: int, action: str) -> bool:
        """Whether this action comes once more after a place, for every leaver for whom the step there is done."""
        when = self.steps[place].when
        return any(n > place and step.when in (None, when) for n, step in self.all(action))


def _guests_only(step: Step) -> bool:
    """Nothing can be revoked for guests: their sessions and passwords belong to their home tenant."""
    return step.when is not None and _GUEST.search(step.when) is not None and "||" not in step.when


def revoked_too_early(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB201."""
    for place, _disable in order.all(DISABLE)[:1]:
        early = [step for n, step in order.all(REVOKE) if n < place]
        if early and not order.again_after(place, REVOKE):
            yield _at("OFB201", early[-1])


def never_revoked(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB202."""
    for _place, step in order.all(DISABLE)[:1]:
        if not order.all(REVOKE) and not _guests_only(step):
            yield _at("OFB202", step)


def after_deletion(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB203."""
    for place, _delete in order.all(DELETE)[:1]:
        for step in order.steps[place + 1 :]:
            if ACTIONS[step.action].needs_user:
                yield _at("OFB203", step)


def license_gone(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB204."""
    for place, freed in order.all(LICENSES)[:1]:
        if not freed.parameters.get("keep") and not _guests_only(freed):
            yield from (_at("OFB204", step) for step in order.steps[place + 1 :] if ACTIONS[step.action].needs_license)


def deleted_at_once(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB205."""
    yield from (_at("OFB205", step) for _place, step in order.all(DELETE) if step.due.minutes <= 0)


def unguarded(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB206."""
    for step in order.steps:
        if ACTIONS[step.action].effect is Effect.IRREVERSIBLE and step.when is None:
            yield _at("OFB206", step)


def unused_parameters(_: Order, playbook: Playbook) -> Iterator[Hit]:
    """OFB207."""
    used = {name for step in playbook.steps for name in _used(step)}
    yield from (Hit("OFB207", p.name, 0) for p in playbook.parameters if p.name not in used)


def _used(step: Step) -> Iterator[str]:
    yield from _PARAMETER.findall(step.when or "")
    waiting: list[object] = [step.parameters]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from (name.removeprefix("parameters.") for name, _, _ in fields(value))
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def reset_too_late(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB208; only a remark when nobody could sign in between the two."""
    for place, reset in order.all(RESET)[-1:]:
        early = [n for n, _step in order.all(REVOKE) if n < place]
        if early and not order.again_after(place, REVOKE):
            blocked = any(n < early[-1] and step.when is None for n, step in order.all(DISABLE))
            yield _at("OFB208", reset, "remark" if blocked else "")


def taken_back(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB209."""
    done: dict[str, set[str | None]] = {}
    for step in order.steps:
        before = done.get(step.action, set())
        # Two conditions that differ may exclude each other; what only one of the two asks does not.
        if before and (step.when is None or None in before or step.when in before):
            yield _at("OFB209", step)
        if back := BACK.get(step.action):
            done.setdefault(back, set()).add(step.when)


def revoked_only(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB210."""
    if not any(order.all(action) for action in (DISABLE, RESET, DELETE)):
        yield from (_at("OFB210", step) for _place, step in order.all(REVOKE)[:1])


def before_leaving(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB211."""
    yield from (_at("OFB211", step) for step in order.steps if step.action in CUTS and step.due.minutes < 0)


def mailbox_lost(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB212."""
    for _place, step in order.all(LICENSES):
        deletes = [other.due.minutes for _n, other in order.all(DELETE)]
        kept = bool(step.parameters.get("keep"))
        if not kept and not _guests_only(step) and not any(due <= step.due.minutes for due in deletes):
            yield _at("OFB212", step)


def groups_too_late(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB214; where the time between the two is meant, the open item is true for that long."""
    for place, step in order.all(LICENSES)[:1]:
        later = [other for n, other in order.all("remove-groups") if n > place]
        if any(other.due == step.due for other in later):
            yield _at("OFB214", step)


def out_of_reach(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB216."""
    for place, _disable in order.all("disable-devices")[:1]:
        yield from (_at("OFB216", step) for step in order.steps[place + 1 :] if step.action in DEVICES)


def nobody_for_emergencies(order: Order) -> Iterator[Hit]:
    """OFB215; about the tenant that the playbook is for as much as about the playbook."""
    yield from [_at("OFB215", step) for step in order.steps if ACTIONS[step.action].effect is not Effect.REVERSIBLE][:1]


def out_of_order(_: Order, playbook: Playbook) -> Iterator[Hit]:
    """OFB213."""
    latest = playbook.steps[0].due.minutes if playbook.steps else 0
    for step in playbook.steps:
        if step.due.minutes < latest:
            yield _at("OFB213", step)
        latest = max(latest, step.due.minutes)


def purged_too_soon(order: Order, _: Playbook) -> Iterator[Hit]:
    """OFB217; without a deletion in it, a playbook is for those who are deleted already."""
    deleted = [step.due.minutes for _place, step in order.all(DELETE)]
    for _place, purge in order.all(PURGE):
        if deleted and purge.due.minutes - min(deleted) < WEEK:
            yield _at("OFB217", purge)


RULES: tuple[Callable[[Order, Playbook], Iterator[Hit]], ...] = (
    revoked_too_early,
    never_revoked,
    after_deletion,
    license_gone,
    deleted_at_once,
    unguarded,
    unused_parameters,
    reset_too_late,
    taken_back,
    revoked_only,
    before_leaving,
    mailbox_lost,
    out_of_order,
    groups_too_late,
    out_of_reach,
    purged_too_soon,
)
