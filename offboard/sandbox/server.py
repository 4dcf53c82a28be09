"""The tenant over a socket, for any Graph client: starlette and uvicorn, plain or with TLS."""

from __future__ import annotations

import random
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .tenant import Sandbox
from .wire import Request, Response

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]
_LIMIT = 4 * 1024 * 1024  # Graph takes no larger body on these calls either
_SECONDS_TO_START = 10


class _Connections:
    """Open connections by the client's address, so that a fault can cut the very one it strikes."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], Any] = {}

    def protocol(self) -> type[H11Protocol]:
        """uvicorn's protocol, which tells us of its connections; ASGI itself has no way to break one."""
        known = self.open

        class Watched(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                if self.client:
                    known[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    known.pop(self.client, None)
                super().connection_lost(exc)

            def shutdown(self) -> None:
                # An idle client over TLS need not answer our goodbye; waiting for it would hold the process up.
                if self.cycle is None or self.cycle.response_complete:
                    self.transport.abort()
                else:
                    super().shutdown()

        return Watched

    def cut(self, client: tuple[str, int] | None) -> None:
        """Reset a connection: the peer sees it break rather than end."""
        transport = self.open.get(client) if client else None
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            # Lingering for no time makes the kernel send a reset.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class _Cut(HttpResponse):
    """An answer that breaks off: before the first byte, or in the middle of the body."""

    def __init__(self, connections: _Connections, response: Response) -> None:
        super().__init__(response.body, response.status, dict(response.headers))
        self._connections = connections
        self._half = response.mishap is not None and response.mishap.kind == "truncate"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._half:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            half = self.body[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": bytes(half), "more_body": True})
            await anyio.sleep(0.01)  # let the half that exists reach the peer
        self._connections.cut(scope.get("client"))


def application(
    sandbox: Sandbox, connections: _Connections, delay: tuple[float, float] | None = None, speed: float = 1.0
) -> ASGIApp:
    """The ASGI application around a sandbox; with `speed`, delays are so many times as short."""
    draw = random.Random(0)  # noqa: S311 - reproducible delays, not secrets

    async def endpoint(http: HttpRequest) -> HttpResponse:
        body = await http.body()
        if len(body) > _LIMIT:
            return HttpResponse(status_code=413)
        response = sandbox.handle(Request(http.method, _url(http), dict(http.headers), body))
        span = delay or sandbox.behavior.delay
        seconds = response.delay + (draw.uniform(*span) if span else 0.0)
        if seconds > 0:
            await anyio.sleep(seconds / speed)
        if response.mishap is not None and response.mishap.kind in ("reset", "truncate"):
            return _Cut(connections, response)
        return HttpResponse(response.body, response.status, dict(response.headers))

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)])


def _url(http: HttpRequest) -> str:
    """The URL with its path as sent: starlette's own is decoded, and decoding twice would change names."""
    raw = http.scope.get("raw_path") or http.url.path.encode()
    query = http.scope.get("query_string") or b""
    host = http.headers.get("host") or http.url.netloc
    return f"{http.url.scheme}://{host}{raw.decode('latin-1')}" + (f"?{query.decode('latin-1')}" if query else "")


class _Server(uvicorn.Server):
    """uvicorn raises a signal again once it has shut down; being told to end is no error here."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _server(app: ASGIApp, connections: _Connections, tls: tuple[Path | None, Path | None]) -> _Server:
    cert, key = tls
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        http=connections.protocol(),
        ws="none",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=str(cert) if cert else None,
        ssl_keyfile=str(key) if key else None,
    )
    return _Server(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP outright: asyncio turns Nagle's algorithm off only then, and with it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(256)
    listener.setblocking(False)
    return listener


def _root(host: str, listener: socket.socket, secure: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{listener.getsockname()[1]}"


def serve(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    delay: tuple[float, float] | None = None,
    speed: float = 1.0,
) -> None:
    """Serve until SIGINT or SIGTERM. The first line on stdout is the root URL, printed once it is listening."""
    connections = _Connections()
    server = _server(application(sandbox, connections, delay, speed), connections, (tls_cert, tls_key))
    with _listen(host, port) as listener:
        url = _root(host, listener, tls_cert is not None)
        anyio.run(_announce_and_serve, server, [listener], url)


async def _announce_and_serve(server: uvicorn.Server, sockets: Sequence[socket.socket], url: str) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_announce, server, url)
        await server.serve(list(sockets))


async def _announce(server: uvicorn.Server, url: str) -> None:
    while not server.started and not server.should_exit:
        await anyio.sleep(0.005)
    if server.started:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()


class ServerThread:
    """A served sandbox for the length of a `with` block; `.url` is its root."""

    def __init__(self, sandbox: Sandbox, tls_cert: Path | None = None, tls_key: Path | None = None) -> None:
        connections = _Connections()
        self._server = _server(application(sandbox, connections), connections, (tls_cert, tls_key))
        self._listener = _listen("127.0.0.1", 0)
        # The name rather than the address: certificates for tests are made out to it.
        host = "localhost" if tls_cert else "127.0.0.1"
        self.url = _root(host, self._listener, tls_cert is not None)
        self._thread = threading.Thread(target=self._run, name="sandbox-server", daemon=True)

    def _run(self) -> None:
        anyio.run(self._server.serve, [self._listener])

    def __enter__(self) -> Self:
        self._thread.start()
        waited = threading.Event()
        for _ in range(_SECONDS_TO_START * 200):
            if self._server.started:
                return self
            waited.wait(0.005)
        raise RuntimeError("the sandbox server did not start")

    def __exit__(self, *_exc: object) -> None:
        self._server.should_exit = True
        self._thread.join(_SECONDS_TO_START)
        self._listener.close()
