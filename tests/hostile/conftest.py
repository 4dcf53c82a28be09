"""The command line's fixtures."""

from __future__ import annotations

from tests.cli.conftest import offboard, time

__all__ = ["offboard", "time"]
