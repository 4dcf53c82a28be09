"""One `az rest` process per call: `python -m benchmarks.peers.az URL FIRST LAST AZ`, with AZ the path of azure-cli's `az`.

`--skip-authorization-header` with a header of our own saves azure-cli the fetching of a token: less work than it has with a
real tenant.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from typing import Any

from offboard.sandbox.crowd import person_name


def main() -> None:
    """One person after the other, one process after the other."""
    url, first, last, az = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    for number in range(first, last + 1):
        leave(az, f"{url}/v1.0", person_name(number))


def ask(az: str, method: str, url: str, body: Any = None) -> Any:
    """One process; an error ends the script."""
    words = [az, "rest", "--method", method, "--url", url, "--skip-authorization-header"]
    words += ["--headers", "Authorization=Bearer az", "Content-Type=application/json"]
    words += ["--body", json.dumps(body)] if body is not None else []
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout) if done.stdout.strip() else None


def leave(az: str, root: str, name: str) -> None:
    """All of one person."""
    user = ask(az, "get", f"{root}/users/{name}?$select=id,accountEnabled,licenseAssignmentStates")
    me = f"{root}/users/{user['id']}"
    devices = ask(az, "get", f"{me}/ownedDevices?$select=id,displayName,accountEnabled")["value"]
    ask(az, "patch", me, {"accountEnabled": False})
    ask(az, "post", f"{me}/revokeSignInSessions")
    password = {"password": secrets.token_urlsafe(24) + "aA1!", "forceChangePasswordNextSignIn": True}
    ask(az, "patch", me, {"passwordProfile": password})
    for device in devices:
        ask(az, "patch", f"{root}/devices/{device['id']}", {"accountEnabled": False})
    for device in devices:
        ask(az, "delete", f"{root}/devices/{device['id']}/registeredOwners/{user['id']}/$ref")
    direct = sorted({s["skuId"] for s in user["licenseAssignmentStates"] if not s["assignedByGroup"]})
    ask(az, "post", f"{me}/assignLicense", {"addLicenses": [], "removeLicenses": direct})
    ask(az, "delete", me)


if __name__ == "__main__":
    main()
