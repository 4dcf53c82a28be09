"""Measure start-up, HTTP requests and wall time per leaver, and write `benchmarks/RESULTS.md`.

    python -m benchmarks [--repeat 15]

Every figure of a leaver is taken against the sandbox served on loopback with a latency of 80–150 ms per request, and only
after the sandbox's journal shows that all effects happened.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "RESULTS.md"
OFFBOARD = [sys.executable, "-m", "offboard"]
TENANT = """
default = "loopback"
[tenants.loopback]
tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
sign_in = "none"
graph_url = "{url}"
[tenants.loopback.guards]
approval = "none"
"""
EFFECTS = {"leaver-now": 8, "leaver": 0, "emergency": 0, "entra-article": 0}


@dataclass(frozen=True)
class Row:
    """One measured figure."""

    what: str
    goal: str
    values: tuple[float, ...]
    unit: str

    def line(self) -> str:
        """As a row of the table."""
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        return f"| {self.what} | {self.goal} | {middle:.3g} {self.unit} | {low:.3g} to {high:.3g} | {len(self.values)} |"


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--repeat", type=int, default=15, help="runs per start-up figure")
    options = parser.parse_args()
    rows = [*start_up(options.repeat), *one_leaver(max(5, options.repeat // 3))]
    RESULTS.write_text(report(rows), encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def start_up(repeat: int) -> Iterator[Row]:
    """Fresh processes, warm file cache, bytecode present."""
    commands: Sequence[tuple[str, str, list[str]]] = (
        ("`python -c pass` (the floor)", "–", [sys.executable, "-c", "pass"]),
        ("`offboard --help`", "≤ 0.15 s", [*OFFBOARD, "--help"]),
        ("`offboard validate leaver`", "≤ 0.30 s", [*OFFBOARD, "validate", "leaver"]),
        ("`offboard actions`", "–", [*OFFBOARD, "actions"]),
    )
    times: dict[str, list[float]] = {name: [] for name, _, _ in commands}
    for turn in range(repeat + 1):
        for name, _, words in commands:  # interleaved, so that a noisy minute hits all alike
            seconds = timed(words)
            if turn:
                times[name].append(seconds)
    for name, goal, _ in commands:
        yield Row(name, goal, tuple(times[name]), "s")


def timed(words: list[str]) -> float:
    """Wall time of one process, in seconds."""
    begun = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - begun


def one_leaver(repeat: int) -> Iterator[Row]:
    """Plan, apply and verify the article's steps for one leaver, over a socket."""
    requests, walls, cpus = [], [], []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as url:
            config = Path(folder) / "offboard.toml"
            config.write_text(TENANT.format(url=url))
            config.chmod(0o600)
            words = [*OFFBOARD, "--config", str(config), "--state", f"{folder}/mine", "--json", "run", "leaver-now"]
            before, begun = os.times(), time.perf_counter()
            done = subprocess.run(
                [*words, "SawyerM@contoso.com", "--yes"], capture_output=True, text=True, check=False, cwd=ROOT
            )
            walls.append(time.perf_counter() - begun)
            after = os.times()
            cpus.append(after.children_user + after.children_system - before.children_user - before.children_system)
            journal, count = facts(Path(folder))
            assert journal == EFFECTS["leaver-now"], f"only {journal} effects: {done.stdout} {done.stderr}"
            requests.append(float(count))
    yield Row("HTTP requests, one leaver, `leaver-now`, plan + apply + verify", "≤ 12", tuple(requests), "")
    yield Row("wall time of the same, latency 80–150 ms, process start included", "–", tuple(walls), "s")
    yield Row("CPU time of the same process", "–", tuple(cpus), "s")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The sandbox on a free port, with latency."""
    words = [*OFFBOARD, "--state", str(folder / "tenant"), "sandbox", "serve", "--port", "0", "--delay", "80-150ms"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        ask = Request(f"{url}/v1.0/organization", headers={"Authorization": "Bearer warm-up"})
        urlopen(ask, timeout=10).read()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def facts(folder: Path) -> tuple[int, int]:
    """Effects in the journal, and HTTP requests that the tenant saw after the warm-up."""
    from offboard.sandbox.tenant import Sandbox

    sandbox = Sandbox.open(folder / "tenant" / "sandbox")
    try:
        return len(sandbox.journal()), sum(1 for each in sandbox.requests() if not each.item) - 1
    finally:
        sandbox.close()


def report(rows: Sequence[Row]) -> str:
    """The results as a page."""
    lines = [
        "# Results",
        "",
        f"Made by `python -m benchmarks` on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}.",
        "Medians; the spread is the smallest and the largest value of the runs.",
        "",
        "| what | goal | median | spread | runs |",
        "|---|---|---|---|---|",
        *(row.line() for row in rows),
        "",
        "Not measured yet: bulk runs, peers, memory at 10,000 leavers, growth. They belong to the durable engine.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
