"""What a person may do in applications: app roles given to them, and consents they gave."""

from __future__ import annotations

from . import lookup
from .call import Answer, Call
from .entity import Entity
from .listing import collection
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .problems import bad_request, not_found
from .render import single
from .schema import APP_ROLE_ASSIGNMENT, PERMISSION_GRANT


def list_app_roles(call: Call) -> Answer:
    """GET /users/{id}/appRoleAssignments: the person's own, and those through a direct group"""
    user = lookup.user(call)
    holders = [user.id, *(group.id for group in call.store.sources("member", user.id))]
    found = [e for holder in holders for e in call.store.children("appRoleAssignment", holder)]
    found.sort(key=lambda e: e.seq)
    plural = f"users('{user.id}')/appRoleAssignments"
    return collection(call, APP_ROLE_ASSIGNMENT, lambda _options: found, plural=plural)


def delete_app_role(call: Call) -> Answer:
    """DELETE /users/{id}/appRoleAssignments/{id}: only the person's own, and an odd error otherwise"""
    call.options(NONE)
    user, id_ = lookup.user(call), call.params["id"].value
    held = call.store.get("appRoleAssignment", id_, user.id)
    if held is None:
        raise bad_request("EntitlementGrant being updated or deleted is not found.")
    call.store.drop(held)
    call.effect("delete", "appRoleAssignment", held.id, principalId=user.id, resourceId=held.body["resourceId"])
    return Answer(204)


def list_user_grants(call: Call) -> Answer:
    """GET /users/{id}/oauth2PermissionGrants"""
    user = lookup.user(call)
    found = call.store.children("permissionGrant", user.id)
    return collection(call, PERMISSION_GRANT, lambda _options: found)


def list_grants(call: Call) -> Answer:
    """GET /oauth2PermissionGrants"""
    return collection(call, PERMISSION_GRANT, lambda options: _grants(call, options))


def _grants(call: Call, options: Options) -> list[Entity]:
    principals = pinned(options.filter, "principalId") if options.filter else None
    if principals is None:
        return list(call.store.scan("permissionGrant"))
    unique = dict.fromkeys(principal.lower() for principal in principals)
    return [grant for principal in unique for grant in call.store.children("permissionGrant", principal)]


def _grant(call: Call) -> Entity:
    found = call.store.get("permissionGrant", call.params["id"].value)
    if found is None:
        raise not_found(call.params["id"].value)
    return found


def get_grant(call: Call) -> Answer:
    """GET /oauth2PermissionGrants/{id}"""
    options = call.options(ENTITY)
    check(options, PERMISSION_GRANT)
    return Answer(200, single(call, _grant(call), options))


def delete_grant(call: Call) -> Answer:
    """DELETE /oauth2PermissionGrants/{id}"""
    call.options(NONE)
    held = _grant(call)
    call.store.drop(held)
    call.effect(
        "delete",
        "oauth2PermissionGrant",
        held.id,
        principalId=held.body.get("principalId"),
        consentType=held.body["consentType"],
    )
    return Answer(204)
