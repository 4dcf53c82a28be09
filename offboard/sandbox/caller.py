"""Who calls: read from the bearer token, which this tenant issues itself as signed JSON web tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .problems import unauthenticated
from .wire import Json

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True)
class Caller:
    """The identity behind a request; `known` is False for tokens that this tenant did not issue."""

    name: str = "unknown"
    app_id: str = ""
    object_id: str = ""
    delegated: bool = False
    permissions: frozenset[str] = frozenset()
    role_ids: frozenset[str] = frozenset()
    expires: float = 0.0
    known: bool = False


def encode(part: bytes) -> str:
    """URL-safe base64 without padding, as tokens use it."""
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The way back. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(claims: Json, secret: str) -> str:
    """A compact HS256 token."""
    header = encode(json.dumps({"typ": "JWT", "alg": "HS256"}).encode())
    payload = encode(json.dumps(claims).encode())
    return f"{header}.{payload}.{_signature(f'{header}.{payload}', secret)}"


def _signature(text: str, secret: str) -> str:
    return encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def claims_for(
    tenant_id: str,
    *,
    app_id: str,
    object_id: str,
    issued: datetime,
    lifetime: int,
    roles: Iterable[str] | None = None,
    scopes: Iterable[str] | None = None,
    role_ids: Iterable[str] = (),
    audience: str = "https://graph.microsoft.com",
) -> Json:
    """The claims of an access token: `scopes` makes it delegated, `roles` an app's own."""
    start = int(issued.timestamp())
    claims: Json = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": start,
        "nbf": start,
        "exp": start + lifetime,
        "appid": app_id,
        "oid": object_id,
        "sub": object_id,
        "tid": tenant_id,
        "ver": "1.0",
    }
    if scopes is None:
        return {**claims, "idtyp": "app", "roles": sorted(set(roles or ()))}
    return {**claims, "idtyp": "user", "scp": " ".join(sorted(set(scopes))), "wids": sorted(set(role_ids))}


def read_claims(token: str) -> Json | None:
    """The claims of a token, unverified; None when it is not a JSON web token."""
    try:
        claims = json.loads(decode(token.split(".")[1]))
    except (ValueError, IndexError):
        return None
    return claims if isinstance(claims, dict) else None


def identify(authorization: str | None, secret: str) -> Caller:
    """Read the `Authorization` header. None at all is refused; a token of other make is somebody unknown."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("Access token is empty.")
    claims = read_claims(token.strip())
    return Caller() if claims is None else _from_claims(claims, _is_ours(token.strip(), secret))


def _is_ours(token: str, secret: str) -> bool:
    signed, _, signature = token.rpartition(".")
    return hmac.compare_digest(signature, _signature(signed, secret))


def _from_claims(claims: Json, known: bool) -> Caller:
    scopes, roles = claims.get("scp"), claims.get("roles")
    delegated = isinstance(scopes, str)
    app_id, object_id = str(claims.get("appid") or claims.get("azp") or ""), str(claims.get("oid") or "")
    named = f"user:{object_id}" if delegated else f"app:{app_id}"
    return Caller(
        name=named if (object_id or app_id) else "unknown",
        app_id=app_id,
        object_id=object_id,
        delegated=delegated,
        permissions=frozenset(str(scopes).split() if delegated else map(str, roles or ())),
        role_ids=frozenset(map(str, claims.get("wids") or ())),
        expires=float(claims.get("exp") or 0),
        known=known,
    )


def demand_valid(caller: Caller, now: datetime) -> None:
    """When permissions are enforced, only our own unexpired tokens count."""
    if not caller.known:
        raise unauthenticated("Invalid access token: the signature is invalid or the token is not well formed.")
    if caller.expires <= now.timestamp():
        raise unauthenticated("Lifetime validation failed, the token is expired.")
