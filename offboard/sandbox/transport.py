"""The tenant as an httpx transport: requests never leave the process."""

from __future__ import annotations

import random

import anyio
import httpx

from .tenant import Sandbox
from .wire import Request, Response


class SandboxTransport(httpx.AsyncBaseTransport):
    """Hand every request to a sandbox, and act out its delays and transport faults."""

    def __init__(self, sandbox: Sandbox, *, seed: int = 0) -> None:
        self._sandbox = sandbox
        self._random = random.Random(seed)  # noqa: S311 - reproducible delays, not secrets

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        body = await request.aread()
        asked = Request(request.method, str(request.url), dict(request.headers), body)
        response = self._sandbox.handle(asked)
        await self._wait(response)
        return _carried(request, response)

    async def _wait(self, response: Response) -> None:
        delay = self._sandbox.behavior.delay
        seconds = response.delay + (self._random.uniform(*delay) if delay else 0.0)
        if seconds > 0:
            await anyio.sleep(seconds)


def _carried(request: httpx.Request, response: Response) -> httpx.Response:
    kind = response.mishap.kind if response.mishap else ""
    if kind == "reset":
        raise httpx.ReadError("Connection reset by the sandbox's fault script", request=request)
    if kind == "truncate":
        raise httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body (cut by the sandbox's fault script)",
            request=request,
        )
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body), request=request)
