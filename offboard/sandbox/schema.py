"""What the simulated types look like: properties, their kinds, which come unasked, which may be written or filtered.

One line a property: `name kind flags`, with the flags `d` returned by default, `w` writable, `f` filterable,
`s` mastered on-premises for synced objects. Names and kinds are those of Graph v1.0; what is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Property:
    """A declared property of a type."""

    name: str
    kind: str  # string, boolean, int, datetime, guid, strings, complex, complexes
    flags: str = ""

    @property
    def is_list(self) -> bool:
        """Whether it holds a collection, which is never null."""
        return self.kind in ("strings", "complexes")


@dataclass(frozen=True)
class EntityType:
    """A type of Graph as far as it is simulated."""

    name: str
    plural: str
    properties: Mapping[str, Property]
    expands: tuple[str, ...] = ()

    @property
    def defaults(self) -> tuple[str, ...]:
        """The properties returned when nothing is selected, in Graph's order."""
        return tuple(p.name for p in self.properties.values() if "d" in p.flags)


def _declare(name: str, plural: str, table: str, expands: str = "") -> EntityType:
    rows = [line.split() for line in table.splitlines() if line.strip()]
    properties = {row[0]: Property(row[0], row[1], row[2] if len(row) > 2 else "") for row in rows}
    return EntityType(name, plural, MappingProxyType(properties), tuple(expands.split()))


USER = _declare("user", "users", """
    businessPhones strings dwfs
    displayName string dwfs
    givenName string dwfs
    jobTitle string dwfs
    mail string dwfs
    mobilePhone string dwfs
    officeLocation string dwfs
    preferredLanguage string dwfs
    surname string dwfs
    userPrincipalName string dwfs
    id guid df
    accountEnabled boolean wfs
    ageGroup string wf
    assignedLicenses complexes f
    assignedPlans complexes f
    city string wfs
    companyName string wfs
    consentProvidedForMinor string w
    country string wfs
    createdDateTime datetime f
    creationType string f
    deletedDateTime datetime f
    department string wfs
    employeeHireDate datetime wfs
    employeeId string wfs
    employeeLeaveDateTime datetime wfs
    employeeOrgData complex wfs
    employeeType string wfs
    externalUserState string f
    externalUserStateChangeDateTime datetime
    faxNumber string wfs
    identities complexes f
    imAddresses strings f
    isManagementRestricted boolean
    isResourceAccount boolean f
    lastPasswordChangeDateTime datetime
    licenseAssignmentStates complexes
    mailNickname string wfs
    onPremisesDistinguishedName string
    onPremisesDomainName string
    onPremisesExtensionAttributes complex ws
    onPremisesImmutableId string wfs
    onPremisesLastSyncDateTime datetime f
    onPremisesSamAccountName string f
    onPremisesSecurityIdentifier string f
    onPremisesSyncEnabled boolean f
    onPremisesUserPrincipalName string
    otherMails strings wfs
    passwordPolicies string wf
    passwordProfile complex ws
    postalCode string wfs
    provisionedPlans complexes
    proxyAddresses strings f
    securityIdentifier string
    showInAddressList boolean w
    signInActivity complex f
    signInSessionsValidFromDateTime datetime
    state string wfs
    streetAddress string wfs
    usageLocation string wf
    userType string wf
""", "manager directReports memberOf transitiveMemberOf ownedDevices registeredDevices ownedObjects")

DEVICE = _declare("device", "devices", """
    id guid df
    deletedDateTime datetime d
    accountEnabled boolean dwf
    approximateLastSignInDateTime datetime df
    complianceExpirationDateTime datetime d
    deviceCategory string df
    deviceId string df
    deviceMetadata string d
    deviceOwnership string df
    deviceVersion int d
    displayName string dwf
    enrollmentProfileName string df
    enrollmentType string d
    isCompliant boolean dwf
    isManaged boolean dwf
    isManagementRestricted boolean
    isRooted boolean df
    managementType string df
    manufacturer string df
    mdmAppId string df
    model string df
    onPremisesLastSyncDateTime datetime df
    onPremisesSecurityIdentifier string df
    onPremisesSyncEnabled boolean df
    operatingSystem string dwf
    operatingSystemVersion string dwf
    physicalIds strings df
    profileType string df
    registrationDateTime datetime d
    systemLabels strings d
    trustType string df
    alternativeSecurityIds complexes d
""", "registeredOwners registeredUsers memberOf")

GROUP = _declare("group", "groups", """
    id guid df
    deletedDateTime datetime d
    classification string dw
    createdDateTime datetime df
    description string dw
    displayName string dwf
    expirationDateTime datetime df
    groupTypes strings dwf
    isAssignableToRole boolean dwf
    mail string df
    mailEnabled boolean dwf
    mailNickname string dwf
    membershipRule string dwf
    membershipRuleProcessingState string dwf
    onPremisesDomainName string d
    onPremisesLastSyncDateTime datetime df
    onPremisesNetBiosName string d
    onPremisesSamAccountName string d
    onPremisesSecurityIdentifier string df
    onPremisesSyncEnabled boolean df
    preferredDataLocation string dw
    preferredLanguage string dw
    proxyAddresses strings df
    renewedDateTime datetime df
    resourceBehaviorOptions strings dw
    resourceProvisioningOptions strings dwf
    securityEnabled boolean dwf
    securityIdentifier string df
    theme string dw
    uniqueName string dw
    visibility string dw
    assignedLabels complexes
    assignedLicenses complexes f
    hasMembersWithLicenseErrors boolean f
    isManagementRestricted boolean
    licenseProcessingState complex
""", "members owners memberOf")

