"""The small types: roles, applications, licenses, the tenant itself."""

from .declare import declare

DIRECTORY_ROLE = declare(
    "directoryRole",
    "directoryRoles",
    """
    id id df
    deletedDateTime datetime d
    description string d
    displayName string df
    roleTemplateId string df
""",
    "members",
)

SERVICE_PRINCIPAL = declare(
    "servicePrincipal",
    "servicePrincipals",
    """
    id id df
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
""",
    "owners memberOf",
)

ORGANIZATION = declare(
    "organization",
    "organization",
    """
    id id df
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
""",
)

SUBSCRIBED_SKU = declare(
    "subscribedSku",
    "subscribedSkus",
    """
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
""",
)

LICENSE_DETAILS = declare(
    "licenseDetails",
    "licenseDetails",
    """
    id string d
    skuId guid d
    skuPartNumber string d
    servicePlans complexes d
""",
)

ROLE_DEFINITION = declare(
    "unifiedRoleDefinition",
    "roleDefinitions",
    """
    id string df
    description string d
    displayName string df
    isBuiltIn boolean df
    isEnabled boolean d
    resourceScopes strings d
    templateId string df
    version string d
    rolePermissions complexes d
""",
)

ROLE_ASSIGNMENT = declare(
    "unifiedRoleAssignment",
    "roleAssignments",
    """
    id string df
    principalId string df
    directoryScopeId string df
    roleDefinitionId string df
    appScopeId string
    condition string
    principalOrganizationId string
""",
    "roleDefinition principal",
)

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
ROLE_ASSIGNMENT_INSTANCE = declare(
    "unifiedRoleAssignmentScheduleInstance",
    "roleAssignmentScheduleInstances",
    _SCHEDULE
    + """
    assignmentType string df
    roleAssignmentOriginId string d
    roleAssignmentScheduleId string d
""",
    "roleDefinition principal",
)
ROLE_ELIGIBILITY_INSTANCE = declare(
    "unifiedRoleEligibilityScheduleInstance",
    "roleEligibilityScheduleInstances",
    _SCHEDULE + "    roleEligibilityScheduleId string d",
    "roleDefinition principal",
)

GROUP_ELIGIBILITY_INSTANCE = declare(
    "privilegedAccessGroupEligibilityScheduleInstance",
    "eligibilityScheduleInstances",
    """
    id string df
    startDateTime datetime df
    endDateTime datetime df
    accessId string df
    groupId string df
    principalId string df
    memberType string df
    eligibilityScheduleId string df
""",
)

APPLICATION = declare(
    "application",
    "applications",
    """
    id id df
    deletedDateTime datetime d
    appId string df
    createdDateTime datetime df
    description string d
    displayName string df
    publisherDomain string df
    signInAudience string df
    tags strings df
    identifierUris strings df
    passwordCredentials complexes d
    keyCredentials complexes d
    requiredResourceAccess complexes d
""",
    "owners",
)

APP_ROLE_ASSIGNMENT = declare(
    "appRoleAssignment",
    "appRoleAssignments",
    """
    id string df
    deletedDateTime datetime d
    appRoleId guid df
    createdDateTime datetime d
    principalDisplayName string df
    principalId guid df
    principalType string d
    resourceDisplayName string df
    resourceId guid df
""",
)

PERMISSION_GRANT = declare(
    "oAuth2PermissionGrant",
    "oauth2PermissionGrants",
    """
    clientId string df
    consentType string df
    id string df
    principalId string df
    resourceId string df
    scope string df
""",
)
