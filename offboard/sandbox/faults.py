"""Faults by script: which requests go wrong, how, and whether before or after they were executed.

A script is a list of rules (YAML or JSON), alone or under the key `faults`:

    - match: {method: POST, path: /users/*/revokeSignInSessions, item: true, nth: 2, times: 3}
      fault: {status: 503, code: serviceNotAvailable, message: Try later., retry_after: 2, when: before}

match   method, path, item (true: only inside `$batch`; false: only outside), nth (first match that fails, from 1),
        times (how many in a row: a number, default 1, or `all`). Everything is optional.
        path is the path below the version, without query: `*` stands for one segment, `**` for any number;
        `re:…` is a regular expression instead.
fault   one of: {status: 429 … , code, message, retry_after, when}; {reset: before | after}; {truncate: true};
        {not_json: true}; {html: true, status}; {drop_item: true}; {delay: seconds}. `when` is before (not executed)
        or after (executed, then misreported); it is before for a status and after for the others.
        `delay` may stand beside any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_MATCH = ("method", "path", "item", "nth", "times")
_FAULT = (
    "status",
    "code",
    "message",
    "retry_after",
    "when",
    "reset",
    "truncate",
    "not_json",
    "html",
    "drop_item",
    "delay",
)
_KINDS = ("reset", "truncate", "not_json", "html", "drop_item")
_CODES = {
    429: "TooManyRequests",
    503: "serviceNotAvailable",
    504: "gatewayTimeout",
    500: "generalException",
    403: "Authorization_RequestDenied",
    401: "InvalidAuthenticationToken",
    404: "Request_ResourceNotFound",
    409: "Conflict",
    400: "Request_BadRequest",
    502: "badGateway",
}


class FaultError(ValueError):
    """A fault script that makes no sense; the message names the rule."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. `kind` is status, none (delay only) or one of the transport's mishaps."""

    kind: str
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    before: bool = True
    delay: float = 0.0


@dataclass(frozen=True)
class Rule:
    """When a fault strikes."""

    fault: Fault
    method: str | None = None
    path: re.Pattern[str] | None = None
    item: bool | None = None
    nth: int = 1
    times: int | None = 1

    def covers(self, method: str, path: str, item: bool) -> bool:
        """Whether a request is one that this rule counts."""
        return (
            self.method in (None, method)
            and (self.path is None or self.path.fullmatch(path) is not None)
            and self.item in (None, item)
        )


@dataclass(frozen=True)
class FaultScript:
    """Rules in order; the first that strikes wins. Counting is done by `FaultCounter`, so a script can be shared."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, data: object) -> FaultScript:
        """Read a script from parsed YAML or JSON."""
        rules = data.get("faults") if isinstance(data, Mapping) else data
        if not isinstance(rules, list):
            raise FaultError("a fault script is a list of rules, or a mapping with the key 'faults'")
        return cls(tuple(_rule(number, rule) for number, rule in enumerate(rules)))

    @classmethod
    def load(cls, path: Path) -> FaultScript:
        """Read a script from a file."""
        try:
            return cls.parse(yaml.safe_load(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            raise FaultError(f"{path}: {error}") from error


class FaultCounter:
    """Counts matching requests per rule and says which one is hit."""

    def __init__(self, script: FaultScript | None) -> None:
        self._rules = script.rules if script else ()
        self._seen = [0] * len(self._rules)

    def strike(self, method: str, path: str, item: bool) -> Fault | None:
        """The fault for this request, if any."""
        hit: Fault | None = None
        for index, rule in enumerate(self._rules):
            if not rule.covers(method, path, item):
                continue
            self._seen[index] += 1
            due = self._seen[index] >= rule.nth
            over = rule.times is not None and self._seen[index] >= rule.nth + rule.times
            hit = hit or (rule.fault if due and not over else None)
        return hit


def _rule(number: int, rule: object) -> Rule:
    where = f"faults[{number}]"
    if not isinstance(rule, Mapping) or not set(rule) <= {"match", "fault"} or "fault" not in rule:
        raise FaultError(f"{where}: a rule has the keys 'match' and 'fault'")
    match = _part(where, "match", rule.get("match") or {}, _MATCH)
    times, nth, item, method = match.get("times", 1), match.get("nth", 1), match.get("item"), match.get("method")
    if not isinstance(nth, int) or nth < 1 or not (times == "all" or (isinstance(times, int) and times >= 1)):
        raise FaultError(f"{where}: 'nth' counts from 1, 'times' is a number or 'all'")
    if not isinstance(item, bool | None):
        raise FaultError(f"{where}: 'item' is true or false")
    path = _pattern(where, str(match["path"])) if "path" in match else None
    fault = _fault(where, _part(where, "fault", rule["fault"], _FAULT))
    return Rule(fault, str(method).upper() if method else None, path, item, nth, None if times == "all" else times)


def _part(where: str, name: str, value: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FaultError(f"{where}: '{name}' must be a mapping")
    for key in value:
        if key not in known:
            raise FaultError(f"{where}: unknown key '{key}' in '{name}'")
    return value


def _pattern(where: str, text: str) -> re.Pattern[str]:
    if not text.startswith("re:"):
        quoted = re.escape(text).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        return re.compile(quoted, re.IGNORECASE)
    try:
        return re.compile(text[3:], re.IGNORECASE)
    except re.error as error:
        raise FaultError(f"{where}: '{text}' is not a regular expression: {error}") from error


def _fault(where: str, spec: Mapping[str, Any]) -> Fault:
    kinds = [kind for kind in _KINDS if spec.get(kind)]
    if len(kinds) > 1 or (kinds and kinds != ["html"] and "status" in spec):
        raise FaultError(f"{where}: one fault at a time")
    if not kinds and "status" not in spec and "delay" not in spec:
        raise FaultError(f"{where}: a fault needs a status, a delay or one of {', '.join(_KINDS)}")
    kind = kinds[0] if kinds else ("status" if "status" in spec else "none")
    status = spec.get("status", 200 if kind == "html" else 0)
    when = spec["reset"] if kind == "reset" else spec.get("when", "before" if kind == "status" else "after")
    if when not in ("before", "after"):
        raise FaultError(f"{where}: 'when' (or 'reset') is before or after")
    if not isinstance(status, int) or (kind == "status" and not 400 <= status <= 599):
        raise FaultError(f"{where}: 'status' is a number from 400 to 599")
    delay, retry_after = spec.get("delay", 0), spec.get("retry_after")
    if not isinstance(delay, int | float) or not isinstance(retry_after, int | float | None):
        raise FaultError(f"{where}: 'delay' and 'retry_after' are numbers of seconds")
    return Fault(
        kind,
        status,
        str(spec.get("code") or _CODES.get(status, "UnknownError")),
        str(spec.get("message") or "The service could not complete the request."),
        retry_after,
        when == "before",
        float(delay),
    )
