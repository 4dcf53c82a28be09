"""Where approvals stand: beside the plan, each as the signed text and, as ssh-keygen names it, its signature.

`sawyer.json.approval` and `sawyer.json.approval.sig`; a second person's are `sawyer.json.approval.2` and `….2.sig`.
The signature comes first and the text last, whole or not at all: whatever was interrupted in between is no approval, and
keeps nobody from giving one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from offboard.approval.sshsig import MAX_BYTES as MAX_SIGNATURE
from offboard.approval.statement import MAX_BYTES as MAX_TEXT
from offboard.errors import UsageError
from offboard.settings.lasting import sync_folder

MOST = 9
"""Approvals of one plan that are looked at."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An approval as found, not yet judged.

    Args:
        name: Where it was found, for messages.
        text: What was signed.
        signature: The signature's file; None when there is none.
    """

    name: str
    text: bytes
    signature: bytes | None


def place(plan: Path, number: int) -> Path:
    """Where the plan's first, second … approval stands."""
    return plan.with_name(plan.name + (".approval" if number == 1 else f".approval.{number}"))


def read_offers(plan: Path) -> tuple[Offer, ...]:
    """The approvals beside a plan, in order.

    Raises:
        UsageError: One cannot be read.
    """
    found = []
    for number in range(1, MOST + 1):
        path = place(plan, number)
        text, signature = _read(path, MAX_TEXT), _read(_signature(path), MAX_SIGNATURE)
        if text is not None:  # a signature alone is what an interrupted approval leaves
            found.append(Offer(path.name, text, signature))
    return tuple(found)


def write_offer(plan: Path, text: bytes, signature: bytes) -> Path:
    """Write an approval beside the plan, at the first place that is free; never over another one.

    Returns:
        The signed text's path.

    Raises:
        UsageError: It cannot be written, or there are too many.
    """
    for number in range(1, MOST + 1):
        path = place(plan, number)
        if path.exists() or _signature(path).exists():
            continue
        _write(_signature(path), signature)  # from here on the place is ours: only one can make it
        _last(path.parent)  # or a power cut could keep the text and lose the signature
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        _write(part, text)
        _name(part, path)
        return path
    raise UsageError(
        f"{plan} has {MOST} approvals beside it already.", todo=f"Remove those that are void: {plan}.approval*"
    )


def _signature(path: Path) -> Path:
    return path.with_name(path.name + ".sig")


def _read(path: Path, most: int) -> bytes | None:
    try:
        # One byte more than may be: what is too long is refused by whoever reads it.
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            return file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"The approval {path} cannot be read: {error.strerror}.") from error


def _name(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except OSError as error:
        raise UsageError(f"The approval cannot be saved to {path}: {error.strerror}.") from error
    _last(path.parent)  # "approved" must still be true after a power cut


def _last(folder: Path) -> None:
    try:
        sync_folder(folder)
    except OSError as error:
        raise UsageError(f"The approval cannot be saved to {folder}: {error.strerror}.") from error


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise UsageError(f"The approval cannot be saved to {path}: {error.strerror}.") from error
