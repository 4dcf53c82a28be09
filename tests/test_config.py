"""`offboard.toml`: found, read, and refused with the place and the key."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offboard.errors import NotPermitted, SourceError, UsageError
from offboard.settings.config import Config, Freeze, Guards, load_config, read_secret
from offboard.settings.configkeys import GUARDS, TENANT

ID = "11111111-2222-3333-4444-555555555555"
APP = "AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee"

GOOD = f"""\
default = "contoso"

[tenants.contoso]
tenant_id = "{ID}"
sign_in   = "certificate"
client_id = "{APP}"
cloud     = "usgov-dod"
certificate = "keys/app.pem"
ca_file = "/etc/ca.pem"

[tenants.contoso.guards]
protected_users = ["boss@contoso.com"]
max_leavers = 3
max_percent = 0.5
approval = "all"
freeze = [{{from = 2026-12-20T00:00:00Z, until = 2027-01-02T00:00:00Z, reason = "year end"}}]

[tenants.lab]
sign_in = "none"
graph_url = "http://127.0.0.1:8080/"
"""


@pytest.fixture(autouse=True)
def _empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, home)


def load(tmp_path: Path, text: str) -> Config:
    (tmp_path / "offboard.toml").write_text(text)
    (tmp_path / "offboard.toml").chmod(0o600)
    return load_config(None, tmp_path)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SourceError) as seen:
        load(tmp_path, text)
    assert seen.value.exit_code == 2
    assert all(p.path == str(tmp_path / "offboard.toml") for p in seen.value.problems)
    return [f"{p.line}:{p.column} {p.message} {p.hint}".strip() for p in seen.value.problems]


def test_without_a_file_there_is_the_sandbox_alone(tmp_path: Path) -> None:
    config = load_config(None, tmp_path)
    assert (config.default, list(config.tenants), config.path) == ("sandbox", ["sandbox"], None)
    sandbox = config.tenant(None)
    assert (sandbox.alias, sandbox.sign_in, sandbox.tenant_id) == ("sandbox", "none", "")
    assert sandbox.guards == Guards(approval="none")
    assert sandbox.in_process
    assert sandbox.root.endswith(".invalid"), "a request that escapes the sandbox must go nowhere"


def test_every_key_of_a_good_file_arrives(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    found = config.tenant(None)
    assert (found.alias, found.tenant_id, found.client_id) == ("contoso", ID, APP.lower())
    assert (found.sign_in, found.cloud) == ("certificate", "usgov-dod")
    assert found.certificate == tmp_path / "keys" / "app.pem"
    assert found.ca_file == Path("/etc/ca.pem")
    assert (found.root, found.login) == ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us")
    assert found.guards == Guards(
        protected_users=("boss@contoso.com",),
        max_leavers=3,
        max_percent=0.5,
        approval="all",
        freeze=(Freeze(datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC), "year end"),),
    )
    lab = config.tenant("lab")
    assert (lab.root, lab.guards, lab.in_process) == ("http://127.0.0.1:8080", Guards(), False)
    assert sorted(config.tenants) == ["contoso", "lab", "sandbox"]
    with pytest.raises(FrozenInstanceError):
        found.alias = "other"  # type: ignore[misc]  # that is the test


def test_guards_default_to_what_the_documents_say() -> None:
    found = Guards()
    assert (found.max_leavers, found.max_percent, found.max_deletes, found.max_wipes) == (25, 2, 10, 5)
    assert found.approval == "irreversible"


def test_the_given_file_comes_before_the_working_directory_and_that_before_the_home(tmp_path: Path) -> None:
    import platformdirs

    usual = platformdirs.user_config_path("offboard", appauthor=False)
    usual.mkdir(parents=True)
    (usual / "offboard.toml").write_text('default = "sandbox"\n')
    assert load_config(None, tmp_path).path == usual / "offboard.toml"
    (tmp_path / "offboard.toml").write_text('default = "sandbox"\n')
    assert load_config(None, tmp_path).path == tmp_path / "offboard.toml"
    (tmp_path / "mine.toml").write_text('default = "sandbox"\n')
    assert load_config(tmp_path / "mine.toml", tmp_path).path == tmp_path / "mine.toml"


def test_a_given_file_that_is_not_there_is_an_error_and_not_the_sandbox(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file") as seen:
        load_config(tmp_path / "none.toml", tmp_path)
    assert seen.value.exit_code == 2


def test_a_dangling_link_is_an_error_and_not_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "offboard.toml").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError, match="no such file"):
        load_config(None, tmp_path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    load(tmp_path, GOOD)
    (tmp_path / "offboard.toml").chmod(mode)
    with pytest.raises(UsageError, match="written by others") as seen:
        load_config(None, tmp_path)
    assert seen.value.exit_code == 2
    assert "chmod go-w" in seen.value.todo


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    os.chown(tmp_path / "offboard.toml", 4711, -1)
    with pytest.raises(UsageError, match="another account"):
        load_config(None, tmp_path)


def test_a_folder_or_pipe_in_its_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path, tmp_path / "pipe.toml"):
        with pytest.raises(UsageError, match="is not a file"):
            load_config(path, tmp_path)


def test_an_unknown_tenant_is_refused_with_the_near_word_and_all_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'contoso'") as seen:
        load(tmp_path, GOOD).tenant("contso")
    assert seen.value.todo == "Tenants: contoso, lab, sandbox."
    with pytest.raises(UsageError, match="no tenant 'contoso'"):
        load_config(None, tmp_path / "elsewhere").tenant("contoso")


def test_without_a_default_the_tenant_must_be_named(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD.replace('default = "contoso"\n', ""))
    with pytest.raises(UsageError, match="Which tenant"):
        config.tenant(None)
    assert config.tenant("sandbox").alias == "sandbox"


def test_a_typo_is_placed_and_the_near_word_suggested(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("sign_in   =", "sing_in   ="))[0] == (
        "5:1 unknown key 'sing_in' Did you mean 'sign_in'?"
    )
    assert problems(tmp_path, GOOD.replace("max_leavers", "max_leaver"))[0] == (
        "13:1 unknown key 'max_leaver' Did you mean 'max_leavers'?"
    )
    assert problems(tmp_path, GOOD.replace('"certificate"', '"certifcate"'))[0].startswith("5:1 sign_in must be one of")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD.replace(ID, "contoso.com").replace("= 3", '= "3"').replace('"all"', '"some"'))
    assert [line.split()[0] for line in found] == ["4:1", "13:1", "15:1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tenant_id = 5", "tenant_id must be an id like"),
        ('tenant_id = "common"', "tenant_id must be an id like"),
        ('client_id = ""', "client_id must be an id like"),
        ('cloud = "gobal"', "did you mean 'global'"),
        ('graph_url = "ftp://x"', "graph_url must be https://HOST"),
        ('graph_url = "https://graph.contoso.com/v1.0"', "nothing after it"),
        ('graph_url = "https://user:pw@graph.contoso.com"', "graph_url must be"),
        ('graph_url = "https://graph.contoso.com:99999"', "graph_url must be"),
        ('graph_url = "https://[::1"', "graph_url must be"),
        ('graph_url = "https://graph.microsoft.us"', "graph_url is that of the cloud 'usgov'"),
        ('graph_url = "http://graph.contoso.com"', "plain http is for this machine only"),
        ('graph_url = "http://127.0.0.1:8080"', "plain http is for this machine only"),
        ('authority = "http://login.contoso.com"', "authority must be https://"),
        ("ca_file = true", "ca_file must be a text, not true"),
        ('token_cache = "yes"', "token_cache must be true or false"),
        ('client_secret_file = "x"', "client_secret_file is of no use with sign_in = 'device-code'"),
        ("guards = 1", "guards must be a table"),
        ("report = 1", "report must be a table"),
        ("report = {target_minutes = -1}", "target_minutes must be a whole number"),
        ('report = {open_items_days = "14"}', "open_items_days must be a whole number"),
        ('report = {open_items_owner = ""}', "open_items_owner must be a text"),
        ("report = {target = 60}", "unknown key 'target'"),
        ("guards = {max_leavers = -1}", "max_leavers must be a whole number"),
        ("guards = {max_leavers = true}", "max_leavers must be a whole number"),
        ("guards = {max_percent = 101}", "max_percent must be a number from 0 to 100"),
        ("guards = {max_percent = nan}", "max_percent must be a number from 0 to 100"),
        ('guards = {protected_users = "boss"}', "protected_users must be a list"),
        ('guards = {protected_users = [""]}', "protected_users must be a list"),
        ('guards = {protected_groups = ["Admins"]}', "list of object ids"),
        ("guards = {freeze = [{from = 2026-01-01, until = 2026-01-02}]}", "freeze must be"),
        ("guards = {freeze = [{from = 2026-01-02T00:00:00Z, until = 2026-01-01T00:00:00Z}]}", "ends before it begins"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, line: str, message: str) -> None:
    names = {"tenant_id": ID, "client_id": APP}
    lines = [f'{name} = "{value}"' for name, value in names.items() if not line.startswith(name)]
    found = problems(tmp_path, "\n".join(["[tenants.x]", *lines, line, ""]))
    assert len(found) == 1
    assert found[0].startswith(f"{len(lines) + 2}:")
    assert message in found[0]


@pytest.mark.parametrize(
    ("sign_in", "missing"),
    [
        ("interactive", ["client_id", "tenant_id"]),
        ("device-code", ["client_id", "tenant_id"]),
        ("azure-cli", ["tenant_id"]),
        ("certificate", ["certificate", "client_id", "tenant_id"]),
        ("client-secret-file", ["client_id", "client_secret_file", "tenant_id"]),
        ("managed-identity", ["tenant_id"]),
        ("workload-identity", ["client_id", "tenant_id"]),
        ("none", ["graph_url"]),
    ],
)
def test_what_a_sign_in_needs_is_demanded(tmp_path: Path, sign_in: str, missing: list[str]) -> None:
    found = problems(tmp_path, f'[tenants.x]\nsign_in = "{sign_in}"\n')
    assert sorted(line.split(" has no ")[1].split(",")[0] for line in found) == missing
    assert all(line.startswith("1:") for line in found)


def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = f'[tenants.x]\ntenant_id = "{ID}"\nclient_id = "{APP}"\nclient_secret = "CANARY"\n'
    with pytest.raises(SourceError) as seen:
        load(tmp_path, text)
    (problem,) = seen.value.problems
    assert problem.line == 4
    assert "client_secret_file" in problem.hint
    assert "CANARY" not in str(problem) + problem.quote + problem.hint + str(seen.value.lines())
    with pytest.raises(SourceError) as unquoted:
        load(tmp_path, text.replace('"CANARY"', "CANARY"))
    (problem,) = unquoted.value.problems
    assert problem.line == 4
    assert "CANARY" not in str(problem) + problem.quote + problem.hint


def test_none_is_for_this_machine_only(tmp_path: Path) -> None:
    text = '[tenants.x]\nsign_in = "none"\ngraph_url = "https://graph.contoso.com"\n'
    assert "on this machine only" in problems(tmp_path, text)[0]
    for url in ("http://localhost:1", "http://[::1]:1", "https://127.0.0.1:1"):
        assert load(tmp_path, text.replace("https://graph.contoso.com", url)).tenant("x").graph_url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://evil.com#localhost"])
def test_a_host_that_only_looks_like_this_machine_is_refused(tmp_path: Path, url: str) -> None:
    problems(tmp_path, f'[tenants.x]\nsign_in = "none"\ngraph_url = "{url}"\n')


def test_the_name_sandbox_is_reserved(tmp_path: Path) -> None:
    text = '[tenants.sandbox]\nsign_in = "none"\ngraph_url = "http://127.0.0.1:1"\n'
    assert problems(tmp_path, text) == [
        "1:2 the name sandbox is reserved for the built-in one Give the tenant another name."
    ]


@pytest.mark.parametrize("name", ['".."', '"a/b"', '""', '"ä"', f'"{"x" * 65}"'])
def test_a_name_that_could_not_be_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert "cannot be a tenant's name" in problems(tmp_path, f"[tenants.{name}]\n")[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("default = \n", "1:11 this is not TOML: Invalid value"),
        ("default = 'sandbox'\ndefault = 'x'\n", "2:14 this is not TOML: Cannot overwrite a value"),
        ("[tenants", "1:9 this is not TOML: Expected ']' at the end of a table declaration"),
        ("default = 3", "1:1 default names no tenant of this file: 3 Tenants: sandbox."),
        ("default = 'x'", "1:1 default names no tenant of this file: 'x' Tenants: sandbox."),
        ("tenants = 3", "1:1 tenants must be tables: [tenants.NAME]"),
        ("[tenants]\nx = 3", "2:1 tenants.x must be a table: [tenants.x]"),
        ("x = " + "[" * 5000, "1:1"),
    ],
)
def test_what_is_not_such_a_file_is_refused_with_its_place(tmp_path: Path, text: str, found: str) -> None:
    assert problems(tmp_path, text)[0].startswith(found[:60]) or found == "1:1"


def test_other_bytes_than_utf_8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "offboard.toml").write_bytes(b"default = 'sandbox'\n# \xff\n")
    with pytest.raises(SourceError, match=r":2:1: this is not UTF-8"):
        load_config(None, tmp_path)


def test_every_key_says_what_it_is_for() -> None:
    assert all(key.text for key in (*TENANT.values(), *GUARDS.values()))


def test_a_secret_file_is_read_and_its_content_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("CANARY\r\n")
    path.chmod(0o600)
    secret = read_secret(path, "the client secret")
    assert secret.reveal() == "CANARY"
    assert "CANARY" not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "secret").write_text("CANARY")
    (tmp_path / "secret").chmod(mode)
    with pytest.raises(UsageError, match="by others") as seen:
        read_secret(tmp_path / "secret", "the client secret")
    assert "CANARY" not in "".join(seen.value.lines())


def test_a_missing_or_empty_secret_file_is_not_signed_in(tmp_path: Path) -> None:
    (tmp_path / "empty").touch(mode=0o600)
    for name in ("none", "empty"):
        with pytest.raises(NotPermitted, match="Not signed in") as seen:
            read_secret(tmp_path / name, "the client secret")
        assert seen.value.exit_code == 4
        assert seen.value.todo
