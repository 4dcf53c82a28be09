"""Changing inputs: bytes, words of the grammar, pieces of other inputs; of JSON also values, keys and types."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Change = Callable[[bytearray, random.Random, Sequence[bytes], Sequence[bytes]], None]
BYTES = [
    b"\x00",
    b"\xff",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b"\\",
    b"{",
    b"[",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b" " * 9,
]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**30,
    0.5,
    1e308,
    "",
    "x",
    "\x00",
    "\ud800",
    "\u202e\x1b[31m",
    "a" * 5000,
    "2026-11-23T17:05:12Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "a0000000-0000-4000-8000-000000000001",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": None},
    {"id": 1},
]


def mutate(corpus: Sequence[bytes], chance: random.Random, words: Sequence[bytes], structured: bool) -> bytes:
    """A changed copy of one of the inputs."""
    content = corpus[int(len(corpus) * chance.random() ** 0.5)]  # later ones reached further
    if structured and chance.random() < 0.8:
        changed = _json(content, corpus, chance)
        if changed is not None:
            return changed
    buffer = bytearray(content)
    for _ in range(1 + int(chance.expovariate(0.7))):
        chance.choice(_CHANGES)(buffer, chance, corpus, words)
    return bytes(buffer[:200_000])


def _flip(buffer: bytearray, chance: random.Random, *_: object) -> None:
    if buffer:
        buffer[chance.randrange(len(buffer))] ^= 1 << chance.randrange(8)


def _set(buffer: bytearray, chance: random.Random, *_: object) -> None:
    if buffer:
        buffer[chance.randrange(len(buffer))] = chance.randrange(256)


def _cut(buffer: bytearray, chance: random.Random, *_: object) -> None:
    at = chance.randrange(len(buffer) + 1)
    del buffer[at : at + 1 + int(chance.expovariate(0.1))]


def _end(buffer: bytearray, chance: random.Random, *_: object) -> None:
    del buffer[chance.randrange(len(buffer) + 1) :]


def _put(buffer: bytearray, chance: random.Random, _corpus: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = chance.randrange(len(buffer) + 1)
    buffer[at:at] = chance.choice([*words, *BYTES])


def _instead(buffer: bytearray, chance: random.Random, _corpus: Sequence[bytes], words: Sequence[bytes]) -> None:
    word, at = chance.choice([*words, *BYTES]), chance.randrange(len(buffer) + 1)
    buffer[at : at + len(word)] = word


def _again(buffer: bytearray, chance: random.Random, *_: object) -> None:
    at = chance.randrange(len(buffer) + 1)
    buffer[at:at] = buffer[at : at + 1 + int(chance.expovariate(0.05))] * chance.choice([1, 1, 2, 50])


def _splice(buffer: bytearray, chance: random.Random, corpus: Sequence[bytes], *_: object) -> None:
    other = chance.choice(corpus)
    at, start = chance.randrange(len(buffer) + 1), chance.randrange(len(other) + 1)
    buffer[at : at + chance.choice([0, 20])] = other[start : start + chance.randrange(1, 200)]


_CHANGES: list[Change] = [_flip, _set, _cut, _end, _put, _put, _instead, _again, _splice]


def _json(content: bytes, corpus: Sequence[bytes], chance: random.Random) -> bytes | None:
    try:
        document = json.loads(content)
        for _ in range(1 + int(chance.expovariate(1))):
            document = _changed(document, chance, corpus)
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return None


def _changed(document: Any, chance: random.Random, corpus: Sequence[bytes]) -> Any:
    places = _places(document)
    if not places:
        return chance.choice(ODD)
    holder, key = chance.choice(places)
    kind = chance.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        other, where = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[where]))
    elif kind == 2 and isinstance(holder, dict):
        holder[chance.choice(["", "id", "value", "@odata.nextLink", "__class__", key + "x"])] = holder.pop(key)
    elif kind == 3 and isinstance(holder[key], str) and holder[key]:
        text = bytearray(holder[key].encode("utf-8", "surrogatepass"))
        chance.choice(_CHANGES)(text, chance, corpus, ())
        holder[key] = text.decode("utf-8", "replace")
    elif kind == 4:
        holder[key] = [holder[key]] * chance.choice([1, 2, 30])
    else:
        holder[key] = chance.choice(ODD)
    return document


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every value of a document, as the container that holds it and its key."""
    found, todo = [], [document]
    while todo:
        each = todo.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            todo.append(each[key])
    return found
