"""`offboard.toml`: the tenants, how to sign in to each, and their guards.

Searched for in this order: `--config`, the working directory, the account's configuration folder. Without one there is
the tenant `sandbox` alone. Nothing secret stands in it; secrets have files of their own, which nobody else may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from offboard.errors import NotPermitted, UsageError
from offboard.settings.private import read_private
from offboard.settings.secret import Secret
from offboard.settings.tenantconfig import BUILT_IN, SANDBOX, Freeze, Guards, TenantConfig

__all__ = ["Config", "Freeze", "Guards", "TenantConfig", "load_config", "read_secret"]

NAME = "offboard.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file.

    Args:
        default: The tenant used without `--tenant`; empty when the file names none.
        tenants: By alias; `sandbox` is always there.
        path: The file; None when there is none.
        database: Where the runs are kept; empty for a file in the state folder.
    """

    default: str
    tenants: Mapping[str, TenantConfig]
    path: Path | None = None
    database: str = ""

    def tenant(self, name: str | None) -> TenantConfig:
        """The tenant of this name, or the default one.

        Raises:
            UsageError: There is no such tenant, or none was named and there is no default.
        """
        from offboard.loading.source import near

        if not name and not self.default:
            raise UsageError(
                f"Which tenant? {self.path} has no default.",
                todo=f"Say --tenant NAME, or set default in the file. Tenants: {', '.join(sorted(self.tenants))}.",
            )
        found = self.tenants.get(name or self.default)
        if found is None:
            word = near(name or "", self.tenants)
            raise UsageError(
                f"There is no tenant {name!r}{f'; did you mean {word!r}?' if word else '.'}",
                why=f"{self.path} has no [tenants.{name}]." if self.path else f"There is no {NAME} here.",
                todo=f"Tenants: {', '.join(sorted(self.tenants))}.",
            )
        return found


def load_config(path: Path | None, cwd: Path) -> Config:
    """The configuration.

    Args:
        path: What `--config` says; None searches.
        cwd: The working directory.

    Raises:
        SourceError: The file is wrong at one or more places; each is named with line and key.
        UsageError: It cannot be read, or others can write it.
    """
    chosen = path or next((p for p in _places(cwd) if p.is_file() or p.is_symlink()), None)
    if chosen is None:
        return Config(SANDBOX, MappingProxyType({SANDBOX: BUILT_IN}))
    from offboard.settings.configfile import database_of, parse

    try:
        data = read_private(chosen, "the configuration")
    except FileNotFoundError:
        raise UsageError(
            f"{chosen}: there is no such file.", todo="Give the path of an offboard.toml, or leave --config out."
        ) from None
    default, tenants = parse(data, chosen)
    return Config(default, MappingProxyType({SANDBOX: BUILT_IN, **tenants}), chosen, database_of(data))


def _places(cwd: Path) -> list[Path]:
    from platformdirs import user_config_path

    return [cwd / NAME, user_config_path("offboard", appauthor=False) / NAME]


def read_secret(path: Path, what: str) -> Secret:
    """A secret that has a file of its own; line ends after it are not part of it.

    Args:
        path: The file.
        what: What it holds, for messages: `the client secret`.

    Raises:
        NotPermitted: There is no such file, or it is empty.
        UsageError: Others can read or write it, or it is no text.
    """
    try:
        text = read_private(path, f"the file of {what}", secret=True).decode().rstrip("\r\n")
    except FileNotFoundError:
        raise NotPermitted(
            f"Not signed in: there is no file {path}, which should hold {what}.",
            todo="Put it there (mode 0600), or correct the path in offboard.toml.",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: the file of {what} is not text.", todo="Save it as UTF-8.") from None
    if not text:
        raise NotPermitted(f"Not signed in: {path}, which should hold {what}, is empty.", todo="Put it there.")
    return Secret(text)
