"""Checkpoints: the log signs how far it has come.

At every thousandth record, after a minute in which a run has written something, at a run's end, and where a file ends.

The key (Ed25519) stands beside the log, readable by its owner only, and its public half can be given away. What a
checkpoint adds to the chain: whoever can write the log, but cannot read the key, cannot rewrite it with fresh hashes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offboard.settings.lasting import sync_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

EVERY = 1000
"""Each record whose number divides by this is a checkpoint."""

AT_LEAST = timedelta(seconds=60)
"""How long what a run writes stays unsigned."""

_KEY = re.compile(r"ed25519:[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


def statement(detail: Mapping[str, Any]) -> bytes:
    """What is signed: which log, which records, how the chain stood after them, when."""
    return (
        "offboard audit checkpoint 1\n"
        f"log: {detail['log']}\n"
        f"records: {detail['first']}-{detail['last']}\n"
        f"count: {detail['count']}\n"
        f"hash: {detail['hash']}\n"
        f"time: {detail['time']}\n"
    ).encode("utf-8", "surrogatepass")


def doubt(record: Mapping[str, Any], key: str) -> str:
    """What is wrong with a checkpoint; empty when nothing is.

    Args:
        record: Whose place in the chain was checked.
        key: The key that must have signed it; empty when any may.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    detail = record.get("detail")
    if not isinstance(detail, dict) or not _well_formed(detail):
        return "this checkpoint is not written as one"
    if (detail["first"], detail["last"], detail["count"]) != (1, record["seq"] - 1, record["seq"] - 1):
        return "this checkpoint is not about the records before it"
    if detail["hash"] != record["prev"]:
        return "this checkpoint was made for other records than those before it"
    if key and detail["public_key"] != key:
        return f"this checkpoint was signed with another key ({detail['public_key']})"
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(detail["public_key"].partition(":")[2]))
        public.verify(bytes.fromhex(detail["signature"]), statement(detail))
    except (InvalidSignature, ValueError):
        return "the signature of this checkpoint is forged: its key did not sign it"
    return ""


def _well_formed(detail: Mapping[str, Any]) -> bool:
    numbers = all(type(detail.get(name)) is int for name in ("first", "last", "count"))
    texts = all(type(detail.get(name)) is str for name in ("log", "hash", "time", "public_key", "signature"))
    return numbers and texts and bool(_KEY.fullmatch(detail["public_key"]) and _SIGNATURE.fullmatch(detail["signature"]))


class Sealer:
    """Signs the checkpoints of one log; makes the key when there is none.

    Args:
        log: The log's file; the key stands beside it.
        chance: Makes the random bytes of a new key.
    """

    def __init__(self, log: Path, chance: Callable[[int], bytes] = os.urandom) -> None:
        self._chance = chance
        self.path = log.with_name(log.stem + ".key")
        self.public_path = log.with_name(log.stem + ".pub")
        self.log = re.sub(r"[^A-Za-z0-9._-]", "_", log.parent.name)[:100] + "/" + log.name
        self._key: Ed25519PrivateKey | None = None
        self._signed: tuple[int, datetime] | None = None
        """The number of this process's last checkpoint, and when it was made; at first, when its run began."""

    @property
    def has_key(self) -> bool:
        """Whether the key is at hand, so that the disk need not be asked."""
        return self._key is not None

    def waits(self, now: datetime) -> bool:
        """Whether the last checkpoint is old enough for another one."""
        return self._signed is not None and now - self._signed[1] >= AT_LEAST

    def stale(self, last: int, now: datetime) -> bool:
        """Whether a run is on, and what it has written was not signed for too long.

        Args:
            last: The number of the last record.
            now: The time of day.
        """
        if self._key is None:
            return False
        seq, at = self._signed = self._signed or (0, now)
        return last > seq and now - at >= AT_LEAST

    def signed(self, seq: int, now: datetime) -> None:
        """A checkpoint was made."""
        self._signed = seq, now

    def ready(self) -> None:
        """Have the key at hand.

        Raises:
            OSError: It cannot be read or made, others can read it, or it is gone while its public half is still there.
        """
        if self._key is not None:
            return
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        try:
            seed = self._read()
        except FileNotFoundError:
            if self.public_path.exists():
                raise OSError(
                    f"the key that signs it is gone ({self.path.name}); bring it back, or, if it is lost, move "
                    f"{self.public_path.name} away: a new key is made, and verify shows from where it counts"
                ) from None
            seed = self._chance(32)
            self._make(seed)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def _read(self) -> bytes:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode) or info.st_mode & 0o077:
                raise OSError(f"others can read the key that signs it; chmod 0600 {self.path}")
            text = file.read(200)
        found = re.fullmatch(rb"ed25519-seed:([0-9a-f]{64})\n", text)
        if found is None:
            raise OSError(f"{self.path.name} does not hold the key that signs it")
        return bytes.fromhex(found[1].decode())

    def _make(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        _write_new(self.path, f"ed25519-seed:{seed.hex()}\n")
        _write_new(self.public_path, f"ed25519:{public.hex()}\n")

    def seal(self, last: int, hash: str, time: str) -> dict[str, Any]:
        """The detail of a checkpoint after this record.

        Raises:
            OSError: The key is not at hand.
        """
        self.ready()
        assert self._key is not None
        detail = {"log": self.log, "first": 1, "last": last, "count": last, "hash": hash, "time": time}
        public = self._key.public_key().public_bytes_raw().hex()
        signature = self._key.sign(statement(detail)).hex()
        return {**detail, "public_key": f"ed25519:{public}", "signature": signature}


def _write_new(path: Path, text: str) -> None:
    """A new file that is there whole, or not at all, also after a power cut."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(part, path)
    sync_folder(path.parent)


def public_key(log: Path) -> str:
    """The public half of the key that signs a log, from beside it; empty when there is none."""
    try:
        with open(log.with_name(log.stem + ".pub"), encoding="ascii", errors="replace") as file:
            text = file.read(200).strip()
    except OSError:
        return ""
    return text if _KEY.fullmatch(text) else ""
