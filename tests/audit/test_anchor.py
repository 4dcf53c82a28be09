"""An anchor that was kept elsewhere finds what the log alone cannot show; and a verifier of other hands agrees with ours."""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from offboard.audit import EVENTS, ZERO, Anchor, verify
from offboard.audit.chain import digest, line_of
from offboard.audit.seal import Sealer

ROOT = Path(__file__).parent.parent.parent
SECOND = ROOT / "docs" / "verify_audit.py"
ALPHABET = "aZ9 \"\\/'{}:,é漢😀\u202e\u200b\x07\x1b\x7f\x85\u2028\ufeff\u0301"


def second() -> ModuleType:
    """The verifier of the documents, as a module."""
    spec = importlib.util.spec_from_file_location("verify_audit", SECOND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log(chance: random.Random, size: int, sealer: Sealer) -> list[bytes]:
    """A log of random records, chained and signed as ours are."""
    lines, prev = [], ZERO
    for seq in range(1, size + 1):
        event = chance.choice([*EVENTS, "checkpoint", "checkpoint"])
        record = {
            "seq": seq,
            "time": f"2026-11-23T17:05:{seq % 60:02}.000Z",
            "event": event,
            "code": EVENTS[event].code,
            "detail": {text(chance): value(chance, 3) for _ in range(chance.randrange(4))},
            "prev": prev,
        }
        if event == "checkpoint" and seq > 1 and chance.random() < 0.9:
            record["detail"] = sealer.seal(seq - 1, prev, "2026-11-23T17:05:12.000Z")
        record["hash"] = prev = digest(record)
        lines.append(line_of(record))
    return lines


def text(chance: random.Random) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randrange(12)))


def value(chance: random.Random, depth: int) -> object:
    kind = chance.randrange(7 if depth else 5)
    if kind == 5:
        return [value(chance, depth - 1) for _ in range(chance.randrange(3))]
    if kind == 6:
        return {text(chance): value(chance, depth - 1) for _ in range(chance.randrange(3))}
    return [None, True, False, chance.randrange(-(2**53), 2**53), text(chance)][kind]


def spoil_byte(lines: list[bytes], chance: random.Random) -> None:
    place, line = chance.randrange(len(lines)), b""
    line = lines[place]
    at = chance.randrange(len(line))
    lines[place] = line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :]


def drop(lines: list[bytes], chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]


def swap(lines: list[bytes], chance: random.Random) -> None:
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def double(lines: list[bytes], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))


def cut(lines: list[bytes], chance: random.Random) -> None:
    del lines[chance.randrange(len(lines)) :]


def tear(lines: list[bytes], chance: random.Random) -> None:
    lines[-1] = lines[-1][: chance.randrange(len(lines[-1]))]


def junk(lines: list[bytes], chance: random.Random) -> None:
    lines.insert(
        chance.randrange(len(lines) + 1), chance.choice([b"\n", b"{}\n", b"[1.5]\n", b"\xff\n", b"NaN\n", b"[" * 9999])
    )


def respell(lines: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    lines[place] = json.dumps(json.loads(lines[place])).encode() + b"\n"


def rewrite(lines: list[bytes], chance: random.Random) -> None:
    """With fresh hashes from some record on: a whole log, by itself."""
    place = chance.randrange(len(lines))
    prev = json.loads(lines[place])["prev"]
    for n in range(place, len(lines)):
        record = json.loads(lines[n])
        record |= {"prev": prev, "run": "forged"}
        record["hash"] = prev = digest(record)
        lines[n] = line_of(record)


def leave(_lines: list[bytes], _chance: random.Random) -> None:
    """An untouched log."""


HARM: list[Callable[[list[bytes], random.Random], None]] = [
    leave, spoil_byte, drop, swap, double, cut, tear, junk, respell, rewrite,
]  # fmt: skip


def test_two_verifiers_agree_on_a_thousand_random_logs(tmp_path: Path) -> None:
    other, path, seen = second(), tmp_path / "audit.jsonl", set()
    sealers = [Sealer(tmp_path / "audit.jsonl"), Sealer(tmp_path / "other.jsonl")]
    for seed in range(1000):
        chance = random.Random(seed)  # the same thousand each time
        lines = log(chance, chance.randrange(1, 9), sealers[chance.random() < 0.1])
        last, key = json.loads(lines[-1]), sealers[0].seal(1, ZERO, "")["public_key"]
        anchor = Anchor(last["seq"], last["hash"], chance.choice(["", key])) if chance.random() < 0.5 else None
        harm = HARM[seed % len(HARM)]
        harm(lines, chance)
        path.write_bytes(b"".join(lines))
        mine = verify(path, anchor=anchor)
        kept = (anchor.seq, anchor.hash, anchor.key) if anchor else None
        count, hash_, wrong, signed = other.verify(other.lines_of(str(path)), kept)

        told = (seed, harm.__name__, mine, wrong)
        assert (mine.records, mine.last, mine.ok, mine.signed) == (count, hash_, wrong is None, signed), told
        seen.add((harm.__name__, mine.ok))
    assert ("leave", True) in seen
    assert {name for name, ok in seen if not ok} >= {harm.__name__ for harm in HARM if harm is not leave}


@pytest.mark.parametrize("place", range(1, 13))
def test_a_log_rewritten_from_any_record_on_is_found_with_an_anchor_and_only_with_one(dozen: Path, place: int) -> None:
    anchor = verify(dozen).anchor
    lines = dozen.read_bytes().splitlines(keepends=True)
    prev = json.loads(lines[place - 1])["prev"]
    for n in range(place - 1, len(lines)):
        record = {**json.loads(lines[n]), "prev": prev, "actor": "somebody@contoso.com"}
        record["hash"] = prev = digest(record)
        lines[n] = line_of(record)
    dozen.write_bytes(b"".join(lines))

    assert verify(dozen).ok
    assert not verify(dozen, anchor=anchor).ok


def test_the_second_verifier_is_short_stands_alone_and_speaks_for_itself(dozen: Path) -> None:
    text = SECOND.read_text()
    anchor = str(verify(dozen).anchor)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(SECOND), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")

    assert len(text.splitlines()) <= 150
    assert "import offboard" not in text
    assert run(str(dozen)).returncode == run(str(dozen), anchor).returncode == 0
    assert anchor in run(str(dozen)).stdout
    dozen.write_bytes(b"".join(dozen.read_bytes().splitlines(keepends=True)[:-1]))
    assert run(str(dozen)).returncode == 0
    assert run(str(dozen), anchor).returncode == 1
    assert run(str(dozen), "nonsense").returncode == run("/no/such/file").returncode == 2
