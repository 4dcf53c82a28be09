"""The same command line against a tenant that signs people in and enforces permissions, over TLS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from offboard.permissions.roles import ROLES
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.faults import FaultScript
from offboard.sandbox.seedfile import contoso
from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request
from tests.cli.conftest import Offboard
from tests.graph.tls import make_tls
from tests.world import SAWYER, Time, fault

USER = "SawyerM@contoso.com"
RUNNER, CONSOLE, REPORTER = (f"c0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
CONFIG = """
default = "contoso"
[tenants.contoso]
tenant_id = "{tenant}"
sign_in = "{sign_in}"
client_id = "{client}"
{more}
graph_url = "{url}"
authority = "{url}"
ca_file = "{ca}"
[tenants.contoso.guards]
approval = "none"
"""

Configure = Callable[..., Sandbox]


@pytest.fixture
def configure(tmp_path: Path, time: Time) -> Iterator[Configure]:
    """Write an offboard.toml for the served tenant, and hand out the tenant."""
    folder = tmp_path / "tls"
    folder.mkdir()
    tls = make_tls(folder)
    sandbox = Sandbox.open(None, behavior=Behavior(enforce_permissions=True))
    with ServerThread(sandbox, tls.certificate, tls.key) as server:

        def write(sign_in: str, client: str, secret: str = "", tenant: str = TENANT) -> Sandbox:
            more = ""
            if secret:
                (tmp_path / "secret").write_text(secret)
                (tmp_path / "secret").chmod(0o600)
                more = f'client_secret_file = "{tmp_path / "secret"}"'
            path = tmp_path / "offboard.toml"
            path.write_text(
                CONFIG.format(tenant=tenant, sign_in=sign_in, client=client, more=more, url=server.url, ca=tls.ca)
            )
            path.chmod(0o600)
            time.moment = sandbox_now()
            return sandbox

        yield write
    sandbox.close()


def sandbox_now() -> datetime:
    return datetime.now(UTC)


def test_an_app_does_what_apps_may_and_leaves_the_rest_open(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    said = offboard("--json", "run", "leaver-now", USER, "--yes")
    verdict = said.lines[-1]

    assert said.code == 1, said.out + said.err
    codes = {item["code"] for item in verdict["leavers"][0]["open_items"]}
    assert "delegated-only" in codes
    assert {"changed"} == {r["outcome"] for r in verdict["leavers"][0]["results"] if r["change"]}
    assert ("DELETE", f"/v1.0/users/{SAWYER}") == (sandbox.journal()[-1].method, sandbox.journal()[-1].path)
    assert f"app:{RUNNER}" == sandbox.journal()[-1].caller


def test_a_person_with_a_device_code_does_all_of_it(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("device-code", CONSOLE)
    said = offboard("--quiet", "run", "leaver-now", USER, "--yes")

    assert said.code == 1, said.out + said.err
    assert "delegated-only" not in said.out
    assert "enter the code" in said.err
    assert sandbox.journal()[-1].caller.startswith("user:")


def test_nobody_offboards_themselves_whatever_is_overridden(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("device-code", CONSOLE)
    lift = ("--override", "administrators=I leave", "--override", "app_owner=I leave")
    said = offboard("--quiet", "run", "leaver", "admin@contoso.com", "--yes", *lift)

    assert said.code == 3, said.out + said.err
    assert "self: MOD Administrator (admin@contoso.com) is who is signed in here" in " ".join(said.err.split())
    assert sandbox.journal() == []


def test_an_app_that_may_not_see_eligible_roles_is_told_the_permission_and_writes_nothing(
    offboard: Offboard, configure: Configure
) -> None:
    sandbox = configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    seed = contoso()
    runner = next(app for app in seed["apps"] if app["appId"] == RUNNER)
    runner["permissions"] = [name for name in runner["permissions"] if "RoleManagement" not in name]
    sandbox.reset(seed)
    said = offboard("run", "leaver", USER, "--yes")

    assert said.code == 3, said.out + said.err
    told = " ".join(said.err.split())
    assert "administrators: whether Sawyer Miller (SawyerM@contoso.com) is an administrator cannot be told" in told
    assert "RoleManagement.Read.Directory" in told
    assert sandbox.journal() == []


def test_a_missing_consent_is_named_before_anything_is_written(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("client-secret-file", REPORTER, "reporter-secret")
    said = offboard("run", "leaver", USER, "--yes")

    assert said.code == 4, said.out + said.err
    assert "step disable-user needs User.EnableDisableAccount.All" in " ".join(said.err.split())
    assert sandbox.journal() == []


def test_a_plan_says_in_short_that_the_sign_in_has_what_it_needs(offboard: Offboard, configure: Configure) -> None:
    configure("device-code", CONSOLE)
    said = " ".join(offboard("plan", "leaver", USER).out.split())

    assert "permissions; the sign-in that read this plan has what it takes." in said
    assert "Directory.AccessAsUser.All" not in said


def test_a_wrong_secret_is_not_signed_in_and_never_shown(offboard: Offboard, configure: Configure) -> None:
    sandbox = configure("client-secret-file", RUNNER, "wrong-secret-7381")
    said = offboard("run", "leaver", USER, "--yes")

    assert said.code == 4
    assert "wrong-secret-7381" not in said.out + said.err
    assert "client_secret_file" in said.err or "secret" in said.err
    assert sandbox.journal() == []


def test_a_missing_role_is_told_from_a_missing_consent_and_refused_before_anything_is_written(
    offboard: Offboard, configure: Configure
) -> None:
    sandbox = configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    said = offboard("run", "leaver", "PattiF@contoso.com", "--yes")
    told = " ".join(said.err.split())

    assert said.code == 4, said.out + said.err
    assert "PattiF@contoso.com: step disable-user acts on a leaver who holds Global Administrator" in told
    assert "only Global Administrator or Privileged Authentication Administrator may do that" in told
    assert "Assign one of these roles to the app's service principal" in told
    assert "nobody consented" not in told
    assert sandbox.journal() == []


def test_an_app_that_ranks_high_enough_offboards_an_administrator(
    offboard: Offboard, configure: Configure, tmp_path: Path
) -> None:
    sandbox = configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    give_role(sandbox, "f0000000-0000-4000-8000-000000000001", "Privileged Authentication Administrator")
    (tmp_path / "p.yaml").write_text("playbook: p\ndescription: d\nsteps: [disable-user, revoke-sessions]\n")
    said = offboard("run", "p.yaml", "AlexW@contoso.com", "--yes", "--override", "administrators=he leaves, HR-4711")

    assert said.code == 0, said.out + said.err
    assert [entry.method for entry in sandbox.journal()][-2:] == ["PATCH", "POST"]


def request(sandbox: Sandbox, method: str, path: str, body: object = None) -> Any:
    """What another administrator does meanwhile."""
    scopes = ["RoleManagement.ReadWrite.Directory", "Group.ReadWrite.All"]
    token = sandbox.issue_token(user="PattiF@contoso.com", scopes=scopes, roles=["Global Administrator"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else b""
    answer = sandbox.handle(Request(method, f"https://graph.microsoft.com/v1.0{path}", headers, data))
    assert answer.status < 300, answer.body
    return json.loads(answer.body) if answer.body else None


def give_role(sandbox: Sandbox, principal: str, role: str, scope: str = "/") -> None:
    """An active role."""
    body = {"principalId": principal, "roleDefinitionId": ROLES[role], "directoryScopeId": scope}
    request(sandbox, "POST", "/roleManagement/directory/roleAssignments", body)


def less(*taken: str, roles: bool = True) -> dict[str, Any]:
    """Contoso, where the runner's app has lost these permissions, or its role."""
    seed = contoso()
    runner = next(app for app in seed["apps"] if app["appId"] == RUNNER)
    runner["permissions"] = [name for name in runner["permissions"] if name not in taken]
    runner["roles"] = runner["roles"] if roles else []
    return seed


