"""One call being answered: what a handler is given and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import clock
from .caller import Caller
from .options import Options, read_options
from .problems import bad_request, bad_uri
from .store import Store
from .wire import Json, Request


@dataclass(frozen=True)
class Key:
    """A key in a path: `X` of `/users/X` and `/users('X')`, or name and value of `/devices(deviceId='X')`."""

    value: str
    name: str = ""
    quoted: bool = False


@dataclass(frozen=True)
class Answer:
    """What a handler returns; `text` instead of `body` for the plain-text answers of `$count`."""

    status: int = 204
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None


@dataclass
class Call:
    """A request on its way through one handler, with the tenant behind it."""

    request: Request
    store: Store
    caller: Caller
    now: datetime
    tenant_id: str
    params: Mapping[str, Key] = field(default_factory=dict)
    version: str = "v1.0"
    enforcing: bool = False
    effects: list[Json] = field(default_factory=list)

    @property
    def stamp(self) -> str:
        """Now, in Graph's form."""
        return clock.stamp(self.now)

    def context(self, fragment: str) -> str:
        """The value of `@odata.context`."""
        return f"{self.request.root}/{self.version}/$metadata#{fragment}"

    def options(self, allowed: frozenset[str]) -> Options:
        """The query options, of which only these make sense here."""
        return read_options(self.request.query, self.request.header("ConsistencyLevel"), allowed)

    def effect(self, verb: str, type_: str, id_: str, **more: Any) -> None:
        """Note one executed effect for the journal."""
        self.effects.append({"verb": verb, "type": type_, "id": id_, **more})

    def json_body(self) -> Json:
        """The body, which must be a JSON object."""
        kind = (self.request.header("Content-Type") or "").partition(";")[0].strip().lower()
        if self.request.body and kind != "application/json":
            raise bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration.")
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise bad_uri(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and "
                "payload is of valid JSON format."
            )
        return body

    def no_body(self) -> None:
        """For actions without parameters: an empty object is as good as nothing."""
        if self.request.body.strip() and self.json_body():
            name = next(iter(self.json_body()))
            raise bad_uri(f"The parameter '{name}' in the request payload is not a valid parameter for the operation.")


Handler = Callable[[Call], Answer]
