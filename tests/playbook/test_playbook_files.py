"""Playbooks as files: there, not there, and without end."""

from pathlib import Path

import pytest

from offboard.errors import SourceError, UsageError
from offboard.loading.playbook import load

HEAD = "playbook: mine\n"


def test_a_playbook_that_is_not_there_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file") as caught:
        load(tmp_path / "none.yaml")
    assert caught.value.todo


def test_a_folder_is_not_a_playbook(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load(tmp_path)
    assert caught.value.why


def test_a_file_without_end_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(SourceError, match="larger than 256 KiB"):
        load("/dev/zero")


def test_a_playbook_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"{HEAD}steps: [disable-user]\n")
    assert load(file) == load(str(file), file.read_bytes())
