"""How cost grows with the number of leavers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from benchmarks.bulk import Bulk
from benchmarks.results import Row

KINDS: dict[str, Callable[[Bulk], float]] = {
    "plan": lambda b: b.plan.cpu,
    "apply": lambda b: b.apply.cpu,
    "audit verify": lambda b: b.verify.cpu,
    "status": lambda b: b.status.cpu,
}


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The slope of cost over size, both in logarithms: 1 is linear."""
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return over / sum((x - mean_x) ** 2 for x in xs)


def rows(found: Sequence[Bulk], start: float) -> Iterator[Row]:
    """Exponents over the runs of different sizes. Only the processor's time counts, which no clock scales.

    Args:
        found: One or more of each size, of one playbook.
        start: CPU seconds of a process that does next to nothing, which must not flatter the growth.
    """
    sizes = sorted({b.people for b in found})
    said = " to ".join(f"{size:,}" for size in (sizes[0], sizes[-1]))
    for name, cost in KINDS.items():
        points = [(b.people, max(0.001, cost(b) - start)) for b in found]
        shown = ", ".join(f"{n:,}: {min(c for p, c in points if p == n):.2f} s" for n in sizes)
        note = f"CPU less that of starting: {shown}"
        yield Row(f"growth exponent of `{name}`, {said}", "≤ 1.05", (exponent(points),), "", most=1.05, note=note)
