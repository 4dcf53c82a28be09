"""Four eyes at the command line: sign, apply, and every refusal before anything is written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offboard.approval import Offer
from offboard.approval.files import write_offer
from offboard.planfile import load
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests.approval.people import DANA, ERIN, Person, private_file
from tests.cli.conftest import Offboard
from tests.world import Time

LEAVER = "SawyerM@contoso.com"
AVERY = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
CONFIG = """
default = "contoso"
[tenants.contoso]
sign_in = "none"
graph_url = "{url}"
[tenants.contoso.guards]
approval = "{policy}"
approvers = {approvers}
allowed_signers = "allowed_signers"
"""
openssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@dataclass
class Office:
    """A tenant that asks for approvals, and the files beside a plan."""

    folder: Path
    sandbox: Sandbox
    run: Offboard
    url: str

    def policy(self, policy: str = "all", approvers: int = 1) -> None:
        """What the tenant asks for."""
        path = self.folder / "offboard.toml"
        path.write_text(CONFIG.format(url=self.url, policy=policy, approvers=approvers))
        path.chmod(0o600)

    def signers(self, *people: Person) -> None:
        """Who may approve."""
        path = self.folder / "allowed_signers"
        path.write_text("".join(person.line() for person in people))
        path.chmod(0o600)

    def plan(self, *users: str) -> Path:
        """A saved plan for these people."""
        said = self.run("plan", "leaver-now", *(users or (LEAVER,)), "--out", "sawyer.json")
        assert said.code == 0, said.err
        return self.folder / "sawyer.json"

    def sign(self, person: Person, plan: Path, **other: Any) -> Offer:
        """An approval beside the plan, as `approve` leaves it, without ssh-keygen."""
        offer = person.offer(load(plan.read_bytes(), plan.name), **other)
        write_offer(plan, offer.text, offer.signature or b"")
        return offer

    def refused(self, *words: str) -> str:
        """What the refusal says; nothing was written and nothing is consumed."""
        before = self.sandbox.journal()
        said = self.run(*words)
        assert said.code == 3, said.out + said.err
        assert self.sandbox.journal() == before
        assert json.loads(self.run("--json", "runs").out) == []
        return " ".join(said.err.split())

    def records(self, event: str) -> list[dict[str, Any]]:
        """The audit's records of an event."""
        lines = (self.folder / "state" / "tenants" / "contoso" / "audit.jsonl").read_text().splitlines()
        return [record for record in map(json.loads, lines) if record["event"] == event]


@pytest.fixture
def office(tmp_path: Path, offboard: Offboard, time: Time) -> Iterator[Office]:
    """Dana and Erin may approve, and every plan needs one of them."""
    sandbox = Sandbox.open(None, now=time.clock().now)
    with ServerThread(sandbox) as server:
        office = Office(tmp_path, sandbox, offboard, server.url)
        office.policy()
        office.signers(DANA, ERIN)
        yield office
    sandbox.close()


@openssh
def test_an_approved_plan_is_carried_out_and_the_authority_recorded(office: Office) -> None:
    plan, key = office.plan(), private_file(office.folder / "key", DANA.key)
    said = office.run("approve", str(plan), "--key", str(key), "--yes")
    assert said.code == 0, said.err
    assert "dana@contoso.com approved" in said.out
    said = office.run("apply", str(plan), "--yes")
    assert said.code in (0, 1), said.err
    assert "Approved by dana@contoso.com" in said.err
    assert office.sandbox.journal()
    (started,) = office.records("run-started")
    (kept,) = started["detail"]["approvals"]
    assert kept["approver"] == "dana@contoso.com"
    assert kept["digest"] == load(plan.read_bytes(), "").digest
    assert kept["fingerprint"].startswith("SHA256:")
    (approved,) = office.records("approved")
    assert approved["actor"] == "dana@contoso.com"
    assert "Approved by dana@contoso.com" in office.run("status", started["run"]).out
    shown = office.run("audit", "show").out
    assert f"key {kept['fingerprint']}" in shown
    assert "signed: records 1 to" in shown
    report = office.run("report", started["run"], "--format", "markdown").out
    assert kept["fingerprint"] in report


