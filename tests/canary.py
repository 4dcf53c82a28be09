"""Secrets that were seen on the wire, and the search for them everywhere else.

Every sandbox of the test process is listened to: new passwords, tokens and client secrets as they arrive or are handed out.
None of them, and nothing that looks like a token, may be found in what a program said or left on a disk.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote

from offboard.sandbox.tenant import Sandbox
from offboard.sandbox.wire import Request, Response

JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
PASSWORD = re.compile(rb'"(?:password|newPassword)":\s?("(?:[^"\\]|\\.)*")')
RUN = re.compile(rb"[A-Za-z0-9!#$%()*+,\-.:;=?@\[\]^_{}~]{40,}")
"""Where a new password may stand: it has forty characters of these."""
LENGTH = 40
ISSUED = ("access_token", "refresh_token", "id_token")
TOO_LARGE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Call:
    """One request as it reached a tenant."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Seen:
    """What passed by. `calls` is filled only while somebody listens."""

    passwords: set[bytes] = field(default_factory=set)
    secrets: set[bytes] = field(default_factory=set)
    tokens: set[bytes] = field(default_factory=set)
    calls: list[Call] | None = None

    def note(self, request: Request, response: Response) -> None:
        """Remember what is secret in a call."""
        for found in PASSWORD.findall(request.body):
            self.passwords.add(json.loads(found).encode())
        if "/oauth2/" in request.path:
            form = parse_qs(request.body.decode("utf-8", "replace"))
            self.secrets |= {v.encode() for key in ("client_secret", "client_assertion") for v in form.get(key, [])}
            for key in ISSUED if response.status == 200 else ():
                if value := response.json().get(key):
                    self.tokens.add(value.encode())
        if self.calls is not None:
            self.calls.append(Call(request.method, request.path, dict(request.headers), request.body))


SEEN = Seen()
_handle = Sandbox.handle


def _listened(self: Sandbox, request: Request) -> Response:
    response = _handle(self, request)
    SEEN.note(request, response)
    return response


def listen() -> None:
    """From now on, every sandbox of this process is listened to."""
    Sandbox.handle = _listened  # type: ignore[method-assign]  # the sandbox itself does what it always does


def disguises(secret: bytes) -> Iterator[bytes]:
    """How a secret may stand somewhere without looking like itself."""
    yield secret
    yield secret.decode().encode("utf-16-le")
    yield secret.hex().encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret.decode())[1:-1].encode()
    for shift in range(3):  # base64 of something that begins up to two bytes before the secret
        whole = base64.b64encode(b"\0" * shift + secret)
        yield whole[4 if shift else 0 : len(whole) - 4]
        yield whole[4 if shift else 0 : len(whole) - 4].replace(b"+", b"-").replace(b"/", b"_")


def leaks(content: bytes, secrets: Iterable[bytes]) -> list[bytes]:
    """Those of the secrets that stand in the content, in any disguise, and whatever looks like a token."""
    found = [secret for secret in secrets if any(each in content for each in disguises(secret))]
    return found + JWT.findall(content)


def passwords_in(content: bytes) -> bool:
    """Whether any new password seen so far stands in the content; quick for very many passwords."""
    runs = (run for run in RUN.findall(content) if len(run) < 4096)
    return any(run[at : at + LENGTH] in SEEN.passwords for run in runs for at in range(len(run) - LENGTH + 1))


def files_of(folder: Path) -> Iterator[Path]:
    """Every regular file below, links not followed."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path


def leaking_files(folder: Path, allowed: Iterable[str] = ()) -> list[str]:
    """Files below that hold a new password that was seen, or anything like a token; `allowed` are names of a test's own."""
    names = frozenset(allowed)
    found = []
    for path in files_of(folder):
        if path.name in names or path.stat().st_size > TOO_LARGE:
            continue
        content = path.read_bytes()
        if JWT.search(content) or passwords_in(content):
            found.append(str(path))
    return found
