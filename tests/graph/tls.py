"""A certificate authority of our own, a server certificate for this machine, and certificates of apps."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey


@dataclass(frozen=True)
class Tls:
    """Files of a TLS server."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class AppCertificate:
    """What an app signs in with.

    Args:
        pem: Certificate and private key.
        pfx: The same, with the password `pfx-password`.
        public: The certificate alone, as text, for the app's registration.
    """

    pem: Path
    pfx: Path
    public: str


def make_tls(folder: Path) -> Tls:
    """An authority, and a certificate of it for localhost and 127.0.0.1."""
    ca_key, ca_name = _key(), _name("Test authority")
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(True, 0), True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
    ca = ca.add_extension(_usage(signs=True), True)
    key = _key()
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = _builder(_name("localhost"), ca_name, key).add_extension(x509.SubjectAlternativeName(names), False)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    server = server.add_extension(_usage(signs=False), True)
    found = Tls(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    found.ca.write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    found.certificate.write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    _private(found.key, _pem(key))
    return found


def make_app_certificate(folder: Path, name: str = "app") -> AppCertificate:
    """A self-signed certificate, as apps register them."""
    key = _key()
    certificate = _builder(_name(name), _name(name), key).sign(key, hashes.SHA256())
    public = certificate.public_bytes(Encoding.PEM)
    found = AppCertificate(folder / f"{name}.pem", folder / f"{name}.pfx", public.decode())
    _private(found.pem, _pem(key) + public)
    packed = pkcs12.serialize_key_and_certificates(
        name.encode(), key, certificate, None, BestAvailableEncryption(b"pfx-password")
    )
    _private(found.pfx, packed)
    return found


def _private(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _pem(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key() -> Key:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
