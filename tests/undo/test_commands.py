"""`undo`, `report` and `audit anchor` at the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Offboard, offboard, time

__all__ = ["offboard", "time"]


def a_run(offboard: Offboard) -> str:
    """The id of a run that has offboarded Sawyer."""
    offboard("run", "leaver-now", "SawyerM@contoso.com", "--yes")
    return str(offboard("--json", "runs").json[0]["run"])


def test_a_run_is_undone_by_a_plan_that_is_applied_like_any_other(offboard: Offboard, tmp_path: Path) -> None:
    run = a_run(offboard)
    made = offboard("undo", run[:8], "--out", "back.json")
    applied = offboard("apply", "back.json", "--yes")
    again = offboard("undo", run)

    assert (made.code, applied.code, again.code) == (0, 0, 0)
    assert "Stays as it is: reset-password" in " ".join(made.out.split())
    assert "Nothing is left to undo" in again.out
    assert (tmp_path / "back.json").stat().st_mode & 0o077 == 0
    assert offboard("apply", "back.json", "--yes").code == 3
    assert offboard("--json", "undo", run).lines[0]["event"] == "nothing-to-undo"
    assert offboard("undo", "zzzz").code == 2


def test_a_report_is_printed_in_each_format_and_ends_with_three_when_the_audit_is_broken(
    offboard: Offboard, tmp_path: Path
) -> None:
    run = a_run(offboard)
    html = offboard("report", run, "--format", "html")

    assert html.code == 0
    assert html.out == offboard("report", run, "--format", "html").out
    assert html.out.startswith("<!DOCTYPE html>")
    assert offboard("report", run).out.startswith("# Offboarding of Sawyer Miller")
    assert offboard("--json", "report", run).json["run"] == run
    assert offboard("report", "zzzz").code == 2
    log = tmp_path / "state" / "tenants" / "sandbox" / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"disabled"', b'"Disabled"', 1))
    assert offboard("report", run).code == 3


def test_an_anchor_is_one_line_that_finds_a_cut_log(offboard: Offboard, tmp_path: Path) -> None:
    assert offboard("audit", "anchor").code == 2
    a_run(offboard)
    anchor = offboard("audit", "anchor")
    log = tmp_path / "state" / "tenants" / "sandbox" / "audit.jsonl"

    assert len(anchor.out.splitlines()) == 1
    assert offboard("audit", "verify", "--anchor", anchor.out.strip()).code == 0
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-2]))
    assert offboard("audit", "verify").code == 0
    assert offboard("audit", "verify", "--anchor", anchor.out.strip()).code == 3
    assert offboard("audit", "verify", "--anchor", "nonsense").code == 2
