"""A large plan is the same plan, byte for byte, in a fraction of the memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offboard.errors import OffboardError
from offboard.model import Plan
from offboard.packing import FEW, Packed
from offboard.planfile import LARGE, dump, join, load, pack, read_part, seal, split
from offboard.planjson import canonical, leaver_plan_json
from tests.world import SAWYER, SEED, a_world, steps

pytestmark = pytest.mark.anyio
MANY = FEW + 100


async def large(folder: Path) -> Plan:
    """A plan of many leavers: one person's, under other ids."""
    async with a_world(folder) as world:
        plan = await world.plan(steps(*SEED, "remove-groups"), SAWYER)
    one = plan.leavers[0]
    leavers = [
        replace(
            one, leaver=replace(one.leaver, id=f"{n:08d}-0000-4000-8000-000000000000", display_name=f'Ödön {n} "}}{{\\')
        )
        for n in range(MANY)
    ]
    return seal(replace(plan, leavers=tuple(leavers)))


async def test_packed_or_not_it_is_the_same_plan(tmp_path: Path) -> None:
    plan = await large(tmp_path)
    packed = replace(plan, leavers=pack(plan.leavers, MANY))
    data = dump(plan)

    assert isinstance(packed.leavers, Packed)
    assert len(data) > LARGE
    assert dump(packed) == data == canonical(json.loads(data)) + b"\n"
    assert seal(packed).digest == plan.digest
    assert tuple(packed.leavers) == plan.leavers
    assert packed.leavers[MANY - 1] == plan.leavers[-1]
    assert packed.leavers[2:4] == plan.leavers[2:4]


async def test_a_large_file_is_read_leaver_by_leaver(tmp_path: Path) -> None:
    plan = await large(tmp_path)
    found = load(dump(plan), "large.json")

    assert isinstance(found.leavers, Packed)
    assert found == replace(plan, leavers=found.leavers)
    assert tuple(found.leavers) == plan.leavers
    assert join(*split(found), "it") == found


async def test_the_packs_are_small(tmp_path: Path) -> None:
    plan = await large(tmp_path)
    leavers = pack(plan.leavers, MANY)
    assert isinstance(leavers, Packed)

    assert sum(map(len, leavers._parts)) < len(dump(plan)) / 20


async def test_an_edited_large_file_is_refused_wherever_it_was_edited(tmp_path: Path) -> None:
    plan = await large(tmp_path)
    data = dump(seal(replace(plan, leavers=plan.leavers[:3])))
    assert load(data, "large.json", large=0)
    for place in range(0, len(data), 97):
        for byte in (b" ", b"}", b'"', b"{", bytes([data[place] ^ 1])):
            edited = data[:place] + byte + data[place + 1 :]
            if edited != data:
                with pytest.raises(OffboardError):
                    load(edited, "large.json", large=0)


@pytest.mark.parametrize("change", ["drop", "swap", "double", "space", "gap", "cut", "nothing else"])
async def test_leavers_cannot_be_dropped_swapped_or_added(tmp_path: Path, change: str) -> None:
    plan = await large(tmp_path)
    parts = [canonical(leaver_plan_json(each)) for each in plan.leavers]
    whole = b",".join(parts)
    others = {
        "drop": b",".join(parts[1:]),
        "swap": b",".join([parts[1], parts[0], *parts[2:]]),
        "double": b",".join([parts[0], *parts]),
        "space": whole.replace(b"},{", b"}, {", 1),
        "gap": b" " + whole,
        "cut": b"",
        "nothing else": b"[" + whole + b"]",
    }
    data = dump(plan)
    assert whole in data
    with pytest.raises(OffboardError, match=r"edited|plan"):
        load(data.replace(whole, others[change]), "large.json")


async def test_few_leavers_are_not_packed(tmp_path: Path) -> None:
    plan = await large(tmp_path)

    assert isinstance(pack(plan.leavers[:FEW], FEW), tuple)
    assert read_part(canonical(leaver_plan_json(plan.leavers[0]))) == plan.leavers[0]
