"""The command line, in this process: what it prints, and the code it ends with."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offboard.cli import main
from tests import canary
from tests.world import Time


@dataclass(frozen=True)
class Said:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """stdout as one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Offboard = Callable[..., Said]


@pytest.fixture
def time() -> Time:
    """The clock of all commands of one test."""
    return Time()


@pytest.fixture
def offboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], time: Time
) -> Iterator[Offboard]:
    """Run one command in an empty folder, with a state folder of its own and no terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    environ = {"OFFBOARD_STATE": str(tmp_path / "state")}

    def run(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as end:
            main(words, clock=time.clock(), environ=environ)
        said = capsys.readouterr()
        whole = (said.out + said.err).encode("utf-8", "replace")
        assert not canary.passwords_in(whole), "a new password was printed"
        assert not canary.JWT.search(whole), "a token was printed"
        code = end.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run
