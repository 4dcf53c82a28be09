"""What Graph's statuses mean where the status alone decides."""

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
