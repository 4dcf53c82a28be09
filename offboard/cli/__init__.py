"""The command line: one file per command, a context, exit codes. Nothing decides here.

`--help` must answer in 0.15 s, so this room imports only click until a command is chosen, and each command imports what it
needs inside its function. A test looks at `sys.modules` after `--help` and `validate`.
"""

from __future__ import annotations

from offboard.cli.main import main

__all__ = ["main"]
