"""`offboard doctor`: whether everything is in place for a playbook and a leaver."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import complete_playbook, find_and_load, wanted
from offboard.errors import GraphUnavailable, NotPermitted, OffboardError

if TYPE_CHECKING:
    from offboard.cli.session import Session
    from offboard.doctor.diagnosis import Check, Diagnosis
    from offboard.guards.permission import Acting
    from offboard.model import Playbook
    from offboard.runs.planning import Wanted


@click.command("doctor", epilog="Example:  offboard doctor leaver SawyerM@contoso.com")
@click.argument("playbook", required=False, shell_complete=complete_playbook)
@click.argument("users", nargs=-1, metavar="[USER...]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the playbook.")
@pass_app
def command(app: App, playbook: str | None, users: tuple[str, ...], settings: tuple[str, ...]) -> int:
    """Sign in and say what is missing or too much, for PLAYBOOK and each USER.

    Compares what the sign-in holds with what the steps need, and with the rank that an administrator as leaver asks for.
    Looks at clock, files, policy and audit as well. Changes nothing. Exit 4 when a right is missing, 1 when something else
    would go wrong.
    """
    book = find_and_load(playbook) if playbook else None
    people = wanted(book, users, None, settings, None)[0] if book and users else []
    found = diagnose(app, book, people)
    if app.as_json:
        app.out_json(found.to_json())
    else:
        from offboard.doctor.text import doctor_text

        app.out(doctor_text(found, width=app.width(), color=app.color(sys.stdout)))
    return found.exit_code


def diagnose(app: App, book: Playbook | None, people: list[Wanted]) -> Diagnosis:
    """Look at everything; what ends it early is part of what is found."""
    from offboard.cli.session import run_async, session
    from offboard.doctor import surroundings as look
    from offboard.doctor.diagnosis import Check, Diagnosis, State

    checks = [look.configuration(app.config.path, app.tenant), look.state_folder(app.state.path)]
    checks += [look.audit(app.audit_path()), look.policy(app.tenant), look.protection(app.tenant)]
    name = book.name if book else ""

    async def main() -> Diagnosis:
        async with session(app) as opened:
            return await _signed_in(opened, checks, book, people)

    try:
        return run_async(main)
    except NotPermitted as error:
        return Diagnosis([*checks, Check("sign-in", State.MISSING, _why(error), error.todo)], playbook=name, code=4)
    except GraphUnavailable as error:
        return Diagnosis(
            [*checks, Check("tenant", State.PROBLEM, _why(error), error.todo)], playbook=name, code=error.exit_code
        )


def _why(error: OffboardError) -> str:
    return " ".join(filter(None, (error.what, error.why)))


async def _signed_in(opened: Session, checks: list[Check], book: Playbook | None, people: list[Wanted]) -> Diagnosis:
    from offboard.doctor import surroundings as look
    from offboard.doctor.diagnosis import Check, Diagnosis, State
    from offboard.graph.standing import read_caller

    app, token = opened.app, opened.connection.token_info()
    caller = await read_caller(opened.sender)
    kind = {"delegated": "a signed-in person", "application": "an app by itself"}.get(caller.kind, "nobody in particular")
    roles = f"; roles: {', '.join(sorted(caller.roles))}" if caller.roles else ""
    checks = [*checks, Check("sign-in", State.OK, f"{opened.actor}, {kind}{roles}")]
    tenant = await opened.reader.tenant(app.tenant.alias)
    checks += [
        look.reached(tenant, app.tenant),
        look.clock(app.clock.now(), opened.sender.graph_now),
        *look.network(opened.connection.remarks),
    ]
    extra = {"tenant": {"id": tenant.id, "name": tenant.name, "sandbox": app.tenant.in_process}}
    found = Diagnosis(checks, caller=caller, who=token.name or token.oid or token.appid, extra=extra)
    return await _compared(opened, found, book, people) if book else found


async def _compared(opened: Session, found: Diagnosis, book: Playbook, people: list[Wanted]) -> Diagnosis:
    from dataclasses import replace

    from offboard.doctor.diagnosis import Check, State
    from offboard.doctor.rights import about_leavers, by_step
    from offboard.guards.permission import acting, needed
    from offboard.permissions import broader, surplus

    caller, all_needs = found.caller, needed(book.steps, opened.app.tenant.guards)
    assert caller is not None
    steps = by_step(all_needs, caller, {}, {})
    if opened.app.tenant.in_process:
        steps = [Check("every step", State.OK, "the built-in sandbox asks nobody for rights")]
    cannot_read = any(check.name == "reading" and check.state is State.MISSING for check in steps)
    leavers: Acting = {}
    about: list[Check] = []
    names: dict[str, str] = {}
    if people and not cannot_read:
        plan = await opened.plan_maker().make(book, people)
        leavers, about = acting(plan), about_leavers(plan)
        names = {each.leaver.id: each.leaver.user_principal_name for each in plan.leavers}
        used = {"reading", *(step for each in leavers.values() for step in each)}
        if caller.told:
            steps = by_step([need for need in all_needs if need.step in used], caller, leavers, names)
    return replace(
        found,
        playbook=book.name,
        steps=steps,
        leavers=about,
        excess=surplus(all_needs, caller, leavers),
        broader=broader(all_needs, caller),
    )
