"""A Graph that answers honestly except where it does not: answers of the sandbox, spoiled on their way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from offboard.sandbox.transport import SandboxTransport

Spoil = Callable[[dict[str, Any]], None]
"""Changes one answer in place: a mapping with `status`, `headers` and `body`."""


@dataclass
class Poison(httpx.AsyncBaseTransport):
    """Carries requests to a sandbox, writes down every request line, and spoils what it is told to.

    Args:
        inner: The honest tenant; set once there is one.
        rules: Which calls are spoiled, as a pattern of `METHOD /path?query`, alone or inside a batch, and how.
    """

    inner: SandboxTransport | None = None
    rules: list[tuple[re.Pattern[str], Spoil]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def spoil(self, pattern: str, how: Spoil) -> None:
        """From now on, answers to calls that fit are spoiled."""
        self.rules.append((re.compile(pattern), how))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the tenant, then spoil."""
        assert self.inner is not None
        self.hosts.add(request.url.host)
        target = request.url.raw_path.decode().removeprefix("/v1.0")
        content = await request.aread()
        response = await self.inner.handle_async_request(request)
        body = json.loads((await response.aread()) or b"null")
        whole = {"status": response.status_code, "headers": dict(response.headers), "body": body}
        if target == "/$batch":
            asked = {item["id"]: f"{item['method']} {item['url']}" for item in json.loads(content)["requests"]}
            self.lines += asked.values()
            for item in body["responses"]:
                self._apply(asked[item["id"]], item)
        else:
            self.lines.append(f"{request.method} {target}")
        self._apply(f"{request.method} {target}", whole)
        raw = whole["body"] if isinstance(whole["body"], bytes) else json.dumps(whole["body"]).encode()
        headers = {k: v for k, v in whole["headers"].items() if k.lower() != "content-length"}
        return httpx.Response(whole["status"], headers=headers, stream=httpx.ByteStream(raw), request=request)

    def _apply(self, line: str, answer: dict[str, Any]) -> None:
        for pattern, how in self.rules:
            if pattern.search(line):
                how(answer)


def body(**properties: Any) -> Spoil:
    """The object with these properties instead; of a list, each entry."""

    def how(answer: dict[str, Any]) -> None:
        found = answer.get("body")
        for each in found["value"] if isinstance(found, dict) and isinstance(found.get("value"), list) else [found]:
            if isinstance(each, dict):
                each.update(properties)

    return how


def top(**properties: Any) -> Spoil:
    """The answer's outermost object with these properties instead."""

    def how(answer: dict[str, Any]) -> None:
        if isinstance(answer.get("body"), dict):
            answer["body"].update({key.replace("odata_", "@odata."): value for key, value in properties.items()})

    return how


def instead(content: Any, status: int | None = None, **headers: str) -> Spoil:
    """Another answer altogether."""

    def how(answer: dict[str, Any]) -> None:
        answer["body"] = content
        answer["status"] = status or answer["status"]
        answer["headers"] = {**answer.get("headers", {}), **{k.replace("_", "-"): v for k, v in headers.items()}}

    return how
