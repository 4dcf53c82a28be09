"""Where the tenant lives: objects and relations as rows of one SQLite file, or in memory.

Why SQLite: the command line and `sandbox serve` are two processes on one tenant, and a kill at any instant must
neither corrupt it nor part an effect from its journal entry. One transaction per executed request gives both.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .entity import Entity

FILE_NAME = "sandbox.db"
RELATIONS = ("member", "owner", "registeredOwner", "registeredUser", "manager", "primaryUser")

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, type TEXT NOT NULL, parent TEXT NOT NULL,
    key TEXT NOT NULL, name TEXT NOT NULL, deleted TEXT, body TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS objects_id ON objects (id, type, parent);
CREATE INDEX IF NOT EXISTS objects_type ON objects (type);
CREATE INDEX IF NOT EXISTS objects_key ON objects (type, key);
CREATE INDEX IF NOT EXISTS objects_name ON objects (type, name);
CREATE INDEX IF NOT EXISTS objects_parent ON objects (parent, type);
CREATE INDEX IF NOT EXISTS objects_deleted ON objects (deleted) WHERE deleted IS NOT NULL;
CREATE TABLE IF NOT EXISTS relations (
    kind TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (kind, source, target)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relations_back ON relations (kind, target, source);
CREATE TABLE IF NOT EXISTS undo (seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, step TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT, caller TEXT, method TEXT, path TEXT, status INTEGER,
    effect TEXT);
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT, method TEXT, path TEXT, status INTEGER, item INTEGER);
CREATE TABLE IF NOT EXISTS tally (
    item INTEGER NOT NULL, status INTEGER NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (item, status)) WITHOUT ROWID;
"""
_CONTENT = ("meta", "objects", "relations", "undo", "journal", "requests", "tally")


_COLUMNS = "seq, id, type, parent, key, name, deleted, body"
_SELECT = f"SELECT {_COLUMNS} FROM objects "  # noqa: S608 - only constants are joined; values are bound
_INSERT = "INSERT INTO objects (id, type, parent, key, name, deleted, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[int, str, str, str, str, str, str | None, str]


def _entity(row: Row) -> Entity:
    seq, id_, type_, parent, key, _name, deleted, body = row
    return Entity(id_, type_, json.loads(body), key, parent, deleted, seq)


def _database(folder: Path | None) -> str:
    if folder is None:
        return ":memory:"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    file = folder / FILE_NAME
    # Created by us rather than by SQLite, so that it never exists with wider rights, not even for an instant.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    file.chmod(0o600)
    return str(file)


