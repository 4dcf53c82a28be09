"""Every command, in a tenant whose people, devices and groups are named to attack whoever reads of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from offboard.sandbox.seedfile import contoso
from offboard.sandbox.tenant import Sandbox
from tests.cli.conftest import Offboard, Said
from tests.render.payloads import HOSTILE
from tests.render.test_safe import harmless
from tests.world import Time

SAWYER = "SawyerM@contoso.com"
BOOK = """\
playbook: going
description: For a test.
parameters:
  successor: {type: text, required: false, description: Somebody.}
steps:
  - disable-user
  - revoke-sessions
  - {action: disable-devices, with: {devices: registered}}
  - unown-devices
  - remove-groups
  - remove-licenses
  - list-deleted-users
  - {id: remove, action: delete-user, due: T+30d}
"""


def bundles() -> Iterator[str]:
    """All payloads that a directory can hold, a few to a name, since a name has 256 characters at most."""
    together = ""
    for each in HOSTILE:
        if not 0 < len(each) <= 120 or any("\ud800" <= c <= "\udfff" for c in each):
            continue
        if len(together) + len(each) > 200:
            yield together
            together = ""
        together += each + " x "
    yield together


NAMES = list(bundles())


def renamed(name: str) -> dict[str, Any]:
    """Contoso, everything in it that people may name themselves named so."""
    seed = contoso()
    for number, person in enumerate(seed["people"]):
        person["displayName"] = f"{name}{number}"
        for key in ("givenName", "surname", "jobTitle", "department", "officeLocation"):
            person[key] = name[:60]
    known = {each["displayName"] for kind in ("devices", "groups") for each in seed[kind]}

    def anew(value: Any) -> Any:
        """The seed names devices and groups by their names wherever it means them."""
        if isinstance(value, dict):
            return {key: anew(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [anew(inner) for inner in value]
        # With an @ in it the seed would look for a person of that name.
        return f"{name.replace('@', '')}{value}" if isinstance(value, str) and value in known else value

    seed["tenant"]["displayName"] = name
    return {**seed, "devices": anew(seed["devices"]), "groups": anew(seed["groups"])}


def plant(folder: Path, name: str, time: Time) -> None:
    """The tenant that the command line will find."""
    for place in (folder / "state", folder / "state" / "sandbox"):
        place.mkdir(mode=0o700)
    Sandbox.open(folder / "state" / "sandbox", seed=renamed(name), now=time.clock().now).close()
    (folder / "going.yaml").write_text(BOOK)


def demand_text(said: Said) -> None:
    """Nothing steers a terminal, nothing forges a line; and it is no bug."""
    assert said.code != 70, said.err
    for line in (said.out + said.err).split("\n"):
        assert harmless(line), ascii(line)
        assert not line.startswith(("Plan 00000000 is safe", "next line", "Apply: offboard apply")), line


class Quiet(HTMLParser):
    """No element, attribute or comment that does anything."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe", "object", "embed", "link", "base", "form", "svg", "h6"), tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in ("src", "srcset", "action", "formaction"), name
            assert name != "href" or (value or "").startswith("#"), value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def demand_html(said: Said) -> None:
    demand_text(said)
    assert said.out.count("<h1") == 1
    page = Quiet()
    page.feed(said.out)
    page.close()


ACTIVE = {"link_open", "image", "html_inline", "html_block", "fence", "code_block", "blockquote_open"}


def demand_markdown(said: Said) -> None:
    demand_text(said)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for token in parser.parse(said.out):
        for each in (token, *(token.children or ())):
            if each.type == "link_open":
                assert str(each.attrs["href"]).startswith("#"), each.attrs
            else:
                assert each.type not in ACTIVE, (each.type, each.content)


