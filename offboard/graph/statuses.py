"""What Graph's statuses mean where the status alone decides, and the roles' ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "missing-consent",
    "missing-role",
    "privileged-target",
    "delegated-only",
    "forbidden",
    "license",
    "conditional-access",
    "wrong-tenant",
    "not-signed-in",
    "not-found",
    "bad-request",
    "unsupported-query",
    "conflict",
    "gone-ahead",
    "locked",
    "dependency",
    "throttled",
    "server",
    "unintelligible",
]

Told = tuple[Kind, str, str, str]
"""Kind, what happened, why, what to do."""

ROLES: Mapping[str, str] = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "License Administrator": "4d6ac14f-3453-41d0-bef9-a3e0c569773a",
    "Groups Administrator": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
    "Cloud Device Administrator": "7698a772-787b-4ac8-901f-60d6b08affd2",
    "Intune Administrator": "3a2c62db-5318-420d-8d74-23affee5d9d5",
    "Windows 365 Administrator": "11451d60-acb2-45eb-a7d6-43d0f0125c13",
}
"""Template ids of the roles that actions name; the same in every tenant."""

BY_STATUS: Mapping[int, Told] = {
    0: (
        "unintelligible",
        "there was no usable answer",
        "The connection broke, or something between here and Graph answered in its place.",
        "Check network, proxies and graph_url, then try again; what was done is found out by re-reading.",
    ),
    400: (
        "bad-request",
        "Graph cannot do this to the object",
        "",
        "Look at the object in the admin center; the reason stands above.",
    ),
    402: ("license", "the service must be paid for first", "", "Leave the step out, or set up the billing."),
    404: (
        "not-found",
        "the object, or the reference to it, is not there",
        "It was deleted or removed since it was read, or never existed in this tenant.",
        "Make a new plan.",
    ),
    405: ("bad-request", "Graph does not offer this call here", "", "Report it: this is a bug in offboard."),
    409: (
        "conflict",
        "something else is changing the object, or the name is taken",
        "",
        "Wait a minute, then try again.",
    ),
    412: ("gone-ahead", "the object changed since it was read", "", "Make a new plan."),
    423: ("locked", "the object is locked", "", "Try again later."),
    424: ("dependency", "it was not tried, because the call it depends on failed", "", "See the call before it."),
    429: ("throttled", "Graph asks to slow down", "Too many calls in a short time.", "Try again later."),
    501: ("bad-request", "Graph does not offer this call here", "", "Report it: this is a bug in offboard."),
    509: ("throttled", "Graph asks to slow down", "Too much data in a short time.", "Try again later."),
}
