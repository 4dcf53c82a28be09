"""Our signatures are OpenSSH's, and both verifiers say the same."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from offboard.approval.keygen import public_half
from offboard.approval.keygen import sign as keygen_sign
from offboard.approval.sshsig import BadSignature, armor, check, fingerprint, parse, sealed, sign, signed_data, string
from offboard.errors import Refused, UsageError
from tests.approval.people import key_of, private_file, public_line

TEXT = b"offboard approval 1\n"
KINDS = ("ed25519", "rsa", "p256", "p384", "p521")
openssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


def plain(folder: Path, key_line: str, signature: bytes, text: bytes = TEXT, namespace: str = "offboard-plan") -> bool:
    """What `ssh-keygen -Y verify` says."""
    (folder / "signers").write_text(f"dana@contoso.com {key_line}\n")
    (folder / "sig").write_bytes(signature)
    words = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "dana@contoso.com", "-n", namespace, "-s", "sig"]
    return subprocess.run(words, cwd=folder, input=text, capture_output=True, check=False).returncode == 0


def ours(signature: bytes, text: bytes = TEXT) -> bool:
    try:
        check(parse(signature), text)
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_we_verify_and_nothing_else(kind: str) -> None:
    made = sign(key_of("dana", kind), "offboard-plan", TEXT)
    assert ours(made)
    assert not ours(made, TEXT + b"x")
    assert parse(made).namespace == "offboard-plan"


@openssh
@pytest.mark.parametrize("kind", KINDS)
def test_openssh_accepts_what_we_sign(kind: str, tmp_path: Path) -> None:
    key = key_of("dana", kind)
    made = sign(key, "offboard-plan", TEXT)
    assert plain(tmp_path, public_line(key), made)
    assert not plain(tmp_path, public_line(key), made, TEXT + b"x")


@openssh
@pytest.mark.parametrize("kind", KINDS)
def test_we_accept_what_openssh_signs(kind: str, tmp_path: Path) -> None:
    path = private_file(tmp_path / "key", key_of("dana", kind))
    made = keygen_sign(TEXT, path, "offboard-plan")
    assert ours(made)
    assert not ours(made, b"")
    assert parse(made).key == public_half(path)


@openssh
def test_fingerprints_are_those_that_openssh_prints(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(public_line(key_of("dana")) + " a comment\n")
    printed = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert printed.stdout.split()[1] == fingerprint(public_half(tmp_path / "key.pub"))


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_every_single_bit_edit_of_a_signature_is_refused(kind: str) -> None:
    made = sign(key_of("dana", kind), "offboard-plan", TEXT)
    accepted = []
    for place in range(len(made)):
        for bit in range(8):
            edited = made[:place] + bytes([made[place] ^ 1 << bit]) + made[place + 1 :]
            # White space between lines says nothing; everything else does.
            if ours(edited) and edited.split() != made.split() and b"".join(edited.split()) != b"".join(made.split()):
                accepted.append((place, bit))
    assert accepted == []


@openssh
def test_openssh_accepts_no_edit_that_we_accept(tmp_path: Path) -> None:
    key = key_of("dana")
    made = sign(key, "offboard-plan", TEXT)
    for place in range(0, len(made), 7):
        edited = made[:place] + bytes([made[place] ^ 1]) + made[place + 1 :]
        if ours(edited):
            assert plain(tmp_path, public_line(key), edited)


def by_security_key(flags: int) -> tuple[str, bytes]:
    """A signature as a security key makes it: the person's touch is part of what is signed."""
    key = key_of("dana")
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = b"sk-ssh-ed25519@openssh.com"
    public = string(kind) + string(raw) + string(b"ssh:")
    extra = bytes([flags]) + (7).to_bytes(4, "big")
    data = signed_data("offboard-plan", "sha512", TEXT)
    made = key.sign(hashlib.sha256(b"ssh:").digest() + extra + hashlib.sha256(data).digest())
    line = f"{kind.decode()} {base64.b64encode(public).decode()}"
    return line, sealed(public, "offboard-plan", string(kind) + string(made) + extra)


def test_a_touched_security_key_signs_and_an_untouched_one_does_not() -> None:
    assert ours(by_security_key(flags=1)[1])
    with pytest.raises(BadSignature, match="touched"):
        check(parse(by_security_key(flags=0)[1]), TEXT)


@openssh
def test_openssh_agrees_about_security_keys(tmp_path: Path) -> None:
    line, made = by_security_key(flags=1)
    if not plain(tmp_path, line, made):
        pytest.skip("this OpenSSH was built without security keys")
    assert not plain(tmp_path, line, made, TEXT + b"x")


def test_short_rsa_keys_are_refused() -> None:
    key = rsa.generate_private_key(65537, 1024)
    with pytest.raises(BadSignature, match="too short"):
        check(parse(sign(key, "offboard-plan", TEXT)), TEXT)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n****\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN PGP SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----\n",
        armor(b"SSHSIG"),
        armor(b"SSHSIG\0\0\0\2" + 5 * string(b"")),
        armor(b"SSHSIG\0\0\0\1" + b"\xff\xff\xff\xff"),
        armor(b"SSHSIG\0\0\0\1" + string(b"") + string(b"\xff") + 3 * string(b"")),
        b"A" * 70_000,
    ],
)
def test_what_is_no_signature_is_refused_with_a_reason(text: bytes) -> None:
    with pytest.raises(BadSignature) as seen:
        check(parse(text), TEXT)
    assert str(seen.value)


@openssh
def test_a_key_that_only_the_agent_holds_signs_by_its_public_half(tmp_path: Path) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("there is no ssh-agent")
    with tempfile.TemporaryDirectory() as short:  # the path of a socket must be short
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SSH_AUTH_SOCK": f"{short}/agent"}
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", f"{short}/agent"], stdout=subprocess.DEVNULL)
        try:
            path = private_file(tmp_path / "key", key_of("dana"))
            while not Path(f"{short}/agent").exists():
                assert agent.poll() is None
            subprocess.run(["ssh-add", "-q", path], env=environ, check=True)
            path.unlink()
            public = tmp_path / "key.pub"
            public.write_text(public_line(key_of("dana")) + "\n")
            made = keygen_sign(TEXT, public, "offboard-plan", environ)
        finally:
            agent.terminate()
            agent.wait()
    assert ours(made)
    assert parse(made).key == public_half(public)


@openssh
def test_a_file_that_is_no_key_is_named_with_what_openssh_says(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key\n")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(UsageError, match="is not an SSH key"):
        public_half(tmp_path / "key")
    with pytest.raises(Refused, match="did not sign"):
        keygen_sign(TEXT, tmp_path / "key", "offboard-plan")
