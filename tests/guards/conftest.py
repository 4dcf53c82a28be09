"""The command line's own world."""

from tests.cli.conftest import offboard, time

__all__ = ["offboard", "time"]
