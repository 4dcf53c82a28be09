"""Instants in Graph's form: UTC, whole seconds, a Z at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def faster(now: Now, speed: float) -> Now:
    """A clock that starts at the time it is and then runs so many times as fast."""
    start = now()
    return lambda: start + (now() - start) * speed


def stamp(moment: datetime) -> str:
    """`2026-11-23T17:06:02Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def days_before(moment: datetime, days: float) -> str:
    """The stamp of an instant that many days earlier."""
    return stamp(moment - timedelta(days=days))


def http_date(moment: datetime) -> str:
    """The value of a `Date` header."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def parse(text: str) -> datetime:
    """Read an ISO 8601 instant; a missing zone means UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
