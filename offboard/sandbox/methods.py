"""Ways of signing in: listing, deleting one kind at a time, and the administrator's password reset."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from . import bodies, lookup, privilege
from .call import Answer, Call, Handler
from .clock import stamp
from .entity import Entity
from .options import NONE
from .problems import GraphError, bad_request, not_found
from .users import set_password
from .wire import Json

PASSWORD_METHOD = "28c10230-6103-485e-b985-444c60001490"  # noqa: S105 - the method's well-known id, not a password
MOBILE = "3179e48a-750b-4051-897c-87b9720928f7"
ALTERNATE_MOBILE = "b6332ec1-7057-4abe-9331-3d72feddfe41"
OFFICE = "e37fc753-ff3b-4958-9484-eaa9425c82bc"
PHONE_IDS = {"mobile": MOBILE, "alternateMobile": ALTERNATE_MOBILE, "office": OFFICE}


@dataclass(frozen=True)
class Kind:
    """One kind of sign-in method: its type, its permission, and the properties it shows."""

    type: str
    permission: str
    shows: tuple[str, ...]


KINDS = {
    "phoneMethods": Kind("phone", "Phone", ("phoneNumber", "phoneType", "smsSignInState")),
    "microsoftAuthenticatorMethods": Kind(
        "microsoftAuthenticator", "MicrosoftAuthApp", ("displayName", "deviceTag", "phoneAppVersion")
    ),
    "fido2Methods": Kind("fido2", "Passkey", ("displayName", "aaGuid", "model", "attestationLevel")),
    "softwareOathMethods": Kind("softwareOath", "SoftwareOATH", ("secretKey",)),
    "windowsHelloForBusinessMethods": Kind("windowsHelloForBusiness", "WindowsHello", ("displayName", "keyStrength")),
    "emailMethods": Kind("email", "Email", ("emailAddress",)),
    "temporaryAccessPassMethods": Kind(
        "temporaryAccessPass",
        "TAP",
        (
            "temporaryAccessPass",
            "lifetimeInMinutes",
            "isUsableOnce",
            "isUsable",
            "methodUsabilityReason",
            "startDateTime",
        ),
    ),
    "platformCredentialMethods": Kind("platformCredential", "PlatformCred", ("displayName", "keyStrength", "platform")),
    "externalAuthenticationMethods": Kind("external", "External", ("displayName", "configurationId")),
    "passwordMethods": Kind("password", "Password", ("password",)),
}
_BY_TYPE = {kind.type: kind for kind in KINDS.values()}


def make(user_id: str, kind: str, body: Json, number: int = 0) -> Entity:
    """A method to be stored. Phones and the password have ids that are the same for everybody."""
    id_ = PASSWORD_METHOD if kind == "password" else PHONE_IDS.get(body.get("phoneType", ""), "")
    id_ = id_ or str(uuid.uuid5(uuid.UUID(user_id), f"{kind}/{number}"))
    return Entity(id_, "method", {**body, "kind": kind}, kind, user_id)


def _shown(method: Entity, *, typed: bool) -> Json:
    kind = _BY_TYPE[method.body["kind"]]
    head: Json = {"@odata.type": f"#microsoft.graph.{kind.type}AuthenticationMethod"} if typed else {}
    head |= {"id": method.id, "createdDateTime": method.body.get("createdDateTime")}
    return head | {name: method.body.get(name) for name in kind.shows}


def _list(call: Call, kind: str | None, plural: str) -> Answer:
    call.options(NONE)
    user = lookup.user(call)
    found = [m for m in call.store.children("method", user.id) if kind in (None, m.key)]
    context = call.context(f"users('{user.id}')/authentication/{plural}")
    return Answer(200, {"@odata.context": context, "value": [_shown(m, typed=kind is None) for m in found]})


def list_methods(call: Call) -> Answer:
    """GET /users/{id}/authentication/methods: no query options, as in Graph"""
    return _list(call, None, "methods")


def list_kind(kind: Kind) -> Handler:
    """GET /users/{id}/authentication/phoneMethods and its kin"""
    plural = next(segment for segment, one in KINDS.items() if one is kind)
    return lambda call: _list(call, kind.type, plural)


def _get(call: Call, kind: str | None) -> Entity:
    user, id_ = lookup.user(call), call.params["method"].value.lower()
    found = next((m for m in call.store.children("method", user.id) if m.id == id_ and kind in (None, m.key)), None)
    if found is None:
        raise not_found(id_)
    return found


def get_method(call: Call) -> Answer:
    """GET /users/{id}/authentication/methods/{id}"""
    method = _get(call, None)
    context = call.context(f"users('{method.parent}')/authentication/methods/$entity")
    return Answer(200, {"@odata.context": context, **_shown(method, typed=True)})


def get_kind(kind: Kind) -> Handler:
    """GET /users/{id}/authentication/phoneMethods/{id} and its kin"""
    plural = next(segment for segment, one in KINDS.items() if one is kind)

    def handler(call: Call) -> Answer:
        method = _get(call, kind.type)
        context = call.context(f"users('{method.parent}')/authentication/{plural}/$entity")
        return Answer(200, {"@odata.context": context, **_shown(method, typed=False)})

    return handler


def delete_kind(kind: Kind) -> Handler:
    """DELETE /users/{id}/authentication/phoneMethods/{id} and its kin"""

    def handler(call: Call) -> Answer:
        call.options(NONE)
        method = _get(call, kind.type)
        others = [m for m in call.store.children("method", method.parent) if m.id != method.id]
        if method.id == MOBILE and any(m.id == ALTERNATE_MOBILE for m in others):
            raise bad_request("The alternate mobile phone must be deleted before the mobile phone.")
        # The default method can only go last; the password is not a second factor and does not count.
        if method.body.get("default") and any(m.key not in ("password", "email") for m in others):
            raise bad_request(
                "The authentication method is the user's current default authentication method, and it "
                "cannot be deleted until the default authentication method is changed."
            )
        call.store.drop(method)
        call.effect("delete", kind.type + "AuthenticationMethod", method.id, user=method.parent)
        return Answer(204)

    return handler


def reset_password(call: Call) -> Answer:
    """POST /users/{id}/authentication/methods/{password method}/resetPassword"""
    call.options(NONE)
    body = bodies.parameters(call.json_body(), ("newPassword",)) if call.request.body.strip() else {}
    user = lookup.user(call)
    if call.params["method"].value.lower() != PASSWORD_METHOD:
        raise not_found(call.params["method"].value)
    if call.caller.delegated and call.caller.object_id == user.id:
        raise GraphError(403, "accessDenied", "Users cannot reset their own password with this API.")
    privilege.demand_over(call, user, password=True)
    given = body.get("newPassword")
    if given is None and user.body.get("onPremisesSyncEnabled"):
        raise bad_request("A new password must be specified for a user whose password is written back on-premises.")
    if not isinstance(given, str | None):
        raise bad_request("Invalid value specified for parameter 'newPassword'.")
    if given is not None:
        bodies.check_password(given)
    return _accepted(call, user, "" if given is not None else secrets.token_urlsafe(12) + "aA1!")


def _accepted(call: Call, user: Entity, generated: str) -> Answer:
    changed = set_password(call, user)
    call.store.put(user)
    operation = Entity(
        str(uuid.uuid4()),
        "operation",
        {
            "createdDateTime": call.stamp,
            "lastActionDateTime": stamp(call.now),
            "status": "succeeded",
            "statusDetail": "Password has been reset.",
            "resourceLocation": None,
        },
        "",
        user.id,
    )
    call.store.put(operation)
    call.effect("resetPassword", "user", user.id, changed=changed)
    location = f"{call.request.root}/{call.version}/users/{user.id}/authentication/operations/{operation.id}"
    shown: Json = {"@odata.context": call.context("microsoft.graph.passwordResetResponse")}
    shown["newPassword"] = generated or None
    return Answer(202, shown, {"Location": location})


def get_operation(call: Call) -> Answer:
    """GET /users/{id}/authentication/operations/{id}"""
    call.options(NONE)
    user, id_ = lookup.user(call), call.params["operation"].value
    found = call.store.get("operation", id_, user.id)
    if found is None:
        raise not_found(id_)
    context = call.context(f"users('{user.id}')/authentication/operations/$entity")
    return Answer(200, {"@odata.context": context, "id": found.id, **found.body})
