"""How the objects of a plan are named: by their name, and by as much of their id as tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
        self.size = next((n for n in range(4, 36) if len({i[:n] for i in self.refs}) == len(self.refs)), 36)

    def of(self, ref: Ref) -> str:
        """The object's label. The leaver and uniquely named licenses need no id; the full one stands below."""
        name = safe(ref.name) or "(no name)"
        told = self.names[name] < 2 and ref.kind == "license"
        if ref.id == self.leaver or not ref.id or told:
            return name
        return f"{name} ({safe(ref.id[: self.size])}{'…' if len(ref.id) > self.size else ''})"

    def of_change(self, change: Change) -> str:
        """The objects that the change is about: its parts where it has some."""
        return ", ".join(self.of(part) for part in change.parts) or self.of(change.target)


def objects(planned: LeaverPlan) -> Iterator[Ref]:
    """Every object that the plan names for this leaver, the leaver first, each once."""
    seen = {planned.leaver.ref: None}
    for step in planned.steps:
        for change in step.changes:
            seen |= dict.fromkeys((change.target, *change.parts))
        seen |= {note.target: None for note in step.notes if note.target}
    yield from seen
