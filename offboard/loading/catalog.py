"""Where playbooks are found: the folder at hand, the user's own, and those that come with the tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from offboard.errors import UsageError
from offboard.loading.source import near, shown

SUFFIXES = (".yaml", ".yml")
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(kind: str) -> Path:
    """The folder of what comes with the tool.

    Args:
        kind: `playbooks` or `schemas`.
    """
    packed = _PACKAGE / "shipped" / kind
    # In a checkout (or an editable install of one) the folders stand beside the package.
    return packed if packed.is_dir() else _PACKAGE.parent / kind


def shipped_schema(name: str) -> Path:
    """The file of a published schema.

    Raises:
        UsageError: There is none of this name.
    """
    folder = shipped("schemas")
    known = sorted(path.name.removesuffix(".schema.json") for path in folder.glob("*.schema.json"))
    if name not in known:
        raise UsageError(
            f"There is no schema {shown(name)}{_did_you_mean(name, known)}", todo=f"Known are {_list(known)}."
        )
    return folder / f"{name}.schema.json"


def all_playbooks(cwd: Path) -> list[tuple[str, Path, str]]:
    """Every playbook that can be named, each name once: what is nearer hides what is farther.

    Args:
        cwd: The working folder.

    Returns:
        Name, file and origin (`here`, `own` or `shipped`), by name.
    """
    found: dict[str, tuple[str, Path, str]] = {}
    for origin, folder in _folders(cwd):
        for name, path in _in(folder):
            found.setdefault(name, (name, path, origin))
    return sorted(found.values())


def find_playbook(name_or_path: str, cwd: Path) -> Path:
    """The file of a playbook.

    Args:
        name_or_path: A path (it has a separator or the suffix .yaml, or such a file is there), or a name.
        cwd: The working folder.

    Raises:
        UsageError: There is no such playbook; the near names and all known ones are in it.
    """
    if not name_or_path.strip() or "\0" in name_or_path:
        raise UsageError(f"{shown(name_or_path)} names no playbook.", todo="List playbooks with: offboard playbooks")
    path = Path(name_or_path)
    known = {name: file for name, file, _ in all_playbooks(cwd)}
    if name_or_path in known:
        return known[name_or_path]
    named = "/" in name_or_path or "\\" in name_or_path or path.suffix.lower() in SUFFIXES
    if _readable(cwd / path):
        # As the user named it, so that messages say the same; elsewhere than in the working folder it needs the folder.
        return path if cwd == Path.cwd() else cwd / path
    if named:
        raise UsageError(
            f"{name_or_path}: there is no such file{_did_you_mean(path.stem, known)}", todo=f"By name: {_list(known)}."
        )
    raise UsageError(
        f"There is no playbook {shown(name_or_path)}{_did_you_mean(name_or_path, known)}",
        todo=f"Known are {_list(known)}. A playbook of your own: give its path, or put it into ./playbooks.",
    )


def _folders(cwd: Path) -> Iterator[tuple[str, Path]]:
    from platformdirs import user_config_path

    yield "here", cwd / "playbooks"
    yield "own", user_config_path("offboard") / "playbooks"
    yield "shipped", shipped("playbooks")


def _in(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        files = sorted(folder.iterdir())
    except OSError:
        # No such folder, or not ours to read: there are no playbooks in it.
        return
    for file in files:
        if file.suffix in SUFFIXES and not file.name.startswith(".") and _is_file(file):
            yield file.stem, file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _readable(path: Path) -> bool:
    """Whether it can be read like a file; a pipe (`<(…)` in a shell) can."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    word = near(name, known)
    return f"; did you mean {shown(word)}?" if word else "."


def _list(known: Iterable[str]) -> str:
    return ", ".join(known) or "none"
