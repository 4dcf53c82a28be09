"""The large types: people, devices, groups."""

from .declare import declare

USER = declare(
    "user",
    "users",
    """
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
    id id df
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
""",
    "manager directReports memberOf transitiveMemberOf ownedDevices registeredDevices ownedObjects",
)

DEVICE = declare(
    "device",
    "devices",
    """
    id id df
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
""",
    "registeredOwners registeredUsers memberOf",
)

GROUP = declare(
    "group",
    "groups",
    """
    id id df
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
""",
    "members owners memberOf",
)
