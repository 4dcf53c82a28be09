"""structlog's part: from an event and its fields to a chained line, one small function after the other."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

import structlog

from offboard.audit.chain import digest, line_of, time_text
from offboard.audit.events import EVENTS, FIELDS, FRAME
from offboard.audit.file import LogFile
from offboard.settings.secret import HIDDEN, Secret

CAP = 512
"""Characters of one text; longer ones end in an ellipsis."""

Fields = MutableMapping[str, Any]

# Compared without case, dashes and underscores. It must be the end of the key: "lastPasswordChangeDateTime" is evidence.
_SECRET_KEY = re.compile(
    r"(password|passwd|pwd|passphrase|passwordprofile|secret|token|assertion|apikey|privatekey|cookie|credentials?"
    r"|authorization|devicecode|usercode|codeverifier)\Z"
)
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*){1,4}|(?i:bearer)\s+[A-Za-z0-9._~+/-]{16,}=*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT = 2**53
"""Whole numbers up to here are the same in every JSON reader."""


class Recorder(structlog.BoundLoggerBase):
    """A structlog logger with one method."""

    def record(self, event: str, **fields: Any) -> dict[str, Any]:
        """Run the processors and stage the line; gives the record as it will be written."""
        return cast("dict[str, Any]", self._proxy_to_logger("stage", event, **fields))


class Sink:
    """What structlog calls at the end of the pipeline."""

    def __init__(self, file: LogFile) -> None:
        self._file = file

    def stage(self, line: bytes, record: dict[str, Any]) -> dict[str, Any]:
        """Hand the line to the file."""
        self._file.stage(line, record["hash"], record["event"])
        return record


def recorder(file: LogFile, now: Callable[[], datetime]) -> Recorder:
    """A logger that stages lines for the file. Its `record` must be called while the file is locked.

    Args:
        file: The log.
        now: The time of day, with zone.
    """

    def stamp(_logger: Any, _method: str, fields: Fields) -> Fields:
        """Add the number, the time and the event's code."""
        head = file.head
        return {
            **fields,
            "seq": head.seq,
            "time": time_text(now()),
            "code": EVENTS[fields["event"]].code,
            "prev": head.prev,
        }

    processors: list[structlog.typing.Processor] = [arrange, clean, stamp, chain, render]
    return cast(Recorder, structlog.wrap_logger(Sink(file), processors=processors, wrapper_class=Recorder))


def arrange(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Refuse fields that are the log's own, put unknown ones into `detail`, and leave out what is None."""
    event = fields.pop("event")
    if event not in EVENTS:
        raise ValueError(f"{event!r} is not an event of the audit; see offboard/audit/events.py")
    if forged := FRAME & set(fields):
        raise ValueError(f"the log itself fills in {', '.join(sorted(forged))}")
    kept = {key: value for key, value in fields.items() if key in FIELDS and value is not None}
    others = {key: value for key, value in fields.items() if key not in FIELDS and value is not None}
    if others:
        kept["detail"] = {**kept.get("detail", {}), **others}
    return {"event": event, **kept}


def clean(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Make what is written plain, harmless and short.

    Values become JSON's; fractions and everything that JSON has no word for are refused. Secrets are hidden: values of
    type `Secret`, values under a secret's name, and tokens inside texts. Every text is shortened to 512 characters.
    """
    return {key: _clean(value, key) for key, value in fields.items()}


def _clean(value: Any, key: str = "") -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Secret) or _names_a_secret(key):
        return HIDDEN
    if isinstance(value, str):
        text = _text(value)
        return _capped(_JWT.sub(HIDDEN, text) if "eyJ" in text or "bearer" in text.lower() else text)
    if isinstance(value, dict | Mapping):
        return {_capped(_key(name)): _clean(each, name) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return _clean_rare(value)


def _clean_rare(value: Any) -> Any:
    if isinstance(value, int) and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _clean(getattr(value, each.name), each.name) for each in dataclasses.fields(value)}
    if isinstance(value, set | frozenset):
        return [_clean(each) for each in sorted(value)]
    raise TypeError(f"a {type(value).__name__} cannot stand in the audit; fractions and objects are not written")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a {type(key).__name__} cannot be a key in the audit")
    return _text(key)


def _text(value: str) -> str:
    # Plain ASCII is the rule, and testing for it costs a tenth of searching it.
    return str(value) if value.isascii() else _LONE_SURROGATE.sub("\ufffd", str(value))


@lru_cache(maxsize=4096)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(re.sub("[-_ ]", "", key).lower()) is not None


def _capped(text: str) -> str:
    return text if len(text) <= CAP else text[: CAP - 1] + "…"


def chain(_logger: Any, _method: str, fields: Fields) -> Fields:
    """Add the record's own hash; nothing may change it after this."""
    return {**fields, "hash": digest(fields)}


def render(_logger: Any, _method: str, fields: Fields) -> tuple[tuple[bytes, dict[str, Any]], dict[str, Any]]:
    """The line, with control and direction characters escaped, and the record it holds."""
    record = dict(sorted(fields.items()))
    return (line_of(record), record), {}
