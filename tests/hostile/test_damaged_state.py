"""Whatever stands in a file of the state folder, commands end in words; nothing is done on the strength of garbage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Offboard

USER, OTHER = "SawyerM@contoso.com", "AdeleV@contoso.com"
GARBAGE = {
    "nothing": b"",
    "zeros": b"\0" * 5000,
    "JSON": b'{"seq": [], "a": {"b": null}}\n' * 50,
}
COMMANDS = (
    ["audit", "verify"],
    ["audit", "show"],
    ["audit", "anchor"],
    ["runs"],
    ["status", ""],
    ["report", ""],
    ["hold", "", "--reason", "x"],
    ["undo", ""],
    ["resume"],
    ["worker", "--once"],
    ["run", "leaver", OTHER, "--yes"],
)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_any_file_is_told_in_words(offboard: Offboard, tmp_path: Path, garbage: str) -> None:
    assert offboard("run", "leaver", USER, "--yes").code == 0
    run = offboard("--json", "runs").json[0]["run"]
    offboard("reschedule", run, "--leave", "2020-01-01T00:00:00Z", "--reason", "test")
    state, honest = tmp_path / "state", tmp_path / "honest"
    state.rename(honest)
    files = [
        path.relative_to(honest) for path in honest.rglob("*") if path.is_file() and path.parent != honest / "sandbox"
    ]
    assert {"runs.db", "audit.jsonl"} <= {path.name for path in files}
    for name in files:
        shutil.copytree(honest, state)
        (state / name).write_bytes(GARBAGE[garbage])
        for words in COMMANDS:
            found = offboard(*(word or run for word in words))
            assert found.code != 70, (name, words, found.err)
            assert "Traceback" not in found.err
        shutil.rmtree(state)
