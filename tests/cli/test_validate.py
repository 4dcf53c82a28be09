"""`offboard validate`: what it prints about harmful playbooks, and the code it ends with."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Offboard

REVOKED_FIRST = "playbook: p\ndescription: d\nsteps:\n  - revoke-sessions\n  - disable-user\n"
REMARKED = "playbook: p\ndescription: d\nsteps:\n  - disable-user\n  - revoke-sessions\n  - delete-user\n"


def test_a_warning_is_explained_and_is_no_error(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(REVOKED_FIRST)
    said = offboard("validate", "p.yaml")

    assert said.code == 0
    assert "p.yaml:4  warning OFB201  sessions are revoked before the user is disabled" in said.out
    assert "Disable first, or revoke once more afterwards." in said.out
    assert "More: offboard explain OFB201" in said.out


def test_strict_makes_a_warning_an_error_and_leaves_a_remark_one(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(REVOKED_FIRST)
    (tmp_path / "r.yaml").write_text(REMARKED)
    warned, remarked = offboard("validate", "--strict", "p.yaml"), offboard("validate", "--strict", "r.yaml")

    assert warned.code == 2
    assert "p.yaml:4  error OFB201" in warned.out
    assert remarked.code == 0
    assert "r.yaml:6  remark OFB205" in remarked.out


def test_a_program_is_told_why_and_how_to_mend(offboard: Offboard, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(REVOKED_FIRST)
    (report,) = offboard("--json", "validate", "--strict", "p.yaml").json
    (finding,) = report["findings"]

    assert (finding["code"], finding["severity"], finding["about"]) == ("OFB201", "error", "revoke-sessions")
    assert "can sign in again" in finding["explanation"]
    assert "Disable first" in finding["mend"]


def test_every_finding_is_explained_with_an_example_and_its_mended_twin(offboard: Offboard) -> None:
    page = offboard("explain", "ofb209").out
    assert "Found in:" in page
    assert "- enable-user" in page.partition("Found in:")[2].partition("Mended:")[0]
    assert "- enable-user" not in page.partition("Mended:")[2]


def test_what_the_tenant_is_configured_for_is_held_against_what_may_be_lost(offboard: Offboard, tmp_path: Path) -> None:
    def codes() -> list[str]:
        (report,) = offboard("--json", "validate", "leaver").json
        return [finding["code"] for finding in report["findings"]]

    assert "OFB215" not in codes(), "the sandbox"
    config = tmp_path / "offboard.toml"
    tenant = '[tenants.t]\ntenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"\nclient_id = '
    tenant += '"00001111-aaaa-2222-bbbb-3333cccc4444"\n'
    config.write_text('default = "t"\n' + tenant)
    config.chmod(0o600)
    assert "OFB215" in codes()
    config.write_text(
        f'default = "t"\n{tenant}[tenants.t.guards]\nemergency_access = ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"]\n'
    )
    assert "OFB215" not in codes()
    config.write_text("this is no configuration")
    assert "OFB215" not in codes(), "whose fault is not the playbook's"
