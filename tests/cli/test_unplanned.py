"""Somebody of a list about whom Graph says nothing that makes sense: named, left out, and the others are done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests.cli.conftest import Offboard
from tests.world import Time, fault

SAWYER, ADELE = "SawyerM@contoso.com", "AdeleV@contoso.com"
STEPS = "playbook: cut\ndescription: Cut access.\nsteps:\n  - disable-user\n  - revoke-sessions\n"


@pytest.fixture
def tenant(tmp_path: Path, time: Time) -> Iterator[Sandbox]:
    """A served tenant that has only trouble to tell of Sawyer."""
    rule = fault("re:/users/SawyerM[^/]*", "GET", times="all", status=500, code="UnknownError")
    sandbox = Sandbox.open(None, now=time.clock().now, behavior=Behavior(faults=FaultScript.parse([rule])))
    (tmp_path / "cut.yaml").write_text(STEPS)
    (tmp_path / "leavers.csv").write_text(f"user\n{SAWYER}\n{ADELE}\n")
    with ServerThread(sandbox) as server:
        config = tmp_path / "offboard.toml"
        config.write_text(f'default = "contoso"\n[tenants.contoso]\nsign_in = "none"\ngraph_url = "{server.url}"\n')
        config.chmod(0o600)
        yield sandbox
    sandbox.close()


def disabled(tenant: Sandbox) -> list[str]:
    return [entry.path.rpartition("/")[2][-2:] for entry in tenant.journal() if entry.method == "PATCH"]


def test_the_plan_names_who_is_missing_and_the_rest_is_applied(
    offboard: Offboard, tenant: Sandbox, tmp_path: Path
) -> None:
    planned = offboard("plan", "./cut.yaml", "--leavers", "leavers.csv", "--out", "plan.json")
    shown = offboard("show", "plan.json")
    applied = offboard("apply", "plan.json", "--yes")
    run = offboard("--json", "runs").json[0]["run"]
    report, status = offboard("report", run), offboard("status", run)

    assert planned.code == 1
    assert f"{SAWYER} is not in this plan" in planned.out
    assert f"{SAWYER} is not in this plan" in shown.out
    assert "500 UnknownError" in shown.out
    assert applied.code == 1
    assert "Finished, but not for everybody." in applied.out
    assert f"Plan for who is missing: offboard plan cut {SAWYER}" in applied.out
    assert disabled(tenant) == ["03"]
    assert f"{SAWYER} was not in the plan" in status.out
    assert f"{SAWYER} was asked for" in report.out.replace("`", "")


def test_run_does_the_others_and_ends_with_one(offboard: Offboard, tenant: Sandbox) -> None:
    said = offboard("--json", "run", "./cut.yaml", "--leavers", "leavers.csv", "--yes")

    assert said.code == 1
    assert [each["user"] for each in said.lines[-1]["unplanned"]] == [SAWYER]
    assert said.lines[-1]["exit_code"] == 1
    assert disabled(tenant) == ["03"]


def test_for_one_leaver_alone_it_is_an_error_and_no_plan(offboard: Offboard, tenant: Sandbox, tmp_path: Path) -> None:
    said = offboard("plan", "./cut.yaml", SAWYER, "--out", "plan.json")

    assert said.code == 5
    assert SAWYER in said.err
    assert not (tmp_path / "plan.json").exists()
    assert tenant.journal() == []
