"""What wiping and retiring have in common: which managed devices can be, which are left alone, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from offboard.actions.base import Wire
from offboard.facts import Devices, Facts, ManagedDevice, ManagedDevices, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

PERMISSIONS = Permissions(
    delegated=(("DeviceManagementManagedDevices.PrivilegedOperations.All",),),
    application=(("DeviceManagementManagedDevices.PrivilegedOperations.All",),),
    roles=("Intune Administrator",),
)
WIPE: Mapping[str, JSON] = {
    "keepEnrollmentData": False,
    "keepUserData": False,
    "macOsUnlockCode": None,
    "persistEsimDataPlan": False,
}
_ON_THE_WAY = {
    "wipe": ("wipePending", "wipeIssued"),
    "retire": ("retirePending", "retireIssued", "wipePending", "wipeIssued"),
}
_LEAVING = ("retirePending", "retireIssued", "deletePending", "discovered")
_ELSEWHERE = ("eas", "jamf", "configurationManagerClient", "msSense")
"""Who manages a device without Intune having a say in it."""


def listed(facts: Facts) -> Iterator[ManagedDevice | Note]:
    """The leaver's managed devices, or a note saying why they are not known."""
    found = facts.get(ManagedDevices)
    if isinstance(found, Unreadable):
        reason = f"the leaver's devices in Intune could not be read: {found.reason}"
        yield Note(Doing.UNKNOWN, None, reason, "managed-devices-unknown", open=True)
    else:
        yield from found.items


def take(facts: Facts, device: ManagedDevice, verb: str) -> Iterator[Planned]:
    """The change of one device, or why it is left alone.

    Args:
        facts: With the devices of both kinds.
        device: One of the leaver's.
        verb: `wipe` or `retire`.
    """
    others = device.others(facts.account.id, facts.get(Devices))
    if device.state in _ON_THE_WAY[verb]:
        done = "wiped" if device.state.startswith("wipe") else "retired"
        reason = f"{device.name} is {done} when it next checks in ({device.state}); until then everything is still on it"
        yield Note(Doing.ASK, None, reason, f"{done}-later", open=True)
    elif device.state is None:
        yield Note(Doing.UNKNOWN, device.ref, "its managementState could not be read", "state-unknown", open=True)
    elif device.state in _LEAVING:
        reason = f"is {device.state}: Intune no longer takes a {verb} for it"
        yield Note(Doing.ASK, device.ref, reason, "leaves-intune", open=True)
    elif device.agent in _ELSEWHERE:
        yield Note(
            Doing.ASK, device.ref, f"is managed by {device.agent}: {verb} it there", "managed-elsewhere", open=True
        )
    elif isinstance(others, Unreadable):
        reason = f"cannot tell whether somebody else uses it: {others.reason}"
        yield Note(Doing.UNKNOWN, device.ref, reason, "sharing-unknown", open=True)
    elif others:
        names = ", ".join(ref.name for ref in others)
        yield Note(Doing.SKIP, device.ref, f"also used by {names}; stays as it is", "shared-device", open=True)
    else:
        after = "wipePending" if verb == "wipe" else "retirePending"
        yield Change(verb, device.ref, before=device.state, after=after, effect=Effect.IRREVERSIBLE)


def request(change: Change, wire: Wire) -> RequestInformation:
    """The request for one device."""
    builder = wire.graph.device_management.managed_devices.by_managed_device_id(change.target.id)
    if change.verb == "wipe":
        return wire.request("POST", builder.wipe, dict(WIPE))
    return wire.request("POST", builder.retire)


def asked(facts: Facts, change: Change) -> Facts:
    """The facts when Intune has accepted the change."""
    found = facts.get(ManagedDevices)
    return facts if isinstance(found, Unreadable) else facts.put(found.with_state(change.target.id, str(change.after)))
