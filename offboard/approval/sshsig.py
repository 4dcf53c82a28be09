"""SSH signatures of texts (SSHSIG, as `ssh-keygen -Y` and git make them): reading, checking, and signing with a plain key.

Whatever is accepted here, `ssh-keygen -Y verify` accepts as well. It is a little stricter: RSA keys below 2,048 bits, bytes
after the end, and a security key that nobody touched are refused.

Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig and PROTOCOL.u2f.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
MAX_BYTES = 64 * 1024
TOUCHED = 0x01
"""The flag by which a security key says that a person was there."""

_RSA = ("rsa-sha2-256", "rsa-sha2-512")


class BadSignature(ValueError):
    """This is no signature of that text by that key; says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as read, not yet checked.

    Args:
        key: The public key's wire form.
        namespace: What it was made for.
        hash: `sha256` or `sha512`.
        algorithm: How it was signed.
        blob: What the algorithm made.
        extra: Flags and counter of a security key.
    """

    key: bytes
    namespace: str
    hash: str
    algorithm: str
    blob: bytes
    extra: bytes = b""

    @property
    def fingerprint(self) -> str:
        """The key's name, as ssh-keygen prints it."""
        return fingerprint(self.key)


class Wire:
    """SSH's way of writing: lengths in four bytes, then the bytes."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if len(self.rest) < length:
            raise BadSignature("it is cut off")
        found, self.rest = self.rest[:length], self.rest[length:]
        return found

    def number(self) -> int:
        """The next 32-bit number."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """The next string of bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """The next string, as ASCII."""
        try:
            return self.string().decode("ascii")
        except UnicodeDecodeError:
            raise BadSignature("it holds a name that is not ASCII") from None

    def end(self) -> None:
        """Nothing may follow."""
        if self.rest:
            raise BadSignature("something stands after its end")


def string(data: bytes) -> bytes:
    """Bytes with their length before them."""
    return len(data).to_bytes(4, "big") + data


def fingerprint(key: bytes) -> str:
    """A public key's name: `SHA256:…`, as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def parse(armored: bytes) -> Signature:
    """A signature from its file.

    Raises:
        BadSignature: It is none.
    """
    blob = Wire(_unarmored(armored))
    if blob.take(len(MAGIC)) != MAGIC or blob.number() != 1:
        raise BadSignature("it is no SSH signature of version 1")
    key, namespace, _reserved, hash = blob.string(), blob.text(), blob.string(), blob.text()
    signature = Wire(blob.string())
    blob.end()
    if _reserved or hash not in ("sha256", "sha512"):
        raise BadSignature("it uses what this version does not know")
    algorithm, made = signature.text(), signature.string()
    extra = signature.take(5) if algorithm.startswith("sk-") else b""
    signature.end()
    return Signature(key, namespace, hash, algorithm, made, extra)


def _unarmored(armored: bytes) -> bytes:
    if len(armored) > MAX_BYTES:
        raise BadSignature("it is too long for a signature")
    try:
        lines = armored.decode("ascii").split()
        joined = " ".join(lines)
        begin, end = f"{BEGIN} ", f" {END}"
        if not joined.startswith(begin) or not joined.endswith(end):
            raise BadSignature(f"it does not stand between {BEGIN} and {END}")
        body = joined[len(begin) : -len(end)].replace(" ", "")
        found = base64.b64decode(body, validate=True)
    except (UnicodeDecodeError, binascii.Error):
        raise BadSignature("it is not base64 text") from None
    if base64.b64encode(found).decode() != body:
        raise BadSignature("its base64 text is not written the one way")
    return found


def armor(blob: bytes) -> bytes:
    """The signature's file."""
    body = base64.b64encode(blob).decode()
    lines = [body[n : n + 70] for n in range(0, len(body), 70)]
    return "\n".join([BEGIN, *lines, END, ""]).encode()


