"""Options that several commands share, and turning them into what the inner rooms want."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from offboard.errors import UsageError

if TYPE_CHECKING:
    from offboard.guards import Lift
    from offboard.model import Plan, Playbook
    from offboard.runs.planning import Wanted

C = TypeVar("C", bound=Callable[..., Any])


def complete_playbook(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of playbooks, for the shell."""
    from offboard.loading.catalog import all_playbooks

    return [name for name, _, _ in all_playbooks(Path.cwd()) if name.startswith(incomplete)]


def complete_action(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of actions, for the shell."""
    from offboard.actions import ACTIONS

    return [name for name in ACTIONS if name.startswith(incomplete)]


def who_options(command: C) -> C:
    """PLAYBOOK, USER…, --leavers, --set, --leave."""
    for option in reversed(
        [
            click.argument("playbook", shell_complete=complete_playbook),
            click.argument("users", nargs=-1, metavar="USER..."),
            click.option(
                "--leavers", type=str, metavar="FILE", help="CSV of leavers: user, leave, parameters; - is stdin."
            ),
            click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the playbook."),
            click.option("--leave", metavar="TIME", help="The leave time T, with zone; now when left out."),
        ]
    ):
        command = option(command)
    return command


def override_option(command: C) -> C:
    """--override, for the commands that make a plan."""
    return click.option(
        "--override",
        "lifted",
        multiple=True,
        metavar="GUARD[:USER]=REASON",
        help="Lift a guard for one leaver; needs the approval that the tenant asks for.",
    )(command)


def overrides(lifted: tuple[str, ...]) -> tuple[Lift, ...]:
    """The overrides as asked for.

    Raises:
        UsageError: No such guard, no reason, or nobody may override it.
    """
    if not lifted:
        return ()
    from offboard.guards import parse_override

    return tuple(parse_override(text) for text in lifted)


def find_and_load(name: str) -> Playbook:
    """The playbook of this name or path.

    Raises:
        UsageError: There is none, or it is wrong.
    """
    from offboard.loading.catalog import find_playbook
    from offboard.loading.playbook import load

    path = find_playbook(name, Path.cwd())
    return load(path)


def wanted(
    playbook: Playbook, users: tuple[str, ...], leavers: str | None, settings: tuple[str, ...], leave: str | None
) -> tuple[list[Wanted], list[str]]:
    """Whom to plan for, from arguments and list, and remarks about the list.

    Raises:
        UsageError: Nobody is named, or something named is wrong.
    """
    from offboard.loading.leavers import read_leavers
    from offboard.loading.playbook import resolve_parameters
    from offboard.loading.times import parse_time
    from offboard.runs.planning import Wanted

    common = _settings(settings)
    when = parse_time(leave) if leave else None
    found, remarks = [], []
    for user in dict.fromkeys(users):
        found.append(Wanted(_checked(user), when, resolve_parameters(playbook, common)))
    if leavers is not None:
        rows = read_leavers(leavers, bytes_of(leavers))
        remarks = list(rows.remarks)
        for row in rows.rows:
            values = resolve_parameters(playbook, {**common, **row.parameters})
            found.append(Wanted(_checked(row.user), row.leave or when, values))
    if not found:
        raise UsageError(
            "Nobody is named.",
            why="An empty list never means everybody.",
            todo=f"Name the leaver: offboard run {playbook.name} USER, or a list: --leavers leavers.csv",
        )
    return found, remarks


def _checked(user: str) -> str:
    clean = user.strip()
    if not clean or len(clean) > 256 or any(ord(c) < 32 for c in clean):
        raise UsageError(f"{user[:60]!r} is no user.", todo="Name a user principal name (name@domain) or an object id.")
    return clean


def _settings(settings: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for text in settings:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"--set {text} has no '='.", todo="Write it as --set name=value.")
        found[name.strip()] = value
    return found


def bytes_of(name: str) -> bytes:
    """The list that a name stands for; `-` is stdin.

    Raises:
        UsageError: It cannot be read.
    """
    from offboard.loading.leavers import MAX_BYTES

    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with open(name, "rb") as file:
            return file.read(MAX_BYTES + 1)  # a device in its place must not fill the memory
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"The list {name} cannot be read: {error}.") from error


def read_plan(path: Path, *, to_apply: bool) -> Plan:
    """The plan in a file.

    Args:
        path: The file as the user named it.
        to_apply: Whether it decides what is done, so that others must not have been able to write it.

    Raises:
        UsageError: It cannot be read, is no plan, or others can write it.
        Refused: It was edited.
    """
    from offboard.planfile import MAX_BYTES, load
    from offboard.settings.private import read_private

    try:
        if to_apply:
            return load(read_private(path, "the plan", handed_over=True, most=MAX_BYTES), str(path))
        with open(path, "rb") as file:
            return load(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        raise UsageError(f"The plan {path} cannot be read: {error.strerror}.") from error


def can_ask() -> bool:
    """Whether a person can be asked: both ends must be a terminal."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (ValueError, AttributeError):  # stdin was closed
        return False


def must_ask_or_yes(yes: bool) -> None:
    """Without a terminal nothing is assumed.

    Raises:
        UsageError: Nobody can be asked and --yes is not given.
    """
    if not yes and not can_ask():
        raise UsageError(
            "There is no terminal to confirm on.",
            why="Without one nothing is assumed; nothing was contacted.",
            todo="Add --yes to go on without being asked, or --dry-run to see what would be done.",
        )
