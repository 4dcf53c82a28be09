"""Nothing a client sends makes the tenant fall over: every answer is one of Graph's."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offboard.sandbox.routes import table
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request
from tests.sandbox.world import ADELE, BI_USERS, E3, LAPTOP, RUNNER, SAWYER

HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}
KEYS = {
    "user": SAWYER,
    "device": LAPTOP,
    "group": BI_USERS,
    "target": ADELE,
    "item": ADELE,
    "role": ADELE,
    "principal": RUNNER,
    "method": "28c10230-6103-485e-b985-444c60001490",
    "operation": "x",
    "id": "x",
}
NAMES = st.sampled_from(
    [
        "accountEnabled",
        "displayName",
        "passwordProfile",
        "password",
        "addLicenses",
        "removeLicenses",
        "skuId",
        "disabledPlans",
        "@odata.id",
        "ids",
        "types",
        "groupIds",
        "securityEnabledOnly",
        "newPassword",
        "newUserPrincipalName",
        "principalId",
        "roleDefinitionId",
        "directoryScopeId",
        "userPrincipalName",
        "mailNickname",
        "mailEnabled",
        "securityEnabled",
        "groupTypes",
        "onPremisesExtensionAttributes",
        "x",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([E3, SAWYER, "a@contoso.com", "https://["])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=6) | VALUES


def filled(pattern: str) -> str:
    for name, value in KEYS.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


WRITES = sorted({(r.method, filled(r.pattern)) for r in table() if r.method in ("POST", "PATCH", "PUT")})
READS = sorted({filled(r.pattern) for r in table() if r.method == "GET"})
RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def demand_graphs_answer(status: int, body: bytes) -> None:
    assert status in (200, 201, 202, 204) or 400 <= status < 500
    if status >= 400:
        assert json.loads(body)["error"]["code"]


@RELAXED
@given(write=st.sampled_from(WRITES), body=BODIES)
def test_any_body_gets_an_answer(sandbox: Sandbox, write: tuple[str, str], body: Any) -> None:
    method, path = write
    answer = sandbox.handle(Request(method, "/v1.0" + path, HEADERS, json.dumps(body).encode()))
    demand_graphs_answer(answer.status, answer.body)


@RELAXED
@given(
    path=st.sampled_from(READS),
    query=st.dictionaries(
        st.sampled_from(["$select", "$filter", "$top", "$orderby", "$search", "$count", "$expand", "$skiptoken", "$foo"]),
        st.text(max_size=12)
        | st.sampled_from(["id", "true", "5", "displayName", "id eq 'x'", "members", "e30", '"displayName:a"']),
        max_size=4,
    ),
)
def test_any_query_gets_an_answer(sandbox: Sandbox, path: str, query: dict[str, str]) -> None:
    url = str(httpx.URL("https://graph.microsoft.com/v1.0" + path, params=query))
    for headers in (HEADERS, {**HEADERS, "ConsistencyLevel": "eventual"}):
        answer = sandbox.handle(Request("GET", url, headers))
        demand_graphs_answer(answer.status, answer.body)


@RELAXED
@given(
    requests=st.lists(
        st.dictionaries(
            st.sampled_from(["id", "method", "url", "headers", "body", "dependsOn"]),
            VALUES
            | st.sampled_from(
                [
                    "1",
                    "2",
                    "GET",
                    "PATCH",
                    "/users",
                    "/organization",
                    "http://[",
                    ["1"],
                    {"Content-Type": "application/json"},
                ]
            ),
            max_size=6,
        ),
        max_size=4,
    )
)
def test_any_batch_gets_an_answer(sandbox: Sandbox, requests: list[Any]) -> None:
    body = json.dumps({"requests": requests}).encode()
    answer = sandbox.handle(Request("POST", "/v1.0/$batch", HEADERS, body))
    demand_graphs_answer(answer.status, answer.body)


@RELAXED
@given(path=st.text(max_size=30) | st.text(alphabet="users/('%2527$)=", max_size=20))
def test_any_path_gets_an_answer(sandbox: Sandbox, path: str) -> None:
    for text in (path, quote(path)):
        answer = sandbox.handle(Request("GET", "/v1.0/" + text, HEADERS))
        demand_graphs_answer(answer.status, answer.body)


def test_every_path_of_the_table_is_reachable_and_refuses_other_methods(sandbox: Sandbox) -> None:
    for path in sorted({filled(r.pattern) for r in table()}):
        answer = sandbox.handle(Request("OPTIONS", "/v1.0" + path, HEADERS))
        assert answer.status == 405, path
