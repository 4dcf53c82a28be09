"""Every call the tenant answers: method, path, handler, permissions, cost in resource units.

Paths are those of Graph v1.0. Both spellings of a type cast (`graph.user`, `microsoft.graph.user`) are entered.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import devices, grants, groups, intune, licenses, mailbox, methods, recycle, relations, roles, tenantinfo, users
from . import permissions as p
from .routing import Route


def _spellings(pattern: str) -> tuple[str, ...]:
    if "/graph." not in pattern:
        return (pattern,)
    return (pattern, pattern.replace("/graph.", "/microsoft.graph."))


def _users() -> Iterator[Route]:
    yield Route("GET", "/users", users.list_users, p.READ_USER, 2)
    yield Route("POST", "/users", users.create_user, p.CREATE_USER)
    yield Route("GET", "/users/$count", users.count_users, p.READ_USER, 2)
    yield Route("GET", "/users/{user}", users.get_user, p.READ_USER)
    yield Route("PATCH", "/users/{user}", users.patch_user, p.PATCH_USER)
    yield Route("DELETE", "/users/{user}", users.delete_user, p.DELETE_USER)
    yield Route("POST", "/users/{user}/revokeSignInSessions", users.revoke_sessions, p.REVOKE)
    yield Route("POST", "/users/{user}/assignLicense", licenses.assign_license, p.ASSIGN_LICENSE)
    yield Route("GET", "/users/{user}/mailboxSettings", mailbox.get_settings, p.READ_MAILBOX)
    yield Route("GET", "/users/{user}/licenseDetails", licenses.list_license_details, p.READ_LICENSES, 2)
    yield Route("GET", "/users/{user}/manager", relations.get_manager, p.READ_MANAGER)
    yield Route("GET", "/users/{user}/manager/$ref", relations.get_manager_ref, p.READ_MANAGER)
    yield Route("PUT", "/users/{user}/manager/$ref", relations.put_manager, p.WRITE_MANAGER)
    yield Route("DELETE", "/users/{user}/manager/$ref", relations.delete_manager, p.WRITE_MANAGER)
    yield Route("POST", "/users/{user}/getMemberGroups", relations.get_member_groups, p.CHECK_MEMBERSHIP, 2, True)
    yield Route("POST", "/users/{user}/checkMemberGroups", relations.check_member_groups, p.CHECK_MEMBERSHIP, 4, True)


_RELATED = (
    ("ownedDevices", relations.owned_devices, p.READ_DEVICES_OF_USER, 1, ("device",)),
    ("registeredDevices", relations.registered_devices, p.READ_DEVICES_OF_USER, 1, ("device",)),
    ("memberOf", relations.member_of, p.READ_MEMBER_OF, 2, ("group", "directoryRole")),
    ("transitiveMemberOf", relations.transitive_member_of, p.READ_TRANSITIVE, 2, ("group", "directoryRole")),
    ("ownedObjects", relations.owned_objects, p.READ_OWNED, 2, ("group", "servicePrincipal")),
    ("directReports", relations.direct_reports, p.READ_REPORTS, 1, ("user",)),
)


def _related() -> Iterator[Route]:
    for name, find, access, cost, casts in _RELATED:
        path = f"/users/{{user}}/{name}"
        yield Route("GET", path, relations.list_related(find), access, cost)
        yield Route("GET", path + "/$count", relations.count_related(find), access, cost)
        for cast in casts:
            yield Route("GET", f"{path}/graph.{cast}", relations.list_related(find, cast=cast), access, cost)
            counter = relations.count_related(find, cast=cast)
            yield Route("GET", f"{path}/graph.{cast}/$count", counter, access, cost)


def _methods() -> Iterator[Route]:
    base = "/users/{user}/authentication"
    yield Route("GET", base + "/methods", methods.list_methods, p.READ_METHODS)
    yield Route("GET", base + "/methods/{method}", methods.get_method, p.READ_METHODS)
    yield Route("POST", base + "/methods/{method}/resetPassword", methods.reset_password, p.RESET_PASSWORD)
    yield Route("GET", base + "/operations/{operation}", methods.get_operation, p.READ_OPERATION)
    for segment, kind in methods.KINDS.items():
        reading = p.read_method(kind.permission)
        yield Route("GET", f"{base}/{segment}", methods.list_kind(kind), reading)
        yield Route("GET", f"{base}/{segment}/{{method}}", methods.get_kind(kind), reading)
        if kind.type != "password":
            access = p.write_method(kind.permission)
            yield Route("DELETE", f"{base}/{segment}/{{method}}", methods.delete_kind(kind), access)


def _devices() -> Iterator[Route]:
    yield Route("GET", "/devices", devices.list_devices, p.READ_DEVICE)
    yield Route("GET", "/devices/$count", devices.count_devices, p.READ_DEVICE)
    yield Route("GET", "/devices/{device}", devices.get_device, p.READ_DEVICE)
    yield Route("PATCH", "/devices/{device}", devices.patch_device, p.PATCH_DEVICE)
    yield Route("DELETE", "/devices/{device}", devices.delete_device, p.DELETE_DEVICE)
    for kind in ("registeredOwner", "registeredUser"):
        path = f"/devices/{{device}}/{kind}s"
        yield Route("GET", path, devices.list_registered(kind), p.READ_DEVICE)
        yield Route("GET", path + "/graph.user", devices.list_registered(kind, cast=True), p.READ_DEVICE)
        yield Route("POST", path + "/$ref", devices.add_registered(kind), p.WRITE_REGISTERED)
        yield Route("DELETE", path + "/{target}/$ref", devices.remove_registered(kind), p.WRITE_REGISTERED)
        yield Route("DELETE", path + "/{target}", devices.delete_through_registered(kind), p.DELETE_USER)


def _intune() -> Iterator[Route]:
    base = "/deviceManagement/managedDevices"
    yield Route("GET", "/users/{user}/managedDevices", intune.list_of_user, p.READ_MANAGED)
    yield Route("GET", base, intune.list_managed, p.READ_MANAGED)
    yield Route("GET", base + "/{managed}", intune.get_managed, p.READ_MANAGED)
    yield Route("GET", base + "/{managed}/users", intune.list_users, p.READ_MANAGED)
    yield Route("POST", base + "/{managed}/wipe", intune.ask("wipe"), p.WIPE)
    yield Route("POST", base + "/{managed}/retire", intune.ask("retire"), p.RETIRE)


def _groups() -> Iterator[Route]:
    yield Route("GET", "/groups", groups.list_groups, p.READ_GROUP)
    yield Route("POST", "/groups", groups.create_group, p.CREATE_GROUP)
    yield Route("GET", "/groups/$count", groups.count_groups, p.READ_GROUP)
    yield Route("GET", "/groups/{group}", groups.get_group, p.READ_GROUP)
    yield Route("PATCH", "/groups/{group}", groups.patch_group, p.WRITE_GROUP)
    yield Route("DELETE", "/groups/{group}", groups.delete_group, p.DELETE_GROUP)
    yield Route("GET", "/groups/{group}/members", groups.list_members, p.READ_MEMBERS, 3)
    yield Route("GET", "/groups/{group}/members/graph.user", groups.list_member_users, p.READ_MEMBERS, 3)
    yield Route("GET", "/groups/{group}/members/$count", groups.count_members, p.READ_MEMBERS, 3)
    yield Route("GET", "/groups/{group}/transitiveMembers", groups.list_transitive_members, p.READ_MEMBERS, 5)
    yield Route("POST", "/groups/{group}/members/$ref", groups.add_member, p.WRITE_MEMBERS)
    yield Route("DELETE", "/groups/{group}/members/{target}/$ref", groups.remove_member, p.WRITE_MEMBERS)
    yield Route("DELETE", "/groups/{group}/members/{target}", groups.delete_through("member"), p.DELETE_USER)
    yield Route("GET", "/groups/{group}/owners", groups.list_owners, p.READ_OWNERS)
    yield Route("POST", "/groups/{group}/owners/$ref", groups.add_owner, p.WRITE_OWNERS)
    yield Route("DELETE", "/groups/{group}/owners/{target}/$ref", groups.remove_owner, p.WRITE_OWNERS)
    yield Route("DELETE", "/groups/{group}/owners/{target}", groups.delete_through("owner"), p.DELETE_USER)


def _roles() -> Iterator[Route]:
    base = "/roleManagement/directory"
    yield Route("GET", base + "/roleAssignments", roles.list_assignments, p.READ_ROLES)
    yield Route("POST", base + "/roleAssignments", roles.create_assignment, p.WRITE_ROLES)
    yield Route("GET", base + "/roleAssignments/{id}", roles.get_assignment, p.READ_ROLES)
    yield Route("DELETE", base + "/roleAssignments/{id}", roles.delete_assignment, p.WRITE_ROLES)
    yield Route("GET", base + "/roleDefinitions", roles.list_definitions, p.READ_DEFINITIONS)
    yield Route("GET", base + "/roleDefinitions/{id}", roles.get_definition, p.READ_DEFINITIONS)
    yield Route("GET", base + "/roleEligibilityScheduleInstances", roles.list_eligible, p.READ_ELIGIBLE)
    yield Route("GET", base + "/roleAssignmentScheduleInstances", roles.list_instances, p.READ_INSTANCES)
    path = "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
    yield Route("GET", path, roles.list_group_eligible, p.READ_GROUP_ELIGIBLE)
    yield Route("GET", "/directoryRoles", roles.list_directory_roles, p.READ_ROLES)
    yield Route("GET", "/directoryRoles/{role}", roles.get_directory_role, p.READ_ROLES)
    yield Route("GET", "/directoryRoles/{role}/members", roles.list_role_members, p.READ_ROLES)
    yield Route("POST", "/directoryRoles/{role}/members/$ref", roles.add_role_member, p.WRITE_ROLES)
    yield Route("DELETE", "/directoryRoles/{role}/members/{target}/$ref", roles.remove_role_member, p.WRITE_ROLES)


def _bin() -> Iterator[Route]:
    base = "/directory/deletedItems"
    yield Route("GET", base, recycle.refuse_untyped, p.READ_DELETED)
    yield Route("GET", base + "/graph.user", recycle.list_deleted_users, p.READ_DELETED)
    yield Route("GET", base + "/graph.user/$count", recycle.count_deleted_users, p.READ_DELETED)
    yield Route("GET", base + "/graph.group", recycle.list_deleted_groups, p.READ_GROUP)
    yield Route("GET", base + "/{item}", recycle.get_deleted, p.READ_DELETED)
    yield Route("GET", base + "/{item}/graph.user", recycle.get_deleted_user, p.READ_DELETED)
    yield Route("POST", base + "/{item}/restore", recycle.restore, p.DELETE_USER)
    yield Route("DELETE", base + "/{item}", recycle.purge, p.DELETE_USER)


def _tenant() -> Iterator[Route]:
    yield Route("GET", "/subscribedSkus", licenses.list_skus, p.READ_SKUS, 3)
    yield Route("GET", "/organization", tenantinfo.list_organization, p.READ_ORGANIZATION)
    yield Route("GET", "/organization/{id}", tenantinfo.get_organization, p.READ_ORGANIZATION)
    yield Route("GET", "/directoryObjects/{id}", tenantinfo.get_directory_object, p.READ_OBJECTS)
    yield Route("POST", "/directoryObjects/getByIds", tenantinfo.get_by_ids, p.READ_OBJECTS, 3, True)
    yield Route("GET", "/servicePrincipals", tenantinfo.list_service_principals, p.READ_APP)
    yield Route("GET", "/servicePrincipals/{principal}", tenantinfo.get_service_principal, p.READ_APP)
    yield Route("GET", "/applications", tenantinfo.list_applications, p.READ_APP)
    yield Route("GET", "/applications/{application}", tenantinfo.get_application, p.READ_APP)
    yield Route("GET", "/applications/{application}/owners", tenantinfo.list_application_owners, p.READ_APP)
    path = "/servicePrincipals/{principal}"
    yield Route("GET", path + "/appRoleAssignments", tenantinfo.list_principal_roles, p.READ_APP, 2)
    yield Route("GET", path + "/owners", tenantinfo.list_principal_owners, p.READ_APP)
    yield Route("GET", path + "/memberOf", tenantinfo.list_principal_groups, p.READ_APP, 2)


def _grants() -> Iterator[Route]:
    path = "/users/{user}/appRoleAssignments"
    yield Route("GET", path, grants.list_app_roles, p.READ_APP_ROLES)
    yield Route("DELETE", path + "/{id}", grants.delete_app_role, p.WRITE_APP_ROLES)
    yield Route("GET", "/users/{user}/oauth2PermissionGrants", grants.list_user_grants, p.READ_USER_GRANTS)
    yield Route("GET", "/oauth2PermissionGrants", grants.list_grants, p.READ_GRANTS, 2)
    yield Route("GET", "/oauth2PermissionGrants/{id}", grants.get_grant, p.READ_GRANTS)
    yield Route("DELETE", "/oauth2PermissionGrants/{id}", grants.delete_grant, p.WRITE_GRANTS)


def table() -> Iterator[Route]:
    """All routes."""
    for part in (_users, _related, _methods, _devices, _intune, _groups, _roles, _bin, _tenant, _grants):
        for route in part():
            for pattern in _spellings(route.pattern):
                reads = route.reads or route.method == "GET"
                yield Route(route.method, pattern, route.handler, route.access, route.cost, reads)
