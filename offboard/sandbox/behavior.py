"""How the tenant behaves towards its callers, beyond telling the truth at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .faults import FaultScript


@dataclass(frozen=True)
class Behavior:
    """Options of a sandbox. The plain one answers at once and lets everybody do everything.

    enforce_permissions: only tokens of this tenant, and only what their permissions and roles allow
    throttle: "published" answers 429 beyond the limits that Microsoft publishes
    delay: how long each HTTP request takes, in seconds, drawn evenly; acted out by transport and server
    lag: for so many seconds reads still show the state before a write
    faults: what is to go wrong, and when
    """

    enforce_permissions: bool = False
    throttle: Literal["off", "published"] = "off"
    delay: tuple[float, float] | None = None
    lag: float = 0.0
    faults: FaultScript | None = None
