"""What enters and leaves the simulated tenant: plain HTTP requests and responses, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import orjson

Json = dict[str, Any]

DEFAULT_ROOT = "https://graph.microsoft.com"
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass(frozen=True)
class Request:
    """One HTTP request; `url` is absolute, or a path when the host does not matter."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header, whatever its case."""
        return self._by_name.get(name.lower())

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return _lowered(self.headers)

    @property
    def root(self) -> str:
        """Scheme and host as the client sees them; links in answers are built from it."""
        parts = urlsplit(self.url)
        if parts.scheme and parts.netloc:
            return f"{parts.scheme}://{parts.netloc}"
        host = self.header("host")
        return f"https://{host}" if host else DEFAULT_ROOT

    @cached_property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return urlsplit(self.url).path

    @cached_property
    def query(self) -> str:
        """The query string as sent."""
        return urlsplit(self.url).query


@dataclass(frozen=True)
class Mishap:
    """A transport fault which the transport or the server has to act out."""

    kind: str  # "reset", "truncate" or "drop_item"


@dataclass(frozen=True)
class Response:
    """One HTTP answer; `mishap` and `delay` tell whoever carries it how to carry it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    mishap: Mishap | None = None
    delay: float = 0.0

    def header(self, name: str) -> str | None:
        """The value of a header, whatever its case."""
        return _lowered(self.headers).get(name.lower())

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def dumps(value: Any) -> bytes:
    """Compact JSON bytes, as Graph sends them."""
    return orjson.dumps(value)
