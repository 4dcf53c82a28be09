"""Bad input: one message (what, where, why, what to do), the right exit code, and nothing lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Offboard

ROOT = Path(__file__).parent.parent.parent
USER = "SawyerM@contoso.com"
BAD: list[tuple[list[str], int, str]] = [
    (["run", "leaver", "nobody@contoso.com", "--yes"], 2, "nobody@contoso.com"),
    (["run", "leaver", "Chris Green", "--yes"], 2, "ambiguous"),
    (["run", "leaver", "--yes"], 2, "Nobody is named"),
    (["run", "leaver", USER, "--set", "colour", "--yes"], 2, "no '='"),
    (["run", "leaver", USER, "--set", "colour=red", "--yes"], 2, "colour"),
    (["run", "leaver", USER, "--leave", "tomorrow", "--yes"], 2, "tomorrow"),
    (["run", "laever", USER, "--yes"], 2, "leaver"),
    (["run", "./nothing.yaml", USER, "--yes"], 2, "nothing.yaml"),
    (["run", "leaver", "--leavers", "nothing.csv", "--yes"], 2, "nothing.csv"),
    (["--tenant", "fabrikam", "run", "leaver", USER, "--yes"], 2, "fabrikam"),
    (["--config", "nothing.toml", "run", "leaver", USER, "--yes"], 2, "nothing.toml"),
    (["show", "nothing.json"], 2, "nothing.json"),
    (["apply", "nothing.json", "--yes"], 2, "nothing.json"),
    (["validate", "nothing.yaml"], 2, "nothing.yaml"),
    (["actions", "delte-user"], 2, "delete-user"),
    (["explain", "OFB999"], 2, "OFB999"),
    (["deleted", "restore", "nobody@contoso.com", "--yes"], 2, "nobody@contoso.com"),
    (["status", "ffff"], 2, "ffff"),
    (["resume", "ffff"], 2, "ffff"),
    (["sandbox", "reset", "--seed", "nothing.yaml"], 2, "nothing.yaml"),
    (["audit", "verify", "nothing.jsonl"], 2, "nothing.jsonl"),
    (["rnu"], 2, "run"),
    (["run"], 2, "PLAYBOOK"),
    (["run", "leaver", USER, "--colour"], 2, "--colour"),
]

DOCUMENTED = [case for case in BAD[:18] if case[0][0] != "validate"]  # its answer is a report on each file


@pytest.mark.parametrize(("words", "code", "said"), BAD, ids=[" ".join(words) for words, _, _ in BAD])
def test_bad_input_gets_one_message_and_its_exit_code(offboard: Offboard, words: list[str], code: int, said: str) -> None:
    found = offboard(*words)

    assert code == found.code, found.err
    assert said in found.err
    assert "Traceback" not in found.err
    assert "bug" not in found.err


@pytest.mark.parametrize(("words", "code", "said"), DOCUMENTED, ids=[" ".join(words) for words, _, _ in DOCUMENTED])
def test_with_json_an_error_is_a_document(offboard: Offboard, words: list[str], code: int, said: str) -> None:
    found = offboard("--json", *words)

    assert code == found.json["error"]["exit_code"]


def test_a_bad_playbook_names_file_line_column_and_the_near_word(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "playbook: mine\ndescription: Mine.\nsteps:\n  - id: remove\n    action: delte-user\n"
    )
    found = offboard("run", "mine.yaml", USER, "--yes")

    assert found.code == 2
    assert "mine.yaml:5:13" in found.err
    assert "did you mean 'delete-user'?" in found.err


def test_an_empty_list_never_means_everybody(offboard: Offboard) -> None:
    assert offboard("run", "leaver", "--leavers", "-", "--yes", stdin="user\n").code == 2
    assert offboard("run", "leaver", "--leavers", "-", "--yes", stdin="").code == 2
    assert offboard("--json", "sandbox", "journal").json == []


def test_a_state_folder_that_others_can_write_is_refused(offboard: Offboard, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    found = offboard("--state", str(loose), "run", "leaver", USER, "--yes")

    assert found.code == 2
    assert "loose" in found.err


def test_a_state_folder_that_is_a_file_is_refused(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert offboard("--state", str(tmp_path / "file"), "run", "leaver", USER, "--yes").code == 2


def test_a_broken_run_store_is_refused_before_anything_is_sent(offboard: Offboard, tmp_path: Path) -> None:
    offboard("runs")
    (tmp_path / "state" / "runs.db").write_bytes(b"this is no database" * 100)
    found = offboard("run", "leaver", USER, "--yes")

    assert found.code == 2
    assert "runs.db" in found.err


def test_a_full_disk_under_the_audit_sends_nothing(offboard: Offboard, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "tenants" / "sandbox"
    offboard("runs")
    (tmp_path / "state" / "tenants").mkdir(mode=0o700)
    folder.mkdir(mode=0o700)
    os.symlink("/dev/full", folder / "audit.jsonl")
    found = offboard("run", "leaver", USER, "--yes")

    assert found.code in (2, 5)
    assert "audit" in found.err
    assert offboard("--json", "sandbox", "journal").json == []


def test_a_closed_stdin_is_no_terminal(offboard: Offboard) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", "import os; os.close(0)\nfrom offboard.cli import main\nmain(['run', 'leaver', 'x@y.z'])"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OFFBOARD_STATE": str(Path.cwd() / "state"), "PYTHONPATH": str(ROOT)},
    )

    assert done.returncode == 2, done.stderr
    assert "no terminal" in done.stderr
