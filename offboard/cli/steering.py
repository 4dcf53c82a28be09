"""What `hold`, `release`, `cancel` and `reschedule` have in common: find the run, do it with a reason, say what came of it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from offboard.cli.context import App

if TYPE_CHECKING:
    from offboard.runs.engine.shares import Share
    from offboard.runs.engine.steering import Steering
    from offboard.runs.store import RunRecord

C = TypeVar("C", bound=Callable[..., Any])


def steering_options(command: C) -> C:
    """RUN, --reason, --leaver."""
    for option in reversed(
        [
            click.argument("run"),
            click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the audit."),
            click.option("--leaver", metavar="USER", help="Only this leaver of the run."),
        ]
    ):
        command = option(command)
    return command


@contextmanager
def steering(app: App, run: str, reason: str) -> Iterator[tuple[Steering, RunRecord]]:
    """A person's hand on the run whose id begins so. Contacts nobody.

    Raises:
        UsageError: There is no such run, or no reason.
    """
    from offboard.audit import Audit
    from offboard.errors import UsageError
    from offboard.runs.engine.steering import Steering, find_run

    if not reason.strip():
        raise UsageError("There is no reason.", todo="Say why: --reason TEXT. It stands in the audit.")
    store = app.open_store()
    try:
        record = find_run(store, run)
        folder = app.state.tenant_folder(record.plan.tenant.alias or app.tenant.alias)
        with Audit.open(folder / "audit.jsonl", now=app.clock.now) as audit:
            yield Steering(store, audit.bind(actor=_actor()), reason.strip()), record
    finally:
        store.close()


def _actor() -> str:
    """The account of this machine: nobody signs in to steer a run."""
    with suppress(OSError, KeyError, ImportError):
        return f"{getpass.getuser()} (local account)"
    return "unknown (local account)"


def tell(app: App, record: RunRecord, shares: list[Share], done: str) -> int:
    """Whom it concerned, and how far each is now."""
    from offboard.cli.documents import share_json
    from offboard.render.safe import safe

    if app.as_json:
        app.out_json({"run": record.id, "leavers": [share_json(share) for share in shares]})
        return 0
    for share in shares:
        name = safe(share.upn)
        due = f", due {share.due:%Y-%m-%d %H:%MZ}" if share.due else ""
        app.out(f"{name}: {done}{due}")
    return 0
