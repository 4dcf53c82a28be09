"""Client assertions: tokens which an application signs with the key of its registered certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from .caller import decode, encode


class AssertionRefusedError(Exception):
    """The assertion does not prove what it should."""


def verify(assertion: str, certificate_pem: str, app_id: str, root: str, now: datetime) -> None:
    """Check signature, thumbprint, subject, audience and lifetime."""
    try:
        head, payload, signature = assertion.split(".")
        header, claims = json.loads(decode(head)), json.loads(decode(payload))
        signed = decode(signature)
    except ValueError as error:
        raise AssertionRefusedError("The client assertion is not a token.") from error
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    _demand_thumbprint(header, certificate)
    _demand_signature(header.get("alg"), certificate, f"{head}.{payload}".encode(), signed)
    if claims.get("iss") != app_id or claims.get("sub") != app_id:
        raise AssertionRefusedError("The client assertion was made for another application.")
    if not str(claims.get("aud", "")).startswith(root):
        raise AssertionRefusedError("The audience of the client assertion is another service.")
    if not float(claims.get("nbf") or 0) - 300 <= now.timestamp() <= float(claims.get("exp") or 0) + 300:
        raise AssertionRefusedError("The client assertion is not within its valid time range.")


def _demand_thumbprint(header: dict[str, Any], certificate: x509.Certificate) -> None:
    raw = certificate.public_bytes(Encoding.DER)
    digests: dict[str, Callable[[], str]] = {
        "x5t": lambda: encode(hashlib.sha1(raw, usedforsecurity=False).digest()),
        "x5t#S256": lambda: encode(hashlib.sha256(raw).digest()),
    }
    named = [name for name in digests if name in header]
    if not named or any(str(header[name]).rstrip("=") != digests[name]() for name in named):
        raise AssertionRefusedError("The certificate with the given thumbprint is not registered.")


def _demand_signature(algorithm: object, certificate: x509.Certificate, signed: bytes, signature: bytes) -> None:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise AssertionRefusedError("The registered certificate has no RSA key.")
    paddings = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
    }
    if algorithm not in paddings:
        raise AssertionRefusedError(f"The algorithm '{algorithm}' is not supported.")
    try:
        key.verify(signature, signed, paddings[str(algorithm)], hashes.SHA256())
    except InvalidSignature as error:
        raise AssertionRefusedError("The signature of the client assertion is not valid.") from error
