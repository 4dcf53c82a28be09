"""Whatever somebody is called or types: Graph is asked for exactly that name, and written to by object id alone."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from offboard.errors import UsageError
from offboard.sandbox.transport import SandboxTransport
from tests.cli.conftest import Offboard
from tests.hostile.poison import Poison
from tests.world import SAWYER, a_world, steps

pytestmark = pytest.mark.anyio

USER = "SawyerM@contoso.com"
NAMES = (
    "o'brien@contoso.com",
    "x') or (1 eq 1) or ('@contoso.com",
    "x' or startswith(userPrincipalName,'') or '@contoso.com",
    "%2e%2e/organization",
    "../organization",
    "..",
    ".",
    "%2e%2e",
    "..\\organization",
    "megan_fabrikam.com#EXT#@contoso.com",
    "#fragment@contoso.com",
    "$value",
    "$batch",
    "$count@contoso.com",
    "a+b@contoso.com",
    "a&$filter=true@contoso.com",
    "a?$select=id@contoso.com",
    "a;b=c,d@contoso.com",
    "a b@contoso.com",
    "a%00b@contoso.com",
    "a%20b%27@contoso.com",
    "ÄÖÜß@contoso.com",
    "sаwyerm@contoso.com",  # Cyrillic а
    "ＳａｗｙｅｒＭ@contoso.com",  # full width
    "Saw\u200byerM@contoso.com",
    "\u202ename@contoso.com",
    "😀@contoso.com",
    "{{7*7}}${7*7}<%= 7*7 %>@contoso.com",
    "{user-id}@contoso.com",
    "{+baseurl}@contoso.com",
    "0ffb0ard-mark-0-0ffb0ard",
    "users('a')/memberOf",
    "a/../../organization",
    "//evil.example/v1.0/users",
    "https://evil.example/",
    "me",
    "@odata.id",
    "a" * 250,
)


AROUND = re.compile(
    r"GET /(roleManagement/directory/role(Assignments|EligibilityScheduleInstances)|me|servicePrincipals|groups"
    r"|groups/[0-9a-f-]{36}/(transitiveMembers|owners)|users/[0-9a-f-]{36})(\?[A-Za-z0-9$%,=&()-]*)?"
    r"|GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances\?%24filter=groupId%20eq%20%27[0-9a-f-]{36}%27"
    r"|GET /users\?%24count=true&%24filter=accountEnabled%20eq%20true%20and%20userType%20eq%20%27Member%27&%24select=id&%24top=1"
)
"""What the guards ask about the tenant around the leavers, in letters that nobody has typed."""


def asked_for(line: str) -> list[str]:
    """The names in a request line: the key in its path, or the texts of its filter."""
    if AROUND.fullmatch(line):
        return []
    path, _, query = line.partition(" ")[2].partition("?")
    segments = path.split("/")
    assert segments[1] in ("users", "organization", "directory"), line
    if segments[1] == "organization":
        assert path == "/organization"
        return []
    options = dict(part.partition("=")[::2] for part in query.split("&"))
    names = {unquote(key).lstrip("$") for key in options}
    assert names <= {"select", "expand", "filter", "top", "count"}, line
    if segments[1] == "users" and len(segments) > 2:
        assert len(segments) == 3 or segments[3] in ("memberOf", "ownedDevices", "registeredDevices"), line
        return [unquote(segments[2])]
    texts = unquote(next(v for k, v in options.items() if unquote(k) == "$filter"))
    return [texts]


def literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_reaches_graph_as_that_name_and_as_nothing_else(tmp_path: Path, name: str) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        with pytest.raises(UsageError) as error:
            await world.plan(steps("disable-user", "remove-groups", "disable-devices"), name)

        assert "There is no user" in error.value.what
        assert poison.hosts == {"graph.sandbox.invalid"}
        assert poison.lines
        by_name = 0
        for line in poison.lines:
            for found in asked_for(line):
                if found == name:
                    by_name += 1
                    continue
                q = literal(name)
                assert found in (
                    f"userPrincipalName eq {q}",
                    f"endsWith(userPrincipalName,{q})",
                    f"mail eq {q} or displayName eq {q}",
                ), line
                by_name += 1
        assert by_name
        assert all(line.startswith("GET ") for line in poison.lines)
        assert world.journal() == []


@pytest.mark.parametrize("name", ["o'brien@contoso.com", "a_b.example#EXT#@contoso.com", "x!#^~-_.y@contoso.com"])
async def test_somebody_of_that_name_is_found_and_written_to_by_id(tmp_path: Path, name: str) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        world.graph("PATCH", f"/users/{SAWYER}", {"userPrincipalName": name})
        before = len(world.journal())
        await world.run(steps("disable-user"), name)

        writes = [path for method, path in world.writes()[before:] if method != "GET"]
        assert writes == [f"/users/{SAWYER}"]
        assert not any(name in unquote(line) for line in poison.lines if not line.startswith("GET"))


@pytest.mark.parametrize(
    "shown", [f"{SAWYER}", "'; DROP TABLE shares; --", "$(reboot)", "{{leaver.id}}", "${leaver.id}", "%s%n{0}"]
)
async def test_a_display_name_is_data_wherever_it_goes(tmp_path: Path, shown: str) -> None:
    poison = Poison()
    async with a_world(tmp_path, poison) as world:
        poison.inner = SandboxTransport(world.sandbox)
        world.graph("PATCH", f"/users/{SAWYER}", {"displayName": shown})
        book = steps('{action: disable-user, when: leaver.displayName != "x"}', "revoke-sessions")
        plan = await world.plan(book, SAWYER)
        outcome = await world.apply(plan)

        assert plan.leavers[0].leaver.display_name == shown
        assert outcome.exit_code(()) == 0
        assert all(SAWYER in line or "organization" in line or AROUND.fullmatch(line) for line in poison.lines)


ODD = "\udcff\ud800"
"""What Python makes of bytes on the command line that are not UTF-8."""
WORDS: list[list[str]] = [
    ["run", "leaver", ODD, "--yes"],
    ["run", ODD, USER, "--yes"],
    ["run", "leaver", USER, "--set", f"a={ODD}", "--yes"],
    ["run", "leaver", USER, "--leave", ODD, "--yes"],
    ["run", "leaver", "--leavers", ODD, "--yes"],
    ["plan", "leaver", USER, "--out", f"{ODD}/x"],
    ["show", ODD],
    ["apply", ODD, "--yes"],
    ["--tenant", ODD, "runs"],
    ["--tenant", ODD, "run", "leaver", USER, "--yes"],
    ["--config", ODD, "run", "leaver", USER, "--yes"],
    ["status", ODD],
    ["resume", ODD],
    ["hold", ODD, "--reason", ODD],
    ["cancel", ODD, "--reason", ODD],
    ["undo", ODD],
    ["report", ODD],
    ["report", "x", "--audit", ODD],
    ["deleted", "restore", ODD, "--yes"],
    ["deleted", "purge", ODD, "--yes"],
    ["validate", ODD],
    ["permissions", ODD],
    ["explain", ODD],
    ["actions", ODD],
    ["schema", ODD],
    ["audit", "verify", ODD],
    ["audit", "show", ODD],
    ["audit", "verify", "--anchor", ODD],
    ["sandbox", "reset", "--seed", ODD],
    [ODD],
    ["run", f"--{ODD}"],
]


@pytest.mark.parametrize("as_json", [False, True])
def test_words_that_are_no_text_are_refused_in_words(offboard: Offboard, as_json: bool) -> None:
    for words in WORDS:
        found = offboard(*(["--json"] if as_json else []), *words)

        assert found.code in (0, 2, 3), (words, found.code, found.err)
        (found.out + found.err).encode()  # and what is said is text
