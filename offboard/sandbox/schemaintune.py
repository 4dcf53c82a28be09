"""The type that Intune adds: a device as it is managed."""

from .declare import declare

MANAGED_DEVICE = declare(
    "managedDevice",
    "managedDevices",
    """
    id id df
    userId string df
    deviceName string df
    managedDeviceOwnerType string df
    enrolledDateTime datetime df
    lastSyncDateTime datetime df
    operatingSystem string df
    complianceState string df
    jailBroken string d
    managementAgent string df
    osVersion string df
    azureADRegistered boolean d
    deviceEnrollmentType string d
    emailAddress string d
    azureADDeviceId string df
    deviceRegistrationState string d
    isSupervised boolean d
    isEncrypted boolean d
    userPrincipalName string df
    model string df
    manufacturer string df
    imei string d
    serialNumber string df
    userDisplayName string d
    managedDeviceName string d
    managementState string df
    deviceActionResults complexes d
""",
    "users",
)
