"""Frozen values read from Graph about one leaver at one time.

A fact that could not be read is a fact too: `Unreadable` stands in its place, with the reason. No reader returns an
empty list for "forbidden", and no action can mistake one for the other, because the types differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, TypeVar

from offboard.model import JSON, Permissions, Ref


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A fact that could not be read, and why."""

    reason: str
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The user object itself.

    Source: https://learn.microsoft.com/graph/api/user-get
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("User.Read.All",), ("Directory.Read.All",)),
        application=(("User.Read.All",), ("Directory.Read.All",)),
    )
    calls: ClassVar[tuple[str, ...]] = ("GET /users/{id}", "GET /users")

    id: str
    user_principal_name: str
    display_name: str
    user_type: str = "Member"
    account_enabled: bool | None = None
    synced: bool = False
    """`onPremisesSyncEnabled`: mastered in Active Directory."""
    management_restricted: bool = False
    sessions_valid_from: datetime | None = None
    last_password_change: datetime | None = None
    created: datetime | None = None
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None
    department: str | None = None
    job_title: str | None = None
    employee_id: str | None = None
    manager: Ref | None = None
    resource_account: bool = False
    """`isResourceAccount`: a room, a device or a call queue rather than a person."""
    licensed: bool | None = None
    """Whether there is any license, directly or through a group; None when that was not asked."""
    deleted: datetime | None = None
    """When the user went to the deleted items; None while alive."""
    gone: bool = False
    """Neither alive nor in the deleted items."""

    @property
    def guest(self) -> bool:
        """Whether the user signs in at another tenant."""
        return self.user_type == "Guest" or "#EXT#" in self.user_principal_name

    @property
    def ref(self) -> Ref:
        """The user as an object."""
        return Ref("user", self.id, self.display_name)

    def graph(self) -> dict[str, JSON]:
        """The account under Graph's property names, for `when:` and texts."""
        return {
            "id": self.id,
            "userPrincipalName": self.user_principal_name,
            "displayName": self.display_name,
            "userType": self.user_type,
            "accountEnabled": self.account_enabled,
            "onPremisesSyncEnabled": self.synced,
            "mail": self.mail,
            "givenName": self.given_name,
            "surname": self.surname,
            "department": self.department,
            "jobTitle": self.job_title,
            "employeeId": self.employee_id,
        }


@dataclass(frozen=True, slots=True)
class Device:
    """A device object of Entra ID, with the people it belongs to.

    `owners` or `users` is `Unreadable` when Graph would not tell: then nobody may conclude that it is not shared.
    """

    id: str
    device_id: str
    name: str
    enabled: bool | None
    trust_type: str | None = None
    """`Workplace` (registered), `AzureAd` (joined), `ServerAd` (hybrid)."""
    synced: bool = False
    profile_type: str | None = None
    owners: tuple[Ref, ...] | Unreadable = ()
    users: tuple[Ref, ...] | Unreadable = ()

    @property
    def ref(self) -> Ref:
        """The device as an object."""
        return Ref("device", self.id, self.name)

    def others(self, leaver_id: str) -> tuple[Ref, ...] | Unreadable:
        """Owners and users besides the leaver, each once."""
        if isinstance(self.owners, Unreadable):
            return self.owners
        if isinstance(self.users, Unreadable):
            return self.users
        found = {ref.id: ref for ref in (*self.owners, *self.users) if ref.id != leaver_id}
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Devices:
    """The leaver's devices.

    `owned_before` and `registered_before` are the ids the plan found; a step that asks for `owned` devices after an
    earlier step removed the ownership still means *those* devices. `leaving` holds, per device, the other leavers of the
    same plan to whom it belonged: they count as its people also after the run has deleted them or taken it from them, so
    that carrying out one leaver never makes another leaver's review untrue.

    Source: https://learn.microsoft.com/graph/api/user-list-owneddevices
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("User.Read.All", "Device.Read.All"), ("Directory.Read.All",)),
        application=(("User.Read.All", "Device.Read.All"), ("Directory.Read.All",)),
    )
    calls: ClassVar[tuple[str, ...]] = (
        "GET /users/{id}/ownedDevices",
        "GET /users/{id}/registeredDevices",
        "GET /devices/{id}",
        "GET /devices",
        "GET /devices/{id}/registeredOwners",
        "GET /devices/{id}/registeredUsers",
    )

    items: tuple[Device, ...] = ()
    owned_before: frozenset[str] = frozenset()
    registered_before: frozenset[str] = frozenset()
    leaving: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)

    def others(self, device: Device, leaver_id: str) -> tuple[Ref, ...] | Unreadable:
        """Whose the device is besides the leaver's, each once."""
        found = device.others(leaver_id)
        if isinstance(found, Unreadable):
            return found
        return tuple({ref.id: ref for ref in (*found, *self.leaving.get(device.id, ()))}.values())

    def with_device(self, device: Device) -> Devices:
        """The same devices, with one of them replaced."""
        return replace(self, items=tuple(device if d.id == device.id else d for d in self.items))

    def by_id(self, id: str) -> Device | None:
        """The device of this object id, if it is among the leaver's."""
        return next((d for d in self.items if d.id == id), None)


