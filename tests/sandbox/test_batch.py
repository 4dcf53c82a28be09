"""JSON batching: many calls in one request, each on its own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import ADELE, EVENTUAL, LAPTOP, SAWYER, error_of

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


async def send(http: httpx.AsyncClient, *requests: dict[str, Any]) -> dict[str, dict[str, Any]]:
    answer = await http.post("/$batch", json={"requests": list(requests)})
    assert answer.status_code == 200, answer.text
    responses = answer.json()["responses"]
    assert len({r["id"] for r in responses}) == len(responses)
    return {response["id"]: response for response in responses}


async def test_each_item_gets_its_own_answer(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    answers = await send(
        http,
        {"id": "read", "method": "GET", "url": f"/users/{ADELE}?$select=id"},
        {"id": "write", "method": "PATCH", "url": f"/users/{SAWYER}", "headers": JSON, "body": {"accountEnabled": False}},
        {"id": "absent", "method": "DELETE", "url": f"/devices/{LAPTOP}/registeredOwners/{ADELE}/$ref"},
        {"id": "wrong", "method": "GET", "url": "/nowhere"},
        {"id": "count", "method": "GET", "url": "/users/$count", "headers": EVENTUAL},
    )
    assert {id_: a["status"] for id_, a in answers.items()} == {
        "read": 200,
        "write": 204,
        "absent": 404,
        "wrong": 400,
        "count": 200,
    }
    assert answers["read"]["body"]["id"] == ADELE
    assert "body" not in answers["write"]
    assert answers["absent"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert answers["count"]["body"] == 20
    assert [(e.method, e.path) for e in sandbox.journal()] == [("PATCH", f"/v1.0/users/{SAWYER}")]


async def test_items_are_logged_apart_from_the_request_that_carried_them(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    await send(http, *({"id": str(n), "method": "GET", "url": "/organization"} for n in range(20)))
    log = sandbox.requests()
    assert sum(1 for entry in log if not entry.item) == 1
    assert sum(1 for entry in log if entry.item) == 20


async def test_answers_come_in_another_order_but_the_same_one_each_time(http: httpx.AsyncClient) -> None:
    body = {"requests": [{"id": str(n), "method": "GET", "url": "/organization"} for n in range(12)]}
    orders = [[r["id"] for r in (await http.post("/$batch", json=body)).json()["responses"]] for _ in range(2)]
    assert orders[0] == orders[1] != [str(n) for n in range(12)]


async def test_dependent_items_wait_and_fall_with_those_they_wait_for(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    answers = await send(
        http,
        {"id": "c", "method": "DELETE", "url": f"/users/{SAWYER}", "dependsOn": ["b"]},
        {
            "id": "b",
            "method": "PATCH",
            "url": f"/users/{SAWYER}",
            "headers": JSON,
            "body": {"nope": 1},
            "dependsOn": ["a"],
        },
        {"id": "a", "method": "POST", "url": f"/users/{SAWYER}/revokeSignInSessions"},
    )
    assert [answers[id_]["status"] for id_ in "abc"] == [200, 400, 424]
    assert answers["c"]["body"]["error"]["code"] == "FailedDependency"
    assert [e.effect["verb"] for e in sandbox.journal()] == ["revoke"]


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([], "Invalid batch payload"),
        ([{"id": str(n), "method": "GET", "url": "/organization"} for n in range(21)], "maximum value of 20"),
        ([{"id": i, "method": "GET", "url": "/organization"} for i in ("a", "A")], "unique"),
        ([{"method": "GET", "url": "/organization"}], "needs an 'id'"),
        ([{"id": "1", "method": "FETCH", "url": "/organization"}], "'method'"),
        ([{"id": "1", "method": "POST", "url": "/$batch", "headers": JSON, "body": {}}], "Nested"),
        ([{"id": "1", "method": "PATCH", "url": "/users/x", "body": {}}], "Content-Type"),
        ([{"id": "1", "method": "PATCH", "url": "/users/x", "headers": JSON, "body": "text"}], "JSON object"),
        ([{"id": "1", "method": "GET", "url": "/x", "dependsOn": ["2"]}], "depends on '2'"),
        (
            [
                {"id": "1", "method": "GET", "url": "/x", "dependsOn": ["2"]},
                {"id": "2", "method": "GET", "url": "/x", "dependsOn": ["1"]},
            ],
            "circle",
        ),
    ],
)
async def test_a_batch_that_makes_no_sense_is_refused_whole(
    http: httpx.AsyncClient, sandbox: Sandbox, requests: list[dict[str, Any]], message: str
) -> None:
    answer = await http.post("/$batch", json={"requests": requests})
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert [entry.item for entry in sandbox.requests()] == [False]


async def test_absolute_and_versioned_urls_reach_the_same_place(http: httpx.AsyncClient) -> None:
    urls = (
        f"/users/{ADELE}",
        f"users/{ADELE}",
        f"/v1.0/users/{ADELE}",
        f"https://graph.microsoft.com/v1.0/users/{ADELE}",
    )
    answers = await send(http, *({"id": str(n), "method": "GET", "url": url} for n, url in enumerate(urls)))
    assert {answer["body"]["id"] for answer in answers.values()} == {ADELE}


async def test_links_inside_a_batch_lead_back_to_the_host(http: httpx.AsyncClient) -> None:
    answers = await send(http, {"id": "1", "method": "GET", "url": "/users?$top=1&$select=id"})
    link = answers["1"]["body"]["@odata.nextLink"]
    assert len((await http.get(link)).json()["value"]) == 1


async def test_a_batch_needs_a_token_and_a_post(http: httpx.AsyncClient) -> None:
    assert error_of(await http.get("/$batch")) == (405, "Request_BadRequest")
    answer = await http.post("/$batch", json={"requests": []}, headers={"Authorization": ""})
    assert error_of(answer) == (401, "InvalidAuthenticationToken")
