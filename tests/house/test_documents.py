"""Documents that could lie are tests: every YAML example is loaded, every playbook is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from offboard.actions import ACTIONS
from offboard.loading.playbook import load

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
EXAMPLES = [
    (path, number, text)
    for path in PAGES
    if path.exists()
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL))
]


@pytest.mark.parametrize(("path", "number", "text"), EXAMPLES, ids=[f"{p.relative_to(ROOT)}#{n}" for p, n, _ in EXAMPLES])
def test_every_yaml_example_is_one_that_loads(path: Path, number: int, text: str) -> None:
    value = yaml.safe_load(text)
    if isinstance(value, dict) and "playbook" in value:
        load(f"{path.name}#{number}", text.encode())
    elif isinstance(value, list) and value and isinstance(value[0], dict) and "action" in value[0]:
        whole = "playbook: example\ndescription: From the documents.\nsteps:\n" + "".join(
            f"  {line}\n" for line in text.splitlines()
        )
        load(f"{path.name}#{number}", whole.encode())
    else:
        assert value, "an example that is no playbook and no step is at least some YAML"


def test_every_action_is_in_the_reference_and_in_the_schema() -> None:
    for name in ACTIONS:
        assert (ROOT / "docs" / "reference" / "actions" / f"{name}.md").exists()
        assert name in (ROOT / "schemas" / "playbook.schema.json").read_text()
