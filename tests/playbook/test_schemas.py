"""The published schemas: valid, up to date, and of one mind with the programs."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from offboard.actions import ACTIONS
from offboard.audit import Audit
from offboard.errors import SourceError, UsageError
from offboard.loading.playbook import load
from offboard.loading.source import data
from offboard.loading.yamlsource import read
from offboard.model import (
    Change,
    Doing,
    Effect,
    Leaver,
    LeaverPlan,
    Note,
    Objection,
    Plan,
    PlannedStep,
    Ref,
    Table,
    Tenant,
)
from offboard.planfile import seal
from offboard.planjson import to_json
from offboard.schema import SCHEMAS, schema, text, write_all
from offboard.schema.__main__ import main
from offboard.settings.config import load_config
from offboard.settings.configkeys import GUARDS, REPORT, TENANT

FOLDER = Path(__file__).parents[2] / "schemas"
NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)


def errors(name: str, document: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema(name)).iter_errors(document)]


def test_the_committed_schemas_are_what_the_classes_say() -> None:
    assert write_all(FOLDER, check=True) == [], "run: python -m offboard.schema"
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{name}.schema.json" for name in SCHEMAS)


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_each_schema_is_a_valid_one_with_a_title(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["title"].startswith(("offboard", "A record"))
    assert json.loads(text(name)) == schema(name)


def test_an_unknown_schema_is_refused_with_the_near_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'playbook'"):
        schema("playbok")


def test_stale_schemas_are_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_all(tmp_path, check=True) == list(SCHEMAS)
    assert list(tmp_path.iterdir()) == []
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "plan.schema.json").write_text("{}")
    capsys.readouterr()
    assert main(["--check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.strip() == f"{tmp_path}/plan.schema.json is stale"


def objects(node: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every subschema that speaks of an object's properties."""
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}.{key}")
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from objects(value, f"{path}[{n}]")


@pytest.mark.parametrize("name", ["playbook", "plan", "tenants"])
def test_every_object_is_closed_and_nothing_is_an_alternative(name: str) -> None:
    for path, node in objects(schema(name)):
        assert node.get("additionalProperties") is not None, path
    assert "oneOf" not in text(name)


def test_each_action_has_a_branch_with_its_own_words_and_parameters() -> None:
    branches = schema("playbook")["properties"]["steps"]["items"]["else"]["allOf"]
    assert [branch["if"]["properties"]["action"]["const"] for branch in branches] == list(ACTIONS)
    for branch, action in zip(branches, ACTIONS.values(), strict=True):
        properties = branch["then"]["properties"]
        assert properties["action"]["description"].endswith(".")
        assert set(properties["with"]["properties"]) == set(action.parameters)
        assert action.example in properties["with"]["description"]


@pytest.mark.parametrize("name", list(ACTIONS))
def test_the_example_of_each_action_is_a_step(name: str) -> None:
    example = ACTIONS[name].example.replace("\n", "\n  ")
    found = load("example", f"playbook: example\nsteps:\n  {example}\n".encode())
    assert [step.action for step in found.steps] == [name]


@pytest.mark.parametrize(
    "source",
    [
        "playbook: p\nsteps: [disable-user]",
        "playbook: p\nsteps: [{action: delete-user, due: T+30d}]",
        "playbook: p\nsteps: [{action: delete-user, due: T+30}]",
        "playbook: p\nsteps: [{action: delete-user, with: {a: b}}]",
        "playbook: p\nsteps: [{action: unown-devices, with: {devices: {id: x}}}]",
        "playbook: p\nsteps: [{action: unown-devices, with: {devices: registered}}]",
        "playbook: p\nsteps: [nothing]",
        "playbook: p\nsteps: []",
        "playbook: p\nsteps: [disable-user]\nparameters: {user: {}}",
        "playbook: p\nsteps: [disable-user]\naccept: [synced-user]",
        "steps: [disable-user]",
    ],
)
def test_loader_and_published_schema_agree(source: str) -> None:
    document = data(read("p", source.encode()).root)
    published = json.loads((FOLDER / "playbook.schema.json").read_text())
    try:
        load("p", source.encode())
    except SourceError:
        loads = False
    else:
        loads = True
    assert Draft202012Validator(published).is_valid(document) is loads


