"""At a terminal: it asks, it understands no as no, and it stops when told to."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offboard.sandbox.tenant import Sandbox

ROOT = Path(__file__).parent.parent.parent
OFFBOARD = [sys.executable, "-m", "offboard"]
USER = "SawyerM@contoso.com"


def environment(folder: Path) -> dict[str, str]:
    """A state folder of its own, and no configuration."""
    return {
        **os.environ,
        "OFFBOARD_STATE": str(folder / "state"),
        "XDG_CONFIG_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
    }


def at_terminal(folder: Path, words: list[str], typed: str, prompt: str) -> tuple[int, str]:
    """Run a command at a terminal, type an answer once the prompt is seen, and return its code and all it said."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(sys.executable, [*OFFBOARD, *words], environment(folder))
    said, answered, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if not answered and prompt.encode() in said:
            os.write(terminal, typed.encode())
            answered = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace")


def effects(folder: Path) -> int:
    """What the tenant executed."""
    sandbox = Sandbox.open(folder / "state" / "sandbox")
    try:
        return len(sandbox.journal())
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    ("playbook", "typed", "code", "count"),
    [("leaver-now", "1\n", 1, 11), ("leaver-now", "y\n", 5, 0), ("leaver-now", "\n", 5, 0), ("emergency", "y\n", 1, 7)],
)
def test_it_asks_before_it_acts(tmp_path: Path, playbook: str, typed: str, code: int, count: int) -> None:
    prompt = "Type the number of leavers" if playbook == "leaver-now" else "Go on?"
    found, said = at_terminal(tmp_path, ["run", playbook, USER], typed, prompt)

    assert (code, count) == (found, effects(tmp_path)), said
    assert "Sawyer Miller and nobody else" in said
    assert "\x1b[" in said, "at a terminal it is colored"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_stops_resumable(tmp_path: Path, number: int) -> None:
    serve = [*OFFBOARD, "--state", str(tmp_path / "served"), "sandbox", "serve", "--lag", "600"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=environment(tmp_path))
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        config = tmp_path / "offboard.toml"
        config.write_text(
            f'default = "t"\n[tenants.t]\ntenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"\n'
            f'sign_in = "none"\ngraph_url = "{url}"\n'
        )
        config.chmod(0o600)
        run = subprocess.Popen(
            [*OFFBOARD, "run", "leaver-now", USER, "--yes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
        assert run.stderr is not None
        for line in run.stderr:
            if "looking again" in line:  # effects are sent and cannot be read back yet
                break
        run.send_signal(number)
        begun = time.monotonic()
        out, err = run.communicate(timeout=30)
        assert time.monotonic() - begun < 5
        assert run.returncode == 5, out + err
        assert "offboard resume" in out + err
    finally:
        server.terminate()
        server.communicate(timeout=10)
