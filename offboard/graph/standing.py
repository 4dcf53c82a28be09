"""Who is signed in, and what that allows: the token's word, and the roles that the directory knows of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from offboard.errors import GraphUnavailable
from offboard.graph import parse
from offboard.graph.answers import Answer
from offboard.graph.requests import GUID, get, quoted
from offboard.graph.send import Sender
from offboard.graph.token import TokenInfo
from offboard.model import JSON
from offboard.permissions import Caller
from offboard.permissions.roles import NAMES, NOT_A_ROLE

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

UNTOLD = "the sign-in does not tell who it is"


async def read_caller(sender: Sender) -> Caller:
    """Who is signed in. What could not be read is said to be unknown; nothing is refused on it.

    The roles are those in the token and those assigned to the caller, directly or through a group. A role that is limited
    to a part of the tenant, or that the tenant made itself, leaves open what it allows.
    """
    token = sender.connection.token_info()
    if token.kind == "unknown" or not GUID.fullmatch(token.oid):
        return Caller(token.kind, token.granted, _named(token), UNTOLD)
    try:
        answers = await _whole(sender, {"held": _assigned(sender, token.oid), "groups": _groups(sender, token)})
        roles, doubts = _held(answers["held"])
        found, more = await _through_groups(sender, answers["groups"])
    except GraphUnavailable as error:  # who asks is worth knowing, and no reason not to go on
        return Caller(token.kind, token.granted, _named(token), f"the caller's roles could not be read: {error.what}")
    strange = sorted(wid for wid in token.wids if wid not in NAMES and wid not in NOT_A_ROLE)
    doubts += [*more, *(f"the token holds the role {wid}, which this program does not know" for wid in strange)]
    return Caller(token.kind, token.granted, _named(token) | roles | found, "; ".join(dict.fromkeys(doubts)))


async def _whole(sender: Sender, requests: Mapping[str, RequestInformation]) -> dict[str, Answer]:
    """The answers, lists followed to their end: a role on a later page counts as much."""
    answers = await sender.read(dict(requests))
    return {key: await sender.rest_of(answer, requests[key]) for key, answer in answers.items()}


def _named(token: TokenInfo) -> frozenset[str]:
    return frozenset(NAMES[wid] for wid in token.wids if wid in NAMES)


def _assigned(sender: Sender, principal: str) -> RequestInformation:
    builder = sender.connection.graph.role_management.directory.role_assignments
    return get(
        builder, select=["roleDefinitionId", "directoryScopeId"], filter=f"principalId eq {quoted(principal)}", top=999
    )


def _groups(sender: Sender, token: TokenInfo) -> RequestInformation:
    graph = sender.connection.graph
    if token.kind == "application":
        builder = graph.service_principals.by_service_principal_id(token.oid).member_of
    else:
        builder = graph.users.by_user_id(token.oid).member_of
    return get(builder, select=["id", "displayName", "isAssignableToRole"], top=999)


def _held(answer: Answer) -> tuple[frozenset[str], list[str]]:
    """Names of the roles assigned, and why these may not be all."""
    if not answer.ok:
        return frozenset(), [f"the caller's roles could not be read (Graph answered {answer.status or 'nothing usable'})"]
    names, doubts = set(), []
    for body in parse.objects(answer.body):
        role = str(body.get("roleDefinitionId", "")).lower()
        if body.get("directoryScopeId") != "/":
            doubts.append(f"the role {NAMES.get(role, role)} is held for a part of the tenant only")
        elif role in NAMES:
            names.add(NAMES[role])
        else:
            doubts.append(f"the role {role} is held, which this program does not know")
    return frozenset(names), doubts


async def _through_groups(sender: Sender, answer: Answer) -> tuple[frozenset[str], list[str]]:
    if not answer.ok:
        return frozenset(), [
            f"the caller's groups could not be read (Graph answered {answer.status or 'nothing usable'})"
        ]
    groups = [_id(body) for body in parse.objects(answer.body) if body.get("isAssignableToRole")]
    if not groups:
        return frozenset(), []
    answers = await _whole(sender, {id: _assigned(sender, id) for id in groups})
    found = [_held(answers[id]) for id in groups]
    names = frozenset(name for held, _ in found for name in held)
    return names, [doubt for _, doubts in found for doubt in doubts]


def _id(body: Mapping[str, JSON]) -> str:
    return parse.need(body, "id")
