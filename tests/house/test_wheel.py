"""The wheel carries what it needs, and nothing that belongs to the tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_wheel_carries_playbooks_schemas_and_the_sandbox(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("entra_offboard-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"offboard/shipped/playbooks/{path.name}" for path in (ROOT / "playbooks").glob("*.yaml")} <= names
    assert {f"offboard/shipped/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")} <= names
    assert "offboard/sandbox/contoso.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]
