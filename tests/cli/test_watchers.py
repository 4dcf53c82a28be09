"""Whoever watches a run may leave; the run goes on to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offboard.sandbox.tenant import Sandbox
from tests.world import SAWYER


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_run_whose_output_nobody_reads_any_more_is_carried_out_to_its_end(tmp_path: Path, options: list[str]) -> None:
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "none"), "COLUMNS": "80"}
    words = ["--state", str(tmp_path), *options, "run", "leaver-now", "SawyerM@contoso.com", "--yes"]
    process = subprocess.Popen(
        [sys.executable, "-m", "offboard", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
        env=environ,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()

    assert process.wait(120) == 1, "one thing stays open, as always with this leaver"
    sandbox = Sandbox.open(tmp_path / "sandbox")
    written = [(entry.method, entry.path) for entry in sandbox.journal()]
    sandbox.close()
    assert written[-1] == ("DELETE", f"/v1.0/users/{SAWYER}")
