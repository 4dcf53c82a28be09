"""The command line in this process, for the engine's tests."""

from tests.cli.conftest import offboard, time

__all__ = ["offboard", "time"]
