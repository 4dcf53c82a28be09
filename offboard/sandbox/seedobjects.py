"""The first pass over a seed: every object, so that entries may name each other in any order afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import bodies, clock, rolebook
from .entity import Entity
from .lookup import is_guid
from .recycle import mangled
from .schema import DEVICE, GROUP, MANAGED_DEVICE, USER, EntityType
from .seedfile import SeedError
from .wire import Json

SECTIONS = ("tenant", "skus", "people", "devices", "groups", "apps")
_PERSON = (
    "manager",
    "licenses",
    "roles",
    "eligible_roles",
    "methods",
    "deleted_days_ago",
    "created_days_ago",
    "last_sign_in_days_ago",
    "password_changed_days_ago",
    "app_roles",
    "consents",
    "mailbox",
)
_PURPOSES = ("user", "linked", "shared", "room", "equipment", "others")
_DEVICE = ("owner", "users", "registered_days_ago", "last_sign_in_days_ago", "managed")
_MANAGED = ("id", "users", "offline")
_GROUP = (
    "kind",
    "members",
    "owners",
    "licenses",
    "roles",
    "eligible_members",
    "eligible_owners",
    "created_days_ago",
)
_APP = (
    "appId",
    "id",
    "displayName",
    "secret",
    "certificate",
    "permissions",
    "delegated",
    "roles",
    "owners",
    "registration_owners",
)
_SKU = ("skuId", "skuPartNumber", "enabled", "plans")
_TENANT = ("id", "displayName", "domains", "sign_in_as", "synced")
_DERIVED = ("assignedLicenses", "licenseAssignmentStates", "deletedDateTime", "passwordProfile")
_GROUP_KINDS: dict[str, Json] = {
    "security": {"groupTypes": [], "mailEnabled": False, "securityEnabled": True},
    "microsoft365": {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": False},
    "mail-security": {"groupTypes": [], "mailEnabled": True, "securityEnabled": True},
    "distribution": {"groupTypes": [], "mailEnabled": True, "securityEnabled": False},
    "dynamic": {"groupTypes": ["DynamicMembership"], "mailEnabled": False, "securityEnabled": True},
}


@dataclass
class Planted:
    """What a seed grows into, ready to be stored."""

    entities: list[Entity] = field(default_factory=list)
    relations: list[tuple[str, str, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)


def demand_known(where: str, entry: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a misspelled key."""
    for name in entry:
        if name not in known:
            raise SeedError(f"{where}: unknown key '{name}'")


