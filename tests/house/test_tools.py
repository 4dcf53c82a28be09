"""Lint, format, types, and everything generated being fresh: run as tests, so that one command proves the house in order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from offboard.pages import stale
from offboard.schema import write_all

ROOT = Path(__file__).parent.parent.parent
PYTHON = sys.executable


@pytest.mark.parametrize(
    "words",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--cache-dir", "{cache}"],
    ],
    ids=["ruff check", "ruff format", "mypy strict"],
)
def test_the_tool_finds_nothing(words: list[str], tmp_path: Path) -> None:
    command = [PYTHON, "-m", *(word.format(cache=tmp_path) for word in words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_published_schemas_are_fresh() -> None:
    assert write_all(ROOT / "schemas", check=True) == [], "run: python -m offboard.schema"


def test_the_reference_pages_are_fresh() -> None:
    assert stale(ROOT / "docs" / "reference") == [], "run: python -m offboard.pages"


def test_the_help_in_the_readme_is_the_programs_own() -> None:
    done = subprocess.run([PYTHON, "-m", "offboard", "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    block = re.search(r"<!-- help -->\n```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert block is not None
    assert done.stdout.strip() == block.group(1).strip()


def test_the_project_speaks_of_the_product_alone() -> None:
    banned = re.compile(r"(^|[^a-z])/(work|farm|tmp/venv)/|\.\./shared|sub-?agent|\bclaude\b", re.IGNORECASE)
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    said = [
        name
        for name in tracked
        if name.endswith((".py", ".md", ".yaml", ".toml", ".json")) and name != "tests/house/test_tools.py"
        if banned.search((ROOT / name).read_text())
    ]

    assert said == []
