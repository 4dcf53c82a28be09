"""A PostgreSQL that ends its connections: who lives on goes on with a new one, and nothing is written by halves or twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from offboard.errors import Stopped
from offboard.runs.engine import database
from offboard.runs.engine.database import Database, PostgresDatabase, open_database
from offboard.runs.store import Store
from tests.engine.farm import postgres, wait_for

TENANT = "t"
OURS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'offboard'"
WRITE = "INSERT INTO quota (tenant, level, at, not_before) VALUES (?, ?, ?, ?)"
ROW = (TENANT, 1.0, 1.0, 0.0)


def _reads(db: Database) -> object:
    return db.rows("SELECT count(*) FROM run")


def _counts(db: Database) -> object:
    return db.count("UPDATE quota SET level = 2")


def _opens(db: Database) -> object:
    with db.transaction():
        return db.seconds()


CALLS = pytest.mark.parametrize("call", [_reads, _counts, _opens], ids=["read", "count", "transaction"])


class Server:
    """The PostgreSQL, as its administrator sees it."""

    def __init__(self, url: str, admin: psycopg.Connection[tuple[int]]) -> None:
        self.url = url
        self.admin = admin

    def ours(self) -> list[int]:
        """The connections of the program."""
        return [pid for (pid,) in self.admin.execute(OURS)]

    def end_ours(self) -> None:
        """What a restart does to them."""
        self.admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({OURS}) AS ours")
        wait_for(lambda: not self.ours(), 10)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        postgres(tmp_path_factory.mktemp("reconnect") / "pg") as url,
        psycopg.connect(url, autocommit=True) as admin,
    ):
        yield Server(url, admin)


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    yield running
    running.admin.execute("DELETE FROM quota")
    running.end_ours()


@pytest.fixture
def store(server: Server) -> Iterator[Store]:
    store = Store(server.url)
    yield store
    store.close()


@CALLS
def test_the_call_that_notices_says_so_and_the_next_one_works(
    server: Server, store: Store, call: Callable[[Database], object]
) -> None:
    for _ in range(2):
        server.end_ours()
        with pytest.raises(Stopped, match="went away"):
            call(store.db)
        call(store.db)

    assert store.runs() == []
    assert len(server.ours()) == 1, "one connection, however often it was opened again"


def test_a_write_that_failed_is_not_repeated_by_itself(server: Server, store: Store) -> None:
    server.end_ours()
    with pytest.raises(Stopped, match="went away"):
        store.db.rows(WRITE, ROW)

    assert store.db.rows("SELECT count(*) FROM quota") == [(0,)]
    assert store.db.count(WRITE, ROW) == 1


def _breaks_in_the_middle(server: Server, db: Database, suppressed: bool) -> None:
    with db.transaction():
        db.rows(WRITE, ROW)
        server.end_ours()
        for _ in range(2):  # it does not go on with a new connection, when whoever was told asks again
            with pytest.raises(Stopped, match="went away") as told:
                db.rows(WRITE, ("other", *ROW[1:]))
            with pytest.raises(Stopped, match="went away"):
                db.many(WRITE, [("third", *ROW[1:])])
        assert server.ours() == []
        if not suppressed:
            raise told.value


@pytest.mark.parametrize("suppressed", [False, True], ids=["told", "suppressed"])
def test_of_a_transaction_that_breaks_in_the_middle_nothing_is_left(
    server: Server, store: Store, suppressed: bool
) -> None:
    with pytest.raises(Stopped, match="went away"):
        _breaks_in_the_middle(server, store.db, suppressed)

    assert store.db.rows("SELECT count(*) FROM quota") == [(0,)]
    with store.db.transaction():
        store.db.many(WRITE, [ROW])
    assert store.db.rows("SELECT tenant FROM quota") == [(TENANT,)]


def _writes_then(db: Database, happens: Callable[[], object], *, asks: bool) -> None:
    with db.transaction():
        db.rows(WRITE, ROW)
        happens()
        if asks:
            db.rows(WRITE, ("other", *ROW[1:]))


def test_of_a_transaction_that_breaks_before_it_is_committed_nothing_is_left(server: Server, store: Store) -> None:
    with pytest.raises(Stopped, match="went away"):
        _writes_then(store.db, server.end_ours, asks=False)

    assert store.db.rows("SELECT count(*) FROM quota") == [(0,)]


@pytest.mark.parametrize("asks", [True, False], ids=["statement", "commit"])
def test_a_transaction_that_was_paused_too_long_is_no_bug(
    server: Server, monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 1)
    store = Store(server.url)
    for _ in range(2):  # the new connection is ended as the first one was
        with pytest.raises(Stopped, match="went away"):
            _writes_then(store.db, lambda: time.sleep(2), asks=asks)

        assert store.db.rows("SELECT count(*) FROM quota") == [(0,)]
    store.close()


def test_a_new_connection_has_the_settings_of_the_first(server: Server, store: Store) -> None:
    settings = "SELECT name, setting, source FROM pg_settings ORDER BY name"
    first, pids = store.db.rows(settings), server.ours()
    server.end_ours()
    with pytest.raises(Stopped):
        store.runs()

    assert store.db.rows(settings) == first
    assert store.db.rows("SHOW idle_in_transaction_session_timeout") == [(f"{database.PATIENCE}s",)]
    assert len(server.ours()) == 1
    assert server.ours() != pids
    store.db.rows(WRITE, ROW)  # durable at once, outside a transaction
    assert server.admin.execute("SELECT count(*) FROM quota").fetchall() == [(1,)]


def test_leases_stay_what_the_store_says(server: Server, store: Store) -> None:
    store.leases.take("r1", TENANT, ["ada"])
    server.end_ours()
    with pytest.raises(Stopped):
        store.leases.renew()

    other = Store(server.url)
    assert store.leases.renew()
    assert store.leases.kept("ada")
    assert other.leases.take("r2", TENANT, ["ada"]) == {"ada": "r1"}
    other.close()


def test_a_server_that_stays_away_is_asked_once_per_call(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refused(*_: object, **__: object) -> None:
        asked.append(1)
        raise psycopg.OperationalError("connection refused")

    server.end_ours()
    with pytest.raises(Stopped, match="went away"):
        store.runs()
    with monkeypatch.context() as away:
        away.setattr(psycopg, "connect", refused)
        for n, call in enumerate((_reads, _counts, _opens), 1):
            with pytest.raises(Stopped, match="went away") as told:
                call(store.db)
            assert told.value.why == "connection refused"
            assert len(asked) == n

    assert store.runs() == []


def test_a_connection_without_its_settings_is_not_used(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.end_ours()
    with pytest.raises(Stopped):
        store.runs()
    with monkeypatch.context() as odd:
        odd.setattr(database, "PATIENCE", "never")
        for _ in range(2):
            with pytest.raises(Stopped, match="went away"):
                store.runs()
    wait_for(lambda: not server.ours(), 10)

    assert store.runs() == []


@pytest.mark.parametrize("broken", [False, True], ids=["closed", "broken"])
def test_who_has_let_go_is_not_connected_again(server: Server, broken: bool) -> None:
    db = open_database(server.url)
    assert isinstance(db, PostgresDatabase)
    if broken:
        server.end_ours()
        with pytest.raises(Stopped):
            db.seconds()
    db.close()
    with pytest.raises(Stopped):
        db.seconds()

    wait_for(lambda: not server.ours(), 10)
