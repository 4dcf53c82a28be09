"""Ways of signing in: Graph → facts. One list for all kinds; it takes no query options and says which kind each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offboard.facts import SignInMethod, SignInMethods
from offboard.graph import parse
from offboard.graph.parse import Body
from offboard.graph.requests import get
from offboard.model import JSON

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

NAMES = {
    "phone": "phone",
    "microsoftAuthenticator": "Microsoft Authenticator",
    "fido2": "security key",
    "softwareOath": "code app",
    "windowsHelloForBusiness": "Windows Hello",
    "email": "recovery address",
    "temporaryAccessPass": "temporary access pass",
    "platformCredential": "platform credential",
    "external": "external method",
    "password": "password",
}
PHONES = {"mobile": "mobile phone", "alternateMobile": "alternate mobile phone", "office": "office phone"}


def ask(user: Any) -> RequestInformation:
    """The list of one user's methods.

    Args:
        user: The SDK's builder for the user.
    """
    return get(user.authentication.methods)


def methods(body: JSON) -> SignInMethods:
    """The list, as answered.

    Raises:
        GraphUnavailable: The answer makes no sense.
    """
    return SignInMethods(tuple(map(method, parse.objects(body))))


def method(body: Body) -> SignInMethod:
    """One entry of the list."""
    type_ = parse.need(body, "@odata.type").rpartition(".")[2]
    kind = type_.removesuffix("AuthenticationMethod")
    return SignInMethod(parse.need(body, "id"), kind, _name(kind, body), parse.text(body, "phoneType") or "")


def _name(kind: str, body: Body) -> str:
    """What a person recognizes it by. Numbers and addresses are shortened: plans and audits are read by many."""
    said = PHONES.get(parse.text(body, "phoneType") or "") or NAMES.get(kind, kind)
    number, address = parse.text(body, "phoneNumber"), parse.text(body, "emailAddress")
    if number:
        return f"{said} ending in {number[-2:]}"
    if address:
        return f"{said} at {address.rpartition('@')[2]}"
    label = parse.text(body, "displayName")
    return f"{said} {label}" if label else said
