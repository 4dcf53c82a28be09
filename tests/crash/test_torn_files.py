"""Whatever a file system may leave of a write that was not synced: the file is old, new or detectably torn."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offboard.audit import Audit, read, verify
from offboard.errors import UsageError
from offboard.planfile import dump, load
from tests.world import SEED, a_world, steps

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BLOCK = 512
RECORDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=700), min_size=1, max_size=12)


def survivors(before: bytes, after: bytes, blocks: list[bool], length: int) -> bytes:
    """What may be found of an append: each block of the disk has it or has not, and the file may be shorter."""
    kept = bytearray(after)
    for number, whole in enumerate(blocks):
        begin = max(len(before), (len(before) // BLOCK + number) * BLOCK)
        end = min((len(before) // BLOCK + number + 1) * BLOCK, len(after))
        if not whole and begin < end:
            kept[begin:end] = bytes(end - begin)
    return bytes(kept[: max(len(before), length)])


@settings(max_examples=150, deadline=None)
@given(old=RECORDS, new=RECORDS, data=st.data())
def test_of_an_append_that_was_not_synced_nothing_is_believed_and_what_was_synced_is_whole(
    old: list[str], new: list[str], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.jsonl"
        with Audit.open(path, now=lambda: NOW) as audit:
            for text in old:
                audit.write("stopped", why=text)
            before = path.read_bytes()
            audit.write_many(("stopped", {"why": text}) for text in new)
        after = path.read_bytes()
        most = (len(after) - len(before)) // BLOCK + 2
        blocks = data.draw(st.lists(st.booleans(), min_size=most, max_size=most))
        found = survivors(before, after, blocks, data.draw(st.integers(len(before), len(after))))
        path.write_bytes(found)
        whole = after.startswith(found) and found.endswith(b"\n")

        assert verify(path).ok == whole, "torn, and not told"
        with Audit.open(path, now=lambda: NOW) as audit:
            audit.write("stopped", why="afterwards")

        records = list(read(path))
        assert verify(path).ok
        assert path.read_bytes().startswith(before), "what was on the disk for sure is still there"
        assert ("tail-recovered" in {record["event"] for record in records}) == (not whole)
        assert records[-1]["why"] == "afterwards"
        for kept in Path(folder).glob("audit.jsonl.torn-*"):
            assert found.endswith(kept.read_bytes()), "whole lines are never thrown away"


def test_zero_bytes_far_from_the_end_are_damage_and_nothing_is_cut_off_for_them(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with Audit.open(path, now=lambda: NOW) as audit:
        audit.write_many(("stopped", {"detail": {"text": "x" * 500, "n": n}}) for n in range(1800))
    damaged = bytearray(path.read_bytes())
    assert len(damaged) > 1024 * 1024 + 4096
    damaged[1024:1100] = bytes(76)
    path.write_bytes(damaged)

    with Audit.open(path, now=lambda: NOW) as audit:
        audit.write("stopped", why="afterwards")

    assert path.read_bytes().startswith(damaged)
    assert "a power cut tore it, or it was overwritten" in str(verify(path).problem)


@pytest.mark.anyio
async def test_of_a_plan_only_the_whole_file_is_a_plan(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        plan = dump(await world.plan(steps(*SEED), "SawyerM@contoso.com"))
    assert load(plan, "plan.json").leavers

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def torn(data: st.DataObject) -> None:
        most = len(plan) // BLOCK + 1
        blocks = data.draw(st.lists(st.booleans(), min_size=most, max_size=most))
        found = survivors(b"", plan, blocks, data.draw(st.integers(0, len(plan))))
        if found != plan:
            with pytest.raises(UsageError):
                load(found, "plan.json")

    torn()
