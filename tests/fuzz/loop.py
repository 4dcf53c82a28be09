"""A fuzzing loop that needs nothing but Python: an input that reaches new lines is kept, and changed further.

Coverage is taken with `sys.settrace` as pairs of lines that follow one another, of this project's files only.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from offboard.errors import OffboardError
from tests.fuzz.mutate import mutate

Pair = tuple[CodeType, int, int]


@dataclass(frozen=True)
class Target:
    """Something that reads what others wrote.

    Args:
        name: On the command line.
        read: Reads it all; may raise only what `allowed` names.
        seeds: Honest inputs.
        words: What matters to the grammar.
        structured: Whether inputs are JSON, and are changed as such too.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()
    structured: bool = False
    allowed: tuple[type[BaseException], ...] = (OffboardError,)


@dataclass
class Found:
    """An input that made a target raise what it must not."""

    content: bytes
    error: BaseException
    place: str

    def __str__(self) -> str:
        return f"{type(self.error).__name__}: {str(self.error)[:200]} at {self.place}, for {self.content[:200]!r}"


@dataclass
class Loop:
    """One run of the fuzzer.

    Args:
        target: What is fuzzed.
        seed: Of all chance in it.
        within: Of whose files the coverage counts.
    """

    target: Target
    seed: int = 0
    within: str = "/offboard/"
    corpus: list[bytes] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)
    runs: int = 0
    _seen: set[Pair] = field(default_factory=set)
    _ours: dict[CodeType, bool] = field(default_factory=dict)

    def run(self, *, seconds: float = 0.0, runs: int = 0) -> Loop:
        """Fuzz for so long, or so often; the seeds are read in any case."""
        chance = random.Random(self.seed)
        for content in self.target.seeds:
            self._try(content, keep=True)
        end = time.monotonic() + seconds
        while self.runs < runs + len(self.target.seeds) or time.monotonic() < end:
            self._try(mutate(self.corpus, chance, self.target.words, self.target.structured))
        return self

    def _try(self, content: bytes, *, keep: bool = False) -> None:
        self.runs += 1
        before = len(self._seen)
        error = self._traced(content)
        if error is not None:
            place = _place(error)
            self.found.setdefault(f"{type(error).__name__} {place}", Found(content, error, place))
        if keep or len(self._seen) > before:
            self.corpus.append(content)

    def _traced(self, content: bytes) -> BaseException | None:
        previous = sys.gettrace()
        sys.settrace(self._enter)
        try:
            self.target.read(content)
        except self.target.allowed:
            pass
        except Exception as error:
            return error
        finally:
            sys.settrace(previous)
        return None

    def _enter(self, frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        code = frame.f_code
        ours = self._ours.get(code)
        if ours is None:
            ours = self._ours[code] = self.within in code.co_filename
        if not ours:
            return None
        seen, last = self._seen, 0

        def line(frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
            nonlocal last
            if event == "line":
                seen.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line


def _place(error: BaseException) -> str:
    return next(_places(error), "nowhere")


def _places(error: BaseException) -> Iterator[str]:
    trace, places = error.__traceback__, []
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "/offboard/" in name:
            places.append(f"{name.rpartition('/offboard/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    yield from reversed(places)
