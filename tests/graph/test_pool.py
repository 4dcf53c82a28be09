"""The pool never forgets who waits, whatever the purse and the clocks say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from offboard.clock import Clock
from offboard.errors import GraphUnavailable, OffboardError
from offboard.graph.answers import Answer
from offboard.graph.pace import RESERVE, Bucket
from offboard.graph.pool import BATCH, Pool
from tests.world import START, Time

pytestmark = pytest.mark.anyio


@dataclass
class Wire:
    """Where batches go: noted, and answered at once or when let go."""

    time: Time
    sent: list[list[str]] = field(default_factory=list)

    async def transmit(self, infos: list[RequestInformation]) -> list[Answer]:
        self.sent.append([str(info.url) for info in infos])
        await asyncio.sleep(0)
        self.time.jump(seconds=0.1)
        return [Answer("PATCH", str(info.url), 204) for info in infos]


def call(n: int) -> RequestInformation:
    info = RequestInformation(Method.PATCH)
    info.url = f"https://graph.microsoft.com/v1.0/users/{n}"
    return info


def creeping(time: Time, step: float = 0.0007) -> Clock:
    """A clock that goes on a little whenever it is looked at, as real ones do."""

    def monotonic() -> float:
        time.jump(seconds=step)
        return time.moment.timestamp()

    return Clock(now=lambda: time.moment, monotonic=monotonic, sleep=time.sleep)


def pool_of(clock: Clock, wire: Wire, **bucket: float) -> Pool:
    return Pool(wire.transmit, clock, Bucket(ticks=clock.monotonic, **bucket), lambda: 0.0)


@pytest.mark.parametrize("step", [0.0007, 0.003, 0.006, 0.011, 0.019])
async def test_writes_that_wait_for_the_quota_all_leave_in_full_batches(step: float) -> None:
    time = Time()
    wire = Wire(time)
    pool = pool_of(creeping(time, step), wire, size=60.0, per_second=20.0)
    await asyncio.wait_for(
        asyncio.gather(*(pool.ask([call(n)], priority=n % 7, write=True) for n in range(400))), timeout=60
    )

    assert sum(map(len, wire.sent)) == 400
    assert len(wire.sent) <= 400 / BATCH + 3
    assert (time.moment - START).total_seconds() >= (400 - 60) / 20 - 2


async def test_whose_turn_had_come_before_goes_before_the_others_of_its_step_and_of_no_other() -> None:
    time = Time()
    wire = Wire(time)
    pool = pool_of(time.clock(), wire, size=BATCH + RESERVE, per_second=20.0)
    first = [pool.ask([call(n)], priority=1, write=True) for n in range(BATCH)]
    others = [pool.ask([call(100 + n)], priority=1, write=True) for n in range(BATCH)]
    before = [pool.ask([call(200 + n)], priority=0, write=True) for n in range(5)]
    ahead = [pool.ask([call(300 + n)], priority=1, write=True, ahead=True) for n in range(5)]
    await asyncio.wait_for(asyncio.gather(*first, *others, *before, *ahead), timeout=60)

    order = [int(url.rpartition("/")[2]) for batch in wire.sent for url in batch]
    assert order == [*range(200, 205), *range(300, 305), *range(BATCH), *range(100, 100 + BATCH)]


async def test_who_is_urgent_is_not_kept_waiting_by_the_many() -> None:
    time = Time()
    wire = Wire(time)
    pool = pool_of(creeping(time), wire, size=60.0, per_second=20.0)
    many = [asyncio.ensure_future(pool.ask([call(n)], priority=5, write=True)) for n in range(400)]
    while sum(map(len, wire.sent)) < 60 - RESERVE:
        await asyncio.sleep(0)
    began = time.moment
    await pool.ask([call(1000)], priority=-5, write=True)

    assert (time.moment - began).total_seconds() < 1.5
    assert sum(map(len, wire.sent)) < 120
    await asyncio.gather(*many)


async def test_a_purse_that_cannot_be_reached_is_told_to_whoever_wants_to_write() -> None:
    class Lost(Bucket):
        def take(self, wanted: int, reserve: float = 0.0) -> int:
            raise GraphUnavailable("The database went away.")

    time = Time()
    wire = Wire(time)
    pool = Pool(wire.transmit, creeping(time), Lost(), lambda: 0.0)
    with pytest.raises(OffboardError, match="went away"):
        await pool.ask([call(1)], priority=0, write=True)

    assert wire.sent == []


@pytest.mark.parametrize("slow", ["take", "wait", "hold"])
async def test_a_purse_that_is_slow_to_answer_keeps_nobody_waiting_for_ever(slow: str) -> None:
    # The store on a busy disk, or a busy machine: by the time it is said when the quota will be back, the quota is.
    time = Time()
    wire = Wire(time)

    class Slow(Bucket):
        def take(self, wanted: int, reserve: float = 0.0) -> int:
            granted = super().take(wanted, reserve)
            time.jump(seconds=0.05 * (slow == "take"))
            return granted

        def wait(self, tokens: float, reserve: float = 0.0) -> float:
            found = super().wait(tokens, reserve)
            time.jump(seconds=0.05 * (slow == "wait"))
            return found

    def hold() -> float:
        time.jump(seconds=0.05 * (slow == "hold"))
        return 0.0

    clock = creeping(time, 0.0001)
    almost = RESERVE + BATCH - (1.5 if slow == "hold" else 0.5)
    purse = Slow(60.0, 20.0, time.clock().monotonic, _level=almost, _at=time.moment.timestamp())
    pool = Pool(wire.transmit, clock, purse, hold)
    await asyncio.wait_for(asyncio.gather(*(pool.ask([call(n)], priority=1, write=True) for n in range(100))), 20)

    assert [len(batch) for batch in wire.sent] == [BATCH] * 5


async def test_a_purse_that_fails_while_only_reads_wait_keeps_none_of_them_waiting() -> None:
    # Tokens that are left over go back into the store, and the store may just then be locked.
    time = Time()
    wire = Wire(time)

    class Locked(Bucket):
        locked = True

        def give_back(self, tokens: int) -> None:
            self.locked = not self.locked
            if not self.locked:
                raise GraphUnavailable("The database is locked.")

    pool = Pool(wire.transmit, creeping(time), Locked(), lambda: 0.0)
    pool._tokens = 3
    await asyncio.wait_for(pool.ask([call(1)], priority=0, write=False), 20)

    assert len(wire.sent) == 1
