"""How values are said: times, counts, people, before and after. All that comes out is already `safe`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from offboard.model import JSON, Change, Effect, Leaver, Outcome
from offboard.render.safe import PROSE, safe

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?:Z|\+00:00)")


QUEUED = ("wipe", "retire")
"""Accepted at once, and carried out when the device next checks in: nothing is wiped yet."""


def done(verb: str) -> str:
    """The verb of a change, once it is done: `disabled`, `removed`, `set`."""
    if verb == "set":
        return verb
    if verb in QUEUED:
        return f"{verb} queued"
    return safe(verb + ("d" if verb.endswith("e") else "ed"))


SAID = {
    Outcome.UNCHANGED: "already so",
    Outcome.SKIPPED: "skipped",
    Outcome.DRIFTED: "drifted",
    Outcome.FAILED: "failed",
}
"""How outcomes other than `changed` are said."""


def stamp(moment: datetime) -> str:
    """`2026-11-23 17:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def exact(moment: datetime) -> str:
    """`2026-11-23 17:05:12Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def clock(moment: datetime) -> str:
    """`17:05:12Z`, for lines that appear while somebody watches."""
    return moment.astimezone(UTC).strftime("%H:%M:%SZ")


def clock_after(moment: datetime, day: datetime) -> str:
    """`17:05Z`, with the date when it is another day than `day`."""
    same = moment.astimezone(UTC).date() == day.astimezone(UTC).date()
    return moment.astimezone(UTC).strftime("%H:%MZ") if same else stamp(moment)


def distance(moment: datetime, now: datetime) -> str:
    """`in 30 days`, `in 5 hours`, `now`, `3 days ago`."""
    minutes = round((moment - now).total_seconds() / 60)
    size = abs(minutes)
    if size < 1:
        return "now"
    if size >= 48 * 60:
        said = count(round(size / 1440), "day")
    else:
        said = count(round(size / 60), "hour") if size >= 120 else count(size, "minute")
    return f"in {said}" if minutes > 0 else f"{said} ago"


def count(number: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(parts: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def words(value: JSON) -> str:
    """A value of JSON as a person says it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{safe(str(k))} {words(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(words(v) for v in value) or "none"
    return safe(_ISO.sub(r"\1 \2Z", str(value)), PROSE)


_SAID_BY_VERB = {"revoke": "every session and refresh token", "delete": ""}
"""Verbs that say before and after themselves."""


def detail(change: Change) -> str:
    """What a change does to its object: before → after."""
    before, after = change.before, change.after
    if change.verb in _SAID_BY_VERB:
        return _SAID_BY_VERB[change.verb]
    if change.parts:
        return ""  # the object's label names the parts; what is kept for the way back is no news to a reviewer
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        # A single property needs no name: the verb says which one it is.
        names = sorted({*before, *after})
        pairs = [(n if len(names) > 1 else "", words(before.get(n)), words(after.get(n))) for n in names]
        return ", ".join(f"{safe(n)} {b} → {a}".strip() for n, b, a in pairs)
    if before is None or isinstance(before, Mapping):
        return words(after) if after is not None else ""
    return f"{words(before)} → {words(after)}"


def remark(change: Change) -> str:
    """What else a reviewer wants to know about a change: what may be lost, and since when it was as it is."""
    changed = change.before.get("lastPasswordChangeDateTime") if isinstance(change.before, Mapping) else None
    since = f"last changed {words(changed)}" if changed else ""
    return ", ".join(x for x in (loss(change), since) if x)


def loss(change: Change) -> str:
    """What may be lost, and until when it can be brought back; empty when nothing is lost."""
    if change.effect is Effect.IRREVERSIBLE:
        return "cannot be undone"
    if change.effect is Effect.RECOVERABLE:
        return f"recoverable until {stamp(change.until)}" if change.until else "recoverable for a while"
    return ""


def kind(leaver: Leaver) -> str:
    """`member, cloud-only, enabled`: what sort of account it is, as far as it was read."""
    about = leaver.about
    said = [safe(str(about["userType"])).lower()] if about.get("userType") else []
    if "onPremisesSyncEnabled" in about:
        said.append("synced from Active Directory" if about["onPremisesSyncEnabled"] else "cloud-only")
    enabled = about.get("accountEnabled")
    said.append("enabled" if enabled is True else "disabled" if enabled is False else "not known whether enabled")
    if about.get("deletedDateTime"):
        said.append(f"deleted since {words(about['deletedDateTime'])}")
    return ", ".join(said)


_SAID_ELSEWHERE = {"userType", "onPremisesSyncEnabled", "accountEnabled", "deletedDateTime"}
_LABELS = {"manager": "manager ", "employeeId": "employee ", "createdDateTime": "created ", "mail": "mail "}
_PERSON = ("department", "jobTitle", "manager", "employeeId", "createdDateTime", "mail")
_HOLDS = ("devices", "licenses", "roles")


def about(leaver: Leaver) -> list[str]:
    """What helps to be sure of the person, as lines: who she is, what she holds, and whatever else was read."""
    facts = {k: v for k, v in leaver.about.items() if k not in _SAID_ELSEWHERE and v not in (None, "")}
    if facts.get("mail") == leaver.user_principal_name:
        del facts["mail"]
    person = [_LABELS.get(k, "") + words(_day(facts[k])) for k in _PERSON if k in facts]
    holds = [_held(k, facts[k]) for k in _HOLDS if k in facts]
    others = [f"{safe(k)} {words(v)}" for k, v in facts.items() if k not in (*_PERSON, *_HOLDS)]
    return [line for line in (", ".join(person), ", ".join(holds), ", ".join(others)) if line]


def _day(value: JSON) -> JSON:
    """A time at midnight resolution: nobody is recognized by the minute of her account's creation."""
    return value[:10] if isinstance(value, str) and _ISO.fullmatch(value) else value


def _held(key: str, value: JSON) -> str:
    if isinstance(value, int):
        return count(value, key.removesuffix("s"))
    if isinstance(value, str):
        return f"{key} {safe(value, PROSE)}"
    if key == "roles":
        return f"admin roles: {words(value)}" if value else "no admin role"
    return f"{key}: {words(value)}"