class Store:
    """Objects and relations with the few look-ups that a directory needs."""

    def __init__(self, folder: Path | None) -> None:
        self._db = sqlite3.connect(
            _database(folder), timeout=30, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self.undo_at: float | None = None
        """Set while a write runs whose before-image must be kept, because reads lag behind."""
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        with self.transaction():
            for statement in _TABLES.split(";")[:-1]:
                self._db.execute(statement)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and alone: the write lock is taken at once so that two processes queue up.

        Inside another one it is part of that: the calls of a batch become durable together, which costs one wait for the
        disk instead of twenty.
        """
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Inside a transaction: whatever happens within is taken back when it fails."""
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO attempt")
            self._db.execute("RELEASE attempt")
            raise
        self._db.execute("RELEASE attempt")

    @contextmanager
    def as_of(self, moment: float) -> Iterator[None]:
        """Inside a transaction: see the tenant as it was, by rewinding what was written since."""
        self._db.execute("SAVEPOINT past")
        try:
            for (step,) in self._db.execute("SELECT step FROM undo WHERE at > ? ORDER BY seq DESC", (moment,)):
                self._rewind(*json.loads(step))
            yield
        finally:
            self._db.execute("ROLLBACK TO past")
            self._db.execute("RELEASE past")

    def forget_before(self, moment: float) -> None:
        """Drop before-images which no lagging read can need any more."""
        self._db.execute("DELETE FROM undo WHERE at <= ?", (moment,))

    def clear(self) -> None:
        """Empty every table."""
        for table in _CONTENT:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from a constant

    def set_meta(self, name: str, value: str) -> None:
        """Remember a small fact about the tenant as a whole."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def get_meta(self, name: str) -> str | None:
        """A fact set before, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """For the journal next door, which keeps its own tables in the same file."""
        return self._db.execute(sql, values)

    # Objects

    def get(self, type_: str, id_: str, parent: str | None = None) -> Entity | None:
        """One object by id, deleted or not."""
        where, values = "id = ? AND type = ?", [id_, type_]
        if parent is not None:
            where, values = where + " AND parent = ?", [*values, parent]
        return self._first(where, values)

    def find(self, id_: str, types: Iterable[str]) -> Entity | None:
        """One top-level object by id, of any of these types."""
        wanted = set(types)
        return next((e for e in self._all("id = ? AND +parent = ''", [id_]) if e.type in wanted), None)

    def by_key(self, type_: str, key: str) -> list[Entity]:
        """Objects by their second name."""
        return self._all("type = ? AND key = ? ORDER BY seq", [type_, key])

    def by_name(self, type_: str, name: str) -> list[Entity]:
        """Objects by display name, in any case of letters."""
        return self._all("type = ? AND name = ? ORDER BY seq", [type_, name.lower()])

    def children(self, type_: str, parent: str) -> list[Entity]:
        """Objects hanging on another one."""
        return self._all("type = ? AND parent = ? ORDER BY seq", [type_, parent])

    def scan(self, type_: str, *, deleted: bool = False, after: int = 0) -> Iterator[Entity]:
        """All objects of a type, oldest first, read as they are asked for."""
        # An index on type alone hands the rows out by seq; the planner would rather sort thousands of bodies.
        living = "INDEXED BY objects_type WHERE type = ? AND deleted IS NULL AND seq > ? ORDER BY seq"
        binned = "INDEXED BY objects_deleted WHERE type = ? AND deleted IS NOT NULL AND seq > ? ORDER BY seq"
        sql = _SELECT + (binned if deleted else living)
        return map(_entity, self._db.execute(sql, (type_, after)))

    def deleted_before(self, moment: str) -> list[Entity]:
        """What lies in the recycle bin since before then."""
        return self._all("deleted IS NOT NULL AND deleted < ?", [moment])

    def count(self, type_: str) -> int:
        """How many objects of a type are alive."""
        sql = "SELECT count(*) FROM objects WHERE type = ? AND deleted IS NULL"
        return int(self._db.execute(sql, (type_,)).fetchone()[0])

    def put(self, entity: Entity) -> None:
        """Insert a new object, or overwrite the one it was read from."""
        if not entity.seq:
            cursor = self._db.execute(_INSERT, entity.row())
            entity.seq = cursor.lastrowid or 0
            self._note("drop", [entity.seq])
            return
        self._note_row(entity.seq)
        sql = "UPDATE objects SET id=?, type=?, parent=?, key=?, name=?, deleted=?, body=? WHERE seq=?"
        self._db.execute(sql, (*entity.row(), entity.seq))

    def put_many(self, entities: Iterable[Entity]) -> None:
        """Insert many new objects quickly."""
        self._db.executemany(_INSERT, (entity.row() for entity in entities))

    def drop(self, entity: Entity) -> None:
        """Remove an object for good, with its relations and with what hangs on it."""
        for child in self._all("parent = ?", [entity.id]) if not entity.parent else []:
            self.drop(child)
        for kind in RELATIONS:
            self._unrelate_all(kind, entity.id)
        self._note_row(entity.seq)
        self._db.execute("DELETE FROM objects WHERE seq = ?", (entity.seq,))

    # Relations

    def relate(self, kind: str, source: str, target: str) -> bool:
        """Add a relation; False when it was there already."""
        cursor = self._db.execute("INSERT OR IGNORE INTO relations VALUES (?, ?, ?)", (kind, source, target))
        if cursor.rowcount:
            self._note("unrelate", [kind, source, target])
        return bool(cursor.rowcount)

    def relate_many(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Add many relations quickly."""
        self._db.executemany("INSERT OR IGNORE INTO relations VALUES (?, ?, ?)", rows)

    def unrelate(self, kind: str, source: str, target: str) -> bool:
        """Remove a relation; False when there was none."""
        sql = "DELETE FROM relations WHERE kind = ? AND source = ? AND target = ?"
        cursor = self._db.execute(sql, (kind, source, target))
        if cursor.rowcount:
            self._note("relate", [kind, source, target])
        return bool(cursor.rowcount)

    def related(self, kind: str, source: str, target: str) -> bool:
        """Whether the relation exists."""
        sql = "SELECT 1 FROM relations WHERE kind = ? AND source = ? AND target = ?"
        return self._db.execute(sql, (kind, source, target)).fetchone() is not None

    def targets(self, kind: str, source: str) -> list[Entity]:
        """Living objects at the far end."""
        return self._joined("target", "source", kind, source)

    def sources(self, kind: str, target: str) -> list[Entity]:
        """Living objects at the near end."""
        return self._joined("source", "target", kind, target)

    # Inner workings

    def _unrelate_all(self, kind: str, id_: str) -> None:
        sql = "SELECT source, target FROM relations WHERE kind = ? AND source = ?"
        back = "SELECT source, target FROM relations WHERE kind = ? AND target = ?"
        rows = [*self._db.execute(sql, (kind, id_)), *self._db.execute(back, (kind, id_))]
        for source, target in rows:
            self.unrelate(kind, source, target)

    def _all(self, where: str, values: list[str]) -> list[Entity]:
        return [_entity(row) for row in self._db.execute(_SELECT + "WHERE " + where, values)]

    def _first(self, where: str, values: list[str]) -> Entity | None:
        row = self._db.execute(_SELECT + "WHERE " + where, values).fetchone()
        return None if row is None else _entity(row)

    def _joined(self, far: str, near: str, kind: str, id_: str) -> list[Entity]:
        # CROSS and the plus sign keep SQLite from starting at the objects, of which there are many.
        columns = ", ".join("o." + column for column in _COLUMNS.split(", "))
        sql = (
            f"SELECT {columns} FROM relations r CROSS JOIN objects o ON o.id = r.{far} AND +o.parent = '' "  # noqa: S608 - constants
            f"WHERE r.kind = ? AND r.{near} = ? AND o.deleted IS NULL ORDER BY o.seq"
        )
        return [_entity(row) for row in self._db.execute(sql, (kind, id_))]

    def _note(self, action: str, values: list[object]) -> None:
        if self.undo_at is not None:
            step = json.dumps([action, values])
            self._db.execute("INSERT INTO undo (at, step) VALUES (?, ?)", (self.undo_at, step))

    def _note_row(self, seq: int) -> None:
        if self.undo_at is not None:
            row = self._db.execute(_SELECT + "WHERE seq = ?", (seq,)).fetchone()
            self._note("row", list(row))

    def _rewind(self, action: str, values: list[object]) -> None:
        if action == "row":
            sql = f"INSERT OR REPLACE INTO objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
        elif action == "drop":
            sql = "DELETE FROM objects WHERE seq = ?"
        elif action == "relate":
            sql = "INSERT OR IGNORE INTO relations VALUES (?, ?, ?)"
        else:
            sql = "DELETE FROM relations WHERE kind = ? AND source = ? AND target = ?"
        self._db.execute(sql, values)
