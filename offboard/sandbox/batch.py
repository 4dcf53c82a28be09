"""JSON batching: up to twenty calls in one request, each with its own answer, in no promised order."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import orjson

from . import caller as callers
from . import clock
from .call import Answer
from .dispatch import Tenant, answer_response, common_headers, error_response, graph_call, misreport
from .journal import RequestEntry, note_request
from .problems import GraphError, bad_uri
from .wire import Json, Mishap, Request, Response

MAX_ITEMS = 20
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True)
class Item:
    """One call of a batch."""

    id: str
    request: Request
    depends_on: tuple[str, ...] = ()


def is_batch(request: Request) -> bool:
    """Whether this is the batch endpoint."""
    return request.path.lower().rstrip("/") == "/v1.0/$batch"


def batch_call(tenant: Tenant, request: Request) -> Response:
    """Answer a batch: 200 with an answer per item, or 400 for a batch that makes no sense."""
    with tenant.store.transaction():
        return _batch_call(tenant, request)


def _batch_call(tenant: Tenant, request: Request) -> Response:
    moment = tenant.now()
    fault = tenant.faults.strike(request.method.upper(), "/$batch", False)
    headers = common_headers(request, moment)
    if fault is not None and fault.kind != "none" and fault.before:
        response = Response(200, headers)
    else:
        response = _answer(tenant, request, headers)
    if fault is not None:
        mishap = response.mishap
        response = misreport(fault, response, headers, moment)
        response = replace(response, mishap=response.mishap or mishap)
    seen = 0 if response.mishap == Mishap("reset") else response.status
    note_request(tenant.store, RequestEntry(clock.stamp(moment), request.method.upper(), request.path, seen, False))
    return response


def _answer(tenant: Tenant, request: Request, headers: dict[str, str]) -> Response:
    try:
        if request.method.upper() != "POST":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        caller = callers.identify(request.header("Authorization"), tenant.secret)
        if tenant.behavior.enforce_permissions:
            callers.demand_valid(caller, tenant.now())
        items = read_items(request)
    except GraphError as error:
        return error_response(error, headers, tenant.now())
    # Seeded by the content: the same batch runs and answers in the same order every time, but not in the order asked.
    shuffle = random.Random(request.body)  # noqa: S311 - reproducible, not secret
    answers = _run(tenant, items, shuffle)
    shown = [shown for item, response in answers if (shown := _shown(item, response)) is not None]
    shuffle.shuffle(shown)
    response = answer_response(Answer(200, {"responses": shown}), headers)
    # A connection that breaks takes the whole batch with it.
    broken = next((r.mishap for _, r in answers if r.mishap and r.mishap.kind != "drop_item"), None)
    return replace(response, mishap=broken, delay=max((r.delay for _, r in answers), default=0.0))


def _run(tenant: Tenant, items: list[Item], shuffle: random.Random) -> list[tuple[Item, Response]]:
    waiting, done = list(items), dict[str, Response]()
    shuffle.shuffle(waiting)
    answers = []
    while waiting:
        item = next((i for i in waiting if all(d in done for d in i.depends_on)), None)
        if item is None:
            raise AssertionError("read_items refuses circles")
        waiting.remove(item)
        failed = any(done[d].status >= 400 for d in item.depends_on)
        response = _failed_dependency(tenant, item) if failed else graph_call(tenant, item.request, item=True)
        done[item.id] = response
        answers.append((item, response))
    return answers


def _failed_dependency(tenant: Tenant, item: Item) -> Response:
    error = GraphError(424, "FailedDependency", "A request that this request depends on has failed.")
    moment = tenant.now()
    response = error_response(error, common_headers(item.request, moment), moment)
    with tenant.store.transaction():
        entry = RequestEntry(clock.stamp(moment), item.request.method, item.request.path, 424, True)
        note_request(tenant.store, entry)
    return response


def _shown(item: Item, response: Response) -> Json | None:
    if response.mishap == Mishap("drop_item"):
        return None
    kept = (
        "content-type",
        "retry-after",
        "location",
        "cache-control",
        "x-ms-resource-unit",
        "www-authenticate",
        "x-ms-throttle-scope",
        "x-ms-throttle-information",
        "x-ms-throttle-limit-percentage",
    )
    headers = {name: value for name, value in response.headers.items() if name.lower() in kept}
    shown: Json = {"id": item.id, "status": response.status, "headers": headers}
    if response.body:
        shown["body"] = _body(response.body)
    return shown


def _body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def read_items(request: Request) -> list[Item]:
    """Take a batch apart; one bad item spoils the whole batch, as in Graph."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    entries = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries:
        raise bad_uri("Invalid batch payload format.")
    if len(entries) > MAX_ITEMS:
        message = f"Number of batch request steps exceeds the maximum value of {MAX_ITEMS}."
        raise GraphError(400, "MaximumValueExceeded", message)
    items: list[Item] = []
    for entry in entries:
        items.append(_item(request, entry, items))
    _demand_order(items)
    return items