def test_a_saved_plan_names_the_approval_among_what_comes_next_only_where_one_is_needed(office: Office) -> None:
    for policy, asked in (("all", True), ("irreversible", False), ("none", False)):
        office.policy(policy)
        said = office.run("plan", "leaver", LEAVER, "--out", f"{policy}.json").out
        assert (f"Approve: offboard approve {policy}.json" in said) is asked
        assert ("a second person's approval" in said) is asked
        assert said.splitlines()[-1].split() == ["Apply:", "offboard", "apply", f"{policy}.json"]


def test_a_plan_that_a_guard_stops_is_not_offered_for_approval_or_to_be_applied(office: Office) -> None:
    office.policy("all")
    said = office.run("plan", "leaver", "LynneR@contoso.com", "--out", "synced.json").out
    assert "This plan cannot be applied" in said
    assert said.splitlines()[-1].split() == ["Review:", "offboard", "show", "synced.json"]


@openssh
def test_what_approve_writes_is_verified_by_plain_ssh_keygen(office: Office) -> None:
    plan, key = office.plan(), private_file(office.folder / "key", DANA.key)
    assert office.run("approve", str(plan), "--key", str(key), "--yes").code == 0
    words = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "dana@contoso.com", "-n", "offboard-plan"]
    text = (office.folder / "sawyer.json.approval").read_bytes()
    done = subprocess.run(
        [*words, "-s", "sawyer.json.approval.sig"], cwd=office.folder, input=text, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@openssh
def test_a_key_of_nobody_approves_nothing(office: Office) -> None:
    plan, key = office.plan(), private_file(office.folder / "key", Person("mallory@contoso.com").key)
    assert "not among those that may approve" in office.refused("approve", str(plan), "--key", str(key), "--yes")
    assert not list(office.folder.glob("*.approval*"))


@openssh
def test_a_leaver_is_told_so_when_trying_to_approve(office: Office) -> None:
    sawyer = Person(LEAVER)
    office.signers(DANA, sawyer)
    plan, key = office.plan(), private_file(office.folder / "key", sawyer.key)
    assert "is a leaver of this plan" in office.refused("approve", str(plan), "--key", str(key), "--yes")
    assert not list(office.folder.glob("*.approval*"))


def test_without_openssh_approve_says_so_and_apply_still_verifies(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, key = office.plan(), private_file(office.folder / "key", DANA.key)
    (office.folder / "key.pub").write_text(DANA.line().split(" ", 1)[1])
    monkeypatch.setenv("PATH", str(office.folder))
    said = office.run("approve", str(plan), "--key", str(key), "--yes")
    assert said.code == 2
    assert "ssh-keygen is not installed" in said.err
    office.sign(DANA, plan)
    assert office.run("apply", str(plan), "--yes").code in (0, 1)
    assert office.sandbox.journal()


def test_run_is_refused_before_asking_where_every_plan_needs_an_approval(office: Office) -> None:
    said = office.refused("run", "leaver-now", LEAVER, "--yes")
    assert "is not approved" in said
    assert "offboard approve FILE" in said


def test_an_unapproved_plan_is_refused(office: Office) -> None:
    assert "is not approved" in office.refused("apply", str(office.plan()), "--yes")


Deed = Callable[[Office, Path], None]


def _replay(office: Office, plan: Path) -> None:
    office.sign(DANA, plan)
    office.plan()


def _edited(office: Office, plan: Path) -> None:
    office.sign(DANA, plan)
    plan.write_bytes(plan.read_bytes().replace(b"contoso", b"contosa", 1))


def _unsigned(office: Office, plan: Path) -> None:
    office.sign(DANA, plan)
    (office.folder / "sawyer.json.approval.sig").unlink()


def _forged(office: Office, plan: Path) -> None:
    office.sign(DANA, plan)
    text = plan.with_name(plan.name + ".approval")
    text.write_bytes(text.read_bytes().replace(b"dana@", b"erin@"))


def _removed(office: Office, plan: Path) -> None:
    office.sign(DANA, plan)
    office.signers(ERIN)


def _unknown(office: Office, plan: Path) -> None:
    office.sign(Person("mallory@contoso.com"), plan, approver="dana@contoso.com")


def _leaver(office: Office, plan: Path) -> None:
    office.signers(DANA, Person(LEAVER))
    office.sign(Person(LEAVER), plan)


def _twice(office: Office, plan: Path) -> None:
    office.policy(approvers=2)
    office.sign(DANA, plan)
    office.sign(DANA, plan)


def _one_of_two(office: Office, plan: Path) -> None:
    office.policy(approvers=2)
    office.sign(DANA, plan)


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (_replay, "one plan only"),
        (_edited, "edited after it was made"),
        (_unsigned, "not signed"),
        (_forged, "signature is not valid"),
        (_removed, "or no longer"),
        (_unknown, "nobody is known to have"),
        (_leaver, "is a leaver"),
        (_twice, "approved this plan already"),
        (_one_of_two, "1 of 2"),
    ],
)
def test_each_way_around_a_second_person_is_refused_with_nothing_written(office: Office, deed: Deed, why: str) -> None:
    plan = office.plan()
    deed(office, plan)
    assert why in office.refused("apply", str(plan), "--yes")


