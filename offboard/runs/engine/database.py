"""SQLite in the state folder, or one PostgreSQL for many workers: the little that the store needs of either.

Every transaction is the only one that writes, in PostgreSQL through one advisory lock: what is checked at its beginning
still holds at its end. That costs nothing that matters, because Graph's write quota is 20 a second.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from offboard.errors import Stopped, UsageError

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]
PATIENCE = 5
"""Seconds after which the server ends the transaction of a process that was paused in it, so that others can go on."""
CHUNK = 500
"""Names in one statement."""
LOCK = 0x0FFB0A2D
"""Key of the advisory lock that makes writers take turns."""


class Database(Protocol):
    """What the store needs. Statements have `?` for values, in the SQL that both understand."""

    shared: bool
    """Whether other machines may use it."""

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement; its rows, if it has any."""

    def count(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; how many rows it changed."""

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of these values. Asked inside a transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and nobody else writes meanwhile; durable when it ends."""

    def seconds(self) -> float:
        """The database's clock, for leases."""

    def format(self) -> int:
        """The format written in it; 0 when it is new."""

    def set_format(self, number: int) -> None:
        """Write the format down."""

    def declare(self, owner: str) -> None:
        """Show that this process lives, for as long as it does."""

    def dead(self, owner: str) -> bool:
        """Whether the process of this name certainly lives no more; False when that cannot be known."""

    def close(self) -> None:
        """Let go of it."""


def open_database(place: Path | str, wall: Callable[[], float] = time.time) -> Database:
    """The database.

    Args:
        place: A file, or `postgresql://…`.
        wall: This machine's clock, for a file.

    Raises:
        UsageError: It cannot be opened.
    """
    if isinstance(place, str) and place.startswith(("postgresql://", "postgres://")):
        return PostgresDatabase(place)
    return SqliteDatabase(Path(place), wall)


def among(db: Database, statement: str, values: Sequence[Any], names: Sequence[str]) -> Iterator[Row]:
    """The rows of a statement for any number of names.

    Args:
        db: Open.
        statement: Written by us, with `{}` for the list of names, which comes last.
        values: For its other placeholders.
        names: The names.
    """
    for start in range(0, len(names), CHUNK):
        some = names[start : start + CHUNK]
        yield from db.rows(statement.format(f"({', '.join('?' * len(some))})"), (*values, *some))


class SqliteDatabase:
    """A file of this machine."""

    shared = False

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._path = path
        self._shown: dict[Path, int] = {}
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise unusable(path, error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement."""
        with self._told():
            return self._db.execute(statement, tuple(values)).fetchall()

    def count(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement."""
        with self._told():
            return self._db.execute(statement, tuple(values)).rowcount

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement many times."""
        with self._told():
            self._db.executemany(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Others wait until it ends."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.OperationalError):  # on a full disk it was rolled back already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Stopped(
                f"The run store {self._path} cannot be written or read: {error}.",
                why="Nothing is sent that cannot be recorded: the disk may be full, or another process may hold the file.",
                todo="Make room, then go on with: offboard resume",
            ) from error

    def seconds(self) -> float:
        """This machine's clock."""
        return self._wall()

    def format(self) -> int:
        """As SQLite keeps it for its users."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def set_format(self, number: int) -> None:
        """As SQLite keeps it for its users."""
        self._db.execute(f"PRAGMA user_version = {number:d}")

    def declare(self, owner: str) -> None:
        """By a locked file beside the database: the lock goes with the process, however it ends."""
        path = self._sign(owner)
        if path not in self._shown:
            self._shown[path] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._shown[path], fcntl.LOCK_EX)

    def dead(self, owner: str) -> bool:
        """Whether nobody locks the file of this name."""
        path = self._sign(owner)
        if path in self._shown:
            return False
        try:
            found = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except OSError:
            return False
        finally:
            os.close(found)
        return True

    def _sign(self, owner: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{owner}.alive")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        for path, lock in self._shown.items():
            path.unlink(missing_ok=True)
            os.close(lock)
        self._shown.clear()


class PostgresDatabase:
    """One PostgreSQL, shared by any number of workers."""

    shared = True

    def __init__(self, url: str) -> None:
        import psycopg

        self._url = url
        self._inside = False
        self._let_go = False
        try:
            self._db = self._connect()
            self._db.execute("CREATE TABLE IF NOT EXISTS offboard_format (number BIGINT NOT NULL)")
        except psycopg.errors.UniqueViolation:  # another worker made the table at the same instant
            pass
        except psycopg.Error as error:
            raise UsageError(
                "The database cannot be used.",
                why=_first_line(error),
                todo="Nothing was sent. Check --database, the server, and the password file (~/.pgpass).",
            ) from error

    def _connect(self) -> psycopg.Connection[Row]:
        """A connection with all its settings, or none."""
        import psycopg

        made = psycopg.connect(self._url, autocommit=True, connect_timeout=10, application_name="offboard")
        try:
            made.execute(f"SET idle_in_transaction_session_timeout = '{PATIENCE}s'")
        except BaseException:
            made.close()
            raise
        return made

    def _connected(self) -> psycopg.Connection[Row]:
        """The connection; a new one when the server has ended it, because a worker outlives its server's restarts.

        Not inside a transaction: its first half went with the old connection, and its second must not be written alone.
        """
        if self._db.closed and not self._inside and not self._let_go:
            self._db = self._connect()
        return self._db

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say that the database went away. What failed is not repeated: it may have been written before the answer was lost.

        The server ends a transaction that was paused with an error that is not operational.
        """
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) or self._db.closed:
                raise gone(error) from error
            raise

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement."""
        done = self._run(statement, values)
        return done.fetchall() if done.description else []

    def count(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement."""
        return self._run(statement, values).rowcount

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement many times, in one round trip."""
        with self._told(), self._connected().cursor() as cursor:
            cursor.executemany(statement.replace("?", "%s").encode(), values)

    def _run(self, statement: str, values: Sequence[Any]) -> psycopg.Cursor[Row]:
        with self._told():
            # The statements are our own, never put together from data; only the placeholder differs.
            return self._connected().execute(statement.replace("?", "%s").encode(), tuple(values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Others wait until it ends."""
        import psycopg

        with self._told(), self._connected().transaction():
            outer, self._inside = self._inside, True
            try:
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                yield
                if (
                    self._db.closed
                ):  # whoever was told of it went on; psycopg would leave without a commit, and say nothing
                    raise psycopg.OperationalError("the connection is lost")
            finally:
                self._inside = outer

    def seconds(self) -> float:
        """The server's clock, the same for all workers."""
        return float(self.rows("SELECT extract(epoch FROM clock_timestamp())")[0][0])

    def format(self) -> int:
        """From a table of its own."""
        found = self.rows("SELECT max(number) FROM offboard_format")
        return int(found[0][0] or 0)

    def set_format(self, number: int) -> None:
        """Into a table of its own."""
        self.rows("INSERT INTO offboard_format VALUES (?)", (number,))

    def declare(self, owner: str) -> None:
        """Nothing to do: what counts between machines is the lease."""

    def dead(self, owner: str) -> bool:
        """A connection that is gone does not mean that its process is: only the end of its lease tells."""
        return False

    def close(self) -> None:
        """Let go of the server."""
        self._let_go = True
        self._db.close()


def unusable(path: Path | str, error: Exception) -> UsageError:
    """The store's file cannot be opened."""
    return UsageError(
        f"The run store {path} cannot be used: {error}.",
        todo="Nothing was sent. Mend or move the file, or choose another folder with --state.",
    )


def gone(error: Exception) -> Stopped:
    """The server went away in the middle."""
    return Stopped(
        "The database of the runs went away. Nothing more was sent.",
        why=_first_line(error),
        todo="Go on when it is back: offboard resume (a worker does it by itself).",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
