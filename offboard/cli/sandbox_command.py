"""`offboard sandbox`: serve, reset and inspect the simulated tenant."""

from __future__ import annotations

from pathlib import Path

import click

from offboard.cli.context import App, pass_app
from offboard.errors import UsageError


@click.group("sandbox", epilog="Example:  offboard sandbox journal")
def command() -> None:
    """The built-in simulated tenant: a small Contoso, stored under the state folder, spoken to as Microsoft Graph."""


@command.command("serve", epilog="Example:  offboard sandbox serve --port 8080 --delay 80-150ms")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--delay", metavar="RANGE", help="Delay of every answer: 80-150ms, or 100ms.")
@click.option("--throttle", type=click.Choice(["off", "published"]), default="off", show_default=True)
@click.option("--enforce-permissions", is_flag=True, help="Refuse what the token's permissions do not allow.")
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Script of faults.")
@click.option("--lag", type=click.FloatRange(0, 600), default=0.0, metavar="SECONDS", help="Replication delay of reads.")
@click.option(
    "--speed",
    type=click.FloatRange(1, 1000),
    default=1.0,
    metavar="FACTOR",
    help="Let the tenant's time run so many times as fast: its clock, delays and quotas.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="Serve HTTPS with this certificate.")
@click.option("--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="The certificate's key.")
@pass_app
def serve(
    app: App,
    port: int,
    host: str,
    delay: str | None,
    throttle: str,
    enforce_permissions: bool,
    faults: Path | None,
    lag: float,
    speed: float,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> int:
    """Serve the stored tenant over HTTP until stopped. The first line of stdout is its URL.

    Any Graph client can use it: append /v1.0. Every change is stored, so `offboard` commands and the server agree.
    """
    from offboard.cli.sandboxes import behavior_of, open_sandbox
    from offboard.sandbox.server import serve as serve_sandbox

    behavior = behavior_of(delay=delay, throttle=throttle, enforce=enforce_permissions, faults=faults, lag=lag)
    sandbox = open_sandbox(app, behavior, speed=speed)
    try:
        serve_sandbox(sandbox, host, port, tls_cert=tls_cert, tls_key=tls_key, speed=speed)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port}: {error.strerror}.", todo="Choose another --port.") from error
    finally:
        sandbox.close()
    return 0


@command.command("reset", epilog="Example:  offboard sandbox reset --people 1000")
@click.option("--seed", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A tenant of your own.")
@click.option("--people", type=click.IntRange(1, 100_000), metavar="N", help="A reproducible tenant of N people.")
@pass_app
def reset(app: App, seed: Path | None, people: int | None) -> int:
    """Throw the simulated tenant away and begin anew: Contoso, a seed file, or N people."""
    if seed is not None and people is not None:
        raise UsageError("--seed and --people exclude each other.", todo="Give one of them.")
    from offboard.cli.sandboxes import open_sandbox, read_seed
    from offboard.cli.sandboxes import reset as start_over

    parsed = read_seed(seed) if seed else None
    sandbox = open_sandbox(app)
    try:
        start_over(sandbox, parsed, people)
    finally:
        sandbox.close()
    app.say("The sandbox is new.")
    return 0


@command.command("journal", epilog="Example:  offboard sandbox journal --json")
@pass_app
def journal(app: App) -> int:
    """List every write that the simulated tenant executed, oldest first."""
    from offboard.cli.sandboxes import journal_rows, open_sandbox
    from offboard.render.records import journal_text

    sandbox = open_sandbox(app)
    try:
        rows = journal_rows(sandbox)
    finally:
        sandbox.close()
    if app.as_json:
        app.out_json(rows)
    else:
        for row in rows:
            app.out(journal_text(row))
        if not rows:
            app.out("Nothing was written yet.")
    return 0


@command.command("faults", epilog="Example:  offboard sandbox faults > faults.yaml")
@pass_app
def faults(app: App) -> int:
    """Print a commented example of a fault script for `sandbox serve --faults`."""
    from offboard.cli.sandboxes import EXAMPLE_FAULTS

    app.out(EXAMPLE_FAULTS)
    return 0
