"""Devices that Intune manages: Graph → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from offboard.facts import ManagedDevice, ManagedDevices, Unreadable
from offboard.graph import parse
from offboard.graph.answers import Answer
from offboard.graph.parse import Body
from offboard.graph.requests import MANAGED, get

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The `azureADDeviceId` of a device that Entra ID does not know."""


def ask(user: Any) -> RequestInformation:
    """The list of one user's managed devices.

    Args:
        user: The SDK's builder for the user.
    """
    return get(user.managed_devices, select=MANAGED)


def ask_users(graph: Any, answer: Answer | None) -> dict[str, RequestInformation]:
    """For each device that an answer lists: whose it is."""
    if answer is None or not answer.ok:
        return {}
    builder = graph.device_management.managed_devices
    found = [parse.object_id(body) for body in parse.objects(answer.body)]
    return {
        f"primary {id}": get(builder.by_managed_device_id(id).users, select=["id", "displayName", "userPrincipalName"])
        for id in found
    }


def devices(
    answer: Answer, answers: Mapping[str, Answer], unreadable: Callable[[Answer], Unreadable]
) -> ManagedDevices | Unreadable:
    """The devices, with their primary users.

    Args:
        answer: The list.
        answers: To `ask_users`.
        unreadable: Why an answer tells nothing.

    Raises:
        GraphUnavailable: The answer makes no sense.
    """
    if not answer.ok:
        return unreadable(answer)
    # An id without sense makes the whole list unknown, before anything is looked up by the others.
    found = {parse.object_id(body): body for body in parse.objects(answer.body)}
    items = (_device(id, body, answers[f"primary {id}"], unreadable) for id, body in found.items())
    return ManagedDevices(tuple(sorted(items, key=lambda each: (each.name.casefold(), each.id))))


def _device(id: str, body: Body, users: Answer, unreadable: Callable[[Answer], Unreadable]) -> ManagedDevice:
    known = parse.text(body, "azureADDeviceId") or ""
    return ManagedDevice(
        id=id,
        name=parse.text(body, "deviceName") or id,
        state=parse.text(body, "managementState"),
        ownership=parse.text(body, "managedDeviceOwnerType") or "unknown",
        agent=parse.text(body, "managementAgent") or "unknown",
        device_id="" if known == NOBODY else known,
        users=tuple(map(parse.ref, parse.objects(users.body))) if users.ok else unreadable(users),
    )
