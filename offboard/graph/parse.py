"""Graph's JSON → facts. Pure; whatever has the wrong type is an error, never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from offboard.errors import GraphUnavailable
from offboard.facts import Account, DeletedUser, Device, Group, License, Unreadable
from offboard.graph.requests import GUID
from offboard.model import JSON, Ref

Body = Mapping[str, JSON]


def account(body: Body) -> Account:
    """A user object, alive or from the deleted items."""
    boss = body.get("manager")
    return Account(
        id=object_id(body),
        user_principal_name=former_name(body),
        display_name=text(body, "displayName") or need(body, "userPrincipalName"),
        user_type=text(body, "userType") or "Member",
        account_enabled=flag(body, "accountEnabled"),
        synced=flag(body, "onPremisesSyncEnabled") or False,
        management_restricted=flag(body, "isManagementRestricted") or False,
        sessions_valid_from=time(body, "signInSessionsValidFromDateTime"),
        last_password_change=time(body, "lastPasswordChangeDateTime"),
        created=time(body, "createdDateTime"),
        mail=text(body, "mail"),
        given_name=text(body, "givenName"),
        surname=text(body, "surname"),
        department=text(body, "department"),
        job_title=text(body, "jobTitle"),
        employee_id=text(body, "employeeId"),
        manager=ref(boss) if isinstance(boss, Mapping) else None,
        resource_account=flag(body, "isResourceAccount") or False,
        licensed=bool(body["licenseAssignmentStates"]) if "licenseAssignmentStates" in body else None,
        deleted=time(body, "deletedDateTime"),
    )


def former_name(body: Body) -> str:
    """The user principal name; a deleted user's as it was, without the object id that the directory puts before it."""
    name = need(body, "userPrincipalName")
    prefix = object_id(body).replace("-", "")
    mangled = body.get("deletedDateTime") and name.casefold().startswith(prefix.casefold())
    return name[len(prefix) :] if mangled and len(name) > len(prefix) else name


def ref(body: Body) -> Ref:
    """Any directory object, as a reference."""
    kind = str(body.get("@odata.type") or "#microsoft.graph.user").rpartition(".")[2]
    return Ref(kind, object_id(body), text(body, "displayName") or text(body, "userPrincipalName") or object_id(body))


def device(body: Body, owners: tuple[Ref, ...] | Unreadable, users: tuple[Ref, ...] | Unreadable) -> Device:
    """A device object with the people it belongs to."""
    return Device(
        id=object_id(body),
        device_id=text(body, "deviceId") or "",
        name=text(body, "displayName") or object_id(body),
        enabled=flag(body, "accountEnabled"),
        trust_type=text(body, "trustType"),
        synced=flag(body, "onPremisesSyncEnabled") or False,
        profile_type=text(body, "profileType"),
        owners=owners,
        users=users,
    )


def licenses(user: Body, names: Mapping[str, str], groups: Mapping[str, str]) -> tuple[License, ...]:
    """The user's `licenseAssignmentStates`.

    Args:
        user: The user object.
        names: Product names by skuId; the id stands in for a missing one.
        groups: Group names by id.
    """
    found = []
    for state in objects(user, "licenseAssignmentStates"):
        sku, group = need(state, "skuId"), text(state, "assignedByGroup")
        plans = state.get("disabledPlans") or []
        found.append(
            License(
                sku_id=sku,
                name=names.get(sku.lower(), sku),
                group=Ref("group", group, groups.get(group, group)) if group else None,
                disabled_plans=tuple(map(str, plans)) if isinstance(plans, list) else (),
                state=text(state, "state") or "Active",
            )
        )
    return tuple(sorted(found, key=lambda x: (x.name.casefold(), x.sku_id, x.group.id if x.group else "")))


def group(body: Body) -> Group:
    """An entry of `memberOf`."""
    types = body.get("groupTypes") or []
    return Group(
        id=object_id(body),
        name=text(body, "displayName") or object_id(body),
        kind=str(body.get("@odata.type") or "#microsoft.graph.group").rpartition(".")[2],
        group_types=tuple(map(str, types)) if isinstance(types, list) else (),
        mail_enabled=flag(body, "mailEnabled") or False,
        security_enabled=flag(body, "securityEnabled") is not False,
        role_assignable=flag(body, "isAssignableToRole") or False,
        synced=flag(body, "onPremisesSyncEnabled") or False,
        bare=all(body.get(name) is None for name in ("displayName", "groupTypes", "mailEnabled", "securityEnabled")),
    )


def deleted_user(body: Body) -> DeletedUser:
    """An entry of the deleted items."""
    when = time(body, "deletedDateTime")
    if when is None:
        raise senseless("a deleted user has no deletedDateTime")
    return DeletedUser(
        id=object_id(body),
        user_principal_name=text(body, "userPrincipalName") or "",
        display_name=text(body, "displayName") or "",
        account_enabled=flag(body, "accountEnabled"),
        deleted=when,
        user_type=text(body, "userType"),
    )


def objects(body: JSON, key: str = "value") -> list[Body]:
    """A list of objects; an absent list is an error, because absent is not empty."""
    found = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise senseless(f"{key} is no list of objects")
    return found


def need(body: Body, key: str) -> str:
    """A text that must be there."""
    found = text(body, key)
    if not found:
        raise senseless(f"an object has no {key}")
    return found


def object_id(body: Body, key: str = "id") -> str:
    """An object's id. It becomes part of the addresses that are written to, and tells people apart, so it must be one."""
    found = need(body, key)
    if not GUID.fullmatch(found):
        raise senseless(f"an object's {key} is {found[:40]!r}")
    return found


def text(body: Body, key: str) -> str | None:
    """A text or null."""
    found = body.get(key)
    if found is not None and not isinstance(found, str):
        raise senseless(f"{key} is a {type(found).__name__}, not a text")
    return found


def flag(body: Body, key: str) -> bool | None:
    """True, false or null."""
    found = body.get(key)
    if found is not None and not isinstance(found, bool):
        raise senseless(f"{key} is a {type(found).__name__}, not true or false")
    return found


def time(body: Body, key: str) -> datetime | None:
    """A time stamp or null."""
    found = text(body, key)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # a zone can carry the year 1 or 9999 out of the calendar
        raise senseless(f"{key} is no time: {found[:40]!r}") from error


class Senseless(GraphUnavailable):
    """An answer that cannot be understood; it concerns only what was asked for."""


def all_of(errors: Sequence[Senseless]) -> Senseless:
    """Several such errors as one."""
    return Senseless("\n".join(error.what for error in errors), todo=errors[0].todo)


def senseless(what: str) -> Senseless:
    """The error for an answer that cannot be understood."""
    return Senseless(
        f"Graph's answer makes no sense: {what}.",
        todo="Nothing was decided on it. Check graph_url and proxies, then try again.",
    )
