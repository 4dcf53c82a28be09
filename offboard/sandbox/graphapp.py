"""Microsoft Graph as an application of the tenant: the resource which permissions are granted on.

The ids of permissions are the same in every tenant; those not listed here get a made-up one that stays the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from .caller import GRAPH_APP_ID
from .entity import Entity
from .wire import Json

_IDS = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    "User.EnableDisableAccount.All": "3011c876-62b7-4ada-afa2-506cbbecc68c",
    "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User-PasswordProfile.ReadWrite.All": "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7",
    "User-LifeCycleInfo.ReadWrite.All": "925f1248-0f97-47b9-8ec8-538c54e01325",
    "UserAuthenticationMethod.ReadWrite.All": "50483e42-d915-4231-9639-7fdb7fd190e5",
    "GroupMember.ReadWrite.All": "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
    "LicenseAssignment.ReadWrite.All": "5facf0c1-8979-4e95-abcf-ff3d079771c0",
    "Device.ReadWrite.All": "1138cb37-bd11-4084-a2b7-9f71582aeddb",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
}


def permission_id(name: str) -> str:
    """The id of an application permission."""
    return _IDS.get(name) or str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def graph_id(tenant_id: str) -> str:
    """Object id of Graph's service principal, which differs from tenant to tenant."""
    return str(uuid.uuid5(uuid.UUID(tenant_id), "graph"))


def graph_app(tenant_id: str, permissions: Iterable[str]) -> Entity:
    """Graph's service principal, offering these application permissions."""
    roles: list[Json] = [
        {
            "id": permission_id(name),
            "value": name,
            "displayName": name,
            "description": name,
            "origin": "Application",
            "isEnabled": True,
            "allowedMemberTypes": ["Application"],
        }
        for name in sorted(set(permissions))
    ]
    body: Json = {
        "displayName": "Microsoft Graph",
        "appDisplayName": "Microsoft Graph",
        "appId": GRAPH_APP_ID,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [GRAPH_APP_ID],
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "signInAudience": "AzureADMultipleOrgs",
        "appRoles": roles,
        "_permissions": [],
        "_delegated": [],
    }
    return Entity(graph_id(tenant_id), "servicePrincipal", body, GRAPH_APP_ID)
