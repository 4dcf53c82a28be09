"""Seeds: a tenant of one's own, and errors that name the entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from offboard.sandbox.seed import plant
from offboard.sandbox.seedfile import SeedError, contoso, load_seed, parse_seed
from offboard.sandbox.tenant import Sandbox
from tests.sandbox.conftest import Clock

pytestmark = pytest.mark.anyio

SMALL = """
tenant: {id: 11111111-2222-4333-8444-555555555555, displayName: Woodgrove, domains: [woodgrove.com]}
skus: [{skuId: 05e9a617-0261-4cee-bb44-138d3ef5d965, skuPartNumber: SPE_E3, enabled: 1}]
people:
  - {userPrincipalName: ada@woodgrove.com, displayName: Ada, licenses: [SPE_E3], manager: bo@woodgrove.com}
  - {userPrincipalName: bo@woodgrove.com, displayName: Bo, deleted_days_ago: 2}
devices: [{displayName: PC, owner: ada@woodgrove.com}]
groups: [{displayName: All, kind: microsoft365, members: [ada@woodgrove.com, PC]}]
"""


async def test_a_seed_of_ones_own_becomes_the_tenant(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    sandbox.reset(parse_seed(SMALL, "small.yaml"))
    first = (await http.get("/users/ada@woodgrove.com")).json()["id"]
    assert sandbox.tenant_id == "11111111-2222-4333-8444-555555555555"
    assert (await http.get("/users/SawyerM@contoso.com")).status_code == 404
    assert len((await http.get("/users/ada@woodgrove.com/memberOf")).json()["value"]) == 1
    assert (await http.get("/subscribedSkus")).json()["value"][0]["consumedUnits"] == 1
    sandbox.reset(parse_seed(SMALL, "small.yaml"))
    assert (await http.get("/users/ada@woodgrove.com")).json()["id"] == first  # ids follow from the names


def changed(**sections: Any) -> dict[str, Any]:
    return {**parse_seed(SMALL, "small.yaml"), **sections}


def person(more: dict[str, Any], times: int = 1) -> dict[str, Any]:
    return changed(people=[{"userPrincipalName": "x@y", "displayName": "X", **more}] * times)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({}, "tenant: needs"),
        (changed(persons=[]), "seed: unknown key 'persons'"),
        (changed(people={"x": 1}), "people: must be a list"),
        (changed(people=[{"displayName": "X"}]), r"people\[0\] \(X\): needs 'userPrincipalName'"),
        (person({"jobtitle": "a"}), r"people\[0\] \(x@y\): unknown key 'jobtitle'"),
        (person({"accountEnabled": "no"}), "'accountEnabled' does not hold a boolean"),
        (person({"id": "1"}), "'id' is not a GUID"),
        (person({"manager": "z@y"}), "there is no 'z@y' among the people"),
        (person({"licenses": ["E5"]}), "there is no 'E5' among the skus"),
        (person({"roles": ["King"]}), "there is no role 'King'"),
        (person({"methods": [{"type": "carrier pigeon"}]}), r"methods\[0\] needs a 'type'"),
        (person({"deleted_days_ago": "three"}), "is a number of days"),
        (person({}, times=2), r"people\[1\] \(x@y\): 'x@y' is already there"),
        (changed(groups=[{"displayName": "G", "kind": "secret"}]), "'kind' out of"),
        (changed(devices=[{"displayName": "D", "owner": "nobody@y"}]), "there is no 'nobody@y'"),
        (changed(skus=[{"skuPartNumber": "E"}]), "needs 'skuId'"),
        (changed(apps=[{"displayName": "A"}]), "needs 'appId'"),
    ],
)
def test_a_bad_seed_names_the_entry(clock: Clock, seed: dict[str, Any], message: str) -> None:
    with pytest.raises(SeedError, match=message):
        plant(seed, clock())


def test_a_bad_seed_leaves_the_tenant_as_it_was(sandbox: Sandbox) -> None:
    before = sandbox.tenant_id
    with pytest.raises(SeedError):
        sandbox.reset({"tenant": {}})
    assert sandbox.tenant_id == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100, "too deep"),
        ("[" * 50_000, "too deep|nesting depth"),  # newer versions of libyaml give up before we do
        ("a: &x 1\nb: *x\n", "aliases"),
        ("a: [", "not valid YAML"),
        ("just text", "a seed is a mapping"),
    ],
)
def test_hostile_text_is_an_error_and_not_a_crash(text: str, message: str) -> None:
    with pytest.raises(SeedError, match=message):
        parse_seed(text, "evil.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"absent\.yaml"):
        load_seed(tmp_path / "absent.yaml")
    (tmp_path / "small.yaml").write_text(SMALL)
    assert load_seed(tmp_path / "small.yaml")["tenant"]["displayName"] == "Woodgrove"


def test_contoso_has_a_case_of_everything(clock: Clock) -> None:
    planted = plant(contoso(), clock())
    people = [e for e in planted.entities if e.type == "user"]
    groups = [e.body for e in planted.entities if e.type == "group"]
    assert any(user.body["userType"] == "Guest" for user in people)
    assert any(user.body.get("onPremisesSyncEnabled") for user in people)
    assert any("'" in user.body["userPrincipalName"] for user in people)
    assert [user.id for user in people if user.deleted] == ["dddddddd-3333-4444-5555-eeeeeeeeeeee"]
    assert len({user.body["displayName"] for user in people}) == len(people) - 1
    assert {tuple(group["groupTypes"]) for group in groups} == {(), ("Unified",), ("DynamicMembership",)}
    assert any(group.get("isAssignableToRole") for group in groups)
    assert any(group.get("onPremisesSyncEnabled") for group in groups)