def test_an_expired_approval_is_refused(office: Office, time: Time) -> None:
    plan = office.plan()
    office.sign(DANA, plan)
    time.jump(hours=25)
    assert "expired" in office.refused("apply", str(plan), "--yes")


def test_an_approval_is_good_once(office: Office) -> None:
    plan = office.plan()
    office.sign(DANA, plan)
    assert office.run("apply", str(plan), "--yes").code in (0, 1)
    written = len(office.sandbox.journal())
    said = office.run("apply", str(plan), "--yes")
    assert said.code == 3
    assert "already carried out" in said.err
    assert len(office.sandbox.journal()) == written


def test_show_tells_what_stands_beside_the_plan(office: Office) -> None:
    plan = office.plan()
    office.sign(DANA, plan)
    assert "sawyer.json.approval (dana@contoso.com, 2026-11-23" in office.run("show", str(plan)).err


def purge_plan(office: Office) -> Path:
    """A saved plan to delete Avery for good."""
    said = office.run("deleted", "purge", "AveryS@contoso.com", "--out", "purge.json")
    assert said.code == 0, said.err
    assert "offboard approve purge.json" in said.out
    return office.folder / "purge.json"


@pytest.mark.parametrize("policy", ["irreversible", "all"])
def test_a_purge_at_once_is_refused_where_somebody_must_approve_and_says_how_it_is_done(
    office: Office, policy: str
) -> None:
    office.policy(policy)
    said = office.refused("deleted", "purge", "AveryS@contoso.com", "--yes")
    assert "is not approved" in said
    assert "--out FILE" in said


@pytest.mark.parametrize("policy", ["irreversible", "all"])
def test_an_approved_purge_is_carried_out_once(office: Office, policy: str) -> None:
    office.policy(policy)
    plan = purge_plan(office)
    office.sign(DANA, plan)
    said = office.run("apply", str(plan), "--yes")
    assert said.code == 0, said.err
    assert [(e.method, e.path) for e in office.sandbox.journal()] == [("DELETE", f"/v1.0/directory/deletedItems/{AVERY}")]
    again = office.run("apply", str(plan), "--yes")
    assert again.code == 3
    assert "already carried out" in again.err
    assert len(office.sandbox.journal()) == 1


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (lambda office, plan: None, "is not approved"),
        (lambda office, plan: office.sign(DANA, office.plan()), "is not approved"),
        (lambda office, plan: (office.sign(DANA, plan), purge_plan(office)), "one plan only"),
        (_edited, "edited after it was made"),
        (_forged, "signature is not valid"),
        (_twice, "approved this plan already"),
    ],
    ids=["unsigned", "another plan signed", "replayed", "edited", "forged", "signed twice by one"],
)
def test_each_way_around_the_approval_of_a_purge_is_refused(office: Office, deed: Deed, why: str) -> None:
    plan = purge_plan(office)
    deed(office, plan)
    assert why in office.refused("apply", str(plan), "--yes")


def test_nobody_approves_a_purge_that_they_planned(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offboard.cli.session.Session.actor", property(lambda _self: "dana@contoso.com"))
    plan = purge_plan(office)
    office.sign(DANA, plan)
    assert "dana@contoso.com made this plan" in office.refused("apply", str(plan), "--yes")


def test_apply_says_how_long_the_plan_is_good(office: Office) -> None:
    plan = office.plan()
    office.sign(DANA, plan)
    assert "good until 2026-11-24" in office.run("apply", str(plan), "--yes").err