def check(signature: Signature, message: bytes) -> None:
    """Whether the key made this signature of this message.

    Raises:
        BadSignature: It did not, or its kind is not supported.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    data = signed_data(signature.namespace, signature.hash, message)
    try:
        _check(signature, data)
    except InvalidSignature:
        raise BadSignature("the signature does not fit the text and the key") from None
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:
        raise error if isinstance(error, BadSignature) else BadSignature(f"the key cannot be used: {error}") from error


def signed_data(namespace: str, hash: str, message: bytes) -> bytes:
    """What the key really signs."""
    digest = hashlib.new(hash, message).digest()
    return MAGIC + string(namespace.encode()) + string(b"") + string(hash.encode()) + string(digest)


def _check(signature: Signature, data: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    key = Wire(signature.key)
    kind = key.text()
    _fits(kind, signature.algorithm)
    if kind in ("ssh-ed25519", "sk-ssh-ed25519@openssh.com"):
        public = ed25519.Ed25519PublicKey.from_public_bytes(key.string())
        if kind.startswith("sk-"):
            data = _touched(signature.extra, key.string(), data)
        key.end()
        return public.verify(signature.blob, data)
    known = load_ssh_public_key(kind.encode() + b" " + base64.b64encode(signature.key))
    if isinstance(known, rsa.RSAPublicKey):
        if known.key_size < 2048:
            raise BadSignature(f"an RSA key of {known.key_size} bits is too short")
        return known.verify(signature.blob, data, padding.PKCS1v15(), _sha(signature.algorithm[-3:]))
    if isinstance(known, ec.EllipticCurvePublicKey):
        numbers = Wire(signature.blob)
        r, s = (int.from_bytes(numbers.string(), "big", signed=True) for _ in "rs")
        numbers.end()
        if r <= 0 or s <= 0:
            raise BadSignature("the signature does not fit the text and the key")
        made = utils.encode_dss_signature(r, s)
        return known.verify(made, data, ec.ECDSA(_sha({256: "256", 384: "384"}.get(known.key_size, "512"))))
    raise BadSignature(f"keys of kind {kind[:40]} are not supported")


def _fits(kind: str, algorithm: str) -> None:
    if algorithm not in (_RSA if kind == "ssh-rsa" else (kind,)):
        raise BadSignature(f"a key of kind {kind[:40]} does not sign with {algorithm[:40]}")


def _touched(extra: bytes, application: bytes, data: bytes) -> bytes:
    if not extra[0] & TOUCHED:
        raise BadSignature("nobody touched the security key")
    return hashlib.sha256(application).digest() + extra + hashlib.sha256(data).digest()


def _sha(bits: str):  # type: ignore[no-untyped-def]  # a hash class, whose module must not be imported early
    from cryptography.hazmat.primitives import hashes

    return {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[bits]


def public_blob(key: PrivateKeyTypes) -> bytes:
    """The wire form of a private key's public half."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def sign(key: PrivateKeyTypes, namespace: str, message: bytes) -> bytes:
    """A signature's file, made with a key that is at hand in clear.

    Raises:
        BadSignature: The key's kind is not supported.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    data = signed_data(namespace, "sha512", message)
    public = public_blob(key)
    algorithm = Wire(public).text()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        made = key.sign(data)
    elif isinstance(key, rsa.RSAPrivateKey):
        algorithm, made = "rsa-sha2-512", key.sign(data, padding.PKCS1v15(), _sha("512"))
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        der = key.sign(data, ec.ECDSA(_sha({256: "256", 384: "384"}.get(key.key_size, "512"))))
        made = b"".join(string(n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in utils.decode_dss_signature(der))
    else:
        raise BadSignature(f"keys of kind {algorithm} are not supported")
    return sealed(public, namespace, string(algorithm.encode()) + string(made))


def sealed(public: bytes, namespace: str, signature: bytes) -> bytes:
    """The signature's file, around what the key made."""
    head = MAGIC + (1).to_bytes(4, "big") + string(public) + string(namespace.encode())
    return armor(head + string(b"") + string(b"sha512") + string(signature))
