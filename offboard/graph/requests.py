"""Reads, worded as requests of the SDK: which properties are asked for, and how a GET is built from its fluent path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

USER = [
    "id",
    "userPrincipalName",
    "displayName",
    "userType",
    "accountEnabled",
    "onPremisesSyncEnabled",
    "isManagementRestricted",
    "isResourceAccount",
    "signInSessionsValidFromDateTime",
    "lastPasswordChangeDateTime",
    "createdDateTime",
    "mail",
    "givenName",
    "surname",
    "department",
    "jobTitle",
    "employeeId",
    "licenseAssignmentStates",
]
MANAGED = [
    "id",
    "deviceName",
    "managementState",
    "managedDeviceOwnerType",
    "managementAgent",
    "azureADDeviceId",
]
DEVICE = ["id", "deviceId", "displayName", "accountEnabled", "trustType", "onPremisesSyncEnabled", "profileType"]
GROUP = [
    "id",
    "displayName",
    "groupTypes",
    "mailEnabled",
    "securityEnabled",
    "isAssignableToRole",
    "onPremisesSyncEnabled",
]
PERSON = ["id", "displayName", "userPrincipalName"]
DELETED = ["id", "userPrincipalName", "displayName", "accountEnabled", "deletedDateTime", "userType"]
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def get(
    builder: Any,
    *,
    select: Sequence[str] = (),
    expand: Sequence[str] = (),
    filter: str = "",
    top: int = 0,
    advanced: bool = False,
) -> RequestInformation:
    """A GET at the place that the SDK's builder names.

    Args:
        builder: A request builder of the SDK.
        select: Properties; everything beyond Graph's default set must be named.
        expand: Relationships.
        filter: An OData filter, its texts quoted by `quoted`.
        top: Page size.
        advanced: Whether the query needs `ConsistencyLevel: eventual` and `$count`.
    """
    info: RequestInformation = builder.to_get_request_information()
    options: dict[str, Any] = {"select": list(select), "expand": list(expand), "filter": filter, "top": top}
    if advanced:
        options["count"] = "true"
        info.headers.add("ConsistencyLevel", "eventual")
    info.query_parameters = {f"%24{name}": value for name, value in options.items() if value}
    # The builder shares its path parameters with the request; a request of ours must not change the builder's.
    info.path_parameters = dict(info.path_parameters)
    return info


def quoted(text: str) -> str:
    """An OData string literal: quotes doubled. Percent-encoding is the SDK's work."""
    return "'" + text.replace("'", "''") + "'"
