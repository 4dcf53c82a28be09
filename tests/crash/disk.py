"""What of some folders survives a power cut: what was synced, under names that were synced; nothing else is promised.

The strictest file system that POSIX allows: a name survives when its folder was synced after it came to be, bytes survive
when their file was synced after they were written. SQLite syncs by itself and out of our sight, so its manual is taken at
its word: with `synchronous=FULL` and a write-ahead log each commit is synced, and so is the folder when the log is new.
"""

from __future__ import annotations

import os
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

Inode = tuple[int, int]


@dataclass
class Disk:
    """The folders of one process.

    Args:
        folders: What is watched.
        image: Where the survivors go, by the names of the folders.
        seed: Draws what survives although it was not synced.
    """

    folders: list[Path]
    image: Path
    seed: int = 0
    _names: dict[str, dict[str, Inode]] = field(default_factory=dict)
    _bytes: dict[Inode, bytes] = field(default_factory=dict)
    _pragmas: dict[str, dict[str, str]] = field(default_factory=dict)
    _committing: str = ""
    _saved: dict[Inode, str] = field(default_factory=dict)
    """Files of the image by what they were: one with two names is one file there as well."""
    _lasting: dict[str, bytes] = field(default_factory=dict)
    """Of each database whose commits are not synced: its log as it was when it was last."""

    def __post_init__(self) -> None:
        # What earlier processes left has been on the disk for long.
        for folder in self.folders:
            for place, _, files in os.walk(folder):
                self._names[place] = _listing(place)
                for name in files:
                    path = os.path.join(place, name)
                    self._bytes[_inode(path)] = _content(path)
                    if name.endswith("-wal"):
                        self._lasting[path.removesuffix("-wal")] = _content(path)

    def synced(self, fd: int, path: str) -> None:
        """A file or folder is on the disk as it is now."""
        if os.path.isdir(path):
            self._names[path] = _listing(path)
            return
        info = os.fstat(fd)
        self._bytes[info.st_dev, info.st_ino] = _content(f"/proc/self/fd/{fd}")

    def pragma(self, path: str, name: str, value: str) -> None:
        """How SQLite was told to keep a database."""
        self._pragmas.setdefault(path, {})[name] = value

    def committing(self, path: str) -> None:
        """A commit begins; it is over when the process is at its next point."""
        self._committing = path

    def settle(self) -> None:
        """The commit that began is over."""
        path, self._committing = self._committing, ""
        if path and self.safe(path):
            folder = os.path.dirname(path)
            self._names[folder] = _listing(folder)

    def safe(self, path: str) -> bool:
        """Whether SQLite syncs every commit to this database."""
        told = self._pragmas.get(path, {})
        level, journal = told.get("synchronous", "full"), told.get("journal_mode", "wal")
        return level in ("extra", "3") or (level in ("full", "2") and journal == "wal")

    def save(self, *, shred: bool) -> None:
        """Write the survivors to the image.

        Args:
            shred: Whether pieces of what was not synced survive as well.
        """
        draw = random.Random(self.seed)
        for folder in self.folders:
            target = self.image / folder.name
            os.makedirs(target, 0o700, exist_ok=True)
            self._folder(os.path.realpath(folder), str(target), draw if shred else None)

    def _folder(self, source: str, target: str, draw: random.Random | None) -> None:
        lasting, present = self._names.get(source, {}), _listing(source)
        names = {**lasting, **{n: i for n, i in present.items() if draw and draw.random() < 0.5}}
        for name, inode in sorted(names.items()):
            path, to = os.path.join(source, name), os.path.join(target, name)
            if name.endswith(("-wal", "-shm", "-journal")):
                continue
            if os.path.isdir(path):
                os.mkdir(to, 0o700)
                self._folder(path, to, draw)
            elif name.endswith(".db"):
                self._database(path, to, draw)
            elif inode in self._saved:
                os.link(self._saved[inode], to)
            else:
                self._saved[inode] = to
                now = _content(path) if present.get(name) == inode else b""
                _put(to, _survivor(self._bytes.get(inode, b""), now, draw))

    def _database(self, source: str, target: str, draw: random.Random | None) -> None:
        if not os.path.exists(source):
            return
        _put(target, _content(source))
        log = _content(source + "-wal") if os.path.exists(source + "-wal") else b""
        if not self.safe(source):
            log = self._lasting.get(source, b"")
        elif draw and len(log) > 32:
            # Whatever comes after the last commit may be there in pieces, or be garbage.
            end = commits(log)[-1]
            log = log[:end] + log[end:][: draw.randrange(len(log) - end + 1)] + draw.randbytes(draw.choice([0, 7, 5000]))
        if log:
            _put(target + "-wal", log)


def _survivor(synced: bytes, now: bytes, draw: random.Random | None) -> bytes:
    """What is found of a file afterwards."""
    if draw is None or now == synced or not now.startswith(synced):
        return synced
    rest = now[len(synced) :]
    how = draw.choice(["nothing", "all", "beginning", "hole"])
    if how == "hole":  # the later block was written, the earlier one not
        place = (len(synced) // 4096 + 1) * 4096 - len(synced)
        return synced + bytes(place) + rest[place:] if place < len(rest) else synced + bytes(len(rest))
    return synced + {"nothing": b"", "all": rest, "beginning": rest[: draw.randrange(len(rest))]}[how]


def commits(log: bytes) -> list[int]:
    """Offsets in a write-ahead log at which a commit ends; the first is that of the empty log."""
    found, page = [32], struct.unpack(">I", log[8:12])[0]
    salts, place = log[16:24], 32
    while place + 24 + page <= len(log) and log[place + 8 : place + 16] == salts:
        whole = struct.unpack(">I", log[place + 4 : place + 8])[0]
        place += 24 + page
        if whole:
            found.append(place)
    return found


def _listing(folder: str) -> dict[str, Inode]:
    return {entry.name: _inode(entry.path) for entry in os.scandir(folder)}


def _inode(path: str) -> Inode:
    info = os.stat(path, follow_symlinks=False)
    return info.st_dev, info.st_ino


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _put(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o600)
