"""A reproducible tenant of many people, for measuring: everybody has two devices, ten groups, two licenses and three
sign-in methods. Ids and names follow from the number alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from . import clock, seats
from .entity import Entity
from .methods import make
from .seedfile import contoso
from .seedobjects import Planted
from .wire import Json

GROUPS_EACH = 10
_PEOPLE_PER_GROUP = 500
_KEPT = ("admin@contoso.com", "PattiF@contoso.com", "breakglass@contoso.onmicrosoft.com")
_LICENSES = ("SPE_E3", "VISIOCLIENT")
_DEPARTMENTS = ("Finance", "Retail", "Operations", "Sales", "Legal")


def person_id(number: int) -> str:
    """Object id of the person with this number, from 1."""
    return f"00000000-0000-4000-8000-{number:012d}"


def device_id(number: int, which: int) -> str:
    """Object id of one of a person's two devices, 1 or 2."""
    return f"00000000-0000-4000-8{which:03d}-{number:012d}"


def group_id(number: int) -> str:
    """Object id of the group with this number, from 0."""
    return f"00000000-0000-4000-9000-{number:012d}"


def person_name(number: int) -> str:
    """User principal name of the person with this number."""
    return f"person{number:05d}@contoso.com"


def crowd_seed(people: int) -> Json:
    """What stands around the crowd: Contoso's administrators, applications, and seats enough for all."""
    seed = contoso()
    admins = [entry for entry in seed["people"] if entry["userPrincipalName"] in _KEPT]
    return {
        "tenant": seed["tenant"],
        "skus": [{**sku, "enabled": people + 100} for sku in seed["skus"]],
        "people": [{name: value for name, value in entry.items() if name != "manager"} for entry in admins],
        "apps": [{name: value for name, value in app.items() if name != "registration_owners"} for app in seed["apps"]],
    }


def add_crowd(planted: Planted, people: int, now: datetime) -> None:
    """Add so many people, with all that is theirs, to a planted tenant."""
    skus = {e.body["skuPartNumber"]: e for e in planted.entities if e.type == "sku"}
    held = [skus[name] for name in _LICENSES]
    for sku in held:
        sku.body["consumedUnits"] += people
    count = max(GROUPS_EACH, people * GROUPS_EACH // _PEOPLE_PER_GROUP)
    stamp = clock.days_before(now, 400)
    planted.entities += [_group(number, stamp) for number in range(count)]
    licensed = [seats.state(sku.key, stamp) for sku in held]
    for number in range(1, people + 1):
        planted.entities += _belongings(number, stamp, licensed, clock.days_before(now, 1))
        planted.relations += _relations(number, count)


def _group(number: int, stamp: str) -> Entity:
    unified = number % 2 == 0
    return Entity(
        group_id(number),
        "group",
        {
            "displayName": f"Group {number:04d}",
            "mailNickname": f"group{number:04d}",
            "createdDateTime": stamp,
            "groupTypes": ["Unified"] if unified else [],
            "mailEnabled": unified,
            "securityEnabled": not unified,
            "renewedDateTime": stamp,
        },
    )


def _belongings(number: int, stamp: str, licensed: list[Json], seen: str) -> Iterator[Entity]:
    id_, name = person_id(number), person_name(number)
    yield Entity(
        id_,
        "user",
        {
            "userPrincipalName": name,
            "displayName": f"Person {number:05d}",
            "givenName": "Person",
            "surname": f"{number:05d}",
            "mail": name,
            "mailNickname": name.partition("@")[0],
            "accountEnabled": True,
            "userType": "Member",
            "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
            "employeeId": str(number),
            "usageLocation": "US",
            "createdDateTime": stamp,
            "lastPasswordChangeDateTime": stamp,
            "signInSessionsValidFromDateTime": stamp,
            "proxyAddresses": [f"SMTP:{name}"],
            "licenseAssignmentStates": licensed,
            "signInActivity": {
                "lastSignInDateTime": seen,
                "lastNonInteractiveSignInDateTime": seen,
                "lastSuccessfulSignInDateTime": seen,
            },
        },
        name,
    )
    for which in (1, 2):
        yield _device(number, which, stamp, seen)
    yield make(id_, "password", {"createdDateTime": stamp})
    yield make(
        id_,
        "phone",
        {
            "createdDateTime": stamp,
            "phoneType": "mobile",
            "default": True,
            "phoneNumber": f"+1 206{number:07d}",
            "smsSignInState": "notAllowedByPolicy",
        },
    )
    yield make(id_, "microsoftAuthenticator", {"createdDateTime": stamp, "displayName": f"Phone {number:05d}"}, 1)
    yield make(id_, "fido2", {"createdDateTime": stamp, "displayName": f"Key {number:05d}"}, 2)


def _device(number: int, which: int, stamp: str, seen: str) -> Entity:
    id_ = device_id(number, which)
    key = id_.replace("-4000-", "-4001-")
    return Entity(
        id_,
        "device",
        {
            "displayName": f"PC-{number:05d}-{which}",
            "deviceId": key,
            "accountEnabled": True,
            "trustType": "AzureAd",
            "profileType": "RegisteredDevice",
            "operatingSystem": "Windows",
            "operatingSystemVersion": "10.0.22631",
            "isCompliant": True,
            "isManaged": True,
            "deviceVersion": 2,
            "deviceOwnership": "Company",
            "registrationDateTime": stamp,
            "approximateLastSignInDateTime": seen,
        },
        key,
    )


def _relations(number: int, groups: int) -> Iterator[tuple[str, str, str]]:
    id_ = person_id(number)
    for which in (1, 2):
        yield "registeredOwner", device_id(number, which), id_
        yield "registeredUser", device_id(number, which), id_
    for step in range(GROUPS_EACH):
        yield "member", group_id((number + step * (groups // GROUPS_EACH)) % groups), id_
    if number > 1:
        yield "manager", id_, person_id(1 + number // 10)