DIRECTORY_ROLE = _declare("directoryRole", "directoryRoles", """
    id guid df
    deletedDateTime datetime d
    description string d
    displayName string df
    roleTemplateId string df
""", "members")

SERVICE_PRINCIPAL = _declare("servicePrincipal", "servicePrincipals", """
    id guid df
    deletedDateTime datetime d
    accountEnabled boolean df
    appDescription string d
    appDisplayName string df
    appId string df
    appOwnerOrganizationId guid df
    appRoleAssignmentRequired boolean d
    appRoles complexes d
    description string d
    displayName string df
    oauth2PermissionScopes complexes d
    servicePrincipalNames strings df
    servicePrincipalType string df
    signInAudience string d
    tags strings df
""", "owners memberOf")

ORGANIZATION = _declare("organization", "organization", """
    id guid df
    deletedDateTime datetime d
    businessPhones strings d
    city string d
    country string d
    countryLetterCode string d
    createdDateTime datetime d
    displayName string d
    onPremisesLastSyncDateTime datetime d
    onPremisesSyncEnabled boolean d
    postalCode string d
    preferredLanguage string d
    state string d
    street string d
    technicalNotificationMails strings d
    tenantType string d
    assignedPlans complexes d
    provisionedPlans complexes d
    verifiedDomains complexes d
""")

SUBSCRIBED_SKU = _declare("subscribedSku", "subscribedSkus", """
    accountName string d
    accountId string d
    appliesTo string d
    capabilityStatus string d
    consumedUnits int d
    id string d
    skuId guid d
    skuPartNumber string d
    subscriptionIds strings d
    prepaidUnits complex d
    servicePlans complexes d
""")

LICENSE_DETAILS = _declare("licenseDetails", "licenseDetails", """
    id string d
    skuId guid d
    skuPartNumber string d
    servicePlans complexes d
""")

ROLE_DEFINITION = _declare("unifiedRoleDefinition", "roleDefinitions", """
    id string df
    description string d
    displayName string df
    isBuiltIn boolean df
    isEnabled boolean d
    resourceScopes strings d
    templateId string df
    version string d
    rolePermissions complexes d
""")

ROLE_ASSIGNMENT = _declare("unifiedRoleAssignment", "roleAssignments", """
    id string df
    principalId string df
    directoryScopeId string df
    roleDefinitionId string df
    appScopeId string
    condition string
    principalOrganizationId string
""", "roleDefinition principal")

_SCHEDULE = """
    id string df
    principalId string df
    roleDefinitionId string df
    directoryScopeId string df
    appScopeId string d
    startDateTime datetime d
    endDateTime datetime d
    memberType string df
"""
ROLE_ASSIGNMENT_INSTANCE = _declare(
    "unifiedRoleAssignmentScheduleInstance", "roleAssignmentScheduleInstances",
    _SCHEDULE + """
    assignmentType string df
    roleAssignmentOriginId string d
    roleAssignmentScheduleId string d
""",
    "roleDefinition principal",
)
ROLE_ELIGIBILITY_INSTANCE = _declare(
    "unifiedRoleEligibilityScheduleInstance", "roleEligibilityScheduleInstances",
    _SCHEDULE + "    roleEligibilityScheduleId string d", "roleDefinition principal",
)

APP_ROLE_ASSIGNMENT = _declare("appRoleAssignment", "appRoleAssignments", """
    id string df
    deletedDateTime datetime d
    appRoleId guid df
    createdDateTime datetime d
    principalDisplayName string df
    principalId guid df
    principalType string d
    resourceDisplayName string df
    resourceId guid df
""")

PERMISSION_GRANT = _declare("oAuth2PermissionGrant", "oauth2PermissionGrants", """
    clientId string df
    consentType string df
    id string df
    principalId string df
    resourceId string df
    scope string df
""")

TYPES: Mapping[str, EntityType] = MappingProxyType({
    t.name: t for t in (
        USER, DEVICE, GROUP, DIRECTORY_ROLE, SERVICE_PRINCIPAL, ORGANIZATION, SUBSCRIBED_SKU, LICENSE_DETAILS,
        ROLE_DEFINITION, ROLE_ASSIGNMENT, ROLE_ASSIGNMENT_INSTANCE, ROLE_ELIGIBILITY_INSTANCE,
        APP_ROLE_ASSIGNMENT, PERMISSION_GRANT,
    )
})
DIRECTORY_TYPES = ("user", "group", "device", "directoryRole", "servicePrincipal")
"""The types that a list of directoryObject may hold."""


def union(name: str, names: tuple[str, ...]) -> EntityType:
    """A stand-in for a base type: every property that one of its derived types has."""
    merged: dict[str, Property] = {}
    for type_name in names:
        merged.update(TYPES[type_name].properties)
    return EntityType(name, name + "s", MappingProxyType(merged))


DIRECTORY_OBJECT = union("directoryObject", DIRECTORY_TYPES)
