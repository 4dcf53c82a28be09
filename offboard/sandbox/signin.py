"""Sign-in endpoints: discovery, tokens for apps and for people, device codes.

Enough for azure-identity and msal: client credentials (secret or certificate), device code, refresh token. There is
no password prompt and no multifactor: whoever the seed names in `sign_in_as` signs in to every device code.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from . import caller as callers
from . import lookup, rolebook
from .dispatch import Tenant, common_headers
from .entity import Entity
from .wire import Json, Request, Response, dumps

LIFETIME = 3600
_PATH = re.compile(
    r"/(?P<tenant>[^/]+)/(?P<rest>v2\.0/\.well-known/openid-configuration|\.well-known/openid-configuration"
    r"|oauth2/v2\.0/(?:token|devicecode)|discovery/v2\.0/keys|discovery/instance)/?",
    re.IGNORECASE,
)
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class SignInError(Exception):
    """An error as the sign-in service words it."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.description, self.status = code, description, status


@dataclass
class DeviceCodes:
    """Device codes handed out, with how often each was asked for; kept in memory only."""

    clients: dict[str, str] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)
    refresh: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """Whom a token is wanted for."""

    user: str | None = None
    scopes: Iterable[str] | None = None
    app_roles: Iterable[str] | None = None
    app_id: str | None = None


def is_signin(request: Request) -> bool:
    """Whether this goes to the sign-in service rather than to Graph."""
    return _PATH.fullmatch(request.path) is not None


def answer(tenant: Tenant, codes: DeviceCodes, request: Request) -> Response:
    """Answer a sign-in request."""
    match = _PATH.fullmatch(request.path)
    rest = match["rest"].lower() if match else ""
    named = match["tenant"] if match else ""
    headers = {**common_headers(request, tenant.now()), **_JSON}
    try:
        _demand_tenant(tenant, named)
        return Response(200, headers, dumps(_answer(tenant, codes, request, rest, named)))
    except SignInError as error:
        body = {
            "error": error.code,
            "error_description": error.description,
            "error_codes": [],
            "timestamp": headers["Date"],
            "trace_id": headers["request-id"],
            "correlation_id": headers["client-request-id"],
        }
        return Response(error.status, headers, dumps(body))


def _demand_tenant(tenant: Tenant, named: str) -> None:
    organization = next(iter(tenant.store.scan("organization")))
    domains = [domain["name"] for domain in organization.body["verifiedDomains"]]
    if named.lower() not in (tenant.tenant_id, "common", "organizations", *domains):
        raise SignInError("invalid_tenant", f"AADSTS90002: Tenant '{named}' not found.")


def _answer(tenant: Tenant, codes: DeviceCodes, request: Request, rest: str, named: str) -> Json:
    if rest.endswith("openid-configuration"):
        return _discovery(tenant, request, named)
    if rest == "discovery/instance":
        return {
            "tenant_discovery_endpoint": f"{request.root}/{named}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [],
        }
    if rest == "discovery/v2.0/keys":
        return {"keys": []}
    form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    if rest.endswith("devicecode"):
        return _device_code(tenant, codes, request, form)
    return _token(tenant, codes, request, form)


def _discovery(tenant: Tenant, request: Request, named: str) -> Json:
    base = f"{request.root}/{named}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "issuer": f"{request.root}/{tenant.tenant_id}/v2.0",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid"],
        "tenant_region_scope": "NA",
        "cloud_instance_name": "sandbox",
        "msgraph_host": "graph.microsoft.com",
    }


def _token(tenant: Tenant, codes: DeviceCodes, request: Request, form: Mapping[str, str]) -> Json:
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        return _app_token(tenant, request, form)
    if grant in ("urn:ietf:params:oauth:grant-type:device_code", "device_code"):
        return _polled(tenant, codes, request, form)
    if grant == "refresh_token":
        held = codes.refresh.get(form.get("refresh_token", ""))
        if held is None:
            raise SignInError("invalid_grant", "AADSTS700082: The refresh token has expired or is not known.")
        return _user_token(tenant, codes, request, *held)
    raise SignInError("unsupported_grant_type", f"AADSTS70003: The app requested an unsupported grant type '{grant}'.")


def _client(tenant: Tenant, client_id: str) -> Entity:
    found = tenant.store.by_key("servicePrincipal", client_id.lower())
    if not found:
        raise SignInError(
            "unauthorized_client",
            f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory.",
        )
    return found[0]


