"""Take away the ways in which the leaver can sign in besides the password.

Deletes phones, Microsoft Authenticator, security keys and passkeys, Windows Hello, platform credentials, one-time code apps,
the recovery address, temporary passes and external methods. Whoever knows the account's password cannot use them any more to
reset it or to pass multifactor authentication. The password cannot be deleted: use `reset-password`.

Graph deletes the default method only when it is the last one, and does not tell which it is. So the ones that are
seldom the default go first, and one that is refused is tried once more after all others. The alternate phone goes before
the mobile phone, which it depends on.

Windows Hello, security keys and platform credentials may keep working on a device that is offline: disable the device
too. Hardware tokens and QR codes cannot be deleted with Graph v1.0; they are left and reported. Of a guest, only what was
registered in this tenant is listed; what the home tenant asks for is its own matter.

Source: https://learn.microsoft.com/graph/api/authentication-list-methods
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from offboard.actions.base import Action, Since, Wire
from offboard.facts import Account, Facts, SignInMethod, SignInMethods, Unreadable
from offboard.model import JSON, Change, Doing, Effect, Note, Permissions, Planned, Ref

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

PATHS = {
    "temporaryAccessPass": ("temporaryAccessPassMethods", "TAP"),
    "email": ("emailMethods", "Email"),
    "external": ("externalAuthenticationMethods", "External"),
    "platformCredential": ("platformCredentialMethods", "PlatformCred"),
    "windowsHelloForBusiness": ("windowsHelloForBusinessMethods", "WindowsHello"),
    "fido2": ("fido2Methods", "Passkey"),
    "softwareOath": ("softwareOathMethods", "SoftwareOATH"),
    "microsoftAuthenticator": ("microsoftAuthenticatorMethods", "MicrosoftAuthApp"),
    "phone": ("phoneMethods", "Phone"),
}
"""Place and permission of each kind, in the order in which they are deleted: the likely defaults last."""
_ORDER = list(PATHS)
_PHONES = ("office", "alternateMobile", "mobile")
_NARROW = tuple(sorted(f"UserAuthMethod-{name}.ReadWrite.All" for _, name in PATHS.values()))
_ALL = ("UserAuthenticationMethod.ReadWrite.All",)


class RemoveSignInMethods(Action):
    """See the module's docstring, which is the reference page."""

    name = "remove-sign-in-methods"
    effect = Effect.REVERSIBLE
    reads = (Account, SignInMethods)
    calls = tuple(f"DELETE /users/{{id}}/authentication/{segment}/{{id}}" for segment, _ in PATHS.values())
    permissions = Permissions(
        delegated=(_NARROW, _ALL),
        application=(_NARROW, _ALL),
        roles=("Authentication Administrator", "Privileged Authentication Administrator"),
        remark="The methods of an administrator need Privileged Authentication Administrator.",
    )
    example = "- action: remove-sign-in-methods"
    takes_effect = "At once for new sign-ins; sessions that exist live on until they are revoked."
    verified_by = "The method is no longer among the leaver's authentication methods, read back."
    undo_text = (
        "Nothing is kept that could be brought back: whoever returns registers anew, with a temporary access pass."
    )

    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        methods = facts.get(SignInMethods)
        if isinstance(methods, Unreadable):
            reason = f"the leaver's sign-in methods could not be read: {methods.reason}"
            yield Note(Doing.UNKNOWN, None, reason, "methods-unknown", open=True)
            return
        for method in sorted(methods.items, key=_place):
            if method.kind == "password":
                continue  # it has no end, only a successor: that is another action's work
            if method.kind in PATHS:
                yield Change(
                    "remove",
                    _ref(method),
                    before="registered",
                    after="not registered",
                    effect=self.effect,
                    data={"user": facts.account.id, "kind": method.kind},
                )
            else:
                reason = "cannot be deleted with Graph v1.0: delete it in the Entra admin center"
                yield Note(Doing.ASK, _ref(method), reason, "method-elsewhere", open=True)

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        user = wire.graph.users.by_user_id(str(change.data["user"])).authentication
        id, kind = change.target.id, str(change.data["kind"])
        builders = {
            "temporaryAccessPass": user.temporary_access_pass_methods.by_temporary_access_pass_authentication_method_id,
            "email": user.email_methods.by_email_authentication_method_id,
            "external": user.external_authentication_methods.by_external_authentication_method_id,
            "platformCredential": user.platform_credential_methods.by_platform_credential_authentication_method_id,
            "windowsHelloForBusiness": (
                user.windows_hello_for_business_methods.by_windows_hello_for_business_authentication_method_id
            ),
            "fido2": user.fido2_methods.by_fido2_authentication_method_id,
            "softwareOath": user.software_oath_methods.by_software_oath_authentication_method_id,
            "microsoftAuthenticator": (
                user.microsoft_authenticator_methods.by_microsoft_authenticator_authentication_method_id
            ),
            "phone": user.phone_methods.by_phone_authentication_method_id,
        }
        return wire.request("DELETE", builders[kind](id))

    def waits_for_others(self, status: int) -> bool:
        return status == 400

    def fold(self, facts: Facts, change: Change) -> Facts:
        methods = facts.get(SignInMethods)
        if isinstance(methods, Unreadable):
            return facts
        return facts.put(replace(methods, items=tuple(m for m in methods.items if m.id != change.target.id)))


def _ref(method: SignInMethod) -> Ref:
    return Ref("signInMethod", method.id, method.name)


def _place(method: SignInMethod) -> tuple[int, int, str]:
    kind = _ORDER.index(method.kind) if method.kind in PATHS else len(_ORDER)
    phone = _PHONES.index(method.phone) if method.phone in _PHONES else 0
    return kind, phone, method.id
