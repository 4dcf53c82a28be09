"""Throttling with the limits that Microsoft publishes for identity and access: token buckets that refill evenly.

Reads and writes cost resource units, writes also count as writes; both are kept per app, writes for the whole tenant
too. What is refused still costs resource units, which is how Graph punishes immediate retries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .options import Options
from .routing import Route


@dataclass(frozen=True)
class Limits:
    """Published figures: so many units per so many seconds."""

    units_small: int = 3_500
    units_medium: int = 5_000
    units_large: int = 8_000
    units_seconds: float = 10
    writes: int = 3_000
    writes_seconds: float = 150
    tenant_writes: int = 18_000
    tenant_seconds: float = 300

    def units(self, people: int) -> int:
        """Resource units of an app, by the size of the tenant."""
        if people < 50:
            return self.units_small
        return self.units_medium if people <= 500 else self.units_large


@dataclass
class Bucket:
    """Tokens that refill evenly up to a ceiling."""

    size: float
    seconds: float
    level: float = 0.0
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.size

    def refill(self, now: float) -> None:
        """Let time pass; a clock that goes back adds nothing."""
        if self.at:
            self.level = min(self.size, self.level + max(0.0, now - self.at) * self.size / self.seconds)
        self.at = now

    def wait(self, cost: float) -> float:
        """Seconds until so much is there."""
        return max(0.0, (cost - self.level) * self.seconds / self.size)

    @property
    def used(self) -> float:
        """Share of the limit that is used up."""
        return 1 - self.level / self.size


@dataclass(frozen=True)
class Verdict:
    """Whether a call passes, and what its headers say."""

    headers: dict[str, str]
    retry_after: int = 0


def cost_of(route: Route, options: Options) -> tuple[int, int]:
    """Resource units and writes of one call."""
    units = route.cost
    if route.reads:
        units += (-1 if options.select else 0) + (1 if options.expand else 0)
        units += -1 if options.top is not None and options.top < 20 else 0
    return max(1, units), 0 if route.reads else 1


class Throttle:
    """The buckets of a tenant."""

    def __init__(self, tenant_id: str, people: int, limits: Limits | None = None) -> None:
        self._tenant_id = tenant_id
        self._limits = limits or Limits()
        self._units_size = self._limits.units(people)
        self._units: dict[str, Bucket] = {}
        self._writes: dict[str, Bucket] = {}
        self._tenant = Bucket(self._limits.tenant_writes, self._limits.tenant_seconds)

    def judge(self, app_id: str, units: int, writes: int, now: float) -> Verdict:
        """Take what the call costs, or say how long to wait."""
        limits = self._limits
        unit_bucket = self._units.setdefault(app_id, Bucket(self._units_size, limits.units_seconds))
        write_bucket = self._writes.setdefault(app_id, Bucket(limits.writes, limits.writes_seconds))
        for bucket in (unit_bucket, write_bucket, self._tenant):
            bucket.refill(now)
        refusals = [
            (unit_bucket.wait(units), "Tenant_Application/ReadWrite", "ResourceUnitLimitExceeded"),
            (write_bucket.wait(writes), "Tenant_Application/Write", "WriteLimitExceeded"),
            (self._tenant.wait(writes), "Tenant/Write", "WriteLimitExceeded"),
        ]
        unit_bucket.level = max(0.0, unit_bucket.level - units)
        headers = {"x-ms-resource-unit": str(units)}
        wait, scope, reason = max(refusals, key=lambda refusal: refusal[0])
        if wait > 0:
            headers |= {
                "x-ms-throttle-scope": f"{scope}/{app_id}/{self._tenant_id}",
                "x-ms-throttle-information": reason,
                "Retry-After": str(math.ceil(wait)),
            }
            return Verdict(headers, math.ceil(wait))
        write_bucket.level -= writes
        self._tenant.level -= writes
        used = max(unit_bucket.used, write_bucket.used if writes else 0.0)
        if used >= 0.8:
            headers["x-ms-throttle-limit-percentage"] = f"{used:.2f}"
        return Verdict(headers)
