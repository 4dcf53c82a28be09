"""The sandbox's stored tenant, under the state folder, shared by every command and by `sandbox serve`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from offboard.cli.context import App
from offboard.errors import UsageError
from offboard.model import JSON
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.clock import faster
from offboard.sandbox.faults import FaultError, FaultScript
from offboard.sandbox.seedfile import SeedError, load_seed
from offboard.sandbox.tenant import Sandbox

EXAMPLE_FAULTS = """\
# What is to go wrong, and when: for offboard sandbox serve --faults FILE.
# path is the path below the version: * stands for one segment, ** for any number.
faults:
  # The first revocation is executed, but its answer is a 503.
  - match: {method: POST, path: /users/*/revokeSignInSessions}
    fault: {status: 503, when: after}
  # Every third and fourth batch is throttled for two and a half seconds.
  - match: {method: POST, path: /$batch, nth: 3, times: 2}
    fault: {status: 429, retry_after: 2.5}
  # One license removal is cut off after it was executed.
  - match: {path: /users/*/assignLicense, item: false}
    fault: {reset: after}
  # One item is missing from the answer to a batch.
  - match: {method: PATCH, path: /devices/*, item: true}
    fault: {drop_item: true}
"""


def open_sandbox(app: App, behavior: Behavior | None = None, *, speed: float = 1.0) -> Sandbox:
    """Open the stored tenant, whose clock may run faster than ours; a small Contoso when there is none yet."""
    from offboard.settings.statefolder import make_private_folder

    folder = app.state.path / "sandbox"
    make_private_folder(folder)  # the sandbox itself would follow a link
    now = app.clock.now if speed == 1.0 else faster(app.clock.now, speed)
    return Sandbox.open(folder, now=now, behavior=behavior)


def behavior_of(*, delay: str | None, throttle: str, enforce: bool, faults: Path | None, lag: float) -> Behavior:
    """The options of `serve` as the sandbox wants them.

    Raises:
        UsageError: The delay or the fault script makes no sense.
    """
    try:
        script = FaultScript.load(faults) if faults else None
    except FaultError as error:
        raise UsageError(
            f"The fault script is wrong: {error}.", todo="See an example: offboard sandbox faults"
        ) from error
    return Behavior(
        enforce_permissions=enforce,
        throttle="published" if throttle == "published" else "off",
        delay=_delay(delay) if delay else None,
        lag=lag,
        faults=script,
    )


def _delay(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?ms", text.strip())
    if found is None:
        raise UsageError(f"--delay {text[:40]!r} is no range of milliseconds.", todo="Write 80-150ms, or 100ms.")
    low = int(found[1]) / 1000
    return low, int(found[2]) / 1000 if found[2] else low


def read_seed(path: Path) -> Mapping[str, Any]:
    """A seed file of the user's own.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return load_seed(path)
    except SeedError as error:
        raise UsageError(f"{error}", todo="The sandbox was left as it is.") from error


def reset(sandbox: Sandbox, seed: Mapping[str, Any] | None, people: int | None) -> None:
    """Start the tenant over.

    Raises:
        UsageError: The seed cannot become a tenant; the old one is left as it is.
    """
    try:
        sandbox.reset(seed=seed, people=people)
    except SeedError as error:
        raise UsageError(f"{error}.", todo="The sandbox was left as it is.") from error


def journal_rows(sandbox: Sandbox) -> list[dict[str, JSON]]:
    """Every write that the tenant executed."""
    return [entry.as_dict() for entry in sandbox.journal()]
