"""Times as people write them. A time without a zone is refused: five o'clock is not the same instant everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from offboard.errors import UsageError

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?)?"
    r"(?:\s*(?P<z>[Zz]|UTC)|\s*(?P<offset>[+-][0-9]{2}:?[0-9]{2})|\s*\[?(?P<name>[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2})\]?)?"
)
EXAMPLES = "2026-11-23T17:00+01:00, 2026-11-23 17:00 Europe/Berlin or 2026-11-23T16:00Z"
_YEARS = range(2000, 2200)


def parse_time(text: str) -> datetime:
    """An instant, in UTC.

    Args:
        text: ISO 8601 date and time with an offset, `Z`, or the name of a zone.

    Raises:
        UsageError: It is something else, has no zone, or does not exist or exists twice on that day's clock.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise _refuse(text, "is no date and time")
    if found[4] is None:
        raise _refuse(text, "has no time of day")
    try:
        year, month, day, hour, minute, second = (int(found[n] or 0) for n in range(1, 7))
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _refuse(text, f"is no date and time ({error})") from error
    if local.year not in _YEARS:
        raise _refuse(text, f"is not between {_YEARS[0]} and {_YEARS[-1]}")
    return _in_utc(local, _zone(text, found), text)


def _refuse(text: str, why: str) -> UsageError:
    shown = text if len(text) <= 60 else text[:59] + "…"
    return UsageError(f"{shown!r} {why}", todo=f"write it like {EXAMPLES}")


def _zone(text: str, found: re.Match[str]) -> tzinfo:
    if found["z"]:
        return UTC
    if found["offset"]:
        sign, digits = found["offset"][0], found["offset"][1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:])
        if hours > 14 or minutes > 59:
            raise _refuse(text, f"has the offset {found['offset']}, which no zone has")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if sign == "-" else offset)
    if not found["name"]:
        raise _refuse(text, "has no time zone")
    from zoneinfo import ZoneInfo

    # Abbreviations are refused: CST is three zones, and EST has no summer time.
    if "/" in found["name"]:
        try:
            return ZoneInfo(found["name"])
        except (OSError, ValueError, KeyError):
            pass
    raise _refuse(text, f"has the unknown time zone {found['name']!r}")


def _in_utc(local: datetime, zone: tzinfo, text: str) -> datetime:
    """The instant at which a clock in the zone shows the same as `local`, whose own zone does not count."""
    first = local.replace(tzinfo=zone)
    second = first.replace(fold=1)
    instant = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return instant
    if instant.astimezone(zone).replace(tzinfo=UTC) != local:
        raise _refuse(text, "does not exist there: the clocks are put forward over it")
    raise _refuse(text, "is two instants there, because the clocks are put back; write the offset")
