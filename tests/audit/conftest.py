"""A log of a dozen records, as a run of two leavers would write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from offboard.audit import Audit

START = datetime(2026, 11, 23, 17, 5, 12, tzinfo=UTC)


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by a second each time it is asked."""
    times: Iterator[datetime] = (START + timedelta(seconds=n) for n in range(10**9))
    return lambda: next(times)


def write_dozen(path: Path) -> None:
    """Twelve records, with names in several scripts."""
    with Audit.open(path, now=ticking()) as audit:
        run = audit.bind(run="r-1", plan="p-1", actor="admin@contoso.com")
        run.write("run-started", playbook="leaver-now")
        for id, upn in (("u-1", "sawyer@contoso.com"), ("u-2", "zoë.müller\u202e@contoso.com")):
            person = run.bind(leaver={"id": id, "upn": upn})
            for step in ("disable-user", "revoke-sessions"):
                person.write("intent", step=step, action=step, change={"verb": step, "after": {"accountEnabled": False}})
                graph = {"method": "PATCH", "path": f"/users/{id}", "status": 204, "attempts": 1}
                person.write("outcome", step=step, outcome="changed", graph=graph)
            person.write("step-skipped", step="remove-licenses", why="nothing to remove")
        run.write("leaver-ended", outcome="changed")


@pytest.fixture
def dozen(tmp_path: Path) -> Path:
    """The path of such a log."""
    path = tmp_path / "audit.jsonl"
    write_dozen(path)
    return path
