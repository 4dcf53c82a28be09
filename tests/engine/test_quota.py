"""All processes of a tenant write inside one quota, and honor what one of them was told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offboard.runs.engine.database import open_database
from offboard.runs.engine.quota import Quota
from offboard.runs.store import Store
from tests.engine.farm import postgres
from tests.engine.test_leases import Wall


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def two(tmp_path: Path, wall: Wall) -> Iterator[tuple[Quota, Quota]]:
    """The quota as two processes see it."""
    stores = [Store(tmp_path / "runs.db", wall=wall) for _ in range(2)]
    yield Quota(stores[0].db, "t"), Quota(stores[1].db, "t")
    for store in stores:
        store.close()


def test_what_one_process_takes_is_gone_for_the_other(two: tuple[Quota, Quota], wall: Wall) -> None:
    one, other = two

    assert one.take(2990) == 2990
    assert other.take(20) == 10
    assert one.take(1) == 0
    assert one.wait(20) == pytest.approx(1.0)
    wall.at += 1.0
    assert other.take(30) == 20
    wall.at += 1000.0
    assert one.take(4000) == 3000, "it is never more than full"


def test_a_reserve_is_left_for_what_is_urgent(two: tuple[Quota, Quota]) -> None:
    one, other = two

    assert one.take(5000, reserve=100) == 2900
    assert one.take(20, reserve=100) == 0
    assert one.wait(20, reserve=100) == pytest.approx(1.0)
    assert other.take(100) == 100


def test_a_retry_after_that_one_was_told_is_honored_by_all(two: tuple[Quota, Quota], wall: Wall) -> None:
    one, other = two
    one.hold_until(200.5)
    one.hold_until(3.0)

    assert other.take(20) == 0
    assert other.wait(1) == pytest.approx(200.5)
    wall.at += 200.4
    assert other.take(20) == 0
    wall.at += 0.2
    assert other.take(20) == 20


def test_what_was_not_used_is_given_back_and_a_drained_bucket_is_empty(two: tuple[Quota, Quota]) -> None:
    one, other = two
    one.take(3000)
    one.give_back(5)

    assert other.level() == 5
    other.give_back(9000)
    assert one.level() == 3000
    other.drain()
    assert one.take(1) == 0


def test_a_clock_that_was_set_back_starves_nobody(two: tuple[Quota, Quota], wall: Wall) -> None:
    one, _ = two
    one.take(3000)
    wall.at -= 500.0

    assert one.take(1) == 0
    wall.at += 2.0
    assert one.take(50) == 40


def test_another_tenant_has_a_quota_of_its_own(two: tuple[Quota, Quota]) -> None:
    one, _ = two
    one.take(3000)

    assert Quota(one.db, "another").take(3000) == 3000


def test_many_at_once_on_a_server_are_never_granted_more_than_there_is(tmp_path: Path) -> None:
    with postgres(tmp_path / "pg") as url:
        Store(url).close()
        granted: list[int] = []

        def worker() -> None:
            db = open_database(url)
            granted.extend(Quota(db, "t", per_second=0.0).take(20) for _ in range(60))
            db.close()

        threads = [threading.Thread(target=worker) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(granted) == 3000
