"""One Graph call from request to response: who, what, may they, do it, write it down."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from . import caller as callers
from . import clock
from .behavior import Behavior
from .call import Answer, Call
from .faults import Fault, FaultCounter
from .journal import JournalEntry, RequestEntry, note_effects, note_request
from .options import COLLECTION, Options, read_options
from .permissions import demand
from .problems import GraphError
from .recycle import expire
from .routes import table
from .routing import Found, Router, split_version
from .store import Store
from .throttle import Throttle, cost_of
from .users import refuse_me
from .wire import JSON_TYPE, Mishap, Request, Response, dumps

_ROUTER = Router(table())


@dataclass
class Tenant:
    """What answering needs besides the request: the store, the clock, the options and their counters."""

    store: Store
    tenant_id: str
    secret: str
    now: clock.Now
    behavior: Behavior
    faults: FaultCounter
    throttle: Throttle | None


def common_headers(request: Request, moment: datetime) -> dict[str, str]:
    """Headers of every answer."""
    request_id = str(uuid.uuid4())
    return {
        "Date": clock.http_date(moment),
        "request-id": request_id,
        "client-request-id": request.header("client-request-id") or request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000",'
        '"RoleInstance":"SANDBOX"}}',
        "Cache-Control": "no-cache",
        "OData-Version": "4.0",
    }


def error_response(error: GraphError, headers: Mapping[str, str], moment: datetime) -> Response:
    """An error in Graph's envelope."""
    date = clock.stamp(moment).removesuffix("Z")
    body = error.envelope(date, headers["request-id"], headers["client-request-id"])
    return Response(error.status, {**headers, "Content-Type": JSON_TYPE, **error.headers}, dumps(body))


def answer_response(answer: Answer, headers: Mapping[str, str]) -> Response:
    """A handler's answer on the wire."""
    merged = {**headers, **answer.headers}
    if answer.text is not None:
        return Response(answer.status, {**merged, "Content-Type": "text/plain"}, answer.text.encode())
    if answer.body is None:
        return Response(answer.status, merged)
    return Response(answer.status, {**merged, "Content-Type": JSON_TYPE}, dumps(answer.body))


def graph_call(tenant: Tenant, request: Request, *, item: bool) -> Response:
    """Answer one call; `item` when it came inside a `$batch`."""
    method, path = request.method.upper(), request.path
    fault = tenant.faults.strike(method, _below_version(path), item)
    moment = tenant.now()
    headers = common_headers(request, moment)
    skipped = fault is not None and fault.kind != "none" and fault.before
    with tenant.store.transaction():
        response = Response(200, headers) if skipped else _execute(tenant, request, headers, moment)
        if fault is not None:
            response = misreport(fault, response, headers, moment)
        # Nobody saw the status of an answer that was reset: 0 says so.
        seen = 0 if response.mishap == Mishap("reset") else response.status
        note_request(tenant.store, RequestEntry(clock.stamp(moment), method, path, seen, item))
    return response


def _below_version(path: str) -> str:
    return "/" + path.lstrip("/").partition("/")[2]


def misreport(fault: Fault, response: Response, headers: Mapping[str, str], moment: datetime) -> Response:
    """The response as the fault lets the client see it."""
    if fault.kind == "none":
        return replace(response, delay=fault.delay)
    if fault.kind == "status":
        extra = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        error = GraphError(fault.status, fault.code, fault.message, extra)
        return replace(error_response(error, headers, moment), delay=fault.delay)
    if fault.kind == "html":
        page = b"<!DOCTYPE html><html><body><h1>Service unavailable</h1></body></html>"
        return Response(fault.status, {**headers, "Content-Type": "text/html"}, page, delay=fault.delay)
    if fault.kind == "not_json":
        return replace(
            response,
            status=200,
            body=b'{"value": [',
            headers={**response.headers, "Content-Type": JSON_TYPE},
            delay=fault.delay,
        )
    return replace(response, mishap=Mishap(fault.kind), delay=fault.delay)


def _execute(tenant: Tenant, request: Request, headers: dict[str, str], moment: datetime) -> Response:
    try:
        expire(tenant.store, moment)
        call, found = _recognize(tenant, request, moment)
        headers |= _judge(tenant, call, found)
        if tenant.behavior.enforce_permissions:
            demand(call, found.route.access)
        return answer_response(_run(tenant, call, found), headers)
    except GraphError as error:
        return error_response(error, headers, moment)


def _recognize(tenant: Tenant, request: Request, moment: datetime) -> tuple[Call, Found]:
    version, path = split_version(request.path)
    caller = callers.identify(request.header("Authorization"), tenant.secret)
    enforcing = tenant.behavior.enforce_permissions
    if enforcing:
        callers.demand_valid(caller, moment)
    call = Call(request, tenant.store, caller, moment, tenant.tenant_id, {}, version, enforcing)
    found = _ROUTER.find(request.method.upper(), _resolve_me(call, path))
    call.params = found.params
    return call, found


def _resolve_me(call: Call, path: str) -> str:
    head, slash, rest = path.lstrip("/").partition("/")
    if head.lower() != "me":
        return path
    if not call.caller.delegated:
        raise refuse_me(call)
    return f"/users/{call.caller.object_id}{slash}{rest}"


def _judge(tenant: Tenant, call: Call, found: Found) -> dict[str, str]:
    """Headers of throttling; 429 when the quota is used up."""
    units, writes = cost_of(found.route, _options_for_cost(call))
    if tenant.throttle is None:
        return {"x-ms-resource-unit": str(units)}
    app_id = call.caller.app_id or "00000000-0000-0000-0000-000000000000"
    verdict = tenant.throttle.judge(app_id, units, writes, call.now.timestamp())
    if verdict.retry_after:
        raise GraphError(429, "TooManyRequests", "Too many requests. Please retry after some time.", verdict.headers)
    return verdict.headers


def _options_for_cost(call: Call) -> Options:
    try:
        return read_options(call.request.query, None, COLLECTION)
    except GraphError:
        return Options()  # the handler will say what is wrong with it


def _run(tenant: Tenant, call: Call, found: Found) -> Answer:
    lag, at = tenant.behavior.lag, call.now.timestamp()
    if found.route.reads:
        if lag <= 0:
            return found.route.handler(call)
        with tenant.store.as_of(at - lag):
            return found.route.handler(call)
    tenant.store.undo_at = at if lag > 0 else None
    try:
        with tenant.store.attempt():
            answer = found.route.handler(call)
    finally:
        tenant.store.undo_at = None
    if lag > 0:
        tenant.store.forget_before(at - lag)
    for effect in call.effects:
        note_effects(
            tenant.store,
            JournalEntry(
                call.stamp, call.caller.name, call.request.method.upper(), call.request.path, answer.status, effect
            ),
        )
    return answer
