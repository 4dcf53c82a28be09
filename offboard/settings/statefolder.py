"""The folder in which offboard keeps what must outlive a command: audit, runs, the sandbox's tenant.

Only its owner may write it, because what lies there decides what a resumed run does. Links are not followed: a planted
link must not make us write elsewhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offboard.errors import UsageError
from offboard.settings.lasting import sync_folder
from offboard.settings.private import check_private

WHAT = "the state folder"
NAME = re.compile(r"(?!\.+\Z)[A-Za-z0-9._-]{1,64}")
DO = "Name another folder with --state DIR or OFFBOARD_STATE."


@dataclass(frozen=True, slots=True)
class StateFolder:
    """An existing folder that is ours alone.

    Args:
        path: Absolute.
    """

    path: Path

    @classmethod
    def open(cls, path: Path | None, environ: Mapping[str, str]) -> StateFolder:
        """The folder given, else the one in `OFFBOARD_STATE`, else the account's usual place; made when missing.

        Args:
            path: What `--state` says.
            environ: The environment's variables.

        Raises:
            UsageError: It is no folder, not ours, not writable, or others can write it.
        """
        chosen = path or (Path(environ["OFFBOARD_STATE"]) if environ.get("OFFBOARD_STATE") else _usual_place())
        chosen = Path(os.path.abspath(chosen.expanduser()))
        make_private_folder(chosen)
        return cls(chosen)

    def file(self, name: str) -> Path:
        """The path of a file in it, which may not exist yet.

        Raises:
            UsageError: A link or something else stands in its place, or others can write it.
        """
        path = self.path / name
        try:
            info = path.lstat()
        except FileNotFoundError:
            return path
        if not stat.S_ISREG(info.st_mode):
            what = "a link" if stat.S_ISLNK(info.st_mode) else "no file"
            raise UsageError(f"{path}: this is {what}, and not followed.", todo=f"Take it away. {DO}")
        check_private(info, path, "this file")
        return path

    def tenant_folder(self, tenant_key: str) -> Path:
        """The folder of one tenant; made when missing.

        Args:
            tenant_key: Tenant id or alias; letters, digits, `.`, `_`, `-`, at most 64.

        Raises:
            UsageError: The name is not one of these, or the folder cannot be used.
        """
        if NAME.fullmatch(tenant_key) is None:
            raise UsageError(
                f"{tenant_key!r} cannot be a tenant's name.",
                why="It names a folder, so only letters, digits, '.', '_' and '-' are allowed, at most 64.",
            )
        for folder in (self.path / "tenants", self.path / "tenants" / tenant_key):
            make_private_folder(folder)
        return self.path / "tenants" / tenant_key


def make_private_folder(path: Path) -> None:
    """Make the folder (mode 0700) unless it exists, and check that it is ours alone.

    Raises:
        UsageError: It cannot be used; the message says why.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)  # what is synced in it must still be found after a power cut
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileExistsError, NotADirectoryError) as error:
        link = ", but a link" if path.is_symlink() else ""
        raise UsageError(f"{path}: {WHAT} is not a folder{link}.", todo=DO) from error
    except OSError as error:
        raise UsageError(f"{path}: {WHAT} cannot be used.", why=f"{error.strerror}.", todo=DO) from error
    try:
        _check(os.fstat(descriptor), path)
    finally:
        os.close(descriptor)


def _check(info: os.stat_result, path: Path) -> None:
    if info.st_uid != os.geteuid():
        raise UsageError(
            f"{path}: {WHAT} belongs to another account (uid {info.st_uid}, you are {os.geteuid()}).",
            why="Files of two accounts in one folder end with runs that nobody can resume.",
            todo=f"Run as that account. {DO}",
        )
    check_private(info, path, WHAT)
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(
            f"{path}: {WHAT} cannot be written (mode {stat.S_IMODE(info.st_mode):04o}, or a read-only file system).",
            why="The audit is kept there, and nothing is done that cannot be recorded.",
            todo=f"Make it writable: chmod u+rwx {path}. {DO}",
        )


def _usual_place() -> Path:
    from platformdirs import user_state_path

    return user_state_path("offboard", appauthor=False)
