"""The bytes of an answer, decompressed within a limit.

httpx decompresses each piece whole, and as many times as `Content-Encoding` says: 64 KB of gzip within gzip would fill the
memory before anybody could count. Here one layer of gzip is undone, and only as far as there is room.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer after decompression; more is a fault or an attack."""
ACCEPTED = "gzip"
"""What we ask for; nothing else is undone."""
_GZIP = 16 + zlib.MAX_WBITS


class UnusableBody(Exception):
    """An answer that would not end, or whose compression is none that was asked for, or is broken."""


async def content_of(response: httpx.Response, most: int = MAX_BODY) -> bytes:
    """The whole content.

    Args:
        response: Sent with `stream=True`, not read yet.
        most: Bytes that it may have.

    Raises:
        UnusableBody: It is larger, or cannot be decompressed.
        httpx.TransportError: The connection broke.
    """
    found = bytearray()
    async for piece in _pieces(response, most):
        found += piece
        if len(found) > most:
            raise _too_large(most)
    return bytes(found)


def _too_large(most: int) -> UnusableBody:
    return UnusableBody(f"the answer is larger than {most // 1024 // 1024} MiB")


def _pieces(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:  # an answer made in this process, which came whole
        return response.aiter_bytes()
    named = response.headers.get("content-encoding", "").lower()
    layers = [layer for each in named.split(",") if (layer := each.strip()) not in ("", "identity")]
    if not layers:
        return response.aiter_raw()
    if layers != ["gzip"]:
        raise UnusableBody(f"the answer is compressed as {named[:40]!r}, which was not asked for")
    return _inflated(response, most)


async def _inflated(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    inflater, room = zlib.decompressobj(_GZIP), most
    try:
        async for piece in response.aiter_raw():
            while piece:
                if inflater.eof:  # gzip files may be put one behind the other
                    inflater = zlib.decompressobj(_GZIP)
                found = inflater.decompress(piece, room + 1)
                room -= len(found)
                if room < 0:
                    raise _too_large(most)
                yield found
                piece = inflater.unused_data if inflater.eof else b""
    except zlib.error as error:
        raise UnusableBody("the answer's compression is broken") from error
    if not inflater.eof:
        raise UnusableBody("the answer's compression is cut off")