class Bed:
    """Every object of a seed, with its name and its entry, before anything is linked."""

    def __init__(self, seed: Mapping[str, Any], now: datetime) -> None:
        demand_known("seed", seed, SECTIONS)
        self.seed = seed
        self.now = now
        self.planted = Planted()
        self.names: dict[str, dict[str, Entity]] = {"people": {}, "groups": {}, "skus": {}, "apps": {}, "devices": {}}
        self.entries: list[tuple[str, str, Entity, Mapping[str, Any]]] = []
        self.tenant_id = ""

    def tenant(self) -> None:
        """The organization and its role definitions."""
        entry = self.seed.get("tenant")
        if not isinstance(entry, Mapping) or not is_guid(str(entry.get("id"))) or not entry.get("domains"):
            raise SeedError("tenant: needs an 'id' (a GUID), a 'displayName' and 'domains'")
        demand_known("tenant", entry, _TENANT)
        self.tenant_id = str(entry["id"]).lower()
        domains = [
            {
                "name": str(name).lower(),
                "type": "Managed",
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": number == 0,
                "isInitial": str(name).endswith(".onmicrosoft.com"),
            }
            for number, name in enumerate(entry["domains"])
        ]
        self.add(
            Entity(
                self.tenant_id,
                "organization",
                {
                    "displayName": entry.get("displayName"),
                    "verifiedDomains": domains,
                    "countryLetterCode": "US",
                    "tenantType": "AAD",
                    "createdDateTime": clock.days_before(self.now, 2000),
                    "onPremisesSyncEnabled": True if entry.get("synced") else None,
                },
            )
        )
        self.planted.meta = {"tenant": self.tenant_id, "sign_in_as": str(entry.get("sign_in_as") or "")}
        for name in rolebook.BUILT_IN:
            self.add(rolebook.definition(name))

    def section(self, section: str) -> None:
        """All entries of one section."""
        entries = self.seed.get(section) or []
        if not isinstance(entries, list):
            raise SeedError(f"{section}: must be a list")
        build = {"skus": self.sku, "people": self.person, "devices": self.device, "groups": self.group, "apps": self.app}[
            section
        ]
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                raise SeedError(f"{section}[{number}]: must be a mapping")
            label = entry.get("userPrincipalName") or entry.get("displayName") or entry.get("skuPartNumber") or "?"
            where = f"{section}[{number}] ({label})"
            name, entity = build(where, entry)
            # Two devices or groups may share a name; then only their ids tell them apart.
            if name in self.names[section] and section in ("people", "skus", "apps"):
                raise SeedError(f"{where}: '{name}' is already there")
            self.names[section][name] = entity
            self.entries.append((section, where, entity, entry))
            self.add(entity)

    def add(self, entity: Entity) -> None:
        """Plant one object."""
        self.planted.entities.append(entity)

    def properties(self, where: str, entry: Mapping[str, Any], type_: EntityType, own: Iterable[str]) -> Json:
        """Graph's properties of an entry, each checked against its declared kind."""
        found: Json = {}
        for name, value in entry.items():
            if name in own or name == "id":
                continue
            declared = type_.properties.get(name)
            if declared is None or name in _DERIVED:
                raise SeedError(f"{where}: unknown key '{name}'")
            text = clock.stamp(value) if isinstance(value, datetime) else value
            if not bodies.fits(text, declared):
                raise SeedError(f"{where}: '{name}' does not hold a {declared.kind}")
            found[name] = text
        return found

    def id_of(self, where: str, entry: Mapping[str, Any], key: str) -> str:
        """The given id, or one made from the name."""
        given = entry.get("id")
        if given is None:
            return str(uuid.uuid5(uuid.UUID(self.tenant_id), key))
        if not is_guid(str(given)):
            raise SeedError(f"{where}: 'id' is not a GUID")
        return str(given).lower()

    def days(self, where: str, entry: Mapping[str, Any], name: str, default: float | None) -> str | None:
        """An instant told as days before now."""
        value = entry.get(name, default)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise SeedError(f"{where}: '{name}' is a number of days")
        return clock.days_before(self.now, value)

    def sku(self, where: str, entry: Mapping[str, Any]) -> tuple[str, Entity]:
        """A license subscription."""
        demand_known(where, entry, _SKU)
        sku_id = str(entry.get("skuId")).lower()
        if not is_guid(sku_id) or not entry.get("skuPartNumber") or not isinstance(entry.get("enabled"), int):
            raise SeedError(f"{where}: needs 'skuId', 'skuPartNumber' and 'enabled' (seats bought)")
        plans = [
            {
                "servicePlanId": str(uuid.uuid5(uuid.UUID(sku_id), plan)),
                "servicePlanName": plan,
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
            for plan in entry.get("plans") or []
        ]
        body = {
            "accountName": None,
            "accountId": self.tenant_id,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": 0,
            "skuId": sku_id,
            "skuPartNumber": entry["skuPartNumber"],
            "subscriptionIds": [],
            "prepaidUnits": {"enabled": entry["enabled"], "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": plans,
        }
        return str(entry["skuPartNumber"]), Entity(f"{self.tenant_id}_{sku_id}", "sku", body, sku_id)

    def person(self, where: str, entry: Mapping[str, Any]) -> tuple[str, Entity]:
        """A user."""
        upn = entry.get("userPrincipalName")
        if not isinstance(upn, str) or "@" not in upn or not entry.get("displayName"):
            raise SeedError(f"{where}: needs 'userPrincipalName' and 'displayName'")
        given = self.properties(where, entry, USER, _PERSON)
        created = self.days(where, entry, "created_days_ago", 400)
        guest = given.get("userType") == "Guest"
        mail = given.get("mail", upn)
        body: Json = {
            "accountEnabled": True,
            "userType": "Member",
            "mailNickname": upn.split("@")[0].split("#")[0],
            "usageLocation": None if guest else "US",
            "mail": mail,
            "createdDateTime": created,
            "proxyAddresses": [f"SMTP:{mail}"] if mail and not guest else [],
            "lastPasswordChangeDateTime": self.days(where, entry, "password_changed_days_ago", 90),
            "signInSessionsValidFromDateTime": self.days(where, entry, "password_changed_days_ago", 90),
            **given,
        }
        if entry.get("mailbox") not in (None, *_PURPOSES):
            raise SeedError(f"{where}: 'mailbox' is one of {', '.join(_PURPOSES)}")
        if entry.get("mailbox"):
            body["_mailbox"] = entry["mailbox"]
        signed_in = self.days(where, entry, "last_sign_in_days_ago", None)
        if signed_in:
            body["signInActivity"] = {
                "lastSignInDateTime": signed_in,
                "lastNonInteractiveSignInDateTime": signed_in,
                "lastSuccessfulSignInDateTime": signed_in,
            }
        user = Entity(self.id_of(where, entry, upn.lower()), "user", body, upn.lower())
        deleted = self.days(where, entry, "deleted_days_ago", None)
        if deleted:
            user.deleted = deleted
            body["userPrincipalName"] = mangled(user)
            user.key = str(body["userPrincipalName"]).lower()
        return upn.lower(), user

    def device(self, where: str, entry: Mapping[str, Any]) -> tuple[str, Entity]:
        """A device."""
        if not entry.get("displayName"):
            raise SeedError(f"{where}: needs 'displayName'")
        given = self.properties(where, entry, DEVICE, _DEVICE)
        name = str(entry["displayName"])
        id_ = self.id_of(where, entry, f"device/{name}")
        body: Json = {
            "accountEnabled": True,
            "deviceId": str(uuid.uuid5(uuid.UUID(id_), "deviceId")),
            "trustType": "AzureAd",
            "profileType": "RegisteredDevice",
            "operatingSystem": "Windows",
            "operatingSystemVersion": "10.0.22631",
            "isCompliant": True,
            "isManaged": True,
            "deviceVersion": 2,
            "deviceOwnership": "Company",
            "registrationDateTime": self.days(where, entry, "registered_days_ago", 300),
            "approximateLastSignInDateTime": self.days(where, entry, "last_sign_in_days_ago", 1),
            **given,
        }
        return name, Entity(id_, "device", body, str(body["deviceId"]).lower())

    def managed(self, where: str, device: Entity, given: Mapping[str, Any]) -> Entity:
        """A device's own object in Intune."""
        found = self.properties(where, given, MANAGED_DEVICE, _MANAGED)
        same = {name: device.body.get(name) for name in ("operatingSystem", "model", "manufacturer")}
        body: Json = {
            **same,
            "deviceName": device.body["displayName"],
            "managedDeviceName": device.body["displayName"],
            "osVersion": device.body["operatingSystemVersion"],
            "azureADDeviceId": device.body["deviceId"],
            "azureADRegistered": True,
            "managedDeviceOwnerType": str(device.body["deviceOwnership"]).lower(),
            "managementAgent": "mdm",
            "managementState": "managed",
            "complianceState": "compliant",
            "deviceEnrollmentType": "userEnrollment",
            "deviceRegistrationState": "registered",
            "enrolledDateTime": device.body["registrationDateTime"],
            "lastSyncDateTime": device.body["approximateLastSignInDateTime"],
            "_offline": bool(given.get("offline")),
            **found,
        }
        id_ = self.id_of(where, given, f"managed/{device.id}")
        return Entity(id_, "managedDevice", body, str(body["azureADDeviceId"]).lower())

    def group(self, where: str, entry: Mapping[str, Any]) -> tuple[str, Entity]:
        """A group."""
        kind = entry.get("kind", "security")
        if kind not in _GROUP_KINDS or not entry.get("displayName"):
            raise SeedError(f"{where}: needs 'displayName', and a 'kind' out of {', '.join(_GROUP_KINDS)}")
        given = self.properties(where, entry, GROUP, _GROUP)
        name = str(entry["displayName"])
        created = self.days(where, entry, "created_days_ago", 500)
        body: Json = {
            **_GROUP_KINDS[kind],
            "mailNickname": "".join(c for c in name if c.isalnum()),
            "createdDateTime": created,
            "renewedDateTime": created,
            "visibility": "Private" if kind == "microsoft365" else None,
            **given,
        }
        return name, Entity(self.id_of(where, entry, f"group/{name}"), "group", body)

    def registration(self, app: Entity) -> Entity:
        """The application of which an app is the service principal."""
        names = ("displayName", "appId", "signInAudience")
        body = {name: app.body[name] for name in names} | {"createdDateTime": clock.days_before(self.now, 300)}
        return Entity(str(uuid.uuid5(uuid.UUID(app.id), "application")), "application", body, app.key)

    def app(self, where: str, entry: Mapping[str, Any]) -> tuple[str, Entity]:
        """An application's service principal."""
        demand_known(where, entry, _APP)
        app_id, name = str(entry.get("appId")).lower(), entry.get("displayName")
        if not is_guid(app_id) or not name:
            raise SeedError(f"{where}: needs 'appId' (a GUID) and 'displayName'")
        body = {
            "displayName": name,
            "appDisplayName": name,
            "appId": app_id,
            "accountEnabled": True,
            "appOwnerOrganizationId": self.tenant_id,
            "servicePrincipalType": "Application",
            "servicePrincipalNames": [app_id],
            "signInAudience": "AzureADMyOrg",
            "_secret": entry.get("secret"),
            "_certificate": entry.get("certificate"),
            "_permissions": list(entry.get("permissions") or []),
            "_delegated": list(entry.get("delegated") or []),
        }
        return str(name), Entity(self.id_of(where, entry, f"app/{app_id}"), "servicePrincipal", body, app_id)
