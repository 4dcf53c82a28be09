"""Graph's errors → what happened, why, and what to do next.

Graph answers "403 Authorization_RequestDenied" to six different mistakes. What the token holds, what the call needs and
which code came tell most of them apart; where they do not, every likely cause is named rather than one guessed. Status
and code decide, not Graph's message, which changes and is only quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from offboard.graph.statuses import BY_STATUS, Kind, Told
from offboard.graph.token import UNKNOWN, TokenInfo
from offboard.model import JSON, Permissions
from offboard.permissions.roles import ROLES


@dataclass(frozen=True, slots=True)
class Trouble:
    """One refused or failed call, explained.

    Args:
        kind: What it comes down to.
        what: One sentence: which step, what happened.
        why: The cause, as far as it is known; else the likely causes.
        todo: The next thing to do.
        code: Graph's error code, the innermost that is not general.
        request_id: Graph's id of the call, for Microsoft's support.
    """

    kind: Kind
    what: str
    why: str
    todo: str
    code: str = ""
    request_id: str = ""


_WRONG_TENANT = {
    "OrganizationFromTenantGuidNotFound",
    "Authorization_IdentityNotFound",
    "InvalidTenant",
    "TenantNotFound",
}
_NO_LICENSE = {"Authentication_RequestFromNonPremiumTenantOrB2CTenant", "RequestFromNonPremiumTenantOrB2CTenant"}
_GENERAL = {"", "BadRequest", "Forbidden", "accessDenied", "UnknownError", "generalException", "ErrorAccessDenied"}


@dataclass(frozen=True, slots=True)
class _Call:
    """Everything known about the call."""

    status: int
    code: str
    said: str
    step: str
    path: str
    needs: Permissions | None
    token: TokenInfo
    tenant_id: str

    @property
    def answer(self) -> str:
        """The answer in parentheses."""
        return f"({self.status} {self.code})" if self.code else f"({self.status})"

    @property
    def who(self) -> str:
        """The caller, for advice."""
        if self.token.kind == "application":
            return f"the app {self.token.name or self.token.appid}".rstrip()
        return self.token.name or "the account signed in"


def explain(
    status: int,
    body: object,
    *,
    step: str,
    action_permissions: Permissions | None,
    path: str,
    token: TokenInfo | None,
    tenant_id: str = "",
) -> Trouble:
    """What an error answer of Graph means.

    Args:
        status: HTTP status; 0 when there was no usable answer.
        body: The parsed answer.
        step: The step's id, or what was being done.
        action_permissions: What the call needs; None when unknown.
        path: Where the call went.
        token: What our token says of itself.
        tenant_id: The tenant that is meant; empty when unknown.
    """
    code, said, request_id = _error(body)
    call = _Call(status, code, said, step, path, action_permissions, token or UNKNOWN, tenant_id.lower())
    kind, what, why, todo = _told(call)
    return Trouble(kind, f"{step}: {what} {call.answer}.", " ".join(filter(None, (why, said))), todo, code, request_id)


def _told(call: _Call) -> Told:
    if wrong := _wrong_tenant(call):
        return wrong
    if call.status == 401:
        return (
            "not-signed-in",
            "Graph does not accept the sign-in",
            "The token has expired, was revoked, or is meant for another cloud.",
            "Sign in again; if it stays, check cloud, tenant_id and client_id in offboard.toml.",
        )
    if call.status == 403:
        return _forbidden(call)
    return _by_status(call)


def _wrong_tenant(call: _Call) -> Told | None:
    other = bool(call.tenant_id and call.token.tid and call.token.tid != call.tenant_id)
    if call.status not in (401, 403) or not (other or call.code in _WRONG_TENANT):
        return None
    found = f"The sign-in is for tenant {call.token.tid}" if call.token.tid else "The sign-in is for another tenant"
    meant = f", the configuration means {call.tenant_id}." if call.tenant_id else "."
    todo = "Check tenant_id in offboard.toml, or sign in with an account of that tenant."
    return "wrong-tenant", "this is the wrong tenant", found + meant, todo


def _forbidden(call: _Call) -> Told:
    if call.code in _NO_LICENSE:
        return (
            "license",
            "the tenant has no license for this",
            "The call needs Microsoft Entra ID P1 or P2.",
            "Leave the step out, or get the license.",
        )
    # The one case where Graph tells it in the message alone.
    if "insufficient_claims" in f"{call.code} {call.said}".lower() or "ConditionalAccess" in call.code:
        return (
            "conditional-access",
            "Conditional Access refused the sign-in",
            "A policy asks for more: multifactor authentication, a managed device, or a trusted place.",
            f"Satisfy the policy and sign in again, or have {call.who} excluded from it.",
        )
    needs, kind = call.needs, call.token.kind
    if needs is None or kind == "unknown":
        return _unsure(call)
    if kind == "application" and not needs.application:
        return (
            "delegated-only",
            "Graph lets only a signed-in person do this, not an app",
            needs.remark or "There is no application permission for the call.",
            f'Run it with sign_in = "device-code" or "interactive" as a person with one of: {_roles(needs.roles)}.',
        )
    alternatives = needs.application if kind == "application" else needs.delegated
    if not alternatives:
        return _unsure(call)
    if not any(set(names) <= call.token.granted for names in alternatives):
        return _no_consent(call, alternatives)
    return _no_role(call, needs)


def _no_consent(call: _Call, alternatives: tuple[tuple[str, ...], ...]) -> Told:
    # Of the alternatives the one that lacks least; with several, the least privileged, which stands first.
    lacking = min(([name for name in names if name not in call.token.granted] for names in alternatives), key=len)
    names, kind = " and ".join(lacking), call.token.kind
    what = f"the permission {names} is missing: nobody consented to it"
    why = f"The call needs {_either(alternatives)} ({kind})."
    app = f"the app {call.token.appid}" if call.token.appid else "the app"
    if kind == "application":
        todo = f"Have an administrator add {names} to {app} as application permission and grant admin consent."
    else:
        todo = f"Have an administrator grant admin consent for {names} (delegated) to {app}."
    return "missing-consent", what, why, f"{todo} Then sign in again: an old token does not know of it."


def _no_role(call: _Call, needs: Permissions) -> Told:
    wanted = needs.app_roles if call.token.kind == "application" else needs.roles
    held = {name for name, template in ROLES.items() if template in call.token.wids}
    if (held & set(wanted)) or not wanted:
        return (
            "privileged-target",
            "the permission is there, but the target is out of reach",
            "Probably the target is more privileged than the caller (it holds an Entra role, or is in a role-assignable "
            "group), or lies in a restricted management administrative unit.",
            f"Have it done by a Privileged Authentication Administrator, or give {call.who} that role.",
        )
    lacks = "holds none of the roles" if call.token.wids else "probably holds none of the roles"
    return (
        "missing-role",
        f"the permission is there, but {call.who} {lacks} {_roles(wanted)}",
        needs.remark or "If it does hold one, the target is more privileged, or in a restricted administrative unit.",
        f"Give {call.who} one of these roles (or activate it in Privileged Identity Management), then sign in again.",
    )


def _unsure(call: _Call) -> Told:
    causes = "A permission without consent, a missing role, or a target more privileged than the caller."
    if call.needs is None:
        return "forbidden", "Graph refused", causes, "Compare: offboard permissions PLAYBOOK."
    sides = [("delegated", call.needs.delegated), ("application", call.needs.application)]
    wanted = "; ".join(f"{kind}: {_either(side)}" for kind, side in sides if side)
    role = f" A person also needs one of the roles {_roles(call.needs.roles)}." if call.needs.roles else ""
    return "forbidden", "Graph refused", causes, f"Check that these are granted: {wanted}.{role} Then sign in again."


def _by_status(call: _Call) -> Told:
    if call.status == 400 and call.code == "Request_UnsupportedQuery":
        return "unsupported-query", "Graph does not understand the query", "", "Report it: this is a bug in offboard."
    if call.status in BY_STATUS:
        return BY_STATUS[call.status]
    if call.status >= 500:
        why = "The fault is on Microsoft's side; whether the call was carried out is not known."
        return "server", "Graph failed", why, "Try again later; what was done is found out by re-reading."
    why = f"The call went to {call.path}."
    return "unintelligible", "Graph answered something unexpected", why, "Check graph_url and proxies."


def _either(alternatives: tuple[tuple[str, ...], ...]) -> str:
    return ", or ".join(" and ".join(names) for names in alternatives)


def _roles(roles: tuple[str, ...]) -> str:
    return " or ".join(roles) if roles else "a role for it"


def _error(body: object) -> tuple[str, str, str]:
    """The most telling code, Graph's message ready to quote, and the request id."""
    codes, request_id, message = [], "", ""
    for error in _nested(body.get("error") if isinstance(body, dict) else None):
        codes.append(str(error.get("code") or ""))
        message = message or str(error.get("message") or "")
        request_id = request_id or str(error.get("request-id") or "")
    code = next((code for code in codes if code not in _GENERAL), codes[0] if codes else "")
    message = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", message).strip()
    said = f"Graph said: {message[:200]}{'…' if len(message) > 200 else ''}" if message else ""
    return re.sub(r"[^A-Za-z0-9_.-]", "", code)[:100], said, request_id[:64]


def _nested(error: JSON, depth: int = 0) -> Iterator[Mapping[str, JSON]]:
    # Services spell it both ways, and nest it a few times.
    if isinstance(error, dict) and depth < 5:
        yield error
        yield from _nested(error.get("innerError") or error.get("innererror"), depth + 1)
