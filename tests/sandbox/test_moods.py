"""Throttling, lag and faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from offboard.sandbox.behavior import Behavior
from offboard.sandbox.caller import read_claims
from offboard.sandbox.clock import faster
from offboard.sandbox.faults import FaultError, FaultScript
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.throttle import Limits, Throttle
from tests.sandbox.conftest import Clock
from tests.sandbox.world import ADELE, BI_USERS, LAPTOP, POWER_BI, SAWYER, error_of

pytestmark = pytest.mark.anyio


# Throttling


async def test_the_write_quota_is_three_thousand_and_refills_by_twenty_a_second(
    http: httpx.AsyncClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.behavior = Behavior(throttle="published")
    item = {"method": "POST", "url": f"/users/{SAWYER}/revokeSignInSessions"}
    body = {"requests": [{"id": str(n), **item} for n in range(20)]}
    statuses: list[int] = []
    for _ in range(165):
        statuses += [r["status"] for r in (await http.post("/$batch", json=body)).json()["responses"]]
        if len(statuses) == 2000:
            clock.pass_(seconds=10)  # so that resource units do not bind before writes do
    assert statuses.count(200) == 3000 + 10 * 20
    refused = await http.post(f"/users/{SAWYER}/revokeSignInSessions")
    assert error_of(refused) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert refused.headers["x-ms-throttle-scope"].startswith("Tenant_Application/Write/")
    assert (await http.get(f"/users/{SAWYER}")).status_code == 200
    clock.pass_(seconds=1)
    again = [(await http.post(f"/users/{SAWYER}/revokeSignInSessions")).status_code for _ in range(21)]
    assert again == [200] * 20 + [429]
    assert len(sandbox.journal()) == 3220


async def test_calls_cost_what_is_published(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    async def cost(url: str) -> str:
        return str((await http.get(url)).headers["x-ms-resource-unit"])

    assert await cost("/users") == "2"
    assert await cost("/users?$select=id") == "1"
    assert await cost("/users?$select=id&$top=5") == "1"
    assert await cost(f"/users/{SAWYER}?$expand=manager") == "2"
    assert await cost(f"/users/{SAWYER}/memberOf") == "2"
    assert await cost(f"/groups/{BI_USERS}/members") == "3"
    assert await cost(f"/groups/{BI_USERS}/transitiveMembers") == "5"
    assert await cost("/subscribedSkus") == "3"


def test_resource_units_follow_the_size_of_the_tenant() -> None:
    for people, units in ((49, 3500), (50, 5000), (500, 5000), (501, 8000)):
        throttle = Throttle("t", people)
        passed = sum(1 for _ in range(9000) if not throttle.judge("app", 1, 0, 1000.0).retry_after)
        assert passed == units


def test_apps_have_buckets_of_their_own_below_the_tenants() -> None:
    throttle = Throttle("t", 1000, Limits(units_large=10**9, writes=10, tenant_writes=15))
    first = sum(1 for _ in range(12) if not throttle.judge("one", 1, 1, 5.0).retry_after)
    second = sum(1 for _ in range(12) if not throttle.judge("two", 1, 1, 5.0).retry_after)
    verdict = throttle.judge("two", 1, 1, 5.0)
    assert (first, second) == (10, 5)
    assert verdict.headers["x-ms-throttle-scope"] == "Tenant/Write/two/t"
    assert verdict.retry_after == 20


def test_a_warning_comes_before_the_refusal() -> None:
    throttle = Throttle("t", 10, Limits(units_small=10))
    shares = [throttle.judge("a", 1, 0, 7.0).headers.get("x-ms-throttle-limit-percentage") for _ in range(10)]
    assert shares == [None] * 7 + ["0.80", "0.90", "1.00"]


# Lag


async def test_reads_show_the_past_for_as_long_as_replication_takes(
    http: httpx.AsyncClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.behavior = Behavior(lag=5)
    await http.patch(f"/users/{SAWYER}", json={"accountEnabled": False})
    await http.delete(f"/devices/{LAPTOP}/registeredOwners/{SAWYER}/$ref")
    await http.delete(f"/groups/{BI_USERS}/members/{SAWYER}/$ref")
    clock.pass_(seconds=2)
    await http.delete(f"/users/{ADELE}")

    async def seen() -> tuple[bool, int, bool, int]:
        user = (await http.get(f"/users/{SAWYER}?$select=accountEnabled,assignedLicenses")).json()
        owners = (await http.get(f"/devices/{LAPTOP}/registeredOwners")).json()["value"]
        licensed = POWER_BI in str(user["assignedLicenses"])
        return user["accountEnabled"], len(owners), licensed, (await http.get(f"/users/{ADELE}")).status_code

    assert await seen() == (True, 1, True, 200)
    clock.pass_(seconds=3)
    assert await seen() == (False, 0, False, 200)
    clock.pass_(seconds=2)
    assert await seen() == (False, 0, False, 404)


async def test_writes_see_the_truth_at_once(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.behavior = Behavior(lag=60)
    url = f"/devices/{LAPTOP}/registeredOwners/{SAWYER}/$ref"
    assert (await http.delete(url)).status_code == 204
    assert (await http.delete(url)).status_code == 404
    assert len((await http.get(f"/devices/{LAPTOP}/registeredOwners")).json()["value"]) == 1
    sandbox.behavior = Behavior()
    assert (await http.get(f"/devices/{LAPTOP}/registeredOwners")).json()["value"] == []


async def test_a_purged_person_is_still_there_for_lagging_reads(
    http: httpx.AsyncClient, sandbox: Sandbox, clock: Clock
) -> None:
    await http.delete(f"/users/{SAWYER}")
    clock.pass_(seconds=100)
    sandbox.behavior = Behavior(lag=10)
    await http.delete(f"/directory/deletedItems/{SAWYER}")
    assert (await http.get(f"/directory/deletedItems/{SAWYER}")).status_code == 200
    clock.pass_(seconds=10)
    assert (await http.get(f"/directory/deletedItems/{SAWYER}")).status_code == 404


# Faults


def script(*rules: dict[str, Any]) -> Behavior:
    return Behavior(faults=FaultScript.parse(list(rules)))


DISABLE = {"match": {"method": "PATCH", "path": "/users/*"}}


async def disable(http: httpx.AsyncClient) -> httpx.Response:
    return await http.patch(f"/users/{SAWYER}", json={"accountEnabled": False})


async def test_a_status_before_does_nothing_and_after_hides_what_was_done(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.behavior = script({**DISABLE, "fault": {"status": 503, "retry_after": 1.5}})
    answer = await disable(http)
    assert error_of(answer) == (503, "serviceNotAvailable")
    assert answer.headers["Retry-After"] == "1.5"
    assert sandbox.journal() == []
    sandbox.behavior = script({**DISABLE, "fault": {"status": 500, "code": "boom", "when": "after"}})
    assert error_of(await disable(http)) == (500, "boom")
    assert len(sandbox.journal()) == 1
    assert (await disable(http)).status_code == 204


async def test_a_fault_strikes_the_nth_time_and_so_many_times(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    match = {"path": "/organization", "nth": 2, "times": 2}
    sandbox.behavior = script({"match": match, "fault": {"status": 429, "retry_after": 7}})
    statuses = [(await http.get("/organization")).status_code for _ in range(5)]
    assert statuses == [200, 429, 429, 200, 200]
    sandbox.behavior = script({"match": {"path": "/organization", "times": "all"}, "fault": {"status": 504}})
    assert [(await http.get("/organization")).status_code for _ in range(3)] == [504] * 3


async def test_resets_reach_the_client_as_transport_errors(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    for when, effects in (("before", 0), ("after", 1)):
        sandbox.behavior = script({**DISABLE, "fault": {"reset": when}})
        with pytest.raises(httpx.ReadError):
            await disable(http)
        assert len(sandbox.journal()) == effects


async def test_broken_answers_break_where_the_client_reads_them(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.behavior = script({"match": {"path": "/users/*"}, "fault": {"truncate": True}})
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(f"/users/{SAWYER}")
    sandbox.behavior = script({"match": {"path": "/users/*"}, "fault": {"not_json": True}})
    with pytest.raises(ValueError, match="Expecting"):
        (await http.get(f"/users/{SAWYER}")).json()
    sandbox.behavior = script({"match": {"path": "/users/*"}, "fault": {"html": True, "status": 502}})
    page = await http.get(f"/users/{SAWYER}")
    assert (page.status_code, page.headers["Content-Type"]) == (502, "text/html")


async def test_inside_a_batch_items_fail_vanish_and_are_throttled_alone(
    http: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    sandbox.behavior = script(
        {"match": {"path": f"/users/{SAWYER}", "item": True}, "fault": {"drop_item": True}},
        {"match": {"path": f"/users/{ADELE}", "item": True}, "fault": {"status": 429, "retry_after": 3}},
        {"match": {"path": "/organization", "item": False}, "fault": {"status": 500}},
    )
    items = [
        {
            "id": "s",
            "method": "PATCH",
            "url": f"/users/{SAWYER}",
            "headers": {"Content-Type": "application/json"},
            "body": {"accountEnabled": False},
        },
        {"id": "a", "method": "GET", "url": f"/users/{ADELE}"},
        {"id": "o", "method": "GET", "url": "/organization"},
    ]
    responses = {r["id"]: r for r in (await http.post("/$batch", json={"requests": items})).json()["responses"]}
    assert set(responses) == {"a", "o"}
    assert (responses["a"]["status"], responses["a"]["headers"]["Retry-After"]) == (429, "3")
    assert responses["o"]["status"] == 200
    assert len(sandbox.journal()) == 1


async def test_a_batch_as_a_whole_can_be_lost_after_it_was_done(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.behavior = script({"match": {"path": "/$batch"}, "fault": {"reset": "after"}})
    item = {"id": "1", "method": "POST", "url": f"/users/{SAWYER}/revokeSignInSessions"}
    with pytest.raises(httpx.ReadError):
        await http.post("/$batch", json={"requests": [item]})
    assert len(sandbox.journal()) == 1


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"fault": {}}, "needs a status"),
        ({"match": {"url": "/x"}, "fault": {"status": 500}}, "unknown key 'url'"),
        ({"fault": {"status": 200}}, "400 to 599"),
        ({"fault": {"reset": "sometimes"}}, "before or after"),
        ({"fault": {"reset": "after", "truncate": True}}, "one fault at a time"),
        ({"match": {"nth": 0}, "fault": {"status": 500}}, "counts from 1"),
        ({"match": {"path": "re:("}, "fault": {"status": 500}}, "not a regular expression"),
        ({"match": {"item": "yes"}, "fault": {"status": 500}}, "true or false"),
        ({"match": {}}, "'match' and 'fault'"),
    ],
)
def test_a_script_that_makes_no_sense_names_its_rule(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(FaultError, match=message) as caught:
        FaultScript.parse([{"fault": {"status": 500}}, rule])
    assert str(caught.value).startswith("faults[1]")


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - match: {path: 're:/users/.*/memberOf'}\n    fault: {delay: 0.5}\n")
    [rule] = FaultScript.load(file).rules
    assert rule.covers("GET", "/users/x/memberOf", item=True)
    assert not rule.covers("GET", "/users/x", item=True)
    assert rule.fault.delay == 0.5
    with pytest.raises(FaultError):
        FaultScript.load(tmp_path / "absent.yaml")


async def test_a_delay_is_waited_for_in_real_time(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    import time

    sandbox.behavior = script({"match": {"path": "/organization"}, "fault": {"delay": 0.15}})
    start = time.perf_counter()
    assert (await http.get("/organization")).status_code == 200
    assert time.perf_counter() - start >= 0.15
    sandbox.behavior = Behavior(delay=(0.05, 0.06))
    start = time.perf_counter()
    await http.get("/organization")
    assert 0.05 <= time.perf_counter() - start < 1


# A faster clock, and the count of calls


def _issued(token: str) -> int:
    claims = read_claims(token)
    assert claims is not None
    return int(claims["iat"])


async def test_a_faster_clock_makes_the_same_days_pass_sooner(clock: Clock) -> None:
    sandbox = Sandbox.open(now=faster(clock, 60), behavior=Behavior(throttle="published"))
    start = sandbox.issue_token(app_roles=["User.Read.All"])
    clock.pass_(seconds=60)
    later = sandbox.issue_token(app_roles=["User.Read.All"])

    assert _issued(later) - _issued(start) == 3600
    sandbox.close()


async def test_every_call_is_counted_however_many_there_are(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    item = {"method": "GET", "url": f"/users/{SAWYER}"}
    body = {"requests": [{"id": str(n), **item} for n in range(19)] + [{"id": "19", **item, "url": "/users/nobody"}]}
    for _ in range(3):
        await http.post("/$batch", json=body)
    await http.get(f"/users/{SAWYER}")

    assert sandbox.tally() == {(False, 200): 4, (True, 200): 57, (True, 404): 3}
    sandbox.reset()
    assert sandbox.tally() == {}
