"""A look into our own sign-in token: who we are, and what we may do.

Graph's tokens are officially opaque. What is read here is a hint for messages and the audit; nothing is allowed or
refused on it, except that a token which names another tenant is never sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from offboard.model import JSON

Kind = Literal["delegated", "application", "unknown"]


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token says of itself; fields are empty where it says nothing.

    Args:
        kind: A signed-in person, an app by itself, or a token that cannot be read.
        scopes: Delegated permissions.
        roles: Application permissions.
        wids: Template ids of the person's active Entra roles.
        oid: Object id of the person or the service principal.
        appid: The app registration.
        tid: The tenant.
        name: User principal name, or the app's name.
    """

    kind: Kind = "unknown"
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    wids: frozenset[str] = frozenset()
    oid: str = ""
    appid: str = ""
    tid: str = ""
    name: str = ""

    @property
    def granted(self) -> frozenset[str]:
        """The permissions that count for this kind of token."""
        return self.roles if self.kind == "application" else self.scopes


UNKNOWN = TokenInfo()


def decode(token: str) -> TokenInfo:
    """What the token says of itself. The signature is not checked: only Graph can, and does.

    Args:
        token: As handed out by the sign-in service; anything that is no JSON web token is `unknown`.
    """
    claims = _claims(token)
    if claims is None:
        return UNKNOWN
    scopes = frozenset(_text(claims, "scp").split())
    return TokenInfo(
        kind=_kind(claims, scopes),
        scopes=scopes,
        roles=_texts(claims, "roles"),
        wids=frozenset(wid.lower() for wid in _texts(claims, "wids")),
        oid=_text(claims, "oid"),
        appid=_text(claims, "appid") or _text(claims, "azp"),
        tid=_text(claims, "tid").lower(),
        name=_text(claims, "upn")
        or _text(claims, "preferred_username")
        or _text(claims, "unique_name")
        or _text(claims, "app_displayname"),
    )


def _claims(token: str) -> Mapping[str, JSON] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _kind(claims: Mapping[str, JSON], scopes: frozenset[str]) -> Kind:
    if claims.get("idtyp") == "app":
        return "application"
    if scopes or claims.get("idtyp") == "user":
        return "delegated"
    # An app without a single permission has neither scopes nor roles; its subject is its own object.
    app_only = "roles" in claims or (claims.get("sub") is not None and claims.get("sub") == claims.get("oid"))
    return "application" if app_only else "unknown"


def _text(claims: Mapping[str, JSON], key: str) -> str:
    found = claims.get(key)
    return found if isinstance(found, str) else ""


def _texts(claims: Mapping[str, JSON], key: str) -> frozenset[str]:
    found = claims.get(key)
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()
