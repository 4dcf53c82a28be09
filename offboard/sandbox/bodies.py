"""Bodies of writes: declared properties only, of the right kind, and writable; else Graph's 400."""

from __future__ import annotations

from typing import Any

from . import clock
from .problems import GraphError, bad_request
from .schema import EntityType, Property
from .wire import Json

_LONGEST = {
    "jobTitle": 128,
    "department": 64,
    "companyName": 64,
    "employeeId": 16,
    "displayName": 256,
    "givenName": 64,
    "surname": 64,
    "city": 128,
    "country": 128,
    "state": 128,
    "officeLocation": 128,
    "userPrincipalName": 113,
}
_NEVER_NULL = ("accountEnabled", "displayName", "userPrincipalName", "mailNickname", "passwordProfile", "userType")
_PROFILE = {"password": str, "forceChangePasswordNextSignIn": bool, "forceChangePasswordNextSignInWithMfa": bool}


def _invalid(name: str, type_: EntityType) -> GraphError:
    resource = type_.name[0].upper() + type_.name[1:]
    return bad_request(f"Invalid value specified for property '{name}' of resource '{resource}'.")


def _undeclared(name: str) -> GraphError:
    return bad_request(f"Property '{name}' does not exist as a declared property or extension property.")


def changes(body: Json, type_: EntityType) -> Json:
    """The properties that a body sets, checked one by one; annotations such as `@odata.type` are dropped."""
    wanted = {name: value for name, value in body.items() if "@" not in name}
    for name, value in wanted.items():
        declared = type_.properties.get(name)
        if declared is None:
            raise _undeclared(name)
        if "w" not in declared.flags:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        if not fits(value, declared):
            raise _invalid(name, type_)
    return wanted


def fits(value: Any, declared: Property) -> bool:
    """Whether a value is of the declared kind."""
    if value is None:
        return declared.name not in _NEVER_NULL and not declared.is_list
    if declared.kind == "boolean":
        return isinstance(value, bool)
    if declared.kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if declared.kind == "strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if declared.kind == "complex":
        return isinstance(value, dict)
    if declared.kind == "datetime":
        return isinstance(value, str) and _is_moment(value)
    return isinstance(value, str) and _is_text(value, declared.name)


def _is_text(value: str, name: str) -> bool:
    return len(value) <= _LONGEST.get(name, 2048) and (value != "" or name not in _NEVER_NULL)


def _is_moment(value: str) -> bool:
    try:
        clock.parse(value)
    except ValueError:
        return False
    return True


def check_password_profile(profile: Json, type_: EntityType) -> None:
    """Declared members only, and a password that the directory's policy lets through."""
    for name, value in profile.items():
        if "@" in name:
            continue
        if name not in _PROFILE:
            raise _undeclared(name)
        if not isinstance(value, _PROFILE[name]):
            raise _invalid("passwordProfile", type_)
    if "password" in profile:
        check_password(profile["password"])


def check_password(password: str) -> None:
    """Eight to 256 characters of three kinds out of four."""
    kinds = [any(map(test, password)) for test in (str.isupper, str.islower, str.isdigit)]
    kinds.append(any(not character.isalnum() for character in password))
    if not 8 <= len(password) <= 256 or sum(kinds) < 3:
        raise bad_request(
            "The specified password does not comply with password complexity requirements. "
            "Please provide a different password."
        )


def parameters(body: Json, known: tuple[str, ...]) -> Json:
    """The parameters of an action; others are refused."""
    for name in body:
        if "@" not in name and name not in known:
            raise GraphError(
                400,
                "BadRequest",
                f"The parameter '{name}' in the request payload is not a valid parameter for the operation.",
            )
    return body
