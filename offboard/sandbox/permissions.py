"""Which permissions let a call through, delegated and application apart, and which roles a signed-in caller needs."""

from __future__ import annotations

from dataclasses import dataclass

from .call import Call
from .problems import denied
from .rolebook import BUILT_IN, NAMES, role_names


@dataclass(frozen=True)
class Access:
    """Any one permission suffices. An empty `application` means that apps cannot make the call at all.

    `own` holds the scopes that suffice for a signed-in caller's own object; `roles` the directory roles of which a
    signed-in caller needs one (Global Administrators always pass).
    """

    delegated: frozenset[str] = frozenset()
    application: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


def _roles(names: str) -> frozenset[str]:
    found = frozenset(name + " Administrator" for name in names.split(", ") if name)
    assert found <= set(BUILT_IN), found - set(BUILT_IN)
    return found


def both(permissions: str, *, roles: str = "", own: str = "", delegated: str = "", application: str = "") -> Access:
    """The same permissions for people and apps, plus those which only one side has."""
    shared = frozenset(permissions.split())
    return Access(
        shared | frozenset(delegated.split()),
        shared | frozenset(application.split()),
        _roles(roles),
        frozenset(own.split()),
    )


def delegated_only(permissions: str, *, roles: str = "") -> Access:
    """Calls that no app can make on its own."""
    return Access(frozenset(permissions.split()), frozenset(), _roles(roles))


OPEN = Access()

_USER_READ = "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
_DIRECTORY_READ = "Directory.Read.All Directory.ReadWrite.All"
_METHODS = "UserAuthenticationMethod.ReadWrite.All"
_METHOD_ROLES = "Authentication, Privileged Authentication"
_DEVICE_ROLES = "Cloud Device, Intune, Windows 365"
_ROLE_READ = _DIRECTORY_READ + " RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory"
_GROUP_READ = _DIRECTORY_READ + " Group.Read.All Group.ReadBasic.All Group.ReadWrite.All GroupMember.Read.All"
_GROUP_ROLES = "Groups, User"
_MEMBERS_READ = (
    "Directory.Read.All Group.Read.All Group.ReadBasic.All Group.ReadWrite.All GroupMember.Read.All "
    "GroupMember.ReadBasic.All GroupMember.ReadWrite.All"
)
_APP_READ = "Application.Read.All Application.ReadWrite.All " + _DIRECTORY_READ
_SCHEDULE = "RoleManagement.Read.All RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory"

