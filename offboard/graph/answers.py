"""What Graph answered to one call, whether it came alone or inside a `$batch`.

"No usable answer" is an answer too: `lost` says why. Such a call may or may not have been executed; nobody may re-send it
before re-reading what it did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from offboard.model import JSON

THROTTLED = (429, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """One call's answer.

    Args:
        method: HTTP method.
        path: Relative to the version, query left out.
        status: HTTP status; None when there is no usable answer.
        body: Parsed JSON; None when there was none.
        headers: Lower-cased names.
        client_request_id: Ours, as sent.
        lost: Why there is no usable answer.
        date: Graph's clock.
    """

    method: str
    path: str
    status: int | None
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)
    client_request_id: str = ""
    lost: str = ""
    date: datetime | None = None

    @property
    def ok(self) -> bool:
        """Any 2xx: Graph's documented success codes differ from the observed ones."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def request_id(self) -> str:
        """Graph's own id of the call, for Microsoft's support."""
        inner = self.error.get("innerError", {})
        return self.headers.get("request-id") or (str(inner.get("request-id", "")) if isinstance(inner, dict) else "")

    @property
    def error(self) -> Mapping[str, JSON]:
        """The error object, or an empty mapping."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error if isinstance(error, dict) else {}

    @property
    def code(self) -> str:
        """Graph's error code, or an empty string."""
        return str(self.error.get("code") or "")

    @property
    def throttled(self) -> bool:
        """Whether the call should be made again later."""
        return self.status in THROTTLED

    @property
    def ambiguous(self) -> bool:
        """Whether a write may have been executed although it was not confirmed."""
        return self.status is None or self.status >= 500

    def retry_after(self, now: datetime) -> float | None:
        """Seconds to wait, from `Retry-After`: whole, fractional, or a date; None when absent or senseless.

        Args:
            now: Graph's clock, for the date form.
        """
        text = self.headers.get("retry-after", "").strip()
        if not text:
            return None
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds()
            except (ValueError, TypeError, OverflowError):
                return None
        return seconds if 0 <= seconds < math.inf else None


def http_date(text: str | None) -> datetime | None:
    """The `Date` header as a time, or None."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
