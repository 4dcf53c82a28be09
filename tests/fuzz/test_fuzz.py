"""Each target for a short while, everything that was ever found, and the fuzzer itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from offboard.errors import UsageError
from tests.fuzz.loop import Loop, Target
from tests.fuzz.targets import TARGETS

SECONDS = 2.0
REGRESSIONS = Path(__file__).parent / "regressions"
FOUND = sorted(path for path in REGRESSIONS.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_it_reads_ends_well_or_in_an_error_for_a_person(name: str) -> None:
    loop = Loop(TARGETS[name](), seed=1).run(seconds=SECONDS)

    assert not loop.found, "\n".join(map(str, loop.found.values()))
    assert loop.runs > len(loop.target.seeds)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_once_stays_mended(path: Path) -> None:
    target = TARGETS[path.parent.name]()
    with suppress(*target.allowed):
        target.read(path.read_bytes())


def picky(data: bytes) -> None:
    """Fails for inputs that begin with FUZZ; found only by whoever keeps what came a letter further."""
    from offboard.errors import Refused

    step = len(data)
    for place, letter in enumerate(b"FUZZ"):
        if step <= place or data[place] != letter:
            raise Refused("no")
        COVERED[place]()
    raise KeyError("found")


def _make(number: int) -> object:
    scope: dict[str, object] = {}
    exec(compile(f"def reached():\n    return {number}\n", f"/offboard/reached{number}.py", "exec"), scope)
    return scope["reached"]


COVERED = [_make(number) for number in range(4)]


def test_the_fuzzer_follows_coverage_to_what_chance_alone_would_not_find() -> None:
    guided = Loop(Target("picky", picky, [b"....!"], [b"F", b"U", b"Z"]), seed=3).run(runs=20_000)
    blind = Loop(Target("picky", picky, [b"....!"], [b"F", b"U", b"Z"]), seed=3, within="/nowhere/").run(runs=20_000)

    assert [type(each.error) for each in guided.found.values()] == [KeyError]
    assert len(guided.corpus) > len(blind.corpus)
    assert not blind.found


def test_errors_for_people_are_no_findings_and_others_are() -> None:
    def read(data: bytes) -> None:
        raise UsageError("no") if data == b"a" else ZeroDivisionError

    loop = Loop(Target("t", read, [b"a"], [])).run(runs=50)

    assert {type(each.error) for each in loop.found.values()} == {ZeroDivisionError}
