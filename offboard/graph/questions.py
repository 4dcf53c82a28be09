"""What is asked about a leaver and a device, each so that it can be asked alone or together with the same about others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offboard.graph.lists import Kind, Listed
from offboard.graph.requests import DEVICE, GROUP, USER, get

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    Asked = RequestInformation | Listed

ID = ("id",)


def alone(asked: Asked) -> RequestInformation:
    """The question about one object only."""
    return asked.alone if isinstance(asked, Listed) else asked


class Questions:
    """The questions, worded.

    Args:
        graph: The SDK's fluent client.
        base: The address that everything stands below, version included.
    """

    def __init__(self, graph: Any, base: str) -> None:
        base = base.rstrip("/")
        self._graph = graph
        self._user = Kind(graph.users, base, select=tuple(USER), expand="manager")
        self._name = Kind(graph.users, base, key="userPrincipalName", select=tuple(USER), expand="manager")
        self._groups = Kind(graph.users, base, select=ID, expand="memberOf", relation=True)
        self._owned = Kind(graph.users, base, select=ID, expand="ownedDevices", relation=True)
        self._registered = Kind(graph.users, base, select=ID, expand="registeredDevices", relation=True)
        self._owners = Kind(graph.devices, base, select=tuple(DEVICE), expand="registeredOwners")
        self._holders = Kind(graph.devices, base, select=ID, expand="registeredUsers")

    def user(self, id: str) -> Listed:
        """The user with this id, with the manager."""
        return Listed(self._user, id, self._alone(id))

    def named(self, name: str) -> Listed:
        """The user of this name; or of this id, when it is one."""
        return Listed(self._name, name, self._alone(name))

    def _alone(self, name: str) -> RequestInformation:
        return get(self._graph.users.by_user_id(name), select=USER, expand=["manager"])

    def groups(self, id: str) -> Listed:
        """What the user is a direct member of."""
        return Listed(self._groups, id, get(self._graph.users.by_user_id(id).member_of, select=GROUP, top=999))

    def owned(self, id: str) -> Listed:
        """The devices that the user owns."""
        return Listed(self._owned, id, get(self._graph.users.by_user_id(id).owned_devices, select=DEVICE, top=999))

    def registered(self, id: str) -> Listed:
        """The devices that the user is registered on."""
        builder = self._graph.users.by_user_id(id).registered_devices
        return Listed(self._registered, id, get(builder, select=DEVICE, top=999))

    def device(self, id: str) -> Listed:
        """A device with its owners."""
        builder = self._graph.devices.by_device_id(id)
        return Listed(self._owners, id, get(builder, select=DEVICE, expand=["registeredOwners"]))

    def holders(self, id: str) -> Listed:
        """A device with its users."""
        builder = self._graph.devices.by_device_id(id)
        return Listed(self._holders, id, get(builder, select=ID, expand=["registeredUsers"]))

    # A device that belongs to twenty people or more is rare: it costs a request of its own.
    def everybody(self, device: str, relation: str) -> RequestInformation:
        """All of a device's owners or users, when they are more than are carried along."""
        builder = self._graph.devices.by_device_id(device)
        return get(getattr(builder, {"registeredOwners": "registered_owners"}.get(relation, "registered_users")), top=999)
