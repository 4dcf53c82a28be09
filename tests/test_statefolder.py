"""The state folder is ours alone, or it is not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offboard.errors import UsageError
from offboard.settings.statefolder import StateFolder


def test_the_option_comes_before_the_environment(tmp_path: Path) -> None:
    environ = {"OFFBOARD_STATE": str(tmp_path / "env")}
    assert StateFolder.open(tmp_path / "option", environ).path == tmp_path / "option"
    assert StateFolder.open(None, environ).path == tmp_path / "env"


def test_without_either_it_is_in_the_accounts_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = StateFolder.open(None, {"OFFBOARD_STATE": ""}).path
    assert found.is_relative_to(tmp_path)
    assert found.name == "offboard"


def test_it_is_made_for_its_owner_alone_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state = StateFolder.open(tmp_path / "a", {})
        tenant = state.tenant_folder("contoso")
    finally:
        os.umask(before)
    assert tenant == tmp_path / "a" / "tenants" / "contoso"
    for folder in (state.path, tenant, tenant.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(mode)
    with pytest.raises(UsageError, match="written by others") as seen:
        StateFolder.open(tmp_path / "a", {})
    assert seen.value.exit_code == 2
    assert "chmod go-w" in seen.value.todo


def test_a_file_or_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link", "file/below"):
        with pytest.raises(UsageError, match="not a folder") as seen:
            StateFolder.open(tmp_path / name, {})
        assert "--state" in seen.value.todo
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_account_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    os.chown(tmp_path / "a", 4711, -1)
    with pytest.raises(UsageError, match="another account"):
        StateFolder.open(tmp_path / "a", {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        StateFolder.open(tmp_path / "a", {})
    with pytest.raises(UsageError, match="cannot be used"):
        StateFolder.open(tmp_path / "a" / "b", {})


def test_a_place_where_no_folder_can_be_made_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot be used|not a folder") as seen:
        StateFolder.open(Path("/proc/none"), {})
    assert seen.value.why


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/b", "a\0b", "ä", "x" * 65, "a b", "a\n"])
def test_a_tenant_cannot_name_a_place_outside(tmp_path: Path, key: str) -> None:
    state = StateFolder.open(tmp_path / "a", {})
    with pytest.raises(UsageError, match="cannot be a tenant's name"):
        state.tenant_folder(key)
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_link_planted_inside_is_not_followed(tmp_path: Path) -> None:
    state = StateFolder.open(tmp_path / "a", {})
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    state.tenant_folder("contoso")
    (state.path / "tenants" / "evil").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="but a link"):
        state.tenant_folder("evil")
