"""A server that says whatever it is told to, byte for byte, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from offboard.clock import Clock
from offboard.graph.connect import connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.settings.config import TenantConfig
from tests.world import Time

Say = Callable[[], Iterable[bytes]]


@dataclass
class Rogue:
    """What the server has said and heard.

    Args:
        say: The pieces of each answer, its head included.
    """

    say: Say
    heard: list[str] = field(default_factory=list)
    said: int = 0
    """Bytes that went out before the client hung up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, say everything, hang up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heard.append(head.splitlines()[0])
            for piece in self.say():
                writer.write(piece)
                await writer.drain()
                self.said += len(piece)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up


def answer(body: Iterable[bytes] = (b"",), *headers: str, status: str = "200 OK") -> Say:
    """An answer with these headers; the body ends when the server hangs up."""
    lines = ["HTTP/1.1 " + status, "Connection: close", *headers]

    def say() -> Iterable[bytes]:
        yield "\r\n".join([*lines, "", ""]).encode()
        yield from body

    return say


@asynccontextmanager
async def rogue_sender(say: Say, folder: Path) -> AsyncIterator[tuple[Rogue, Sender, Reader]]:
    """A sender that is connected to such a server."""
    rogue, time = Rogue(say), Time()
    server = await asyncio.start_server(rogue.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tenant = TenantConfig("rogue", sign_in="none", graph_url=f"http://127.0.0.1:{port}")
    connection = await connect(tenant, prompt=lambda _text: None, folder=folder)
    clock = Clock(now=time.clock().now, monotonic=time.clock().monotonic, sleep=time.sleep)
    sender = Sender(connection, clock, patience=10, jitter=lambda: 0.5)
    try:
        yield rogue, sender, Reader(sender)
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()
