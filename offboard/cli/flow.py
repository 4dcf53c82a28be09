"""Show, ask, apply, tell: what `run`, `apply` and `resume` have in common."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App
from offboard.cli.teller import can_utf8, teller_for
from offboard.errors import Stopped
from offboard.model import Effect, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from offboard.approval import Approval
    from offboard.cli.session import Session
    from offboard.runs.engine.desk import Desk
    from offboard.runs.outcome import RunOutcome
    from offboard.runs.store import RunRecord


def show_plan(app: App, plan: Plan) -> None:
    """The plan on stdout: for people, or as one JSON document a line."""
    if app.as_json:
        from offboard.planjson import to_json

        app.out_json({"event": "plan", "plan": to_json(plan)}, line=True)
        return
    from offboard.render.text import plan_text

    app.out(plan_text(plan, width=app.width(), color=app.color(sys.stdout), now=app.clock.now(), whole=False))


def approvals_of(app: App, plan: Plan, file: Path) -> tuple[Approval, ...]:
    """The approvals beside a plan's file, judged; how long they are good is said.

    Raises:
        Refused: One of them is not good.
        UsageError: The tenant's configuration does not say who may approve.
    """
    from offboard.approval import judge, needed, read_signers
    from offboard.approval.files import read_offers

    offers, guards = read_offers(file), app.tenant.guards
    if not offers or not (needed(plan, guards) or guards.allowed_signers):
        return ()
    found = judge(plan, offers, read_signers(guards.allowed_signers), app.clock.now())
    for approval in found:
        app.say(f"Approved by {approval.approver}, key {approval.fingerprint}.")
    return found


def left(app: App, plan: Plan) -> str:
    """How long a plan, and its approvals, are good."""
    from offboard.render.words import distance

    return f"good until {plan.valid_until:%Y-%m-%d %H:%MZ}, {distance(plan.valid_until, app.clock.now())}"


def confirm(plan: Plan) -> None:
    """Ask whether to go on; by number when more than one person, or more than can be taken back, is at stake.

    Raises:
        Stopped: The answer was no.
    """
    from offboard.render.safe import safe

    changes = sum(len(each.changes) for each in plan.leavers)
    if not changes:
        return
    many = len(plan.leavers) > 1
    final = any(c.effect is not Effect.REVERSIBLE for each in plan.leavers for c in each.changes)
    who = f"{len(plan.leavers)} leavers" if many else f"{safe(plan.leavers[0].leaver.display_name)} and nobody else"
    noun = "change" if changes == 1 else "changes"
    if many or final:
        answer = click.prompt(
            f"{who}, {changes} {noun}. Type the number of leavers to go on", default="", show_default=False, err=True
        )
        agreed = answer.strip() == str(len(plan.leavers))
    else:
        agreed = click.confirm(f"{who}, {changes} {noun}. Go on?", default=False, err=True)
    if not agreed:
        raise Stopped("Not confirmed. Nothing was written.")


async def carry_out(
    session: Session, plan: Plan, run: str, accepted: tuple[str, ...], *, approvals: Sequence[Approval] = ()
) -> int:
    """Apply the plan, telling each result as it becomes known; returns the exit code."""
    from offboard.cli.engine import at_desk

    app, changes = session.app, sum(len(each.changes) for each in plan.leavers)
    teller = teller_for(app, len(plan.leavers), session.sender, changes)
    applier = session.applier(teller, run=run, plan=plan.id, accepted=accepted, approvals=approvals)
    async with at_desk(session, plan.tenant.id, lambda _record: teller, accepted) as desk:
        outcome = await desk.begin(applier, plan, run)
    teller.end()
    tell_outcome(app, outcome, accepted)
    return outcome.exit_code(accepted)


async def carry_on(session: Session, desk: Desk, record: RunRecord, accepted: tuple[str, ...]) -> int:
    """Go on with a run that began, telling what comes of it; returns the exit code."""
    outcome = await desk.go_on(record.id)
    if outcome is None:
        session.app.say(
            f"Run {record.id[:8]}: nothing of it is due: everybody is held, canceled, done, or waits for a later day."
        )
        return 0
    tell_outcome(session.app, outcome, accepted)
    return outcome.exit_code(accepted)


def tell_outcome(app: App, outcome: RunOutcome, accepted: tuple[str, ...]) -> None:
    """The verdict, with what is left open and what falls due later."""
    from offboard.cli.documents import outcome_json, sealed_json, verdict

    sealed = sealed_json(outcome, app.sealer())
    if app.as_json:
        more = {"sealed_passwords": sealed} if sealed else {}
        app.out_json({"event": "verdict", **outcome_json(outcome, accepted), **more}, line=True)
        return
    from offboard.render.safe import safe
    from offboard.render.verdict import verdict_text

    found = verdict(outcome, accepted)
    text = verdict_text(found, width=app.width(), color=app.color(sys.stdout), utf8=can_utf8(sys.stdout))
    app.out("\n" + text)
    for each in sealed:
        app.out(
            f"The new password of {safe(str(each['userPrincipalName']))} is sealed to {each['key']} in\n  {each['path']}"
        )
