"""The list of those who may approve is understood as OpenSSH understands it, or refused as a whole."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offboard.approval.signers import Signer, matches, parse_signers, read_signers
from offboard.approval.sshsig import sign
from offboard.errors import UsageError
from tests.approval.people import DANA, ERIN, public_line

KEY = public_line(DANA.key)


def one(line: str) -> Signer:
    (found,) = parse_signers(line, "allowed_signers")
    return found


def test_names_options_and_comments_are_read() -> None:
    line = f'dana@contoso.com,d.fox@contoso.com namespaces="git,offboard-*",valid-before="20270101Z" {KEY} her laptop'
    found = one(f"# who may approve\n\n{line}\n")
    assert found.principals == ("dana@contoso.com", "d.fox@contoso.com")
    assert found.may_sign("offboard-plan")
    assert not found.may_sign("file")
    assert found.before == datetime(2027, 1, 1, tzinfo=UTC)
    assert found.line == 3


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261123Z", datetime(2026, 11, 23, tzinfo=UTC)),
        ("202611231705Z", datetime(2026, 11, 23, 17, 5, tzinfo=UTC)),
        ("20261123170512Z", datetime(2026, 11, 23, 17, 5, 12, tzinfo=UTC)),
    ],
)
def test_times_are_read(text: str, moment: datetime) -> None:
    assert one(f"dana valid-after={text} {KEY}").after == moment


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dana@contoso.com", "no line of"),
        (f"dana cert-authority {KEY}", "not supported"),
        (f"dana {KEY.split()[0]} !!!", "base64"),
        (f"dana ssh-rsa {KEY.split()[1]}", "not of the kind"),
        (f'dana namespaces="git {KEY}', "quotation"),
        (f"dana valid-after=tomorrow {KEY}", "no time"),
        (f"dana valid-after=20261123Z,valid-after=20261124Z {KEY}", "twice"),
        (f"dana namespaces= {KEY}", "no value"),
        (f", {KEY}", "no line of"),
    ],
)
def test_a_wrong_line_is_named_and_the_list_refused(line: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as seen:
        parse_signers(f"{ERIN.line()}{line}\n", "allowed_signers")
    assert "allowed_signers:2" in seen.value.what


@pytest.mark.parametrize(
    ("patterns", "fits"),
    [
        (["dana@contoso.com"], True),
        (["*@contoso.com"], True),
        (["dan?@contoso.com"], True),
        (["*@contoso.com", "!dana@*"], False),
        (["!erin@*"], False),
        (["dana@contoso.co[m]"], False),
        (["DANA@contoso.com"], False),
        (["dana"], False),
    ],
)
def test_patterns_fit_as_in_openssh(patterns: list[str], fits: bool, tmp_path: Path) -> None:
    assert matches("dana@contoso.com", patterns) is fits
    if shutil.which("ssh-keygen") is None:
        return
    (tmp_path / "signers").write_text(f"{','.join(patterns)} {KEY}\n")
    (tmp_path / "sig").write_bytes(sign(DANA.key, "offboard-plan", b"x"))
    words = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", DANA.name, "-n", "offboard-plan", "-s", "sig"]
    assert (subprocess.run(words, cwd=tmp_path, input=b"x", capture_output=True).returncode == 0) is fits


def test_no_list_a_missing_one_and_one_that_others_can_write_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "allowed_signers"
    with pytest.raises(UsageError, match="does not say who may approve"):
        read_signers(None)
    with pytest.raises(UsageError, match="not there"):
        read_signers(path)
    path.write_text(DANA.line())
    path.chmod(0o666)
    with pytest.raises(UsageError, match="written by others"):
        read_signers(path)
    path.chmod(0o644)
    assert [signer.principals for signer in read_signers(path)] == [("dana@contoso.com",)]