@dataclass(frozen=True, slots=True)
class ManagedDevice:
    """A device as Intune manages it: an object of its own, beside the device object of Entra ID.

    Args:
        state: Graph's `managementState`: `managed`, `wipePending`, `retireIssued` …; None when it was not told.
        ownership: `company`, `personal` or `unknown`.
        agent: Who manages it: `mdm`, `jamf`, `eas` …
        device_id: The `deviceId` of its device object in Entra ID; empty when it has none.
        users: Its primary users.
    """

    id: str
    name: str
    state: str | None = "managed"
    ownership: str = "unknown"
    agent: str = "mdm"
    device_id: str = ""
    users: tuple[Ref, ...] | Unreadable = ()

    @property
    def ref(self) -> Ref:
        """The managed device as an object."""
        return Ref("managedDevice", self.id, self.name)

    def others(self, leaver_id: str, devices: Devices | Unreadable) -> tuple[Ref, ...] | Unreadable:
        """Whose it is besides the leaver's, by Intune and by Entra ID, each once.

        Args:
            leaver_id: The leaver's object id.
            devices: The leaver's devices in Entra ID.
        """
        if isinstance(self.users, Unreadable) or not self.device_id:
            found = self.users
        elif isinstance(devices, Unreadable):
            found = devices
        else:
            known = (d for d in devices.items if d.device_id.casefold() == self.device_id.casefold())
            device = next(known, None)
            shared = devices.others(device, leaver_id) if device else Unreadable("in Entra ID it is not the leaver's")
            found = shared if isinstance(shared, Unreadable) else (*self.users, *shared)
        if isinstance(found, Unreadable):
            return found
        return tuple({ref.id: ref for ref in found if ref.id != leaver_id}.values())


@dataclass(frozen=True, slots=True)
class ManagedDevices:
    """The devices in Intune whose primary user is the leaver.

    Source: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("DeviceManagementManagedDevices.Read.All",), ("DeviceManagementManagedDevices.ReadWrite.All",)),
        application=(("DeviceManagementManagedDevices.Read.All",), ("DeviceManagementManagedDevices.ReadWrite.All",)),
        remark="The tenant needs Intune.",
    )
    calls: ClassVar[tuple[str, ...]] = (
        "GET /users/{id}/managedDevices",
        "GET /deviceManagement/managedDevices/{id}/users",
    )

    items: tuple[ManagedDevice, ...] = ()

    def with_state(self, id: str, state: str) -> ManagedDevices:
        """The same devices, with one of them in another state."""
        return replace(self, items=tuple(replace(d, state=state) if d.id == id else d for d in self.items))


@dataclass(frozen=True, slots=True)
class License:
    """One way in which the leaver has one product: directly, or through one group."""

    sku_id: str
    name: str
    group: Ref | None
    """The group that brings it; None when assigned directly."""
    disabled_plans: tuple[str, ...] = ()
    state: str = "Active"

    @property
    def ref(self) -> Ref:
        """The license as an object."""
        return Ref("license", self.sku_id, self.name)


@dataclass(frozen=True, slots=True)
class Licenses:
    """The leaver's licenses, from `licenseAssignmentStates` (never from `assignedLicenses`, which mixes both kinds).

    Source: https://learn.microsoft.com/graph/api/resources/licenseassignmentstate
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("User.Read.All", "LicenseAssignment.Read.All"), ("Directory.Read.All",)),
        application=(("User.Read.All", "LicenseAssignment.Read.All"), ("Directory.Read.All",)),
        remark="Names of products come from /subscribedSkus; without it only their ids are shown.",
    )
    calls: ClassVar[tuple[str, ...]] = ("GET /users/{id}", "GET /subscribedSkus")

    items: tuple[License, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group, directory role or administrative unit that the leaver is a direct member of."""

    id: str
    name: str
    kind: str
    """`group`, `directoryRole` or `administrativeUnit`."""
    group_types: tuple[str, ...] = ()
    mail_enabled: bool = False
    security_enabled: bool = True
    role_assignable: bool = False
    synced: bool = False
    bare: bool = False
    """Whether Graph told no more than that it is there: whoever is signed in may not see it."""


@dataclass(frozen=True, slots=True)
class Memberships:
    """What the leaver is a direct member of.

    Source: https://learn.microsoft.com/graph/api/user-list-memberof
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("Directory.Read.All",),), application=(("Directory.Read.All",),)
    )
    calls: ClassVar[tuple[str, ...]] = ("GET /users/{id}/memberOf",)

    items: tuple[Group, ...] = ()

    @property
    def roles(self) -> tuple[Group, ...]:
        """Active directory roles held directly, and role-assignable groups."""
        return tuple(g for g in self.items if g.kind == "directoryRole" or g.role_assignable)


