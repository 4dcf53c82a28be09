"""The leavers of a large plan, packed: ten thousand of them in a few megabytes instead of three hundred.

Each is kept as its canonical bytes, compressed against the first one, which most others resemble word for word, and is
unpacked whenever somebody looks at it. What is looked at together is small: a turn of a run carries out fifty leavers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from offboard.model import LeaverPlan

FEW = 2000
"""Leavers up to which nothing is packed: unpacking would take longer than what is saved is worth."""


class Packed(Sequence[LeaverPlan]):
    """Leavers, packed.

    Args:
        parts: Their canonical bytes, in order.
        read: Makes a leaver of its bytes.
    """

    def __init__(self, parts: Iterable[bytes], read: Callable[[bytes], LeaverPlan]) -> None:
        self._read = read
        self._like = b""
        self._parts: list[bytes] = []
        for part in parts:
            self.add(part)

    def add(self, part: bytes) -> None:
        """One leaver more, as its canonical bytes."""
        self._like = self._like or part[-32768:]  # as far back as the method looks
        pack = zlib.compressobj(1, zdict=self._like)
        self._parts.append(pack.compress(part) + pack.flush())

    def part(self, place: int) -> bytes:
        """The canonical bytes of the leaver at this place."""
        return zlib.decompressobj(zdict=self._like).decompress(self._parts[place])

    def parts(self) -> Iterator[bytes]:
        """The canonical bytes of all of them."""
        return (self.part(place) for place in range(len(self._parts)))

    @overload
    def __getitem__(self, place: int) -> LeaverPlan: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[LeaverPlan]: ...
    def __getitem__(self, place: int | slice) -> LeaverPlan | Sequence[LeaverPlan]:
        if isinstance(place, slice):
            return tuple(self[n] for n in range(*place.indices(len(self))))
        return self._read(self.part(place))

    def __len__(self) -> int:
        return len(self._parts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sequence)
            and len(self) == len(other)
            and all(a == b for a, b in zip(self, other, strict=True))
        )
