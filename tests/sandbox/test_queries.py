"""Query options: what Graph's directory answers, and what it refuses in which words."""

from __future__ import annotations

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

from offboard.sandbox.filters import parse_filter
from offboard.sandbox.problems import GraphError
from offboard.sandbox.tenant import Sandbox
from tests.sandbox.world import ADELE, ALEX, E3, EVENTUAL, MEGAN, MILES, SAWYER, error_of

pytestmark = pytest.mark.anyio


async def found(http: httpx.AsyncClient, filter_: str, *, advanced: bool = False, path: str = "/users") -> list[str]:
    params = {"$filter": filter_, "$select": "id", "$top": "999"}
    if advanced:
        params["$count"] = "true"
    answer = await http.get(path, params=params, headers=EVENTUAL if advanced else {})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["value"]]


async def refused(http: httpx.AsyncClient, url: str, **headers: str) -> tuple[int, str]:
    return error_of(await http.get(url, headers=headers))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("userPrincipalName eq 'SAWYERM@contoso.com'", [SAWYER]),
        (f"id in ('{ALEX}','{SAWYER}')", [SAWYER, ALEX]),
        ("displayName eq 'Miles O''Brien'", [MILES]),
        ("startsWith(displayName,'meg')", [MEGAN]),
        ("startswith(displayName,'Sawyer') and accountEnabled eq true", [SAWYER]),
        ("(employeeId eq '10001' or employeeId eq '10002') and department eq 'Finance'", [SAWYER, MEGAN]),
        ("mail eq 'adelev@contoso.com'", [ADELE]),
        ("proxyAddresses/any(p:p eq 'SMTP:AdeleV@contoso.com')", [ADELE]),
        ("proxyAddresses/any(p:p eq 'smtp:adelev@contoso.com')", []),
        (
            f"assignedLicenses/any(l:l/skuId eq {E3}) and department eq 'Retail' and onPremisesSyncEnabled eq null",
            [ADELE],
        ),
        ("userType eq 'Guest' and externalUserState eq 'Accepted' and startsWith(mail,'nobody')", []),
        ("createdDateTime le 2022-01-01T00:00:00Z", ["a0000000-0000-4000-8000-000000000007"]),
        ("jobTitle eq 'Retail Manager' and not_a_word eq 1", None),
    ],
)
async def test_filters_find_whom_they_describe(http: httpx.AsyncClient, filter_: str, expected: list[str] | None) -> None:
    if expected is None:
        assert await refused(http, f"/users?$filter={filter_}") == (400, "BadRequest")
    else:
        assert await found(http, filter_) == expected


async def test_some_filters_need_the_search_index(http: httpx.AsyncClient) -> None:
    for filter_ in (
        "endsWith(mail,'contoso.com')",
        "department ne 'Finance'",
        "not startsWith(mail,'a')",
        "assignedLicenses/$count ne 0",
    ):
        assert await refused(http, f"/users?$filter={filter_}") == (400, "Request_UnsupportedQuery")
        assert await refused(http, f"/users?$filter={filter_}", **EVENTUAL) == (400, "Request_UnsupportedQuery")
        assert SAWYER in await found(http, filter_, advanced=True) or "department" in filter_
    assert SAWYER not in await found(http, "department ne 'Finance'", advanced=True)


