"""Honest inputs: what the program itself has written, and what people write for it."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from offboard.audit.chain import digest
from offboard.model import Plan
from offboard.planfile import seal
from tests.approval.people import DANA, ERIN
from tests.render.samples import NOW, rich_plan
from tests.world import ADELE, SAWYER, SEED, a_world, steps

PLAN_TIME = NOW
CONFIG = b"""default = "contoso"
database = "postgresql://runs@db.contoso.com:5432/offboard"
[tenants.contoso]
tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
sign_in   = "certificate"
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
certificate = "app.pem"
cloud = "global"
ca_file = "ca.pem"
[tenants.contoso.guards]
protected_users = ["breakglass@contoso.com"]
protected_groups = ["e0000000-0000-4000-8000-000000000001"]
max_leavers = 25
max_percent = 2.5
approval = "irreversible"
allowed_signers = "allowed_signers"
freeze = [{from = 2026-12-23T00:00:00Z, until = 2027-01-02T00:00:00Z, reason = "holidays"}]
[tenants.lab]
sign_in = "none"
graph_url = "http://127.0.0.1:8080"
"""
SIGNERS = (
    DANA.line('namespaces="offboard",valid-after="20260101",valid-before="20301231Z"', "d@contoso.com")
    + "# comment\n\n*@lab.contoso.com,!eve@lab.contoso.com "
    + ERIN.line().partition(" ")[2]
).encode()


def _b64(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


TOKEN = f"{_b64({'alg': 'none'})}.{_b64({'tid': 'x', 'scp': 'a b', 'roles': ['c'], 'wids': ['d'], 'upn': 'e'})}.".encode()


def signed_plan() -> Plan:
    """The plan that the approval is for."""
    return seal(rich_plan())


def _offer() -> tuple[bytes, bytes]:
    offer = DANA.offer(signed_plan(), approved=NOW)
    assert offer.signature is not None
    return offer.text, offer.signature


APPROVAL, SIGNATURE = _offer()


@cache
def audit_text() -> str:
    """The audit of a real run of two leavers, with a failure in it."""

    async def life() -> str:
        with tempfile.TemporaryDirectory() as folder:
            async with a_world(Path(folder)) as world:
                rule = {"match": {"path": "/devices/*", "method": "PATCH", "times": "all"}, "fault": {"status": 403}}
                world.misbehave(rule)
                await world.apply(await world.plan(steps(*SEED), SAWYER, ADELE), "r-1")
                return (Path(folder) / "audit.jsonl").read_text()

    return asyncio.run(life())


def audit_records() -> list[dict[str, Any]]:
    """Its records, chained."""
    records = [json.loads(line) for line in audit_text().splitlines()]
    prev = records[0]["prev"]
    for record in records:
        record["prev"] = prev
        record["hash"] = prev = digest(record)
    return records
