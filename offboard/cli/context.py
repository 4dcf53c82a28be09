"""What every command is given: options, and ways to the configuration, the state folder and the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from offboard.clock import REAL, Clock
from offboard.errors import UsageError

if TYPE_CHECKING:
    from offboard.runs.sealing import Sealer
    from offboard.runs.store import Store
    from offboard.settings.config import Config, TenantConfig
    from offboard.settings.statefolder import StateFolder


@dataclass(frozen=True)
class App:
    """One invocation.

    Args:
        clock: Time.
        environ: The environment's variables.
        as_json: Whether the answer is for a program.
    """

    clock: Clock = REAL
    environ: Mapping[str, str] = field(default_factory=dict)
    as_json: bool = False
    quiet: bool = False
    tenant_name: str | None = None
    config_file: Path | None = None
    state_dir: Path | None = None
    database_url: str | None = None

    def with_options(
        self,
        *,
        tenant: str | None,
        config: Path | None,
        state: Path | None,
        as_json: bool,
        quiet: bool,
        database: str | None = None,
    ) -> App:
        """The same invocation, once the options before the command are known."""
        return replace(
            self,
            tenant_name=tenant,
            config_file=config,
            state_dir=state,
            as_json=as_json,
            quiet=quiet,
            database_url=database,
        )

    @cached_property
    def config(self) -> Config:
        """The configuration.

        Raises:
            UsageError: It is wrong or cannot be read.
        """
        from offboard.settings.config import load_config

        return load_config(self.config_file, Path.cwd())

    @cached_property
    def tenant(self) -> TenantConfig:
        """The chosen tenant's configuration.

        Raises:
            UsageError: Bad configuration, or no such tenant.
        """
        return self.config.tenant(self.tenant_name)

    def open_store(self) -> Store:
        """The runs: in the database named, or in a file of the state folder.

        Raises:
            UsageError: It cannot be used, or the address holds a password.
        """
        from offboard.runs.store import Store

        return Store(self._database() or self.state.file("runs.db"))

    def engine_place(self) -> Path | str:
        """Where turns are kept: beside the runs.

        Raises:
            UsageError: It cannot be used, or the address holds a password.
        """
        return self._database() or self.state.file("engine.db")

    def _database(self) -> str:
        from offboard.settings.configkeys import a_database

        named = self.database_url or self.environ.get("OFFBOARD_DATABASE") or ""
        if named and (wrong := a_database(named)):
            raise UsageError(f"--database {wrong}.", todo="A password belongs into a password file: ~/.pgpass")
        return named or self.config.database or ""

    @cached_property
    def state(self) -> StateFolder:
        """The state folder.

        Raises:
            UsageError: It cannot be used.
        """
        from offboard.settings.statefolder import StateFolder

        return StateFolder.open(self.state_dir, self.environ)

    def audit_path(self) -> Path:
        """Where the chosen tenant's audit stands."""
        return self.state.tenant_folder(self.tenant.alias) / "audit.jsonl"

    def sealer(self) -> Sealer:
        """Keeps passwords that are sealed to somebody, beside the audit."""
        from offboard.runs.sealing import Sealer

        return Sealer(self.audit_path().parent / "passwords", self.clock.now)

    def color(self, stream: TextIO) -> bool:
        """Whether to color: on a terminal, unless NO_COLOR or TERM=dumb says otherwise."""
        return stream.isatty() and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def width(self) -> int:
        """Columns to fill: the terminal's, between 60 and 120; 80 when there is none."""
        import shutil

        if not sys.stdout.isatty():
            return 80
        return max(60, min(120, shutil.get_terminal_size().columns))

    def out(self, text: str) -> None:
        """A result, on stdout."""
        from offboard.render.style import for_encoding

        text = for_encoding(text, sys.stdout.encoding or "ascii")
        _write(text if text.endswith("\n") else text + "\n")

    def out_json(self, document: Any, *, line: bool = False) -> None:
        """A result for a program: indented when it is one document, else one line."""
        import json

        _write(json.dumps(document, indent=None if line else 2, ensure_ascii=True) + "\n")

    def say(self, text: str) -> None:
        """Progress or a message, on stderr; not with --quiet."""
        if not self.quiet:
            self.tell(text)

    def tell(self, text: str) -> None:
        """What must be seen even with --quiet: a code to enter, a warning about where requests go."""
        from offboard.render.safe import PROSE, safe

        # Names, answers and advice of others come this way; a line of theirs must not look like one of ours.
        try:
            click.echo("\n  ".join(safe(line, PROSE) for line in text.split("\n")), err=True)
        except BrokenPipeError:
            _forget(sys.stderr)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget(sys.stdout)


def _forget(stream: TextIO) -> None:
    """Its reader has gone; nothing may be written to it any more, not even at exit. Whoever watches a run and leaves
    (`| head`) must not stop it in the middle."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


pass_app = click.make_pass_decorator(App)
