"""Every command, as an administrator types it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Offboard
from tests.world import SAWYER, Time

USER = "SawyerM@contoso.com"


def test_the_main_job_in_one_command(offboard: Offboard) -> None:
    said = offboard("run", "leaver", USER, "--yes")

    assert said.code == 0, said.out + said.err
    assert "Done." in said.out
    assert "remove" in said.out
    journal = offboard("--json", "sandbox", "journal").json
    assert [entry["status"] for entry in journal] == [204, 204, 200, 204, 204, 204, 204, 204, 204]


def test_run_and_deleted_list_share_one_tenant(offboard: Offboard) -> None:
    offboard("run", "leaver-now", USER, "--yes")
    rows = offboard("--json", "deleted", "list").json

    assert [row["displayName"] for row in rows] == ["Sawyer Miller", "Avery Smith"]
    assert {"id", "userPrincipalName", "displayName", "accountEnabled", "deletedDateTime", "age_days", "userType"} == set(
        rows[0]
    )
    assert [row["displayName"] for row in offboard("--json", "deleted", "list", "--sort", "oldest").json] == [
        "Avery Smith",
        "Sawyer Miller",
    ]


def test_open_items_turn_the_exit_code_to_one_unless_accepted(offboard: Offboard) -> None:
    assert offboard("run", "leaver-now", USER, "--yes").code == 1
    offboard("sandbox", "reset")
    said = offboard("run", "leaver-now", USER, "--yes", "--accept", "shared-device")
    assert said.code == 0
    assert "Sawyer Laptop" in said.out


def test_plan_review_and_apply(offboard: Offboard, tmp_path: Path) -> None:
    planned = offboard("plan", "leaver", USER, "--out", "sawyer.json")
    shown = offboard("show", "sawyer.json")
    page = offboard("show", "sawyer.json", "--format", "html")
    text = offboard("show", "sawyer.json", "--format", "markdown")
    document = offboard("show", "sawyer.json", "--format", "json")
    applied = offboard("apply", "sawyer.json", "--yes")
    again = offboard("apply", "sawyer.json", "--yes")

    assert planned.code == 0
    assert "Woodgrove Desktop" in shown.out
    assert page.out.lstrip().lower().startswith("<!doctype html>")
    assert "Sawyer Miller" in text.out
    assert document.json["schema"] == "offboard.plan/1"
    assert os.stat(tmp_path / "sawyer.json").st_mode & 0o777 == 0o600
    assert applied.code == 0
    assert (again.code, "already carried out" in again.err) == (3, True)


def test_an_edited_plan_is_refused_with_three(offboard: Offboard, tmp_path: Path) -> None:
    offboard("plan", "leaver", USER, "--out", "sawyer.json")
    path = tmp_path / "sawyer.json"
    path.write_bytes(path.read_bytes().replace(b"Woodgrove Desktop", b"Woodgrove Laptop!"))
    said = offboard("apply", "sawyer.json", "--yes")

    assert said.code == 3
    assert "edited" in said.err


def test_a_dry_run_writes_nothing(offboard: Offboard) -> None:
    assert offboard("run", "leaver-now", USER, "--dry-run").code == 0
    assert offboard("--json", "sandbox", "journal").json == []


def test_without_a_terminal_nothing_is_assumed(offboard: Offboard) -> None:
    said = offboard("run", "leaver", USER)

    assert said.code == 2
    assert "--yes" in said.err
    assert offboard("--json", "sandbox", "journal").json == []


def test_json_streams_the_plan_each_result_and_the_verdict(offboard: Offboard) -> None:
    lines = offboard("--json", "run", "leaver", USER, "--yes").lines

    assert lines[0]["event"] == "plan"
    assert {"result"} == {line["event"] for line in lines[1:-1]}
    assert (lines[-1]["event"], lines[-1]["exit_code"]) == ("verdict", 0)
    assert lines[-1]["leavers"][0]["due_later"] == [{"step": "remove", "due": "2026-12-23T17:05:12Z"}]


def test_later_steps_are_carried_out_by_resume_when_they_fall_due(offboard: Offboard, time: Time) -> None:
    offboard("run", "leaver", USER, "--yes")
    early = offboard("resume")
    time.jump(days=30, minutes=1)
    late = offboard("resume")

    assert (early.code, late.code) == (0, 0), late.out + late.err
    assert [entry["step"] for entry in offboard("--json", "audit", "show", "--event", "intent").lines][-1:] == ["remove"]
    assert "Sawyer Miller" in offboard("deleted", "list").out
    assert "No run is open." in offboard("resume").err


def test_runs_and_status_tell_where_a_run_is(offboard: Offboard) -> None:
    offboard("run", "leaver", USER, "--yes")
    runs = offboard("--json", "runs").json
    status = offboard("--json", "status", runs[0]["run"]).json

    assert [(run["playbook"], run["state"], run["exit_code"]) for run in runs] == [("leaver", "open", 0)]
    assert [c["outcome"] for c in status["leavers"][0]["changes"] if c["step"] == "remove"] == ["waiting"]
    assert USER in offboard("runs").out
    assert "remove" in offboard("status", runs[0]["run"]).out


def test_the_articles_own_order_runs_and_shows_the_deleted_users_twice(offboard: Offboard) -> None:
    said = offboard("--json", "run", "entra-article", USER, "--yes")
    verdict = said.lines[-1]

    assert len(verdict["leavers"][0]["tables"]) == 2
    assert {SAWYER, "dddddddd-3333-4444-5555-eeeeeeeeeeee"} == {
        row["id"] for row in verdict["leavers"][0]["tables"][0]["rows"]
    }


def test_a_deleted_user_is_restored_and_purged(offboard: Offboard) -> None:
    restored = offboard("deleted", "restore", "AveryS@contoso.com", "--yes")
    gone = offboard("--json", "deleted", "list").json
    offboard("run", "leaver-now", USER, "--yes")
    purged = offboard("deleted", "purge", SAWYER, "--yes")

    assert (restored.code, gone, purged.code) == (0, [], 0)
    assert offboard("--json", "deleted", "list").json == []
    assert offboard("deleted", "purge", SAWYER, "--yes").code == 2
    assert offboard("audit", "verify").code == 0


def test_the_audit_is_shown_filtered_and_verified(offboard: Offboard, tmp_path: Path) -> None:
    run = offboard("--json", "run", "leaver", USER, "--yes").lines[-1]["run"]
    outcomes = offboard("--json", "audit", "show", "--run", run, "--leaver", USER, "--event", "outcome").lines
    path = tmp_path / "state" / "tenants" / "sandbox" / "audit.jsonl"
    good = offboard("--json", "audit", "verify").json
    path.write_bytes(path.read_bytes().replace(b"Woodgrove", b"Woodgrowe", 1))
    bad = offboard("--json", "audit", "verify")

    assert len(outcomes) == 9
    assert all(record["graph"]["request_id"] for record in outcomes)
    assert good["valid"]
    assert bad.code == 3
    assert bad.json["problem"]["line"] > 1


def test_permissions_name_what_an_app_cannot_do(offboard: Offboard) -> None:
    said = offboard("--json", "permissions", "leaver-now").json

    assert said["delegated_only"] == ["unown-devices"]
    assert "User.EnableDisableAccount.All" in said["delegated"]
    assert "Device.ReadWrite.All" in said["application"]
    assert "Directory.AccessAsUser.All" not in said["application"]


def test_permissions_are_those_of_the_chosen_tenant(offboard: Offboard, tmp_path: Path) -> None:
    joining, mailboxes = "PrivilegedEligibilitySchedule.Read.AzureADGroup", "MailboxSettings.Read"
    usual = offboard("--json", "permissions", "leaver").json["application"]
    (tmp_path / "offboard.toml").write_text(
        'default = "t"\n[tenants.t]\nsign_in = "none"\ngraph_url = "http://127.0.0.1:9"\n'
        "[tenants.t.guards]\npim_for_groups = false\nread_mailboxes = true\n"
    )
    (tmp_path / "offboard.toml").chmod(0o600)
    said = offboard("--json", "permissions", "leaver").json["application"]

    assert (joining in usual, mailboxes in usual) == (True, False)
    assert (joining in said, mailboxes in said) == (False, True)


def test_a_list_of_leavers_from_stdin(offboard: Offboard) -> None:
    lines = offboard(
        "--json", "run", "leaver", "--leavers", "-", "--yes", stdin="user\nSawyerM@contoso.com\nIsaiahL@contoso.com\n"
    ).lines

    assert [each["leaver"]["displayName"] for each in lines[-1]["leavers"]] == ["Sawyer Miller", "Isaiah Langer"]


def test_one_leaver_of_whom_much_stays_open_does_not_stop_the_others(offboard: Offboard) -> None:
    lift = ("--override", "synced:LynneR@contoso.com=disabled in Active Directory today, HR-4711")
    said = offboard("--json", "run", "leaver", USER, "LynneR@contoso.com", "--yes", *lift)

    assert said.code == 1
    assert len(said.lines[-1]["leavers"]) == 2


def test_help_teaches_with_an_example_everywhere(offboard: Offboard) -> None:
    from offboard.cli.main import COMMANDS

    for name in COMMANDS:
        said = offboard(name, "--help")
        assert said.code == 0
        assert "Example:" in said.out, name


def test_completion_scripts_are_printed(offboard: Offboard) -> None:
    for shell in ("zsh", "fish"):
        assert "_OFFBOARD_COMPLETE" in offboard("completion", shell).out


def test_the_shell_completes_commands_playbooks_and_actions() -> None:
    from click.shell_completion import ShellComplete

    from offboard.cli.main import cli

    complete = ShellComplete(cli, {}, "offboard", "_OFFBOARD_COMPLETE")

    assert [item.value for item in complete.get_completions([], "val")] == ["validate"]
    assert [item.value for item in complete.get_completions(["run"], "lea")] == ["leaver", "leaver-now"]
    assert [item.value for item in complete.get_completions(["actions"], "rev")] == ["revoke-sessions"]


@pytest.mark.parametrize("name", ["playbook", "plan", "audit", "tenants"])
def test_schemas_are_printed(offboard: Offboard, name: str) -> None:
    assert offboard("schema", name).json["$schema"].startswith("https://json-schema.org/")


def test_a_plan_and_its_audit_validate_against_their_schemas(offboard: Offboard) -> None:
    from jsonschema import Draft202012Validator

    offboard("plan", "entra-article", USER, "--out", "plan.json")
    offboard("apply", "plan.json", "--yes")
    plan = Draft202012Validator(offboard("schema", "plan").json)
    audit = Draft202012Validator(offboard("schema", "audit").json)

    assert [error.message for error in plan.iter_errors(json.loads(Path("plan.json").read_text()))] == []
    for record in offboard("--json", "audit", "show").lines:
        assert [error.message for error in audit.iter_errors(record)] == []


def test_every_shipped_playbook_runs_to_its_end(offboard: Offboard, time: Time) -> None:
    people = {"guest": "dana_fabrikam.com#EXT#@contoso.onmicrosoft.com"}
    for book in offboard("--json", "playbooks").json:
        offboard("sandbox", "reset")
        first = offboard("run", book["name"], people.get(book["name"], USER), "--yes")
        time.jump(days=40)
        later = offboard("resume")
        assert first.code in (0, 1), book["name"] + first.out + first.err
        assert later.code in (0, 1), book["name"] + later.out + later.err
        assert "failed" not in first.out + later.out
    assert offboard("audit", "verify").code == 0


def test_a_leave_time_in_the_future_plans_everything_for_then(offboard: Offboard, time: Time) -> None:
    planned = offboard("--json", "run", "leaver", USER, "--leave", "2026-11-30T17:00+01:00", "--yes").lines
    nothing_yet = offboard("--json", "sandbox", "journal").json
    time.jump(days=7)
    offboard("resume")

    assert planned[0]["plan"]["leavers"][0]["leave"] == "2026-11-30T16:00:00Z"
    assert planned[-1]["leavers"][0]["due_later"][-1]["due"] == "2026-12-30T16:00:00Z"
    assert nothing_yet == []
    assert len(offboard("--json", "sandbox", "journal").json) == 9


def test_what_a_report_measures_by_stands_in_the_configuration(offboard: Offboard, tmp_path: Path) -> None:
    run = offboard("--json", "run", "leaver-now", USER, "--yes").lines[-1]["run"]
    log = str(tmp_path / "state" / "tenants" / "sandbox" / "audit.jsonl")
    config = tmp_path / "offboard.toml"
    config.write_text(
        'default = "t"\n[tenants.t]\nsign_in = "none"\ngraph_url = "http://127.0.0.1:9"\n'
        '[tenants.t.report]\ntarget_minutes = 5\nopen_items_days = 2\nopen_items_owner = "desk@contoso.com"\n'
    )
    config.chmod(0o600)
    (sawyer,) = offboard("report", run, "--audit", log, "--format", "json").json["leavers"]
    (other,) = offboard("report", run, "--audit", log, "--format", "json", "--target", "7").json["leavers"]

    (left,) = [each for each in sawyer["exceptions"] if each["code"] == "shared-device"]
    assert (left["owner"], left["due"][:10]) == ("desk@contoso.com", "2026-11-25")
    assert (sawyer["clock"]["target_seconds"], other["clock"]["target_seconds"]) == (300, 420)


def test_old_files_of_the_audit_are_removed_and_the_rest_is_reported_on_with_an_anchor(
    offboard: Offboard, tmp_path: Path
) -> None:
    folder = tmp_path / "state" / "tenants" / "sandbox"
    offboard("run", "leaver-now", USER, "--yes")
    offboard("audit", "rotate")
    run = offboard("--json", "run", "leaver", "IsaiahL@contoso.com", "--yes").lines[-1]["run"]
    (old,) = folder.glob("audit.1-*.jsonl")
    anchor = offboard("audit", "anchor", str(old)).out.strip()
    old.unlink()

    assert offboard("report", run).code == 3
    assert offboard("report", run, "--anchor", anchor).code == 0
    assert offboard("report", "--since", "2026-01-01", "--anchor", anchor).code == 0
    assert offboard("audit", "verify", "--anchor", anchor).code == 0
    assert offboard("report", run, "--anchor", anchor.replace(":", ":x", 1)).code == 2
    wrong = anchor.replace("sha256:", "sha256:0000", 1)[: len(anchor)]
    assert offboard("report", run, "--anchor", wrong).code in (2, 3)