def demand_json(said: Said) -> None:
    assert said.code != 70, said.out
    assert said.out.isascii()
    assert said.out.strip()
    if said.out[0] in "[{" and said.out[1:2] == "\n":
        json.loads(said.out)
    else:
        for line in said.out.splitlines():
            json.loads(line)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_steers_what_any_command_prints(offboard: Offboard, time: Time, tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, time)
    demand_text(offboard("plan", "going.yaml", SAWYER, "--set", f"successor={name}"))
    planned = offboard("plan", "going.yaml", SAWYER, "--out", "p.json")
    demand_text(planned)
    assert planned.code == 0, planned.err
    demand_text(offboard("show", "p.json"))
    demand_html(offboard("show", "p.json", "--format", "html"))
    demand_markdown(offboard("show", "p.json", "--format", "markdown"))
    shown = offboard("--json", "show", "p.json")
    demand_json(shown)
    assert shown.json["leavers"][0]["leaver"]["displayName"] == f"{name}0"  # raw, for programs
    demand_text(offboard("apply", "p.json", "--yes"))
    run = offboard("--json", "runs").json[0]["run"]
    for words in (["runs"], ["status", run], ["hold", run, "--reason", name], ["release", run, "--reason", name]):
        demand_text(offboard(*words))
        demand_json(offboard("--json", *words))
    demand_html(offboard("report", run, "--format", "html"))
    demand_markdown(offboard("report", run, "--format", "markdown"))
    demand_json(offboard("report", run, "--format", "json"))
    time.jump(days=31)
    demand_text(offboard("resume"))
    for words in (
        ["undo", run],
        ["audit", "show"],
        ["audit", "verify"],
        ["deleted", "list"],
        ["sandbox", "journal"],
        ["doctor", "going.yaml"],
    ):
        demand_text(offboard(*words))
        demand_json(offboard("--json", *words))


@pytest.mark.parametrize("name", NAMES[::3], ids=range(len(NAMES[::3])))
def test_no_name_steers_what_a_run_of_many_prints(offboard: Offboard, time: Time, tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, time)
    people = [p["userPrincipalName"] for p in contoso()["people"] if "deleted_days_ago" not in p]
    csv = "user,successor\n" + "".join(f"{p}," + '"' + "x'=1+1".replace('"', '""') + '"\n' for p in people[:9])
    demand_text(offboard("run", "going.yaml", "--leavers", "-", "--yes", stdin=csv))
    demand_text(offboard("runs"))
    demand_json(offboard("--json", "run", "going.yaml", *people[9:12], "--yes"))


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_steers_an_error(offboard: Offboard, time: Time, tmp_path: Path, name: str) -> None:
    plant(tmp_path, name, time)
    first = name.split("\x00")[0]
    (tmp_path / "bad.yaml").write_bytes(f"playbook: x\nsteps:\n  - {name}\n".encode())
    (tmp_path / "bad.csv").write_bytes(f"user,leave\n{name},{name}\n".encode())
    (tmp_path / "bad.toml").write_bytes(f"[tenants.{name}]\n{name} = 1\n".encode())
    (tmp_path / "bad.toml").chmod(0o600)
    (tmp_path / "bad.json").write_text(json.dumps({"schema": name}))
    for words in (
        ["plan", "leaver", f"{name}0"],
        ["plan", "leaver", first],
        ["run", first, SAWYER, "--yes"],
        ["run", "leaver", SAWYER, "--set", f"{first}=1", "--yes"],
        ["run", "leaver", SAWYER, "--leave", first, "--yes"],
        ["run", "leaver", SAWYER, f"--{first}"],
        ["validate", "bad.yaml"],
        ["run", "leaver", "--leavers", "bad.csv", "--yes"],
        ["--config", "bad.toml", "runs"],
        ["--config", "bad.toml", "run", "leaver", SAWYER, "--yes"],
        ["--tenant", first, "run", "leaver", SAWYER, "--yes"],
        ["show", "bad.json"],
        ["show", first],
        ["apply", "bad.json", "--yes"],
        ["status", first],
        ["report", first],
        ["explain", first],
        ["actions", first],
        ["schema", first],
        ["deleted", "restore", first, "--yes"],
        ["audit", "verify", "bad.json"],
        ["audit", "verify", "--anchor", first],
        [first],
    ):
        said = offboard(*words)
        demand_text(said)
        if words[-1] not in ("bad.yaml",):
            assert said.code != 0 or words[0] == "audit" or "show" in words, words


def test_a_log_edited_to_attack_its_reader_is_shown_harmless(offboard: Offboard, tmp_path: Path) -> None:
    offboard("run", "leaver", SAWYER, "--yes")
    log = next((tmp_path / "state").rglob("audit.jsonl"))
    lines = log.read_text().splitlines()
    for name in NAMES:
        record = json.loads(lines[1])
        record |= {"why": name, "step": name, "leaver": {"id": name, "upn": name}, "event": name, "actor": name}
        log.write_text("\n".join([lines[0], json.dumps(record), *lines[2:], ""]))
        log.chmod(0o600)
        demand_text(offboard("audit", "show"))
        demand_text(offboard("audit", "verify"))
        demand_json(offboard("--json", "audit", "show"))
