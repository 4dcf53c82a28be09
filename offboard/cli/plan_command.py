"""`offboard plan`: make a plan and save it for review."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import find_and_load, override_option, overrides, wanted, who_options
from offboard.errors import UsageError
from offboard.settings.lasting import sync_folder

if TYPE_CHECKING:
    from offboard.model import Plan


@click.command("plan", epilog="Example:  offboard plan leaver SawyerM@contoso.com --out sawyer.json")
@who_options
@override_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to save the plan.")
@pass_app
def command(
    app: App,
    playbook: str,
    users: tuple[str, ...],
    leavers: str | None,
    settings: tuple[str, ...],
    leave: str | None,
    lifted: tuple[str, ...],
    out: Path | None,
) -> int:
    """Read what PLAYBOOK would change for each USER, show it, and save it for review.

    Nothing is written to the tenant. The saved plan is what `apply` carries out, to the byte, within 24 hours. Whoever nothing
    can be known of (answers without sense) is named and left out; the others are planned, and the exit code is 1.
    """
    book = find_and_load(playbook)
    lifts = overrides(lifted)
    people, remarks = wanted(book, users, leavers, settings, leave)
    for remark in remarks:
        app.say(remark)

    from offboard.cli.flow import show_plan
    from offboard.cli.session import run_async, session
    from offboard.planfile import pieces

    async def main() -> int:
        async with session(app) as opened:
            plan = await opened.plan_maker(lifts).make(book, people)
            opened.audit.bind(plan=plan.id, actor=opened.actor).write(
                "playbook-planned", playbook=book.name, digest=plan.digest, leavers=len(plan.leavers)
            )
        if out is not None:
            save(out, pieces(plan))
        show_plan(app, plan)
        if out is not None and not app.as_json:
            app.out(saved(app, plan, out))
        elif not app.as_json:
            app.say("Not saved; add --out FILE to keep it for review and apply.")
        return 1 if plan.unplanned else 0

    return run_async(main)


def saved(app: App, plan: Plan, out: Path) -> str:
    """Where the plan is, and what comes next: a second person's approval too, where the tenant asks for it.

    Of a plan that a guard stops, only that it can be looked at: what it needs first stands at its head.
    """
    from offboard.approval import needed

    stopped = any(said.severity == "stop" for each in plan.leavers for said in each.objections)
    why = "" if stopped else needed(plan, app.tenant.guards)
    steps = [("Review:", "show"), *([("Approve:", "approve")] if why else [])]
    steps += [] if stopped else [("Apply:", "apply")]
    width = max(len(word) for word, _ in steps)
    return "\n".join(
        (
            f"Saved to {out}, valid until {plan.valid_until:%Y-%m-%d %H:%MZ}.",
            *([why] if why else []),
            *(f"{word:<{width}} offboard {command} {out}" for word, command in steps),
        )
    )


def save(path: Path, data: Iterable[bytes]) -> None:
    """Write the plan whole or not at all, readable by its owner only.

    Raises:
        UsageError: It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)  # whatever lies there, it is not written into: neither a link nor an open file
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)  # "saved" must still be true after a power cut
    except OSError as error:
        raise UsageError(
            f"The plan cannot be saved to {path}: {error.strerror}.", todo="Choose another --out."
        ) from error
