"""New passwords that a help desk may open: one file each in the state folder, sealed to the key that the plan names.

Written and on disk before the password is sent. When a reset has to be sent again, there is a second file; the newest holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from offboard.errors import Stopped
from offboard.recipients import seal
from offboard.settings.statefolder import make_private_folder


@dataclass(frozen=True, slots=True)
class Sealer:
    """Keeps sealed passwords of one tenant.

    Args:
        folder: Made when it is needed.
        now: The time, for the files' names.
    """

    folder: Path
    now: Callable[[], datetime]

    def keep(self, password: str, key: str, leaver: str) -> None:
        """Seal the password and write it, durably.

        Args:
            password: About to be sent.
            key: The public key to seal it to.
            leaver: Whose it is: an object id.

        Raises:
            Stopped: It cannot be written; the password must not be sent.
            UsageError: The key is none, or the folder is not ours alone.
        """
        make_private_folder(self.folder)
        content, stamp = seal(password + "\n", key), self.now().strftime("%Y%m%dT%H%M%S%fZ")
        try:
            for number in count(1):
                path = self.folder / f"{leaver}-{stamp}-{number}.age"
                try:
                    _write(path, content)
                except FileExistsError:
                    continue
                return
        except OSError as error:
            raise Stopped(
                f"The sealed password of {leaver} cannot be written to {self.folder}: {error.strerror}.",
                why="A password that nobody could open was not set.",
                todo="Make room there, then go on with: offboard resume",
            ) from error

    def newest(self, leaver: str) -> Path | None:
        """The file that holds the leaver's password, if there is one."""
        return max(self.folder.glob(f"{leaver}-*.age"), key=lambda path: path.name, default=None)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        path.unlink(missing_ok=True)
        raise
