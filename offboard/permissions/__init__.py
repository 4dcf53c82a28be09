"""What a playbook needs to be allowed, and whether a caller is: the least permissions, roles, and rank over the leaver.

Every action and every fact declares its own need; `needs` adds them up, `compare` holds them against what a caller has.
Pure: what the caller has is read elsewhere and handed in.

Why three answers and not two: a consent that is missing is certain, and so is the rank that Graph demands over an
administrator. Which role lets a person do the rest is not: custom roles, roles over an administrative unit and the
ownership of a group let more through than any table knows. What is certain is refused before the first write; what is
likely is a warning.
"""

from offboard.permissions.compare import Caller, Lack, Surplus, broader, lacks, severity_of, surplus
from offboard.permissions.needs import (
    AS_THE_PERSON,
    TENANT,
    Need,
    as_json,
    least,
    needs,
    not_for_apps,
)

__all__ = [
    "AS_THE_PERSON",
    "TENANT",
    "Caller",
    "Lack",
    "Need",
    "Surplus",
    "as_json",
    "broader",
    "lacks",
    "least",
    "needs",
    "not_for_apps",
    "severity_of",
    "surplus",
]
