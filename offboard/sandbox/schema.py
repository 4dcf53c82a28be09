"""What the simulated types look like, all of them by name; each is declared in one of the two tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .declare import EntityType, Property
from .schemaintune import MANAGED_DEVICE
from .schemapeople import DEVICE, GROUP, USER
from .schemaroles import (
    APP_ROLE_ASSIGNMENT,
    APPLICATION,
    DIRECTORY_ROLE,
    GROUP_ELIGIBILITY_INSTANCE,
    LICENSE_DETAILS,
    ORGANIZATION,
    PERMISSION_GRANT,
    ROLE_ASSIGNMENT,
    ROLE_ASSIGNMENT_INSTANCE,
    ROLE_DEFINITION,
    ROLE_ELIGIBILITY_INSTANCE,
    SERVICE_PRINCIPAL,
    SUBSCRIBED_SKU,
)

__all__ = [
    "APPLICATION",
    "APP_ROLE_ASSIGNMENT",
    "DEVICE",
    "DIRECTORY_OBJECT",
    "DIRECTORY_ROLE",
    "DIRECTORY_TYPES",
    "GROUP",
    "GROUP_ELIGIBILITY_INSTANCE",
    "LICENSE_DETAILS",
    "MANAGED_DEVICE",
    "ORGANIZATION",
    "PERMISSION_GRANT",
    "ROLE_ASSIGNMENT",
    "ROLE_ASSIGNMENT_INSTANCE",
    "ROLE_DEFINITION",
    "ROLE_ELIGIBILITY_INSTANCE",
    "SERVICE_PRINCIPAL",
    "SUBSCRIBED_SKU",
    "TYPES",
    "USER",
    "EntityType",
    "Property",
    "union",
]

TYPES: Mapping[str, EntityType] = MappingProxyType(
    {
        t.name: t
        for t in (
            USER,
            DEVICE,
            MANAGED_DEVICE,
            GROUP,
            DIRECTORY_ROLE,
            SERVICE_PRINCIPAL,
            APPLICATION,
            GROUP_ELIGIBILITY_INSTANCE,
            ORGANIZATION,
            SUBSCRIBED_SKU,
            LICENSE_DETAILS,
            ROLE_DEFINITION,
            ROLE_ASSIGNMENT,
            ROLE_ASSIGNMENT_INSTANCE,
            ROLE_ELIGIBILITY_INSTANCE,
            APP_ROLE_ASSIGNMENT,
            PERMISSION_GRANT,
        )
    }
)
DIRECTORY_TYPES = ("user", "group", "device", "directoryRole", "servicePrincipal", "application")
"""The types that a list of directoryObject may hold."""


def union(name: str, names: tuple[str, ...]) -> EntityType:
    """A stand-in for a base type: every property that one of its derived types has."""
    merged: dict[str, Property] = {}
    for type_name in names:
        merged.update(TYPES[type_name].properties)
    return EntityType(name, name + "s", MappingProxyType(merged))


DIRECTORY_OBJECT = union("directoryObject", DIRECTORY_TYPES)