def a_plan() -> Plan:
    head = b"playbook: p\naccept: [a-b]\nparameters: {x: {}}\n"
    book = load("p", head + b"steps: [{action: delete-user, due: T+2h, when: 'true'}]")
    ref = Ref("user", "1", "Sawyer")
    change = Change("delete", ref, {"a": 1}, "gone", Effect.RECOVERABLE, NOW, (ref,), {"owner": "2"})
    planned = PlannedStep(
        book.steps[0],
        NOW,
        (change, Change("free", ref)),
        (Note(Doing.KEEP, ref, "stays", "license-by-group", open=True), Note(Doing.ASK, None, "do", "by-hand")),
        (Table("Deleted", ("id",), ({"id": "1"},)),),
        "not now",
    )
    leaver = Leaver("1", "s@contoso.com", "Sawyer", {"department": "Sales"})
    each = LeaverPlan(leaver, NOW, {"id": "1"}, (planned,), (Objection("g", "warn", "r"),), ("c",))
    tenant = Tenant("t", "contoso.com", "c")
    return seal(Plan("id", NOW, NOW, tenant, book, (each,), "me", {"delete-user": 1}, ({"a": []},)))


def test_a_plan_as_written_fits_its_schema() -> None:
    assert errors("plan", to_json(a_plan())) == []


def test_a_plan_with_anything_more_or_less_does_not_fit() -> None:
    plan = to_json(a_plan())
    assert errors("plan", {**plan, "more": 1})
    for key in plan:
        assert errors("plan", {k: v for k, v in plan.items() if k != key})
    plan["leavers"][0]["steps"][0]["changes"][0]["effect"] = "harmless"
    assert errors("plan", plan)


def test_an_audit_record_as_written_fits_its_schema(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "audit.jsonl", now=lambda: NOW) as audit:
        record = audit.write(
            "intent",
            run="r",
            plan="p",
            step="s",
            action="delete-user",
            actor="me",
            leaver={"id": "1", "upn": "s@contoso.com"},
            change={"verb": "delete"},
            graph={"method": "DELETE", "path": "/users/1", "status": None, "attempts": 1},
        )
    assert errors("audit", record) == []
    assert errors("audit", {**record, "more": 1})
    assert errors("audit", {k: v for k, v in record.items() if k != "hash"})


def test_the_tenants_schema_knows_every_key_and_no_other() -> None:
    tenant = schema("tenants")["properties"]["tenants"]["additionalProperties"]["properties"]
    assert set(tenant) == {*TENANT, "guards", "report"}
    assert set(tenant["report"]["properties"]) == set(REPORT)
    assert set(tenant["guards"]["properties"]) == set(GUARDS)
    assert all(tenant[name]["description"] == TENANT[name].text for name in TENANT)


GOOD = """
default = "contoso"
[tenants.contoso]
tenant_id = "00000000-0000-0000-0000-000000000001"
client_id = "00000000-0000-0000-0000-000000000002"
sign_in = "client-secret-file"
client_secret_file = "secret"
cloud = "usgov"
[tenants.contoso.guards]
protected_users = ["admin@contoso.com"]
max_leavers = 25
max_percent = 2.5
approval = "all"
"""


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        ("$^", ""),
        ('cloud = "usgov"', 'cloud = "mars"'),
        ('client_secret_file = "secret"', ""),
        ('tenant_id = "[^"]*"', 'tenant_id = "contoso"'),
        ("max_leavers = 25", "max_leavers = -1"),
        ("max_leavers = 25", "max_leaver = 1"),
        ('sign_in = "client-secret-file"', 'sign_in = "password"'),
        ('\\["admin@contoso.com"\\]', '"admin@contoso.com"'),
    ],
)
def test_the_tenants_schema_and_the_program_agree(pattern: str, instead: str, tmp_path: Path) -> None:
    source = re.sub(pattern, instead, GOOD)
    file = tmp_path / "offboard.toml"
    file.write_text(source)
    file.chmod(0o600)
    try:
        load_config(file, tmp_path)
    except SourceError:
        loads = False
    else:
        loads = True
    assert loads is (source == GOOD)
    assert (errors("tenants", tomllib.loads(source)) == []) is loads
