"""Signing as git does: ssh-keygen holds the key, or asks the agent or the security key for it. No secret passes here."""

from __future__ import annotations

import base64
import binascii
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from offboard.errors import Refused, UsageError

PASSED = ("PATH", "HOME", "USER", "TERM", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK", "SSH_ASKPASS")
PASSED_TOO = ("SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER")
"""What the child is told of our environment; it may hold others' secrets."""

USUAL = ("id_ed25519_sk", "id_ed25519", "id_ecdsa", "id_rsa")


def sign(text: bytes, key: Path, namespace: str, environ: Mapping[str, str] = os.environ) -> bytes:
    """The signature's file. ssh-keygen itself asks on the terminal for a passphrase or a touch, where one is needed.

    Args:
        text: What is signed.
        key: A private key, or the public half of one that the agent holds.
        namespace: What the signature is for.
        environ: The environment's variables.

    Raises:
        UsageError: There is no ssh-keygen.
        Refused: It did not sign.
    """
    done = _run([_program("ssh-keygen"), "-q", "-Y", "sign", "-n", namespace, "-f", str(key)], environ, text)
    if done.returncode:
        raise Refused(
            f"ssh-keygen did not sign with {key}.",
            why=_said(done.stderr),
            todo="Nothing was approved. Use a key of yours, or load it into the agent: ssh-add",
        )
    return done.stdout


def public_half(key: Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """The wire form of a key's public half, from the file beside it where there is one.

    Raises:
        UsageError: This is no key, or there is no ssh-keygen.
    """
    for path in (key, key.with_name(key.name + ".pub")):
        try:
            with open(path, "rb") as file:
                if found := _blob(file.read(64 * 1024)):
                    return found
        except OSError as error:
            if path == key:
                raise UsageError(f"The key {key} cannot be read: {error.strerror}.") from error
    done = _run([_program("ssh-keygen"), "-y", "-f", str(key)], environ)
    if done.returncode or not (found := _blob(done.stdout)):
        raise UsageError(f"{key} is not an SSH key.", why=_said(done.stderr), todo="Name a private key with --key.")
    return found


def own_keys(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[Path, bytes]]:
    """Keys in their usual places, with their public halves."""
    home = environ.get("HOME")
    for name in USUAL if home else ():
        path = Path(str(home)) / ".ssh" / name
        if path.is_file():
            yield path, public_half(path, environ)


def _blob(line: bytes) -> bytes:
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return b""
    try:
        return base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(
            f"{name} is not installed.",
            why="Approvals are signed by OpenSSH, which keeps the key to itself.",
            todo="Install OpenSSH's client (8.2 or newer), or approve on a machine that has it.",
        )
    return found


def _run(words: list[str], environ: Mapping[str, str], text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    passed = {name: environ[name] for name in (*PASSED, *PASSED_TOO) if name in environ}
    return subprocess.run(words, input=text, capture_output=True, env=passed, check=False)  # noqa: S603 - a fixed program


def _said(stderr: bytes) -> str:
    from offboard.render.safe import safe

    return safe(" ".join(stderr.decode("utf-8", "replace").split()))[:300]
