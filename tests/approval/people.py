"""People with keys, for tests: an administrator who plans, two who approve, and a stranger."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from offboard.approval import NAMESPACE, Offer, Statement
from offboard.approval.sshsig import public_blob, sign
from offboard.model import Plan
from tests.world import START


@cache
def key_of(name: str, kind: str = "ed25519") -> Any:
    """The private key of somebody, the same throughout a test session."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind.startswith("p"):
        return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[kind])
    return ed25519.Ed25519PrivateKey.generate()


def public_line(key: Any) -> str:
    """Type and key, as in allowed_signers."""
    blob = public_blob(key)
    length = int.from_bytes(blob[:4], "big")
    return f"{blob[4 : 4 + length].decode()} {base64.b64encode(blob).decode()}"


def private_file(path: Path, key: Any) -> Path:
    """The key in a file, as ssh-keygen wants it."""
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return path


@dataclass(frozen=True)
class Person:
    """Somebody with a name and a key."""

    name: str
    kind: str = "ed25519"

    @property
    def key(self) -> Any:
        """The private key."""
        return key_of(self.name, self.kind)

    def line(self, options: str = "", *more: str) -> str:
        """Their line in allowed_signers."""
        return " ".join(filter(None, [",".join([self.name, *more]), options, public_line(self.key)])) + "\n"

    def offer(self, plan: Plan, namespace: str = NAMESPACE, **other: Any) -> Offer:
        """Their signed consent to a plan, or to a text that says something else in one place."""
        said = Statement(
            **{
                "tenant": plan.tenant.id,
                "plan": plan.id,
                "digest": plan.digest,
                "approver": self.name,
                "approved": START,
                "expires": plan.valid_until,
                **other,
            }
        )
        return Offer("sawyer.json.approval", said.text(), sign(self.key, namespace, said.text()))


DANA = Person("dana@contoso.com")
ERIN = Person("erin@contoso.com")
STRANGER = Person("mallory@contoso.com")