def _app_token(tenant: Tenant, request: Request, form: Mapping[str, str]) -> Json:
    app = _client(tenant, form.get("client_id", ""))
    if "client_assertion" in form:
        _demand_assertion(tenant, app, request, form["client_assertion"])
    elif not app.body.get("_secret") or not hmac.compare_digest(
        form.get("client_secret", "").encode(), str(app.body["_secret"]).encode()
    ):
        raise SignInError("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
    claims = callers.claims_for(
        tenant.tenant_id,
        app_id=app.body["appId"],
        object_id=app.id,
        issued=tenant.now(),
        lifetime=LIFETIME,
        roles=app.body["_permissions"],
    )
    return {
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": callers.sign(claims, tenant.secret),
    }


def _demand_assertion(tenant: Tenant, app: Entity, request: Request, assertion: str) -> None:
    # Loaded only when somebody signs in with a certificate: cryptography is slow to import.
    from .assertion import AssertionRefusedError, verify

    if not app.body.get("_certificate"):
        raise SignInError("invalid_client", "AADSTS700027: No certificate is registered for the application.", 401)
    try:
        verify(assertion, app.body["_certificate"], app.body["appId"], request.root, tenant.now())
    except AssertionRefusedError as error:
        raise SignInError("invalid_client", f"AADSTS700027: {error}", 401) from error


def _device_code(tenant: Tenant, codes: DeviceCodes, request: Request, form: Mapping[str, str]) -> Json:
    app = _client(tenant, form.get("client_id", ""))
    code = secrets.token_urlsafe(24)
    codes.clients[code] = app.body["appId"]
    user_code = secrets.token_hex(4).upper()
    page = f"{request.root}/devicelogin"
    return {
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "expires_in": 900,
        "interval": 1,
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code} to "
        "authenticate. (The sandbox approves by itself.)",
    }


def _polled(tenant: Tenant, codes: DeviceCodes, request: Request, form: Mapping[str, str]) -> Json:
    code = form.get("device_code", "")
    if codes.clients.get(code) != form.get("client_id", "").lower():
        raise SignInError("invalid_grant", "AADSTS70008: The device code is not known or has expired.")
    codes.polls[code] = codes.polls.get(code, 0) + 1
    if codes.polls[code] == 1:
        raise SignInError("authorization_pending", "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending.")
    del codes.clients[code]
    user_id, client = principal(tenant, Grant(app_id=form.get("client_id"), scopes=()))
    return _user_token(tenant, codes, request, user_id, client)


def _user_token(tenant: Tenant, codes: DeviceCodes, request: Request, user_id: str, app_id: str) -> Json:
    app, user = _client(tenant, app_id), lookup.find_user(tenant.store, user_id)
    if user is None or not user.body.get("accountEnabled"):
        raise SignInError("invalid_grant", "AADSTS50057: The user account is disabled or does not exist.")
    held = [a.body["roleDefinitionId"] for a in rolebook.assignments_of(tenant.store, user.id)]
    claims = callers.claims_for(
        tenant.tenant_id,
        app_id=app_id,
        object_id=user.id,
        issued=tenant.now(),
        lifetime=LIFETIME,
        scopes=app.body["_delegated"],
        role_ids=held,
    )
    refresh = secrets.token_urlsafe(32)
    codes.refresh[refresh] = (user_id, app_id)
    client_info = {"uid": user.id, "utid": tenant.tenant_id}
    return {
        "token_type": "Bearer",
        "scope": claims["scp"],
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": callers.sign(claims, tenant.secret),
        "refresh_token": refresh,
        "id_token": callers.sign(_id_claims(tenant, request, user, claims), tenant.secret),
        "client_info": callers.encode(json.dumps(client_info).encode()),
    }


def _id_claims(tenant: Tenant, request: Request, user: Entity, claims: Json) -> Json:
    return {
        "aud": claims["appid"],
        "iss": f"{request.root}/{tenant.tenant_id}/v2.0",
        "iat": claims["iat"],
        "nbf": claims["nbf"],
        "exp": claims["exp"],
        "sub": user.id,
        "oid": user.id,
        "tid": tenant.tenant_id,
        "name": user.body["displayName"],
        "preferred_username": user.body["userPrincipalName"],
        "ver": "2.0",
    }


def principal(tenant: Tenant, grant: Grant) -> tuple[str, str]:
    """Object id and app id for a token: the named user or the one who signs in, or the app's service principal."""
    apps = tenant.store.by_key("servicePrincipal", (grant.app_id or "").lower())
    app = apps[0] if apps else next(iter(tenant.store.scan("servicePrincipal")), None)
    app_id = (grant.app_id or (app.body["appId"] if app else callers.GRAPH_APP_ID)).lower()
    if grant.user is None and grant.scopes is None:
        return (apps[0].id if apps else app.id if app and not grant.app_id else app_id), app_id
    name = grant.user or tenant.store.get_meta("sign_in_as") or ""
    user = lookup.find_user(tenant.store, name)
    if user is None:
        raise SignInError("invalid_grant", f"AADSTS50034: The user account '{name}' does not exist.")
    return user.id, app_id