def _item(outer: Request, entry: object, before: list[Item]) -> Item:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise bad_uri("Invalid batch payload format: every request needs an 'id'.")
    id_, method, url = entry["id"], str(entry.get("method") or "").upper(), entry.get("url")
    if any(id_.lower() == other.id.lower() for other in before):
        raise bad_uri(f"Request Id : {id_} has to be unique in a batch.")
    if method not in _METHODS or not isinstance(url, str) or not url:
        raise bad_uri(f"Invalid batch payload format: request {id_} needs a 'method' and a 'url'.")
    headers = entry.get("headers") or {}
    if not isinstance(headers, dict):
        raise bad_uri(f"Invalid batch payload format: the headers of request {id_} are not an object.")
    named = {str(name): str(value) for name, value in headers.items()}
    content = _content(id_, entry, named)
    depends = entry.get("dependsOn") or []
    if not isinstance(depends, list) or not all(isinstance(d, str) for d in depends):
        raise bad_uri(f"Invalid batch payload format: 'dependsOn' of request {id_} is not a list of ids.")
    return Item(id_, Request(method, _absolute(outer, id_, url), _inherit(outer, named), content), tuple(depends))


def _content(id_: str, entry: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    if entry.get("body") is None:
        return b""
    if not any(name.lower() == "content-type" for name in headers):
        raise bad_uri(f"Write request id : {id_} does not contain Content-Type header or body.")
    if not isinstance(entry["body"], dict):
        raise bad_uri(f"Invalid batch payload format: the body of request {id_} is not a JSON object.")
    return json.dumps(entry["body"]).encode()


def _inherit(outer: Request, headers: dict[str, str]) -> dict[str, str]:
    """An item carries the caller of the batch unless it names its own; nothing else is handed down."""
    names = {name.lower() for name in headers}
    authorization = outer.header("Authorization")
    if "authorization" not in names and authorization is not None:
        headers = {**headers, "Authorization": authorization}
    return headers


def _absolute(outer: Request, id_: str, url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise bad_uri(f"Invalid batch payload format: the url of request {id_} is not a URL.") from None
    path = parts.path if parts.path.startswith("/") else "/" + parts.path
    if parts.netloc or path.lower().startswith("/v1.0/"):
        path = "/" + path.lstrip("/").partition("/")[2]
    if path.lower().rstrip("/") == "/$batch":
        raise bad_uri(f"Nested batch is not supported: request {id_}.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{outer.root}/v1.0{path}{query}"


def _demand_order(items: list[Item]) -> None:
    known = {item.id for item in items}
    for item in items:
        for other in item.depends_on:
            if other not in known or other == item.id:
                raise bad_uri(f"Request {item.id} depends on '{other}', which is not another request of this batch.")
    done: set[str] = set()
    waiting = list(items)
    while waiting:
        ready = [item for item in waiting if done.issuperset(item.depends_on)]
        if not ready:
            raise bad_uri("The dependencies of the batch form a circle.")
        done |= {item.id for item in ready}
        waiting = [item for item in waiting if item.id not in done]
