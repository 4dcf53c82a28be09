"""Graph's answers: one of those that a plan needs is spoiled in status, headers or body; the others are honest."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx

from offboard.facts import Account, DeletedUsers, Devices, Licenses, ManagedDevices, Memberships
from offboard.graph.connect import connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.planner import never, plan_leaver
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.transport import SandboxTransport
from offboard.settings.tenantconfig import BUILT_IN
from tests.fuzz.loop import Target
from tests.world import SAWYER, SEED, Time, steps

KINDS = (Memberships, Licenses, Devices, ManagedDevices, DeletedUsers)
HEADERS = ("content-type", "date", "retry-after", "www-authenticate", "content-encoding", "location")
BOOK = steps(*SEED, "remove-groups", "list-deleted-users")


@dataclass
class Replay(httpx.AsyncBaseTransport):
    """Answers as recorded, one of them spoiled each time it is asked for."""

    answers: dict[str, dict[str, Any]]
    spoiled: str = ""
    instead: dict[str, Any] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        key = key_of(request, await request.aread())
        answer = self.instead if key == self.spoiled else self.answers.get(key, {"status": 404, "body": {"error": {}}})
        return made(answer, request)


@dataclass
class Record(httpx.AsyncBaseTransport):
    """Asks a sandbox, and writes down what it answers."""

    inner: SandboxTransport
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        key = key_of(request, await request.aread())
        response = await self.inner.handle_async_request(request)
        body = json.loads(await response.aread())
        headers = {k: v for k, v in response.headers.items() if k.lower() in HEADERS}
        self.answers[key] = {"status": response.status_code, "headers": headers, "body": body}
        return made(self.answers[key], request)


def key_of(request: httpx.Request, content: bytes) -> str:
    """What is asked, whatever the ids of the calls."""
    items = [item["url"] for item in json.loads(content)["requests"]] if content else []
    return " ".join([request.method, request.url.raw_path.decode(), *items])


def made(answer: dict[str, Any], request: httpx.Request) -> httpx.Response:
    """The answer as HTTP; what HTTP itself cannot carry is left out."""
    status, headers = answer.get("status"), answer.get("headers")
    kept = {
        k: str(v).encode("ascii", "replace").replace(b"\r", b"").replace(b"\n", b"")
        for k, v in (headers.items() if isinstance(headers, dict) else ())
        if k.isascii() and k.replace("-", "").isalnum()
    }
    raw = answer.get("raw")
    body = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else json.dumps(answer.get("body")).encode()
    number = status if isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599 else 200
    return httpx.Response(number, headers=kept, stream=httpx.ByteStream(body), request=request)


async def _planned(transport: httpx.AsyncBaseTransport) -> None:
    """What making a plan asks and makes of the answers."""
    time = Time()
    connection = await connect(BUILT_IN, transport=transport, prompt=lambda _text: None)
    try:
        sender = Sender(connection, time.clock(), patience=20, jitter=lambda: 0.5)
        reader = Reader(sender)
        await reader.tenant("sandbox")
        found = await reader.look_up([SAWYER], KINDS)
        accounts = [each for each in found if isinstance(each, Account)]
        for facts in await reader.facts(accounts, KINDS):
            plan_leaver(facts, BOOK, datetime(2026, 11, 23, tzinfo=UTC), never, {}, fill=lambda step, _f, _v: step)
        await reader.again([SAWYER], KINDS, {})
    finally:
        await connection.close()


@cache
def honest() -> dict[str, dict[str, Any]]:
    """The answers of Contoso."""
    sandbox = Sandbox.open(None, now=Time().clock().now)
    record = Record(SandboxTransport(sandbox))
    asyncio.run(_planned(record))
    sandbox.close()
    return record.answers


def graph_target() -> Target:
    """The readers of Graph's answers, and the planning on what they make of them."""
    keys = list(honest())

    def read_answer(data: bytes) -> None:
        try:
            spoiled = json.loads(data)
            key = keys[spoiled.pop("n") % len(keys)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        asyncio.run(_planned(Replay(honest(), key, spoiled)))

    seeds = [json.dumps({"n": n, **honest()[key]}).encode() for n, key in enumerate(keys)]
    more = [
        {"n": 0, "status": 200, "raw": "<html>"},
        {"n": 1, "status": 429, "headers": {"retry-after": "2"}, "body": {"error": {"code": "TooManyRequests"}}},
        {
            "n": 0,
            "status": 401,
            "headers": {"www-authenticate": 'Bearer claims="e30="'},
            "body": {"error": {"code": "x"}},
        },
        {"n": 1, "status": 302, "headers": {"location": "https://evil.example/"}, "body": None},
    ]
    return Target("graph", read_answer, [*seeds, *(json.dumps(each).encode() for each in more)], structured=True)
