"""`offboard approve`: sign one's consent to a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offboard.cli.context import App, pass_app
from offboard.cli.options import must_ask_or_yes, read_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offboard.approval import Signer, Statement
    from offboard.model import Plan


@click.command("approve", epilog="Example:  offboard approve sawyer.json --key ~/.ssh/id_ed25519")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEY",
    help="SSH key that signs: a private key, or the public half of one in the agent.",
)
@click.option("--as", "name", metavar="NAME", help="Your name in allowed_signers, when your key has several there.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, file: Path, key: Path | None, name: str | None, yes: bool) -> int:
    """Show the plan in FILE and sign its digest with your SSH key, as somebody else than its maker and its leavers.

    The approval is written beside the plan, is good for this plan only, and ends with it. Nobody is contacted.
    """
    from offboard.approval import Statement, needed, read_signers
    from offboard.approval.keygen import own_keys, public_half
    from offboard.cli.flow import show_plan

    plan = read_plan(file, to_apply=True)
    must_ask_or_yes(yes)
    _refuse_unfit(app, plan, file)
    signers = read_signers(app.tenant.guards.allowed_signers)
    path, blob = (key, public_half(key, app.environ)) if key else _only(own_keys(app.environ), signers)
    said = Statement.of(plan, _principal(blob, signers, name), app.clock.now().replace(microsecond=0))
    if not yes or app.as_json:
        show_plan(app, plan)
    if not needed(plan, app.tenant.guards):
        app.say(f"The tenant does not ask for an approval of this plan (approval = {app.tenant.guards.approval!r}).")
    if not yes:
        _confirm(plan, said)
    _sign(app, plan, file, path, said, signers)
    return 0


def _refuse_unfit(app: App, plan: Plan, file: Path) -> None:
    """Refuse what nobody could carry out with this approval anyway."""
    from offboard.errors import Refused

    expected = app.tenant.tenant_id
    if expected and expected.lower() != plan.tenant.id.lower():
        raise Refused(
            f"{file} is a plan for tenant {plan.tenant.name} ({plan.tenant.id}), not for {app.tenant.alias}.",
            todo="Choose the tenant with --tenant. Nothing was approved.",
        )
    if app.clock.now() > plan.valid_until:
        raise Refused(
            f"Plan {plan.short_id} expired at {plan.valid_until:%Y-%m-%d %H:%MZ}.",
            todo="Have a new plan made, and approve that. Nothing was approved.",
        )


def _only(keys: object, signers: Sequence[Signer]) -> tuple[Path, bytes]:
    from offboard.errors import UsageError

    known = {signer.key for signer in signers}
    found = [(path, blob) for path, blob in keys if blob in known]  # type: ignore[attr-defined]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        "None of your usual keys may approve in this tenant."
        if not found
        else "Several of your keys may approve in this tenant.",
        todo="Name the one to sign with: --key ~/.ssh/KEY (or KEY.pub, when the agent holds it).",
    )


def _principal(key: bytes, signers: Sequence[Signer], name: str | None) -> str:
    """The name under which the key's owner approves."""
    from offboard.approval.sshsig import fingerprint
    from offboard.approval.statement import PRINCIPAL
    from offboard.errors import Refused, UsageError

    lines = [signer for signer in signers if signer.key == key]
    if not lines:
        raise Refused(
            f"The key {fingerprint(key)} is not among those that may approve.",
            todo="Who may approve stands in the file that allowed_signers names. Nothing was approved.",
        )
    names = list(dict.fromkeys(n for line in lines for n in line.principals if PRINCIPAL.fullmatch(n) and "?" not in n))
    if name is None and len(names) != 1:
        raise UsageError("Your key has several names in allowed_signers, or a pattern.", todo="Choose one: --as NAME")
    if name is not None and not (PRINCIPAL.fullmatch(name) and any(line.is_called(name) for line in lines)):
        raise Refused(
            f"The key {fingerprint(key)} is not {name}'s.",
            todo="Who may approve stands in the file that allowed_signers names. Nothing was approved.",
        )
    return name if name is not None else names[0]


def _confirm(plan: Plan, said: Statement) -> None:
    from offboard.errors import Stopped

    changes = sum(len(each.changes) for each in plan.leavers)
    who = "1 leaver" if len(plan.leavers) == 1 else f"{len(plan.leavers)} leavers"
    prompt = f"{said.approver} approves {changes} changes to {who}. Type the first eight digits of the digest to sign"
    if click.prompt(prompt, default="", show_default=False, err=True).strip() != plan.digest.removeprefix("sha256:")[:8]:
        raise Stopped("Not confirmed. Nothing was approved.")


def _sign(app: App, plan: Plan, file: Path, key: Path, said: Statement, signers: Sequence[Signer]) -> None:
    from offboard.approval import NAMESPACE, Offer, judge
    from offboard.approval.files import read_offers, write_offer
    from offboard.approval.keygen import sign
    from offboard.approval.sshsig import parse
    from offboard.audit import Audit

    offer = Offer(file.name + ".approval", said.text(), sign(said.text(), key, NAMESPACE, app.environ))
    # What apply would refuse is not left lying about.
    approval = judge(plan, [*read_offers(file), offer], signers, app.clock.now())[-1]
    with Audit.open(app.audit_path(), now=app.clock.now) as audit:
        audit.write("approved", plan=plan.id, actor=said.approver, **approval.to_json())
    path = write_offer(file, said.text(), offer.signature or b"")
    assert parse(offer.signature or b"").fingerprint == approval.fingerprint
    if app.as_json:
        app.out_json({"event": "approved", "path": str(path), **approval.to_json()}, line=True)
        return
    app.out(
        f"{said.approver} approved plan {plan.short_id}, with the key {approval.fingerprint}.\n"
        f"Saved to {path} and {path.name}.sig; good until {plan.valid_until:%Y-%m-%d %H:%MZ}, for this plan only.\n"
        f"Apply: offboard apply {file}"
    )
