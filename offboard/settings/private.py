"""Files and folders that decide what is done to people: nobody else may write them, and secrets nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from offboard.errors import UsageError

MAX_BYTES = 1024 * 1024


def check_private(
    info: os.stat_result, path: Path, what: str, *, secret: bool = False, handed_over: bool = False
) -> None:
    """Refuse a file or folder that somebody else could have written, or read where that matters.

    Args:
        info: Its status, taken from the open descriptor.
        path: For the message.
        what: What it is, for the message: `the configuration`.
        secret: Whether nobody else may read it either.
        handed_over: Whether it may belong to another account, as a plan may that a colleague has made.

    Raises:
        UsageError: Somebody else can; or it belongs to somebody else.
    """
    mode = stat.S_IMODE(info.st_mode)
    if not handed_over and info.st_uid not in (os.geteuid(), 0):
        raise UsageError(
            f"{path}: {what} belongs to another account (uid {info.st_uid}).",
            why="Its owner could change what is done, and to whom.",
            todo=f"Make it your own: chown {os.geteuid()} {path}",
        )
    if mode & 0o022:
        raise UsageError(
            f"{path}: {what} can be written by others (mode {mode:04o}).",
            why="Whoever can write it decides what is done, and to whom.",
            todo=f"Take the permission away: chmod go-w {path}",
        )
    if secret and mode & 0o044:
        raise UsageError(
            f"{path}: {what} can be read by others (mode {mode:04o}).",
            why="It lets whoever reads it act in the tenant.",
            todo=f"Take the permission away: chmod go-rw {path}. If others had access, replace the secret as well.",
        )


def read_private(
    path: Path, what: str, *, secret: bool = False, handed_over: bool = False, most: int = MAX_BYTES
) -> bytes:
    """The content of a file that passed `check_private`.

    Args:
        path: The file.
        what: What it is, for messages.
        secret: As in `check_private`; likewise `handed_over`.
        most: Bytes that it may have.

    Raises:
        FileNotFoundError: There is no such file.
        UsageError: It cannot be read, is no file, is too large, or others can write (or read) it.
    """
    try:
        # O_NONBLOCK: a pipe in the file's place must not make the program wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{path}: {what} cannot be read.", why=f"{error.strerror}.") from error
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise UsageError(f"{path}: {what} is not a file.", todo="Give the path of a regular file.")
        check_private(info, path, what, secret=secret, handed_over=handed_over)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise UsageError(f"{path}: {what} is larger than {most // 1024:,} KiB.", todo="Is it the right file?")
    return content