async def test_filter_and_order_together_need_the_search_index(http: httpx.AsyncClient) -> None:
    url = "/users?$filter=department eq 'Finance'&$orderby=displayName"
    assert await refused(http, url) == (400, "Request_UnsupportedQuery")
    answer = await http.get(url + "&$count=true", headers=EVENTUAL)
    assert [u["displayName"] for u in answer.json()["value"]] == ["Joni Sherman", "Megan Bowen", "Sawyer Miller"]
    assert answer.json()["@odata.count"] == 3


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("/users?$foo=1", "BadRequest"),
        ("/users?$skip=1", "Request_BadRequest"),
        ("/users?$top=0", "Request_BadRequest"),
        ("/users?$top=1000", "Request_BadRequest"),
        ("/users?$top=ten", "BadRequest"),
        ("/users?$select=nope", "BadRequest"),
        ("/users?$filter=accountEnabled eq 'yes'", "BadRequest"),
        ("/users?$filter=displayName eq 'open", "BadRequest"),
        ("/users?$filter=displayName foo 'x'", "BadRequest"),
        ("/users?$filter=lastPasswordChangeDateTime ge 2024-01-01T00:00:00Z", "Request_UnsupportedQuery"),
        ("/users?$filter=contains(displayName,'a')", "Request_UnsupportedQuery"),
        ('/users?$search="displayName:saw"', "Request_UnsupportedQuery"),
        ("/users?$skiptoken=rubbish", "Request_BadRequest"),
        ("/users?$expand=nope", "BadRequest"),
        ("/users?$select=id&$select=mail", "BadRequest"),
        ("/users/$count", "Request_BadRequest"),
        (f"/users/{SAWYER}?$filter=id eq 'x'", "Request_BadRequest"),
        (f"/users/{SAWYER}?$select=nope", "BadRequest"),
        ("/nowhere", "BadRequest"),
        (f"/users/{SAWYER}/nowhere", "BadRequest"),
        ("/users//memberOf", "BadRequest"),
    ],
)
async def test_what_graph_does_not_understand_is_a_400(http: httpx.AsyncClient, url: str, code: str) -> None:
    assert await refused(http, url) == (400, code)


async def test_refusals_are_worded_as_graph_words_them(http: httpx.AsyncClient) -> None:
    async def message(url: str) -> str:
        return str((await http.get(url)).json()["error"]["message"])

    unknown = "Could not find a property named 'nope' on type 'microsoft.graph.user'."
    too_many = "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive."
    assert await message("/users?$select=nope") == unknown
    assert await message("/users/x/nowhere") == "Resource not found for the segment 'nowhere'."
    assert await message("/users?$top=1000") == too_many


async def test_a_method_that_a_path_does_not_have_is_a_405(http: httpx.AsyncClient) -> None:
    assert error_of(await http.put(f"/users/{SAWYER}", json={})) == (405, "Request_BadRequest")


async def test_beta_has_no_segments_here(http: httpx.AsyncClient) -> None:
    assert error_of(await http.get("https://graph.microsoft.com/beta/users")) == (400, "BadRequest")
    assert error_of(await http.get("https://graph.microsoft.com/v2.0/users")) == (400, "BadRequest")


async def test_a_request_without_a_token_is_a_401(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    for value in ("", "Basic abc", "Bearer "):
        answer = await http.get("/users", headers={"Authorization": value})
        assert error_of(answer) == (401, "InvalidAuthenticationToken")
    assert "Bearer" in answer.headers["WWW-Authenticate"]


async def test_pages_follow_each_other_without_gap_or_repetition(http: httpx.AsyncClient) -> None:
    whole = [u["id"] for u in (await http.get("/users?$select=id&$top=999")).json()["value"]]
    url, seen = "https://graph.microsoft.com/v1.0/users?$select=id&$top=4", []
    while url:
        page = (await http.get(url)).json()
        assert len(page["value"]) <= 4
        seen += [u["id"] for u in page["value"]]
        url = page.get("@odata.nextLink")
    assert seen == whole
    assert len(seen) == len(set(seen)) == 20


async def test_ordered_pages_stay_ordered(http: httpx.AsyncClient) -> None:
    url, names = "https://graph.microsoft.com/v1.0/users?$orderby=displayName desc&$top=5", []
    while url:
        page = (await http.get(url)).json()
        names += [u["displayName"] for u in page["value"]]
        url = page.get("@odata.nextLink")
    assert names == sorted(names, key=str.lower, reverse=True)
    assert len(names) == 20


async def test_links_to_further_pages_lead_back_to_the_host_that_was_asked(sandbox: Sandbox) -> None:
    from offboard.sandbox.wire import Request

    asked = Request("GET", "/v1.0/users?$top=1", {"Host": "graph.example:444", "Authorization": "Bearer x"})
    body = sandbox.handle(asked).json()
    assert body["@odata.nextLink"].startswith("https://graph.example:444/v1.0/users?$top=1&$skiptoken=")
    assert body["@odata.context"].startswith("https://graph.example:444/v1.0/$metadata")


async def test_the_page_iterator_of_the_sdk_sees_everybody(graph: GraphServiceClient) -> None:
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["id"], top=3)
    first = await graph.users.get(RequestConfiguration(query_parameters=query))
    seen: list[str] = []

    def take(user: object) -> bool:
        seen.append(getattr(user, "id", ""))
        return True

    await PageIterator(first, graph.request_adapter).iterate(take)
    assert len(set(seen)) == 20


