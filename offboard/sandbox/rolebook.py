"""Directory roles as every tenant has them, and who holds which."""

from __future__ import annotations

import base64
import uuid

from .entity import Entity
from .store import Store

# Template ids are the same in every tenant.
BUILT_IN = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Password Administrator": "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "Groups Administrator": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
    "License Administrator": "4d6ac14f-3453-41d0-bef9-a3e0c569773a",
    "Cloud Device Administrator": "7698a772-787b-4ac8-901f-60d6b08affd2",
    "Intune Administrator": "3a2c62db-5318-420d-8d74-23affee5d9d5",
    "Windows 365 Administrator": "11451d60-acb2-45eb-a7d6-43d0f0125c13",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "SharePoint Administrator": "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "Teams Administrator": "69091246-20e8-4a56-aa4d-066075b2a7a8",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
    "Message Center Reader": "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
    "Usage Summary Reports Reader": "75934031-6c7e-415a-99d7-48dbd49e875e",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Directory Writers": "9360feb5-f418-4baa-8175-e2a00bac4301",
    "Guest Inviter": "95e79109-95c0-4d8e-aee3-d01accf2d47b",
    "Lifecycle Workflows Administrator": "59d46f88-662b-457b-bceb-5c3809e5908f",
    "Identity Governance Administrator": "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e",
    "Directory Synchronization Accounts": "d29b2b05-8046-44ba-8758-1e26182fcf32",
    "Billing Administrator": "b0f54661-2d74-4c50-afa3-1ec803f12efe",
}
NAMES = {template: name for name, template in BUILT_IN.items()}
GLOBAL_ADMINISTRATOR = BUILT_IN["Global Administrator"]


def definition(name: str) -> Entity:
    """A role definition as the tenant lists it."""
    template = BUILT_IN[name]
    body = {
        "displayName": name,
        "description": f"The built-in role {name}.",
        "isBuiltIn": True,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "templateId": template,
        "version": "1",
        "rolePermissions": [],
    }
    return Entity(template, "roleDefinition", body)


def activated(tenant_id: str, template: str) -> Entity:
    """The directoryRole object which appears once a role is first used; its id is the tenant's own."""
    id_ = str(uuid.uuid5(uuid.UUID(tenant_id), template))
    name = NAMES[template]
    body = {"displayName": name, "description": f"The built-in role {name}.", "roleTemplateId": template}
    return Entity(id_, "directoryRole", body, template)


def assignment_id(template: str, principal: str, scope: str = "/") -> str:
    """An opaque id like Graph's: the two object ids run together."""
    raw = uuid.UUID(template).bytes_le + uuid.UUID(principal).bytes_le
    suffix = "1" if scope == "/" else str(uuid.uuid5(uuid.NAMESPACE_URL, scope))[:8]
    return base64.urlsafe_b64encode(raw).decode().rstrip("=") + "-" + suffix


def assignment(template: str, principal: str, scope: str = "/") -> Entity:
    """An active role assignment."""
    body = {"principalId": principal, "roleDefinitionId": template, "directoryScopeId": scope}
    return Entity(assignment_id(template, principal, scope), "roleAssignment", body, template, principal)


def eligibility(template: str, principal: str, start: str, scope: str = "/") -> Entity:
    """An eligible assignment, active only after its holder asks for it."""
    schedule = str(uuid.uuid5(uuid.UUID(principal), "eligible" + template + scope))
    body = {
        "principalId": principal,
        "roleDefinitionId": template,
        "directoryScopeId": scope,
        "memberType": "Direct",
        "startDateTime": start,
        "endDateTime": None,
        "roleEligibilityScheduleId": schedule,
    }
    return Entity(assignment_id(template, principal, scope) + "-e", "roleEligibility", body, template, principal)


def group_eligibility(group: str, principal: str, access: str, start: str) -> Entity:
    """An eligible membership (`member`) or ownership (`owner`) of a group."""
    schedule = str(uuid.uuid5(uuid.UUID(group), access + principal))
    body = {
        "principalId": principal,
        "groupId": group,
        "accessId": access,
        "memberType": "direct",
        "startDateTime": start,
        "endDateTime": None,
        "eligibilityScheduleId": f"{group}_{access}_{schedule}",
    }
    return Entity(f"{group}_{access}_{schedule}", "groupEligibility", body, principal, group)


def activate(store: Store, tenant_id: str, template: str) -> None:
    """Make the directoryRole object exist."""
    if not store.by_key("directoryRole", template):
        store.put(activated(tenant_id, template))


def assignments_of(store: Store, principal: str) -> list[Entity]:
    """Active assignments held directly."""
    return store.children("roleAssignment", principal)


def roles_of(store: Store, principal: str) -> list[Entity]:
    """directoryRole objects held directly, tenant-wide."""
    held = [a.body["roleDefinitionId"] for a in assignments_of(store, principal) if a.body["directoryScopeId"] == "/"]
    return [role for template in held for role in store.by_key("directoryRole", template)]


def role_names(store: Store, principal: str, *, eligible: bool = False) -> set[str]:
    """Names of the roles of a principal, through role-assignable groups too, and eligible ones if wanted."""
    holders = [principal, *(g.id for g in store.sources("member", principal) if g.body.get("isAssignableToRole"))]
    kinds = ("roleAssignment", "roleEligibility") if eligible else ("roleAssignment",)
    found = [a for holder in holders for kind in kinds for a in store.children(kind, holder)]
    return {NAMES.get(a.body["roleDefinitionId"], "Custom role") for a in found}
