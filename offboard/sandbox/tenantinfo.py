"""The tenant itself, its applications, and objects asked for by id."""

from __future__ import annotations

from . import lookup
from .call import Answer, Call
from .entity import Entity
from .listing import collection
from .matching import pinned
from .options import ENTITY, Options, check
from .problems import bad_request, not_found
from .relations import member_of
from .render import EXPANDERS, show, single
from .schema import APP_ROLE_ASSIGNMENT, APPLICATION, DIRECTORY_OBJECT, DIRECTORY_TYPES, ORGANIZATION, SERVICE_PRINCIPAL


def list_organization(call: Call) -> Answer:
    """GET /organization: always exactly one"""
    return collection(call, ORGANIZATION, lambda _options: call.store.scan("organization"))


def get_organization(call: Call) -> Answer:
    """GET /organization/{id}"""
    found = call.store.get("organization", call.params["id"].value.lower())
    if found is None:
        raise not_found(call.params["id"].value)
    options = call.options(ENTITY)
    check(options, ORGANIZATION)
    return Answer(200, single(call, found, options))


def list_service_principals(call: Call) -> Answer:
    """GET /servicePrincipals"""
    return collection(call, SERVICE_PRINCIPAL, lambda options: _principals(call, options))


def _principals(call: Call, options: Options) -> list[Entity]:
    app_ids = pinned(options.filter, "appId") if options.filter else None
    if app_ids is None:
        return list(call.store.scan("servicePrincipal"))
    return [found for app_id in dict.fromkeys(app_ids) for found in call.store.by_key("servicePrincipal", app_id.lower())]


def get_service_principal(call: Call) -> Answer:
    """GET /servicePrincipals/{id}"""
    options = call.options(ENTITY)
    check(options, SERVICE_PRINCIPAL)
    return Answer(200, single(call, lookup.service_principal(call), options))


def list_applications(call: Call) -> Answer:
    """GET /applications: the registrations"""
    return collection(call, APPLICATION, lambda options: _applications(call, options))


def _applications(call: Call, options: Options) -> list[Entity]:
    app_ids = pinned(options.filter, "appId") if options.filter else None
    if app_ids is None:
        return list(call.store.scan("application"))
    return [found for app_id in dict.fromkeys(app_ids) for found in call.store.by_key("application", app_id.lower())]


def get_application(call: Call) -> Answer:
    """GET /applications/{id}"""
    options = call.options(ENTITY)
    check(options, APPLICATION)
    return Answer(200, single(call, lookup.application(call), options))


def list_application_owners(call: Call) -> Answer:
    """GET /applications/{id}/owners"""
    found = call.store.targets("owner", lookup.application(call).id)
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def list_principal_roles(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/appRoleAssignments: what an app was granted"""
    principal = lookup.service_principal(call)
    found = call.store.children("appRoleAssignment", principal.id)
    plural = f"servicePrincipals('{principal.id}')/appRoleAssignments"
    return collection(call, APP_ROLE_ASSIGNMENT, lambda _options: found, plural=plural)


def list_principal_owners(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/owners"""
    found = call.store.targets("owner", lookup.service_principal(call).id)
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def list_principal_groups(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/memberOf: groups and directory roles of an app"""
    found = member_of(call.store, lookup.service_principal(call))
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def get_directory_object(call: Call) -> Answer:
    """GET /directoryObjects/{id}"""
    key = call.params["id"].value
    found = call.store.find(key.lower(), DIRECTORY_TYPES)
    if found is None or found.deleted is not None:
        raise not_found(key)
    options = call.options(ENTITY)
    check(options, DIRECTORY_OBJECT)
    return Answer(200, single(call, found, options, "directoryObjects", typed=True))


def get_by_ids(call: Call) -> Answer:
    """POST /directoryObjects/getByIds: up to a thousand ids, unknown ones left out"""
    options = call.options(frozenset({"$select"}))
    check(options, DIRECTORY_OBJECT)
    body = call.json_body()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 1000:
        raise bad_request("The parameter 'ids' must hold between 1 and 1000 object ids.")
    wanted = tuple(map(str, types)) if isinstance(types, list) and types else DIRECTORY_TYPES
    wanted = DIRECTORY_TYPES if "directoryObject" in wanted else wanted
    found = [call.store.find(id_.lower(), wanted) for id_ in dict.fromkeys(map(str, ids))]
    value = [show(entity, options.select, typed=True) for entity in found if entity and entity.deleted is None]
    return Answer(200, {"@odata.context": call.context("directoryObjects"), "value": value})


EXPANDERS["application", "owners"] = lambda call, application: call.store.targets("owner", application.id)
EXPANDERS["servicePrincipal", "owners"] = lambda call, principal: call.store.targets("owner", principal.id)
