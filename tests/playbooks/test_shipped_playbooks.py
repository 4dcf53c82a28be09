"""The playbooks that come with the tool: they load, and what is found about them is what is meant."""

from pathlib import Path

import pytest

from offboard.facts import Account
from offboard.findings import find
from offboard.loading.playbook import fill, load, resolve_parameters
from offboard.loading.texts import values
from offboard.model import Due, OnFailure, Playbook

FOLDER = Path(__file__).parents[2] / "playbooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def book(name: str) -> Playbook:
    return load(FOLDER / f"{name}.yaml")


def actions(name: str) -> list[str]:
    return [step.action for step in book(name).steps]


def test_these_are_shipped() -> None:
    assert NAMES == ["emergency", "entra-article", "guest", "leaver", "leaver-now"]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_called_like_its_file_says_what_it_is_for_and_names_its_schema(name: str) -> None:
    assert book(name).name == name
    assert book(name).description.endswith(".")
    lines = (FOLDER / f"{name}.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schemas/playbook.schema.json"
    assert sum(line.lstrip().startswith("#") for line in lines) > len(book(name).steps), "comments that teach"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("leaver", []),
        ("emergency", []),
        ("guest", []),
        ("leaver-now", [("OFB205", "remark")]),
        ("entra-article", [("OFB201", "warning"), ("OFB208", "warning"), ("OFB205", "remark")]),
    ],
)
def test_what_is_found_about_each(name: str, codes: list[tuple[str, str]]) -> None:
    assert [(finding.code, finding.severity) for finding in find(book(name))] == codes


def test_the_usual_playbook_deletes_after_thirty_days_and_everything_else_at_once() -> None:
    dues = [step.due for step in book("leaver").steps]
    assert dues == [Due()] * (len(dues) - 1) + [Due(30 * 1440)]
    assert actions("leaver")[-1] == "delete-user"
    assert "remove-licenses" not in actions("leaver")


def test_the_immediate_playbook_does_all_the_article_does_and_frees_the_licenses() -> None:
    assert actions("leaver-now") == [
        "disable-user",
        "reset-password",
        "revoke-sessions",
        "remove-sign-in-methods",
        "disable-devices",
        "unown-devices",
        "remove-licenses",
        "delete-user",
    ]


def test_the_article_is_followed_section_by_section_with_its_device_names() -> None:
    assert actions("entra-article") == [
        "revoke-sessions",
        "disable-user",
        "reset-password",
        "unown-devices",
        "disable-devices",
        "delete-user",
        "list-deleted-users",
        "list-deleted-users",
    ]
    article = book("entra-article")
    account = Account("id", "SawyerM@contoso.com", "Sawyer Miller")
    known = values(resolve_parameters(article, {}), account)
    named = [fill(step, known).parameters["devices"]["display_name"] for step in article.steps[3:5]]
    assert named == ["Sawyer Laptop", "Woodgrove Desktop"]
    assert article.steps[-1].parameters == {"sort": "newest"}


def test_the_emergency_begins_in_microsofts_order_keeps_everything_and_stops_at_nothing() -> None:
    assert actions("emergency")[:3] == ["disable-user", "revoke-sessions", "disable-devices"]
    assert actions("emergency")[-1] == "revoke-sessions"
    assert not {"delete-user", "remove-licenses"} & set(actions("emergency"))
    assert {step.on_failure for step in book("emergency").steps} == {OnFailure.CONTINUE}


def test_the_guest_playbook_touches_guests_only() -> None:
    assert {step.when for step in book("guest").steps} == {'leaver.userType == "Guest"'}
