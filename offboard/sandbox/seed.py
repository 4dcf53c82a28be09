"""A seed mapping → the objects and relations of a tenant. Every mistake is reported with the entry it is in.

Graph's properties stand under Graph's names; what is the sandbox's own is in snake_case. Times may be told as days
before the reset (`created_days_ago: 400`), so that a tenant is always fresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .seedlinks import Links
from .seedobjects import SECTIONS, Bed, Planted


def plant(seed: Mapping[str, Any], now: datetime) -> Planted:
    """Check a seed and build its tenant."""
    bed = Bed(seed, now)
    bed.tenant()
    for section in SECTIONS[1:]:
        bed.section(section)
    Links(bed).link()
    return bed.planted
