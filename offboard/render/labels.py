"""How the objects of a plan are named: by their name, and by as much of their id as tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from offboard.model import Change, LeaverPlan, Ref
from offboard.render.safe import safe


class Labels:
    """Names of objects with short ids: as short as tells the objects of one leaver apart.

    Args:
        planned: The leaver's part of the plan.
    """

    def __init__(self, planned: LeaverPlan) -> None:
        self.leaver = planned.leaver.id
        self.refs = {ref.id: ref for ref in objects(planned) if ref.id}
        self.names = Counter(safe(ref.name) for ref in self.refs.values())
        others = [ref for ref in self.refs.values() if ref.id != self.leaver]
        head, tail = _needed(others, slice_head), _needed(others, slice_tail)
        self.short, self.size = (slice_head, head) if head <= max(8, tail) else (slice_tail, tail)

    def of(self, ref: Ref) -> str:
        """The object's label. The leaver and uniquely named licenses need no id; the full one stands below."""
        name = safe(ref.name) or "(no name)"
        told = self.names[name] < 2 and ref.kind == "license"
        if ref.id == self.leaver or not ref.id or told:
            return name
        return f"{name} ({safe(self.short(ref.id, self.size))})"

    def of_change(self, change: Change) -> str:
        """The objects that the change is about: its parts where it has some."""
        return ", ".join(self.of(part) for part in change.parts) or self.of(change.target)


def slice_head(id: str, size: int) -> str:
    """`1d0c…`."""
    return id if len(id) <= size else f"{id[:size]}…"


def slice_tail(id: str, size: int) -> str:
    """`…2a10`, for ids that begin alike."""
    return id if len(id) <= size else f"…{id[-size:]}"


def _needed(refs: Sequence[Ref], short: Callable[[str, int], str]) -> int:
    """How many characters tell the objects of each kind apart."""
    kinds = {(ref.kind, ref.id) for ref in refs}
    return next((n for n in range(4, 36) if len({(k, short(i, n)) for k, i in kinds}) == len(kinds)), 36)


def objects(planned: LeaverPlan) -> Iterator[Ref]:
    """Every object that the plan names for this leaver, the leaver first, each once."""
    seen = {planned.leaver.ref: None}
    for step in planned.steps:
        for change in step.changes:
            seen |= dict.fromkeys((change.target, *change.parts))
        seen |= {note.target: None for note in step.notes if note.target}
    yield from seen