async def test_counting_needs_the_header_and_counts_all_pages(http: httpx.AsyncClient) -> None:
    count = await http.get("/users/$count", headers=EVENTUAL)
    page = await http.get("/users?$count=true&$top=1", headers=EVENTUAL)
    plain = await http.get("/users?$count=true&$top=1")
    assert (count.text, count.headers["Content-Type"]) == ("20", "text/plain")
    assert page.json()["@odata.count"] == 20
    assert "@odata.count" not in plain.json()


async def test_searching_looks_for_beginnings_of_words(http: httpx.AsyncClient) -> None:
    answer = await http.get('/users?$search="displayName:mil"&$select=displayName', headers=EVENTUAL)
    assert {u["displayName"] for u in answer.json()["value"]} == {"Sawyer Miller", "Miles O'Brien"}


async def test_more_than_fifteen_alternatives_are_too_many(http: httpx.AsyncClient) -> None:
    ids = ",".join(f"'{SAWYER[:-2]}{n:02d}'" for n in range(16))
    assert await refused(http, f"/users?$filter=id in ({ids})") == (400, "Request_BadRequest")


async def test_a_cast_with_another_option_needs_the_search_index(http: httpx.AsyncClient) -> None:
    url = f"/users/{SAWYER}/memberOf/microsoft.graph.group"
    assert (await http.get(url)).status_code == 200
    assert await refused(http, url + "?$select=id") == (400, "Request_UnsupportedQuery")
    advanced = await http.get(url + "?$select=id&$count=true", headers=EVENTUAL)
    assert advanced.json()["@odata.count"] == 7
    assert "@odata.type" not in advanced.json()["value"][0]


async def test_mixed_lists_name_the_type_of_each_object(http: httpx.AsyncClient) -> None:
    items = (await http.get(f"/users/{ALEX}/memberOf")).json()["value"]
    assert {item["@odata.type"] for item in items} == {"#microsoft.graph.group", "#microsoft.graph.directoryRole"}


async def test_every_answer_carries_graphs_headers(http: httpx.AsyncClient) -> None:
    for url in ("/users", "/nowhere"):
        answer = await http.get(url, headers={"client-request-id": "my-own"})
        assert answer.headers["client-request-id"] == "my-own"
        assert answer.headers["Date"] == "Mon, 23 Nov 2026 17:06:02 GMT"
        assert len(answer.headers["request-id"]) == 36
        assert answer.headers["Content-Type"].startswith("application/json;odata.metadata=minimal")
        assert "x-ms-ags-diagnostic" in answer.headers


@given(st.text(max_size=60))
def test_no_text_whatever_breaks_the_filter_parser(text: str) -> None:
    with contextlib.suppress(GraphError):
        parse_filter(text)


@given(st.text(alphabet="'%&= Ωx", max_size=12))
def test_any_name_survives_quoting(name: str) -> None:
    quoted = name.replace("'", "''")
    node = parse_filter(f"displayName eq '{quoted}'")
    assert node.value.value == name


def test_deep_nesting_is_refused_before_it_hurts() -> None:
    with pytest.raises(GraphError, match="recursion"):
        parse_filter("(" * 5000 + "id eq 'x'" + ")" * 5000)