@dataclass(frozen=True, slots=True)
class SignInMethod:
    """One way in which the leaver can sign in.

    Args:
        id: Unique for the leaver only: everybody's mobile phone has the same id.
        kind: Graph's type without its ending: `phone`, `fido2`, `password` …
        name: For people; numbers and addresses shortened.
        phone: Graph's `phoneType`; empty for all that are no phones.
    """

    id: str
    kind: str
    name: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class SignInMethods:
    """The leaver's ways of signing in that are registered in this tenant. Graph does not say which is the default.

    Source: https://learn.microsoft.com/graph/api/authentication-list-methods
    """

    permissions: ClassVar[Permissions] = Permissions(
        delegated=(("UserAuthenticationMethod.Read.All",), ("UserAuthenticationMethod.ReadWrite.All",)),
        application=(("UserAuthenticationMethod.Read.All",), ("UserAuthenticationMethod.ReadWrite.All",)),
    )
    calls: ClassVar[tuple[str, ...]] = ("GET /users/{id}/authentication/methods",)

    items: tuple[SignInMethod, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """A user in the tenant's deleted items."""

    id: str
    user_principal_name: str
    display_name: str
    account_enabled: bool | None
    deleted: datetime
    user_type: str | None


@dataclass(frozen=True, slots=True)
class DeletedUsers:
    """All users in the tenant's deleted items (kept 30 days).

    Source: https://learn.microsoft.com/graph/api/directory-deleteditems-list
    """

    permissions: ClassVar[Permissions] = Permissions(delegated=(("User.Read.All",),), application=(("User.Read.All",),))
    calls: ClassVar[tuple[str, ...]] = ("GET /directory/deletedItems/microsoft.graph.user",)

    items: tuple[DeletedUser, ...] = ()
    read_at: datetime | None = None


Fact = Account | Devices | ManagedDevices | Licenses | Memberships | SignInMethods | DeletedUsers
FactType = (
    type[Account]
    | type[Devices]
    | type[ManagedDevices]
    | type[Licenses]
    | type[Memberships]
    | type[SignInMethods]
    | type[DeletedUsers]
)
F = TypeVar("F", Account, Devices, ManagedDevices, Licenses, Memberships, SignInMethods, DeletedUsers)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything read about one leaver at one time.

    Args:
        account: The user object; without it there is no leaver, so it is never `Unreadable`.
        read_at: Graph's clock (`Date` header) when the first of the facts was read.
        others: The other facts, by type; absent means nobody asked for it.
        app_only: Whether the caller is an app without a signed-in person, for whom some calls do not exist.
    """

    account: Account
    read_at: datetime
    others: Mapping[type, Fact | Unreadable] = field(default_factory=dict)
    app_only: bool = False

    def get(self, kind: type[F]) -> F | Unreadable:
        """The fact of this type, or why it could not be read.

        Raises:
            KeyError: Nobody asked for it: the action forgot to declare it under `reads`.
        """
        if kind is Account:
            assert isinstance(self.account, kind)
            return self.account
        fact = self.others[kind]
        assert isinstance(fact, kind | Unreadable)
        return fact

    def put(self, fact: Fact) -> Facts:
        """The same facts, with one replaced: how a planned change is folded onto them."""
        if isinstance(fact, Account):
            return replace(self, account=fact)
        return replace(self, others={**self.others, type(fact): fact})