@pytest.mark.parametrize(
    ("step", "lost", "told"),
    [
        (
            "delete-user",
            less("User.DeleteRestore.All", "User.ReadWrite.All"),
            "step delete-user needs User.DeleteRestore.All (application), and nobody consented to it",
        ),
        ("reset-password", less(roles=False), "step reset-password"),
    ],
    ids=["a consent", "a role"],
)
def test_a_right_that_was_taken_away_meanwhile_holds_the_leaver_before_the_next_write(
    offboard: Offboard, configure: Configure, tmp_path: Path, step: str, lost: dict[str, Any], told: str
) -> None:
    sandbox = configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    (tmp_path / "p.yaml").write_text(f"playbook: p\ndescription: d\nsteps: [{step}]\n")
    refusing = FaultScript.parse([fault("/users/*", m, times="all", status=400) for m in ("PATCH", "DELETE")])
    sandbox.behavior = Behavior(enforce_permissions=True, faults=refusing)
    assert offboard("run", "p.yaml", USER, "--yes").code == 1
    assert sandbox.journal() == []
    sandbox.behavior = Behavior(enforce_permissions=True)

    sandbox.reset(lost)
    resumed = offboard("resume")
    (run,) = offboard("--json", "runs").json
    (share,) = offboard("--json", "status", run["run"]).json["leavers"]
    assert resumed.code == 4, resumed.out + resumed.err
    assert sandbox.journal() == []
    assert writes_tried(sandbox) <= {"GET"}
    assert told in " ".join(resumed.out.split())
    assert "offboard release" in resumed.out
    assert (share["state"], told in share["why"]) == ("held", True)
    assert "the sign-in lacks a right" in share["why"]

    sandbox.reset(contoso())
    assert offboard("release", run["run"], "--reason", "consented again").code == 0
    again = offboard("resume", run["run"])
    assert again.code in (0, 1), again.out + again.err
    assert len(sandbox.journal()) == 1


def writes_tried(sandbox: Sandbox) -> set[str]:
    """Methods of all calls, refused ones too."""
    return {entry.method for entry in sandbox.requests() if not entry.path.endswith("$batch")}


def test_no_token_is_left_on_disk(offboard: Offboard, configure: Configure, tmp_path: Path) -> None:
    configure("client-secret-file", RUNNER, "contoso-sandbox-secret")
    offboard("run", "leaver", USER, "--yes")

    token = re.compile(rb"eyJ[\w-]+\.[\w-]+\.")  # three letters alone stand in a key by chance
    assert [p for p in tmp_path.rglob("*") if p.is_file() and token.search(p.read_bytes())] == []
