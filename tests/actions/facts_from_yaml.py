"""Facts, written briefly in a case file, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from offboard.facts import (
    Account,
    DeletedUser,
    DeletedUsers,
    Device,
    Devices,
    Facts,
    Group,
    License,
    Licenses,
    ManagedDevice,
    ManagedDevices,
    Memberships,
    SignInMethod,
    SignInMethods,
    Unreadable,
)
from offboard.model import Ref

NOW = datetime(2026, 11, 23, 17, 5, 12, tzinfo=UTC)
LEAVER = "11111111-0000-0000-0000-000000000001"


def facts_from(case: dict[str, Any]) -> Facts:
    """The facts of one case; what it does not mention is ordinary."""
    account = {
        "id": LEAVER,
        "user_principal_name": "SawyerM@contoso.com",
        "display_name": "Sawyer Miller",
        "account_enabled": True,
        **case.get("account", {}),
    }
    for key in ("sessions_valid_from", "last_password_change", "deleted", "created"):
        if isinstance(account.get(key), str):
            account[key] = datetime.fromisoformat(account[key])
    others: dict[type, Any] = {
        Devices: _readable(case, "devices", _devices),
        ManagedDevices: _readable(case, "managed", lambda x: ManagedDevices(tuple(map(_managed, x)))),
        Licenses: _readable(case, "licenses", lambda x: Licenses(tuple(map(_license, x)))),
        Memberships: _readable(case, "groups", lambda x: Memberships(tuple(Group(**g) for g in x))),
        SignInMethods: _readable(case, "methods", lambda x: SignInMethods(tuple(SignInMethod(**m) for m in x))),
        DeletedUsers: _readable(case, "deleted_users", _deleted),
    }
    return Facts(Account(**account), NOW, others, app_only=case.get("app_only", False))


def _readable(case: dict[str, Any], key: str, build: Any) -> Any:
    value = case.get(key, [])
    return Unreadable(value["unreadable"]) if isinstance(value, dict) and "unreadable" in value else build(value)


def _devices(value: Any) -> Devices:
    rows, before = (value, {}) if isinstance(value, list) else (value["now"], value)
    return Devices(
        tuple(map(_device, rows)),
        frozenset(before.get("owned_before", ())),
        frozenset(before.get("registered_before", ())),
        {id: _people(names) for id, names in before.get("leaving", {}).items()},
    )


def _device(row: dict[str, Any]) -> Device:
    row = dict(row)  # the case is read again
    people = {key: _people(row.pop(key, [])) for key in ("owners", "users")}
    return Device(**{"device_id": f"d-{row['id']}", "enabled": True, **row, **people})


def _managed(row: dict[str, Any]) -> ManagedDevice:
    row = dict(row)
    users = _people(row.pop("users", ["leaver"]))
    return ManagedDevice(**{"id": f"m-{row['name']}", "ownership": "company", **row, "users": users})


def _people(value: Any) -> Any:
    if isinstance(value, dict):
        return Unreadable(value["unreadable"])
    return tuple(Ref("user", LEAVER if name == "leaver" else f"id-of-{name}", name) for name in value)


def _license(row: dict[str, Any]) -> License:
    group = row.get("group")
    return License(
        row.get("sku_id", f"sku-{row['name']}"), row["name"], Ref("group", f"id-of-{group}", group) if group else None
    )


def _deleted(rows: list[dict[str, Any]]) -> DeletedUsers:
    users = [DeletedUser(**{**row, "deleted": datetime.fromisoformat(row["deleted"])}) for row in rows]
    return DeletedUsers(tuple(users), NOW)
