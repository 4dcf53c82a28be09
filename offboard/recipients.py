"""Sealing a short text to somebody's public key, in the format of age: only the holder of the private key can open it.

Keys are age's own (`age1…`) or SSH keys (`ssh-ed25519 …`, `ssh-rsa …`), written out in full, so that a plan shows for whom
something is sealed. See https://age-encryption.org/v1
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from offboard.errors import UsageError

PATTERN = "^(age1[02-9ac-hj-np-z]{58}|ssh-(ed25519|rsa) [A-Za-z0-9+/]{60,4000}={0,2}( [!-~ ]{1,200})?)$"
"""Of a key; whether it is one is known only when it is used."""


def check_recipient(key: str) -> None:
    """Whether something can be sealed to the key.

    Raises:
        UsageError: It is no public key of a kind that age knows.
    """
    _recipient(key)


def fingerprint(key: str) -> str:
    """`SHA256:…`, of an SSH key as `ssh-keygen -l` shows it; of one of age's, over its text."""
    words = key.split()
    try:
        blob = base64.b64decode(words[1], validate=True) if len(words) > 1 else key.encode()
    except binascii.Error as error:
        raise _bad(key) from error
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def seal(text: str, key: str) -> bytes:
    """The text in an age file.

    Args:
        text: What only the holder of the private key may read.
        key: The public key.

    Raises:
        UsageError: It is no public key of a kind that age knows.
    """
    import pyrage

    return bytes(pyrage.encrypt(text.encode(), [_recipient(key)]))


def _recipient(key: str) -> Any:
    import pyrage

    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        raise _bad(key) from error


def _bad(key: str) -> UsageError:
    return UsageError(
        f"{key[:60]!r} is no public key that something can be sealed to.",
        todo="Give an age key (age1…, made by age-keygen) or a line of an SSH public key (ssh-ed25519 AAAA…), unshortened.",
    )