READ_USER = both(_USER_READ + " User.ReadBasic.All", own="User.Read User.ReadWrite")
CREATE_USER = both("User.ReadWrite.All Directory.ReadWrite.All", roles="User")
# Which of these suffices depends on the properties; `privilege.demand_to_patch` looks closer.
PATCH_USER = both(
    "User.ReadWrite.All Directory.ReadWrite.All User.EnableDisableAccount.All User-Mail.ReadWrite.All "
    "User-Phone.ReadWrite.All User-PasswordProfile.ReadWrite.All User-LifeCycleInfo.ReadWrite.All",
    delegated="Directory.AccessAsUser.All",
)
DELETE_USER = both("User.DeleteRestore.All User.ReadWrite.All")
REVOKE = both(
    "User.RevokeSessions.All User.ReadWrite.All Directory.ReadWrite.All",
    roles="User, Helpdesk, Authentication, Privileged Authentication",
)
ASSIGN_LICENSE = both("LicenseAssignment.ReadWrite.All User.ReadWrite.All Directory.ReadWrite.All", roles="License, User")
READ_LICENSES = both(_USER_READ + " LicenseAssignment.Read.All", own="User.Read")
READ_MAILBOX = Access(  # a signed-in person reads nobody's settings but their own
    application=frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"}),
    own=frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"}),
)
READ_DEVICES_OF_USER = both(_USER_READ, own="User.Read")
READ_OWNED = both(_USER_READ, own="User.Read")
READ_MEMBER_OF = both(
    _DIRECTORY_READ + " Group.ReadBasic.All GroupMember.ReadBasic.All", delegated="GroupMember.Read.All", own="User.Read"
)
READ_TRANSITIVE = both(
    _DIRECTORY_READ + " Group.Read.All Group.ReadBasic.All GroupMember.Read.All GroupMember.ReadBasic.All User.Read.All",
    own="User.Read",
)
CHECK_MEMBERSHIP = both(
    _DIRECTORY_READ + " Application.Read.All Group.Read.All Group.ReadBasic.All "
    "GroupMember.Read.All GroupMember.ReadBasic.All User.Read.All"
)
READ_MANAGER = both(_USER_READ)
WRITE_MANAGER = both("User.ReadWrite.All Directory.ReadWrite.All", roles="User")
READ_REPORTS = both(_USER_READ, own="User.Read")
READ_METHODS = both(
    "UserAuthenticationMethod.Read.All " + _METHODS,
    own="UserAuthenticationMethod.Read UserAuthenticationMethod.ReadWrite",
    roles=_METHOD_ROLES,
)
RESET_PASSWORD = delegated_only(_METHODS, roles=_METHOD_ROLES)
READ_OPERATION = delegated_only("UserAuthenticationMethod.Read.All " + _METHODS, roles=_METHOD_ROLES)
READ_DEVICE = both("Device.Read.All " + _DIRECTORY_READ, application="Device.ReadWrite.All")
PATCH_DEVICE = Access(
    frozenset({"Directory.AccessAsUser.All"}),
    frozenset({"Device.ReadWrite.All", "Directory.ReadWrite.All"}),
    _roles(_DEVICE_ROLES),
)
DELETE_DEVICE = Access(
    frozenset({"Directory.AccessAsUser.All"}), frozenset({"Device.ReadWrite.All"}), _roles(_DEVICE_ROLES)
)
WRITE_REGISTERED = delegated_only("Directory.AccessAsUser.All", roles=_DEVICE_ROLES)
READ_MANAGED = both(
    "DeviceManagementManagedDevices.Read.All DeviceManagementManagedDevices.ReadWrite.All "
    "DeviceManagementConfiguration.Read.All DeviceManagementConfiguration.ReadWrite.All",
    roles="Intune",
)
RETIRE = both("DeviceManagementManagedDevices.PrivilegedOperations.All", roles="Intune")
WIPE = both(
    "DeviceManagementManagedDevices.PrivilegedOperations.All DeviceManagementManagedDevices.ReadWrite.All "
    "DeviceManagementConfiguration.ReadWrite.All",
    roles="Intune",
)
READ_GROUP = both(_GROUP_READ)
WRITE_GROUP = both("Group.ReadWrite.All Directory.ReadWrite.All", roles=_GROUP_ROLES)
CREATE_GROUP = both("Group.ReadWrite.All Directory.ReadWrite.All", application="Group.Create", roles=_GROUP_ROLES)
DELETE_GROUP = both("Group.ReadWrite.All", roles=_GROUP_ROLES)
READ_MEMBERS = both(_MEMBERS_READ)
WRITE_MEMBERS = both("GroupMember.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All", roles=_GROUP_ROLES)
READ_OWNERS = both("Directory.Read.All Group.Read.All Group.ReadWrite.All GroupMember.Read.All GroupMember.ReadWrite.All")
WRITE_OWNERS = both("Group.ReadWrite.All Directory.ReadWrite.All", roles=_GROUP_ROLES)
READ_ROLES = both(_ROLE_READ, delegated="RoleManagement.Read.All")
READ_DEFINITIONS = both(_ROLE_READ + " RoleManagement.Read.All")
WRITE_ROLES = both("RoleManagement.ReadWrite.Directory", roles="Privileged Role")
READ_ELIGIBLE = both(_SCHEDULE + " RoleEligibilitySchedule.Read.Directory RoleEligibilitySchedule.ReadWrite.Directory")
READ_INSTANCES = both(_SCHEDULE + " RoleAssignmentSchedule.Read.Directory RoleAssignmentSchedule.ReadWrite.Directory")
READ_SKUS = both(_DIRECTORY_READ + " LicenseAssignment.Read.All Organization.Read.All Organization.ReadWrite.All")
READ_ORGANIZATION = both(
    _DIRECTORY_READ + " Organization.Read.All Organization.ReadWrite.All User.Read.All", delegated="User.Read"
)
READ_APP = both(_APP_READ, application="Application.ReadWrite.OwnedBy")
READ_GROUP_ELIGIBLE = both(
    "PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"
)
READ_OBJECTS = both("Directory.Read.All")
READ_APP_ROLES = both("AppRoleAssignment.ReadWrite.All Directory.Read.All")
WRITE_APP_ROLES = both("AppRoleAssignment.ReadWrite.All", roles="User, Application, Cloud Application")
READ_USER_GRANTS = both("DelegatedPermissionGrant.ReadWrite.All Directory.Read.All")
READ_GRANTS = both("DelegatedPermissionGrant.ReadWrite.All " + _DIRECTORY_READ)
WRITE_GRANTS = both(
    "DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All",
    roles="User, Application, Cloud Application, Privileged Role",
)
READ_DELETED = both("User.Read.All " + _DIRECTORY_READ)


def read_method(name: str) -> Access:
    """Reading one kind of sign-in method."""
    narrow = f"UserAuthMethod-{name}.Read.All UserAuthMethod-{name}.ReadWrite.All"
    own = f"UserAuthMethod-{name}.Read UserAuthMethod-{name}.ReadWrite UserAuthenticationMethod.Read"
    return both(f"{narrow} UserAuthenticationMethod.Read.All {_METHODS}", roles=_METHOD_ROLES, own=own)


def write_method(name: str) -> Access:
    """Deleting one kind of sign-in method: its own narrow permission, or the one for all kinds."""
    return both(f"UserAuthMethod-{name}.ReadWrite.All {_METHODS}", roles=_METHOD_ROLES)


def caller_roles(call: Call) -> set[str]:
    """Directory roles of the caller: those in the token, and those the directory knows of."""
    named = {NAMES.get(id_, "") for id_ in call.caller.role_ids}
    return named | role_names(call.store, call.caller.object_id)


def demand(call: Call, access: Access) -> None:
    """403 unless the caller's permissions, and for people their roles, let the call through."""
    caller = call.caller
    if not caller.delegated:
        if not caller.permissions & access.application:
            raise denied()
        return
    own = call.params.get("user")
    is_own = own is not None and own.value.lower() == caller.object_id
    if is_own and caller.permissions & access.own:
        return
    if not caller.permissions & access.delegated:
        raise denied()
    if access.roles:
        demand_role(call, access.roles)


def demand_role(call: Call, roles: frozenset[str]) -> None:
    """403 unless the caller holds one of these roles, or is a Global Administrator."""
    if not caller_roles(call) & (roles | {"Global Administrator"}):
        raise denied()


def demand_any(call: Call, alternatives: tuple[tuple[str, ...], ...]) -> None:
    """403 unless one whole alternative is granted."""
    if not any(call.caller.permissions.issuperset(needed) for needed in alternatives):
        raise denied()
