"""A new password sealed to a help desk's key: that key opens it, it is the one that was sent, and it stands nowhere else."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from offboard.errors import UsageError
from offboard.recipients import check_recipient, fingerprint, seal
from tests import canary
from tests.cli.conftest import Offboard

USER = "SawyerM@contoso.com"
BOOK = """\
playbook: helped
description: For a test.
steps:
  - disable-user
  - action: reset-password
    with: {{seal_to: "{key}"}}
"""


def identity(kind: str) -> tuple[str, object]:
    """A public key as one writes it, and what opens its files."""
    if kind == "age":
        made = pyrage.x25519.Identity.generate()
        return str(made.to_public()), made
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ssh-ed25519" else rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return f"{public} helpdesk@contoso.com", pyrage.ssh.Identity.from_buffer(private)


def passwords_before(before: set[bytes]) -> list[bytes]:
    return sorted(canary.SEEN.passwords - before)


@pytest.mark.parametrize("kind", ["age", "ssh-ed25519", "ssh-rsa"])
def test_only_the_key_opens_it_and_it_is_the_password_that_was_sent(
    offboard: Offboard, tmp_path: Path, kind: str
) -> None:
    key, opener = identity(kind)
    (tmp_path / "helped.yaml").write_text(BOOK.format(key=key))
    before = set(canary.SEEN.passwords)
    planned = offboard("plan", "helped.yaml", USER, "--out", "plan.json")
    assert f"sealed to {fingerprint(key)}"[:40] in " ".join(planned.out.split())
    done = offboard("--json", "apply", "plan.json", "--yes")
    assert done.code == 0, done.out
    (told,) = done.lines[-1]["sealed_passwords"]
    content = Path(told["path"]).read_bytes()
    (sent,) = passwords_before(before)

    assert told["key"] == fingerprint(key)
    assert pyrage.decrypt(content, [opener]) == sent + b"\n"
    assert content.startswith(b"age-encryption.org/v1\n")
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [pyrage.x25519.Identity.generate()])
    assert stat.S_IMODE(Path(told["path"]).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(told["path"]).parent.stat().st_mode) == 0o700
    for path in canary.files_of(tmp_path):
        assert canary.leaks(path.read_bytes(), [sent]) == [], path


def test_the_verdict_names_the_file_and_the_audit_the_key(offboard: Offboard, tmp_path: Path) -> None:
    key, _ = identity("age")
    (tmp_path / "helped.yaml").write_text(BOOK.format(key=key))
    done = offboard("run", "helped.yaml", USER, "--yes")
    (path,) = (tmp_path / "state").rglob("*.age")

    assert f"is sealed to {fingerprint(key)} in\n  {path}" in done.out
    records = [json.loads(line) for line in (tmp_path / "state/tenants/sandbox/audit.jsonl").read_text().splitlines()]
    intents = [r["change"] for r in records if r["event"] == "intent" and r["step"] == "reset-password"]
    assert [change["data"]["seal_to"] for change in intents] == [key]


def test_without_a_key_there_is_no_file(offboard: Offboard, tmp_path: Path) -> None:
    assert offboard("run", "leaver", USER, "--yes").code == 0
    assert list(tmp_path.rglob("*.age")) == []


def test_a_password_that_cannot_be_kept_is_not_sent(offboard: Offboard, tmp_path: Path) -> None:
    key, _ = identity("age")
    (tmp_path / "helped.yaml").write_text(BOOK.format(key=key))
    offboard("plan", "helped.yaml", USER, "--out", "plan.json")
    place = tmp_path / "state/tenants/sandbox/passwords"
    os.symlink(tmp_path, place)
    before = set(canary.SEEN.passwords)
    refused = offboard("apply", "plan.json", "--yes")

    assert refused.code in (2, 5), refused.out
    assert "passwords" in refused.out + refused.err
    assert passwords_before(before) == []

    place.unlink()
    assert offboard("resume").code == 0
    assert len(passwords_before(before)) == len(list(place.glob("*.age"))) == 1


BAD = [
    "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
    "ssh-ed25519 AAAA",
    "ssh-ed25519 " + base64.b64encode(b"\0" * 51).decode(),
    "ssh-dss " + "A" * 200,
    "helpdesk.pub",
    "",
    "{age}\n{age}",
]


@pytest.mark.parametrize("key", BAD)
def test_what_is_no_key_is_refused_before_anything_is_planned(offboard: Offboard, tmp_path: Path, key: str) -> None:
    whole = key.format(age=identity("age")[0]).replace("\n", "\\n")
    (tmp_path / "helped.yaml").write_text(BOOK.format(key=whole))
    found = offboard("run", "helped.yaml", USER, "--yes")

    assert found.code == 2, found.out
    assert offboard("--json", "sandbox", "journal").json == []


def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    key, _ = identity("ssh-ed25519")
    blob = base64.b64decode(key.split()[1])

    assert fingerprint(key) == "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def test_an_age_key_with_a_slip_of_the_pen_is_noticed() -> None:
    key, _ = identity("age")
    slip = key[:20] + ("q" if key[20] != "q" else "p") + key[21:]

    check_recipient(key)
    with pytest.raises(UsageError, match="no public key"):
        check_recipient(slip)
    with pytest.raises(UsageError):
        seal("x", slip)
