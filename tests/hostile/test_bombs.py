"""Answers that would fill the memory or never end, over a real socket: a clear error, in little memory, and no redirect."""

from __future__ import annotations

import gzip
import itertools
import resource
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from offboard.errors import GraphUnavailable, OffboardError
from offboard.graph.requests import get
from tests.hostile.rogue import answer, rogue_sender

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024


def squeezed(mib: int, fill: bytes = b" ") -> bytes:
    """So much of nothing, as gzip."""
    squeezer, block = zlib.compressobj(9, wbits=31), fill * MIB
    return b"".join([squeezer.compress(block) for _ in range(mib)]) + squeezer.flush()


def pieces(data: bytes, size: int = 64 * 1024) -> Iterable[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


BOMB = squeezed(2000)
NESTED = gzip.compress(gzip.compress(squeezed(2000)))
DEEP = b'{"value":' + b"[" * 100_000
TELLING = {
    "gzip that grows to 2 GB": (answer(pieces(BOMB), "Content-Encoding: gzip"), "larger than 64 MiB"),
    "gzip in gzip in gzip": (answer([NESTED], "Content-Encoding: gzip, gzip, gzip"), "not asked for"),
    "an encoding nobody asked for": (answer([b"x"], "Content-Encoding: br"), "not asked for"),
    "gzip that is none": (answer([b"{}" * 50], "Content-Encoding: gzip"), "broken"),
    "gzip that is cut off": (answer([gzip.compress(b"{}" * 5000)[:40]], "Content-Encoding: gzip"), "cut off"),
    "300 MB": (answer(itertools.repeat(b" " * MIB, 300)), "larger than 64 MiB"),
    "a body without end": (answer(itertools.repeat(b"[" * MIB)), "larger than 64 MiB"),
    "a page of HTML": (answer([b"<html><script>alert(1)</script>"], "Content-Type: text/html"), "not JSON (text/html)"),
    "100,000 nested lists": (answer([DEEP]), "not JSON"),
    "numbers of 100,000 digits": (answer([b'{"value":' + b"9" * 100_000 + b"}"]), "not JSON"),
    "other bytes than UTF-8": (answer([b'{"a":"\xff\xfe"}']), "not JSON"),
    "a short body": (answer([b"{}"], "Content-Length: 5000"), "RemoteProtocolError"),
    "no HTTP at all": (lambda: [b"SSH-2.0-OpenSSH_9.9\r\n\r\n"], "RemoteProtocolError"),
    "a header of 10 MB": (answer([b""], "X: " + "y" * 10 * MIB), "RemoteProtocolError"),
    "a length that is none": (answer([b"{}"], "Content-Length: -1"), "RemoteProtocolError"),
    "nothing at all": (list, "RemoteProtocolError"),
}


@pytest.mark.parametrize("name", TELLING)
async def test_an_answer_that_cannot_be_used_is_told_and_takes_little_memory(tmp_path: Path, name: str) -> None:
    say, told = TELLING[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with rogue_sender(say, tmp_path) as (rogue, sender, _reader):
        with pytest.raises(GraphUnavailable) as error:
            await sender.read({"": get(sender.connection.graph.organization)})

    assert told in error.value.why
    assert len(error.value.why) < 300
    assert rogue.said < 75 * MIB * len(rogue.heard)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 250


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_told_and_goes_nowhere(tmp_path: Path, status: int) -> None:
    async def nobody(*_: object) -> None:
        raise AssertionError("the redirect was followed")

    import asyncio

    trap = await asyncio.start_server(nobody, "127.0.0.1", 0)
    port = trap.sockets[0].getsockname()[1]
    say = answer([b""], f"Location: http://127.0.0.1:{port}/v1.0/organization", status=f"{status} Moved")
    async with rogue_sender(say, tmp_path) as (rogue, _sender, reader):
        with pytest.raises(OffboardError, match=str(status)):
            await reader.tenant("rogue")
        assert len(rogue.heard) == 1
    trap.close()


async def test_pages_without_end_are_given_up(tmp_path: Path) -> None:
    numbers = itertools.count()
    place: list[str] = []

    def say() -> Iterator[bytes]:
        link = f"{place[0]}/v1.0/users?$skiptoken={next(numbers)}"
        body = b'{"value":[{"id":"x"}],"@odata.nextLink":"' + link.encode() + b'"}'
        yield from answer([body])()

    async with rogue_sender(say, tmp_path) as (rogue, sender, _reader):
        place.append(sender.connection.root)
        found = await sender.pages(get(sender.connection.graph.users))

        assert not found.ok
        assert "does not end after 2000 pages" in found.lost
        assert len(rogue.heard) == 2001


async def test_pages_in_a_circle_are_given_up(tmp_path: Path) -> None:
    place: list[str] = []

    def say() -> Iterator[bytes]:
        yield from answer([b'{"value":[],"@odata.nextLink":"' + place[0].encode() + b'/v1.0/users"}'])()

    async with rogue_sender(say, tmp_path) as (rogue, sender, _reader):
        place.append(sender.connection.root)
        found = await sender.pages(get(sender.connection.graph.users))

        assert "goes in a circle" in found.lost
        assert len(rogue.heard) == 2


async def test_gzip_in_several_parts_is_read_whole(tmp_path: Path) -> None:
    parts = [gzip.compress(b'{"value":'), gzip.compress(b"[]}")]
    async with rogue_sender(answer(parts, "Content-Encoding: gzip"), tmp_path) as (_, sender, _reader):
        found = await sender.read({"": get(sender.connection.graph.users)})

    assert found[""].body == {"value": []}


@pytest.mark.parametrize("after", ["1e999", "nan", "-5", "99999999999999999999", "Mon, 01 Jan 0001 00:00:00 -2300", "☃"])
async def test_a_senseless_wait_is_not_waited_for(tmp_path: Path, after: str) -> None:
    say = answer([b"{}"], f"Retry-After: {after}", "Date: Mon, 01 Jan 0001 00:00:00 -2300", status="429 Slow down")
    async with rogue_sender(say, tmp_path) as (_, sender, _reader):
        with pytest.raises(GraphUnavailable, match="within 10 seconds"):
            await sender.read({"": get(sender.connection.graph.users)})
