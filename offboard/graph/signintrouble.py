"""What goes wrong at sign-in → ours: what, why, what to do, exit code 4.

Texts of the sign-in service are not quoted: they may repeat what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from offboard.errors import GraphUnavailable, NotPermitted, OffboardError
from offboard.settings.config import TenantConfig

_CODE = re.compile(r"AADSTS(\d{4,9})")
_TRACE = re.compile(r"Trace ID: ([0-9a-f-]{36})", re.IGNORECASE)
_LONG = re.compile(r"eyJ[\w.-]+|[A-Za-z0-9+/_~.=-]{33,}")
"""What may be a token, a key or a secret."""

RENEW = "Make a new secret for the app registration, and put it into the file that client_secret_file names."
CONSENT = "Have an administrator grant admin consent to the app registration, then sign in again."
REACH = "Check the network, proxies (HTTPS_PROXY) and the authority in offboard.toml, then try again."

_KNOWN: Mapping[str, tuple[str, str]] = {
    "7000215": ("The client secret is wrong.", f"Is it the secret's value, not its id? Else: {RENEW}"),
    "7000222": ("The client secret has expired.", RENEW),
    "7000216": ("The app must prove itself with a secret or a certificate.", "Choose another sign_in for it."),
    "7000218": (
        "The app registration does not allow sign-in without a secret.",
        "Set 'Allow public client flows' to yes in the app registration, under Authentication.",
    ),
    "7000112": ("The app is disabled in the tenant.", "Enable the enterprise application, or use another."),
    "700016": (
        "There is no app with this client_id in the tenant.",
        "Check client_id and tenant_id in offboard.toml, and cloud; the app must be registered or consented to there.",
    ),
    "700027": (
        "The certificate is not registered with the app, has expired, or its signature is not accepted.",
        "Upload the certificate to the app registration, or correct the path of certificate in offboard.toml.",
    ),
    "700024": ("The proof of the app is not valid at this time.", "Set this machine's clock right."),
    "70021": ("The federated credential does not match.", "Check its issuer and its subject in the app registration."),
    "700213": ("The federated credential does not match.", "Check its issuer and its subject in the app registration."),
    "90002": ("There is no such tenant.", "Check tenant_id and cloud in offboard.toml."),
    "900023": ("There is no such tenant.", "Check tenant_id and cloud in offboard.toml."),
    "50020": ("The account is not of this tenant.", "Sign in with an account of the tenant that tenant_id names."),
    "50034": ("The account is not of this tenant.", "Sign in with an account of the tenant that tenant_id names."),
    "50053": ("The account is locked after too many attempts.", "Wait, then sign in again."),
    "50055": ("The account's password has expired.", "Change it in a browser, then sign in again."),
    "50057": ("The account is disabled.", "Sign in with another account."),
    "50076": ("Multifactor authentication is required.", "Sign in with device-code or interactive and complete it."),
    "50079": ("The account must register for multifactor authentication.", "Do that in a browser, then sign in again."),
    "50105": ("The account or app is not assigned to the application.", "Assign it under Enterprise applications."),
    "50126": ("User name or password is wrong.", "Sign in again."),
    "50173": ("The sign-in was revoked.", "Sign in again."),
    "53000": ("Conditional Access wants a compliant device.", "Sign in on a managed device, or have the app excluded."),
    "53003": ("Conditional Access refused the sign-in.", "Satisfy the policy, or have the account excluded from it."),
    "530036": ("Conditional Access forbids sign-in with a device code.", 'Use sign_in = "interactive" or a certificate.'),
    "65001": ("Nobody consented to the app's permissions.", CONSENT),
    "65004": ("Consent was declined.", CONSENT),
    "70008": ("The code has expired.", "Start again and enter the new code in time."),
    "70019": ("The code has expired.", "Start again and enter the new code in time."),
    "70020": ("The code has expired.", "Start again and enter the new code in time."),
    "700082": ("The sign-in has expired.", "Sign in again."),
    "500011": (
        "The tenant does not know the Graph endpoint that tokens are wanted for.",
        "Check cloud and graph_url in offboard.toml.",
    ),
    "500133": ("The proof of the app is not valid at this time.", "Set this machine's clock right."),
    "90033": ("The sign-in service has trouble of its own.", "Try again in a few minutes."),
}
_ANSWERS = {
    "authorization_declined": "Sign-in was declined in the browser.",
    "access_denied": "Sign-in was declined in the browser.",
    "expired_token": "The code was not entered in time.",
    "Timed out": "Nobody signed in in time.",
    "browser": "No browser could be opened; choose device-code.",
}
_TRANSIENT = {"90033", "90024", "50196"}


def signin_trouble(error: BaseException, tenant: TenantConfig) -> OffboardError:
    """The error for people; nothing in it was taken over unseen from the service's own text.

    Args:
        error: What azure-identity raised.
        tenant: Where sign-in was tried.
    """
    text = " ".join(str(each) for each in _causes(error))
    what = f"Not signed in to {tenant.alias} ({tenant.sign_in})"
    if found := _CODE.search(text):
        return _by_code(found[1], text, what)
    if unreachable := _unreachable(error, text, tenant):
        return unreachable
    if "libsecret" in text or "ncryption" in text or "eychain" in text:
        return NotPermitted(
            f"{what}: token_cache = true, but this system has no secure store for tokens.",
            why="They would have to be kept in the clear, which offboard does not do.",
            todo="Remove token_cache, or install and unlock a secret service (libsecret, a keyring).",
        )
    advice = {
        "azure-cli": "Sign in with: az login --tenant " + tenant.tenant_id,
        "managed-identity": "Assign a managed identity to this machine; elsewhere choose another sign_in.",
        "workload-identity": "Set AZURE_FEDERATED_TOKEN_FILE to the file with the workload's token.",
    }
    todo = advice.get(tenant.sign_in, "Sign in again; if it stays, check this tenant in offboard.toml.")
    return NotPermitted(f"{what}.", why=_why(error, text), todo=todo)


def _why(error: BaseException, text: str) -> str:
    from azure.identity import CredentialUnavailableError

    if isinstance(error, CredentialUnavailableError):  # found out on this machine; no service had a say in it
        return scrub(str(error))
    for word, why in _ANSWERS.items():
        if word in text:
            return why
    return "The sign-in service's answer cannot be used."


def _by_code(code: str, text: str, what: str) -> OffboardError:
    page = f"What Microsoft says about it: https://login.microsoftonline.com/error?code={code}"
    why, todo = _KNOWN.get(code, ("", page))
    trace = _TRACE.search(text)
    known = f"AADSTS{code}" + (f", trace {trace[1]}" if trace else "")
    kind = GraphUnavailable if code in _TRANSIENT else NotPermitted
    return kind(f"{what}: the sign-in service refused ({known}).", why=why, todo=todo)


def _unreachable(error: BaseException, text: str, tenant: TenantConfig) -> OffboardError | None:
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    status = next((getattr(getattr(e, "response", None), "status_code", None) for e in _causes(error)), None)
    if isinstance(status, int) and (status == 429 or status >= 500):
        what = f"The sign-in service {tenant.login} has trouble of its own ({status})."
        return GraphUnavailable(what, why="Nothing was sent to Graph.", todo="Try again in a few minutes.")
    network = any(isinstance(e, ServiceRequestError | ServiceResponseError) for e in _causes(error))
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return NotPermitted(
            f"Not signed in to {tenant.alias}: the certificate of {tenant.login} is not trusted.",
            why="Nothing was sent to it. A proxy that opens TLS, or a private authority, has this effect.",
            todo="Name the authority's PEM file with ca_file in offboard.toml, if you know it to be right.",
        )
    if network and tenant.sign_in not in ("managed-identity", "azure-cli"):
        what = f"The sign-in service {tenant.login} cannot be reached."
        return GraphUnavailable(what, why="Nothing was sent to Graph.", todo=REACH)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def scrub(text: str) -> str:
    """A library's own text, short, on one line, without anything that may be a secret."""
    line = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return _LONG.sub("…", line)[:300]
