"""What somebody else does to the same people meanwhile, past the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request

ROOT = "https://graph.microsoft.com/v1.0"
TABLET = "d0000000-0000-4000-8000-000000000004"
DESKTOP = "d0000000-0000-4000-8000-000000000002"
SURFACE = "d0000000-0000-4000-8000-000000000007"
MEGAN = "a0000000-0000-4000-8000-000000000002"
PAYROLL = "b0000000-0000-4000-8000-000000000003"
VISIO = "c5928f49-12ba-48f7-ada3-0d743a3601d5"
E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"

Meddle = tuple[str, str, Any]
"""Method, path, body."""


def draw_meddle(rng: Random, people: Sequence[str]) -> Meddle:
    """One act of somebody else, concerning one of these people (object ids)."""
    id = rng.choice(people)
    link = {"@odata.id": f"{ROOT}/directoryObjects/{id}"}
    meddles: tuple[Meddle, ...] = (
        ("PATCH", f"/users/{id}", {"accountEnabled": True}),
        ("PATCH", f"/users/{id}", {"accountEnabled": True}),
        ("PATCH", f"/users/{id}", {"accountEnabled": False}),
        ("PATCH", f"/users/{id}", {"userPrincipalName": f"renamed{id[-2:]}@contoso.com"}),
        ("POST", f"/devices/{TABLET}/registeredOwners/$ref", link),
        ("POST", f"/devices/{DESKTOP}/registeredUsers/$ref", {"@odata.id": f"{ROOT}/directoryObjects/{MEGAN}"}),
        ("PATCH", f"/devices/{rng.choice((DESKTOP, SURFACE))}", {"accountEnabled": rng.random() < 0.5}),
        ("DELETE", f"/devices/{DESKTOP}/registeredOwners/{id}/$ref", None),
        ("POST", f"/users/{id}/assignLicense", {"addLicenses": [{"skuId": VISIO}], "removeLicenses": []}),
        ("POST", f"/users/{id}/assignLicense", {"addLicenses": [], "removeLicenses": [E3]}),
        ("POST", f"/groups/{PAYROLL}/members/$ref", link),
        ("DELETE", f"/groups/{PAYROLL}/members/{id}/$ref", None),
        ("POST", f"/users/{id}/revokeSignInSessions", None),
        ("DELETE", f"/users/{id}", None),
        ("POST", f"/directory/deletedItems/{id}/restore", None),
        ("DELETE", f"/directory/deletedItems/{id}", None),
    )
    return rng.choice(meddles)


def perform(sandbox: Sandbox, token: str, meddle: Meddle) -> int:
    """Do it, whatever comes of it; the status."""
    method, path, body = meddle
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return sandbox.handle(Request(method, f"{ROOT}{path}", headers, content)).status
