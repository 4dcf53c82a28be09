"""What a run stands on besides rights: configuration, files, the audit, the clock, the tenant that answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from offboard.approval.signers import read_signers
from offboard.audit import verify
from offboard.doctor.diagnosis import Check, State
from offboard.errors import OffboardError
from offboard.model import Tenant
from offboard.settings.config import TenantConfig

A_BIT, TOO_MUCH = 60, 300
"""Seconds by which the clock may differ from Graph's: unremarked, and at all."""


def configuration(path: Path | None, tenant: TenantConfig) -> Check:
    """The file that was read. That others cannot write it was checked when it was read."""
    if path is None:
        return Check("configuration", State.OK, "none: the built-in sandbox is used")
    return Check("configuration", State.OK, f"{path}, tenant {tenant.alias}")


def state_folder(path: Path) -> Check:
    """Where runs and audit are kept. That it is ours alone was checked when it was opened."""
    return Check("state folder", State.OK, f"{path}, private")


def audit(path: Path) -> Check:
    """Whether the log is whole."""
    if not path.exists():
        return Check("audit", State.OK, f"{path}, not begun yet")
    try:
        found = verify(path)
    except OffboardError as error:
        return Check("audit", State.PROBLEM, error.what, error.todo)
    if found.problem is not None:
        return Check(
            "audit",
            State.PROBLEM,
            f"{path} does not verify: {found.problem}",
            "Find out who changed it: offboard audit verify",
        )
    return Check("audit", State.OK, f"{path}, {found.records} records, whole")


def policy(tenant: TenantConfig) -> Check:
    """Who must consent, and whether anybody can."""
    guards = tenant.guards
    if guards.approval == "none":
        state = State.OK if tenant.in_process else State.WARNING
        todo = "" if tenant.in_process else 'Ask for a second person: approval = "irreversible", and allowed_signers.'
        return Check("approval", state, "no plan needs a second person's signature", todo)
    asked = "every plan" if guards.approval == "all" else "every plan that loses something for good"
    if guards.allowed_signers is None:
        said = f"{asked} needs a signature, and no allowed_signers is set: such plans are refused"
        return Check("approval", State.PROBLEM, said, "Set allowed_signers of the tenant in offboard.toml.")
    try:
        signers = read_signers(guards.allowed_signers)
    except OffboardError as error:
        return Check("approval", State.PROBLEM, error.what, error.todo)
    names = sorted({pattern for signer in signers for pattern in signer.principals})
    if not names:
        return Check(
            "approval", State.PROBLEM, f"{guards.allowed_signers} names nobody", "Add the approvers' public keys."
        )
    return Check("approval", State.OK, f"{asked} needs a signature; may sign: {', '.join(names)}")


def protection(tenant: TenantConfig) -> Check:
    """Whether the accounts that must never be touched are named."""
    guards = tenant.guards
    named = (
        f"{_many(len(guards.emergency_access), 'account')} for emergencies, {_many(len(guards.protected_users), 'user')} and "
        f"{_many(len(guards.protected_groups), 'group')} are named"
    )
    if guards.emergency_access or tenant.sign_in == "none":
        return Check("protected", State.OK, named)
    todo = (
        'Write the object ids of the accounts for emergencies: emergency_access = ["…", "…"] under the tenant\'s guards.'
    )
    return Check("protected", State.WARNING, named, todo)


def _many(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def reached(tenant: Tenant, config: TenantConfig) -> Check:
    """Which tenant answers, and whether it is a real one."""
    if config.in_process:
        where = "the built-in sandbox; nothing real is touched"
    elif config.graph_url:
        where = f"not Microsoft's cloud but {config.graph_url}"
    else:
        where = f"a real tenant, at {config.root}"
    return Check("tenant", State.OK, f"{tenant.name} ({tenant.id}): {where}")


def clock(ours: datetime, graphs: datetime | None) -> Check:
    """How far our clock is from Graph's. Due times and time stamps rest on Graph's; a clock far off points at trouble."""
    if graphs is None:
        return Check("clock", State.UNKNOWN, "Graph did not say what time it is")
    off = round((ours - graphs).total_seconds())
    if abs(off) <= A_BIT:
        return Check("clock", State.OK, f"within {max(1, abs(off))} s of Graph's")
    said = f"{abs(off)} s {'ahead of' if off > 0 else 'behind'} Graph's"
    state = State.PROBLEM if abs(off) > TOO_MUCH else State.WARNING
    return Check("clock", state, said, "Let the machine take its time from a time server.")


def network(remarks: Sequence[str]) -> list[Check]:
    """What of the environment has a say in where requests go."""
    return [Check("network", State.WARNING, remark, "Unset it unless it is meant.") for remark in remarks]
