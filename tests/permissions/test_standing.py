"""Who is signed in: read together with what is read anyway, to the last page, and never guessed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from offboard.clock import Clock
from offboard.graph.connect import connect
from offboard.graph.read import Reader
from offboard.graph.send import Sender
from offboard.graph.standing import read_caller
from offboard.runs.planning import PlanMaker, Wanted
from offboard.runs.store import Store
from offboard.sandbox.behavior import Behavior
from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request, Response
from offboard.settings.config import TenantConfig
from tests.graph.conftest import Watched, app_certificate, home, seed, server, tenant, tls, watched
from tests.world import SAWYER, Time, shipped

__all__ = ["app_certificate", "home", "seed", "server", "tenant", "tls", "watched"]
pytestmark = pytest.mark.anyio


@asynccontextmanager
async def signed_in(tenant: TenantConfig) -> AsyncIterator[Sender]:
    connection = await connect(tenant, prompt=lambda _text: None)
    real: Clock = Time().clock()
    try:
        yield Sender(connection, real, jitter=lambda: 0.5)
    finally:
        await connection.close()


async def test_an_app_is_known_with_its_permissions_and_the_role_of_its_service_principal(tenant: TenantConfig) -> None:
    async with signed_in(tenant) as sender:
        caller = await read_caller(sender)
    assert (caller.kind, caller.roles, caller.unsure) == ("application", {"User Administrator"}, "")
    assert "User.RevokeSessions.All" in caller.granted


async def test_asking_who_is_signed_in_costs_a_plan_no_request_of_its_own(
    tenant: TenantConfig, watched: Watched, tmp_path: Any
) -> None:
    def batches() -> int:
        return sum(1 for request in watched.seen if request.path.endswith("$batch"))

    async with signed_in(tenant) as sender:
        before = batches()
        await Reader(sender).resolve([SAWYER])
        alone = batches() - before
    async with signed_in(tenant) as sender:
        store = Store(tmp_path / "runs.db")
        maker = PlanMaker(Reader(sender), store, "contoso", "", tenant.guards, lambda: "0" * 16, "tester")
        before = batches()
        await maker.make(shipped("emergency"), [Wanted(SAWYER, None, {})])
        held = [json.loads(r.body) for r in watched.seen if r.path.endswith("$batch")][before]
        store.close()
    urls = [item["url"] for item in held["requests"]]
    assert alone == 1
    assert any("roleAssignments" in url for url in urls)
    assert any(SAWYER in url for url in urls)


@pytest.mark.parametrize("path", ["/roleManagement/directory/roleAssignments", "/memberOf"])
async def test_what_may_not_be_read_leaves_the_roles_unsure(tenant: TenantConfig, watched: Watched, path: str) -> None:
    async with signed_in(tenant) as sender:

        def refusing(request: Request) -> Response | None:
            if not request.path.endswith("$batch"):
                return None
            answer = Sandbox.handle(watched, request)
            body, asked = json.loads(answer.body), json.loads(request.body)
            urls = {item["id"]: item["url"] for item in asked["requests"]}
            for item in body["responses"]:
                if path in urls[item["id"]]:
                    item |= {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied", "message": "no"}}}
            return Response(200, answer.headers, json.dumps(body).encode())

        watched.instead = refusing
        caller = await read_caller(sender)
    assert "could not be read" in caller.unsure


async def test_a_token_of_a_tenant_that_asks_nobody_in_is_unknown(tenant: TenantConfig, watched: Watched) -> None:
    watched.behavior = Behavior()
    from dataclasses import replace

    nobody = replace(tenant, sign_in="none", client_id="", client_secret_file=None)
    async with signed_in(nobody) as sender:
        caller = await read_caller(sender)
    assert (caller.told, caller.kind) == (False, "unknown")


async def test_an_answer_that_makes_no_sense_leaves_the_roles_unsure_and_stops_nothing(
    tenant: TenantConfig, watched: Watched
) -> None:
    def garbled(request: Request) -> Response | None:
        if not request.path.endswith("$batch"):
            return None
        answer = Sandbox.handle(watched, request)
        return Response(200, answer.headers, answer.body.replace(b'"roleDefinitionId"', b'"somethingElse"'))

    async with signed_in(tenant) as sender:
        watched.instead = garbled
        caller = await read_caller(sender)
    assert "which this program does not know" in caller.unsure
