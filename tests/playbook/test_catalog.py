"""Where playbooks are found."""

from pathlib import Path

import pytest

from offboard.errors import UsageError
from offboard.loading.catalog import all_playbooks, find_playbook, shipped, shipped_schema

SHIPPED = ["emergency", "entra-article", "guest", "leaver", "leaver-now"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder, empty; and a home that is nobody's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "config" / "offboard" / "playbooks"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("playbook: x\nsteps: [disable-user]\n")
    return folder / name


def test_the_shipped_playbooks_are_found_by_name_from_anywhere(here: Path) -> None:
    assert [(name, origin) for name, _, origin in all_playbooks(here)] == [(name, "shipped") for name in SHIPPED]
    for name in SHIPPED:
        assert find_playbook(name, here) == shipped("playbooks") / f"{name}.yaml"


def test_the_nearer_playbook_hides_the_farther_one(here: Path, own_folder: Path) -> None:
    own = put(own_folder, "leaver.yaml")
    assert find_playbook("leaver", here) == own
    near = put(here / "playbooks", "leaver.yaml")
    assert find_playbook("leaver", here) == near
    assert [origin for name, _, origin in all_playbooks(here) if name == "leaver"] == ["here"]


def test_playbooks_of_ones_own_are_listed_with_their_origin(here: Path, own_folder: Path) -> None:
    put(own_folder, "b.yml")
    put(here / "playbooks", "a.yaml")
    put(here / "playbooks", ".hidden.yaml")
    put(here / "playbooks", "notes.txt")
    (here / "playbooks" / "folder.yaml").mkdir()
    listed = {name: origin for name, _, origin in all_playbooks(here) if origin != "shipped"}
    assert listed == {"a": "here", "b": "own"}


def test_a_path_is_taken_as_it_is(here: Path) -> None:
    file = put(here, "mine.yaml")
    assert find_playbook("mine.yaml", here) == Path("mine.yaml")
    assert find_playbook("./mine.yaml", here) == Path("mine.yaml")
    assert find_playbook(str(file), here) == file
    assert find_playbook("here/mine.yaml", here.parent) == here.parent / "here/mine.yaml"


def test_a_file_without_suffix_is_found_when_it_is_there(here: Path) -> None:
    put(here, "mine")
    assert find_playbook("mine", here) == Path("mine")


def test_a_name_means_the_playbook_even_where_a_file_is_called_like_it(here: Path) -> None:
    put(here, "leaver")
    assert find_playbook("leaver", here) == shipped("playbooks") / "leaver.yaml"


@pytest.mark.parametrize("name", ["leavr", "./leavr.yaml", "leavr.yaml"])
def test_an_unknown_playbook_is_refused_with_the_near_name_and_all_names(name: str, here: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'leaver'") as caught:
        find_playbook(name, here)
    assert all(known in caught.value.todo for known in SHIPPED)


@pytest.mark.parametrize("name", ["", " ", "a\0b", "x" * 5000, "..", "/", "nowhere/to/be/found"])
def test_what_names_no_playbook_is_refused(name: str, here: Path) -> None:
    with pytest.raises(UsageError):
        find_playbook(name, here)


def test_a_shipped_schema_is_found_by_name() -> None:
    assert shipped_schema("playbook").name == "playbook.schema.json"
    assert shipped_schema("plan").is_file()
    with pytest.raises(UsageError, match="did you mean 'playbook'") as caught:
        shipped_schema("playbok")
    assert "tenants" in caught.value.todo
