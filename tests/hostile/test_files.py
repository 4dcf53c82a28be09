"""What we write only its owner may read; what others could have written is not acted on; what lies about is not followed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Offboard

USER = "SawyerM@contoso.com"
ROOT = Path(__file__).parent.parent.parent
COMMAND = Path(sys.executable).with_name("offboard")


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_symlink()]


def test_whatever_the_mask_only_the_owner_can_read_what_is_written(offboard: Offboard, tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        assert offboard("plan", "leaver", USER, "--out", "plan.json").code == 0
        assert offboard("apply", "plan.json", "--yes").code in (0, 1)
        run = offboard("--json", "runs").json[0]["run"]
        offboard("undo", run, "--out", "back.json")
        offboard("sandbox", "reset")
    finally:
        os.umask(mask)

    written = everything(tmp_path)
    assert len(written) > 6
    for path in written:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} has mode {mode:04o}"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_plan_that_others_can_write_is_shown_but_not_applied(offboard: Offboard, tmp_path: Path, mode: int) -> None:
    offboard("plan", "leaver", USER, "--out", "plan.json")
    (tmp_path / "plan.json").chmod(mode)
    refused = offboard("apply", "plan.json", "--yes")

    assert refused.code == 2
    assert "can be written by others" in refused.err
    assert "chmod go-w" in refused.err
    assert offboard("show", "plan.json").code == 0
    assert offboard("--json", "sandbox", "journal").json == []


def test_a_plan_is_not_written_through_a_link_or_into_an_open_file(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "plan.json.part").symlink_to(tmp_path / "precious")
    (tmp_path / "plan.json").symlink_to(tmp_path / "precious")
    assert offboard("plan", "leaver", USER, "--out", "plan.json").code == 0

    assert (tmp_path / "precious").read_text() == "keep"
    assert not (tmp_path / "plan.json").is_symlink()

    (tmp_path / "other.json.part").write_text("")
    (tmp_path / "other.json.part").chmod(0o666)
    assert offboard("plan", "leaver", USER, "--out", "other.json").code == 0
    assert stat.S_IMODE((tmp_path / "other.json").stat().st_mode) == 0o600


def test_a_pipe_in_the_place_of_the_next_plan_is_not_waited_for(offboard: Offboard, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json.part")

    assert offboard("plan", "leaver", USER, "--out", "plan.json").code == 0
    assert (tmp_path / "plan.json").is_file()


def test_files_that_do_not_end_are_refused_and_not_read_to_the_end(offboard: Offboard, tmp_path: Path) -> None:
    with open(tmp_path / "vast", "wb") as file:
        file.truncate(10 * 1024**4)  # sparse: ten terabytes that take no room
    (tmp_path / "vast").chmod(0o600)
    for words in (
        ["run", "leaver", "--leavers", "vast", "--yes"],
        ["run", "./vast", USER, "--yes"],
        ["--config", "vast", "run", "leaver", USER, "--yes"],
    ):
        found = offboard(*words)
        assert found.code == 2, words
        assert "vast" in found.err


@pytest.mark.parametrize("name", ["runs.db", "sandbox", "tenants"])
def test_a_link_planted_in_the_state_folder_is_not_followed(offboard: Offboard, tmp_path: Path, name: str) -> None:
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    state.mkdir(mode=0o700)
    elsewhere.mkdir(mode=0o755)
    (state / name).symlink_to(elsewhere / name if name == "runs.db" else elsewhere)
    found = offboard("run", "leaver", USER, "--yes")

    assert found.code in (2, 5), found.out + found.err
    assert name in found.err
    assert list(elsewhere.iterdir()) == []


def run_installed(
    tmp_path: Path, *words: str, command: tuple[str, ...] = (str(COMMAND),)
) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environ |= {"OFFBOARD_STATE": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    return subprocess.run([*command, *words], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [(str(COMMAND),), (sys.executable, "-m", "offboard")], ids=["offboard", "python -m"])
def test_modules_that_lie_in_the_working_directory_are_not_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    for name in ("yaml", "json", "click", "httpx", "sqlite3", "secrets", "resource", "dbos"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise SystemExit(99)\n")
    (tmp_path / "offboard").mkdir()
    (tmp_path / "offboard" / "__init__.py").write_text("raise SystemExit(99)\n")
    done = run_installed(tmp_path, "run", "leaver", USER, "--yes", command=command)

    assert not (tmp_path / "ran").exists()
    if command[0] == str(COMMAND):
        assert done.returncode in (0, 1), done.stderr


def test_the_process_leaves_no_core_dump(tmp_path: Path) -> None:
    import resource

    crash = "import sys\nfrom offboard.cli import main\nsys.argv = ['offboard', '--version']\n"
    crash += (
        "try:\n    main()\nexcept SystemExit:\n    pass\nimport resource\nprint(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    done = subprocess.run(
        [sys.executable, "-c", crash],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)),
    )

    assert done.stdout.splitlines()[-1] == "(0, 0)"


def test_a_stray_error_is_told_without_its_text(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys, threading
from offboard.cli.process import keep_to_itself
from offboard.cli.session import run_async
keep_to_itself()
def bad(): raise ValueError("secret-7381 {tmp_path}")
class Dying:
    def __del__(self): bad()
threading.Thread(target=bad).start()
Dying()
async def main():
    async def lost(): bad()
    task = asyncio.ensure_future(lost())
    await asyncio.sleep(0)
    del task
    import gc; gc.collect()
    return 0
run_async(main)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.count("ValueError in the background") == 3
    assert "secret-7381" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_report_names_places_and_no_folders_of_this_machine(
    offboard: Offboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from offboard.actions.disable_user import DisableUser

    def broken(*_: object) -> None:
        raise KeyError("secret-7381 of SawyerM@contoso.com")

    monkeypatch.setattr(DisableUser, "requests", broken)
    for words in ([], ["--json"]):
        found = offboard(*words, "run", "leaver-now", "AdeleV@contoso.com" if words else USER, "--yes")
        said = found.err + (found.out.splitlines()[-1] if words else "")
        report = said[said.rindex("This is a bug") :]

        assert found.code == 70, said
        assert "KeyError" in report
        assert "executor.py" in report
        for value in ("secret-7381", "SawyerM", str(ROOT), str(tmp_path), str(Path.home())):
            assert value not in report
