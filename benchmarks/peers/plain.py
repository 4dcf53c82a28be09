"""A sequential script with httpx: `python -m benchmarks.peers.plain URL FIRST LAST`, people of the sandbox's crowd."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import httpx

from offboard.sandbox.crowd import person_name


def main() -> None:
    """One person after the other, one call after the other."""
    url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with httpx.Client(base_url=f"{url}/v1.0", headers={"Authorization": "Bearer plain"}, timeout=60) as http:
        for number in range(first, last + 1):
            leave(http, person_name(number))


def ask(http: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """One call; an error ends the script."""
    answer = http.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def leave(http: httpx.Client, name: str) -> None:
    """All of one person."""
    user = ask(http, "GET", f"/users/{name}?$select=id,accountEnabled,licenseAssignmentStates")
    devices = ask(http, "GET", f"/users/{user['id']}/ownedDevices?$select=id,displayName,accountEnabled")["value"]
    me = f"/users/{user['id']}"
    ask(http, "PATCH", me, {"accountEnabled": False})
    ask(http, "POST", f"{me}/revokeSignInSessions")
    password = {"password": secrets.token_urlsafe(24) + "aA1!", "forceChangePasswordNextSignIn": True}
    ask(http, "PATCH", me, {"passwordProfile": password})
    for device in devices:
        ask(http, "PATCH", f"/devices/{device['id']}", {"accountEnabled": False})
    for device in devices:
        ask(http, "DELETE", f"/devices/{device['id']}/registeredOwners/{user['id']}/$ref")
    direct = sorted({s["skuId"] for s in user["licenseAssignmentStates"] if not s["assignedByGroup"]})
    ask(http, "POST", f"{me}/assignLicense", {"addLicenses": [], "removeLicenses": direct})
    ask(http, "DELETE", me)


if __name__ == "__main__":
    main()
