"""What is said of a leaver when the run is over: the results in order, what is left, and what was not started. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offboard.model import Note, PlannedStep, Result, Table
from offboard.planner import Answer, ended_by_deletion

Left = tuple[tuple[Note, ...], tuple[tuple[str, Table], ...]]
"""What is left as it is, and the rows that steps return."""


def in_order(due: Sequence[PlannedStep], results: Iterable[Result]) -> tuple[Result, ...]:
    """The results as the playbook has their steps."""
    order = {planned.step.id: n for n, planned in enumerate(due)}
    return tuple(sorted(results, key=lambda result: order.get(result.step, len(order))))


def not_started(due: Sequence[PlannedStep], results: Iterable[Result]) -> tuple[str, ...]:
    """Steps of which there is no result, of those that have something to do."""
    seen = {result.step for result in results}
    return tuple(planned.step.id for planned in due if planned.step.id not in seen and not planned.tables)


def started(due: Sequence[PlannedStep], results: Iterable[Result], *, halted: bool) -> list[PlannedStep]:
    """Steps that have something to say at the end: those with a result, and those that only show something."""
    seen = {result.step for result in results}
    return [planned for planned in due if planned.step.id in seen or (planned.tables and not halted)]


def left(answers: Iterable[tuple[PlannedStep, Answer]], known: Mapping[str, tuple[Note, ...]], *, deleted: bool) -> Left:
    """What is left as it is, and the rows that steps return.

    The last reading has the last word, but of a deleted leaver it can say nothing: there the notes stand as they were
    when their step was asked.

    Args:
        answers: The steps, asked on the last reading.
        known: The notes of each step when it was asked.
        deleted: Whether the leaver is.
    """
    notes: dict[Note, None] = {}
    tables = []
    for planned, answer in answers:
        found = known.get(planned.step.id, ()) if answer.skipped is not None else answer.notes
        notes |= dict.fromkeys(map(ended_by_deletion, found) if deleted else found)
        tables += [(planned.step.id, table) for table in answer.tables if planned.skipped is None]
    return tuple(notes), tuple(tables)
