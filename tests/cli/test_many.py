"""What is said of very many leavers: everybody once, with all that was done for them."""

from __future__ import annotations

import re
from pathlib import Path

from offboard.sandbox.crowd import person_name
from tests.cli.conftest import Offboard

MANY = 55
"""More than one turn carries, so that everybody's access is cut first."""
BOOK = """\
playbook: many
description: Access first, then the rest.
steps: [disable-user, revoke-sessions, reset-password, remove-licenses]
"""
LIFTED = ("--override", "max_leavers=a test of many", "--override", "max_percent=a test of many")


def test_of_many_each_is_told_once_when_all_is_done(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(BOOK)
    names = [person_name(n) for n in range(1, MANY + 1)]
    (tmp_path / "leavers.csv").write_text("user\n" + "\n".join(names) + "\n")
    assert offboard("sandbox", "reset", "--people", str(MANY)).code == 0

    said = offboard("run", "many.yaml", "--leavers", "leavers.csv", "--yes", *LIFTED)

    assert said.code == 0, said.err
    told = re.findall(r"^Person \d+ +(\S+) +(.*)$", said.out.rpartition("digest")[2], re.M)
    assert sorted(name for name, _ in told) == names
    assert {what for _, what in told} == {"4 changed"}
