"""Who may approve: a file in the format that `ssh-keygen` calls ALLOWED SIGNERS."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from offboard.approval.sshsig import fingerprint
from offboard.errors import UsageError
from offboard.settings.private import read_private

WHAT = "the list of allowed signers"
_WORD = re.compile(r'((?:"[^"]*"|[^\s"])+)(?:\s+|$)')
_TIME = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)?(Z?)")


@dataclass(frozen=True, slots=True)
class Signer:
    """One line of the list.

    Args:
        line: 1-based.
        principals: Names and patterns of the person, as written.
        key: The public key's wire form.
        namespaces: What the key may sign; empty for everything.
        after: The key counts from then on.
        before: The key counts until then.
    """

    line: int
    principals: tuple[str, ...]
    key: bytes
    namespaces: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """The key's name."""
        return fingerprint(self.key)

    def is_called(self, name: str) -> bool:
        """Whether this line is about that name."""
        return matches(name, self.principals)

    def may_sign(self, namespace: str) -> bool:
        """Whether its key may sign such texts."""
        return not self.namespaces or matches(namespace, self.namespaces)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """As OpenSSH matches lists of patterns: `*` and `?`, and `!` before one that must not fit."""

    def fits(pattern: str) -> bool:
        return fnmatchcase(name, pattern.replace("[", "[[]"))

    if any(fits(pattern[1:]) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(fits(pattern) for pattern in patterns if not pattern.startswith("!"))


def read_signers(path: Path | None) -> tuple[Signer, ...]:
    """The list that the tenant's configuration names.

    Raises:
        UsageError: None is named; it is not there, wrong, or others can write it.
    """
    if path is None:
        raise UsageError(
            "The tenant's configuration does not say who may approve.",
            todo='Name a file: allowed_signers = "allowed_signers" under [tenants.NAME.guards]. '
            "It has a line for each person: dana@contoso.com ssh-ed25519 AAAA…",
        )
    try:
        content = read_private(path, WHAT)
    except FileNotFoundError:
        raise UsageError(
            f"{path}: {WHAT} is not there.", todo="Make it, or correct allowed_signers in offboard.toml."
        ) from None
    try:
        return parse_signers(content.decode(), str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: {WHAT} is not UTF-8 text.") from None


def parse_signers(text: str, name: str) -> tuple[Signer, ...]:
    """The lines of a list.

    Args:
        text: The file's content.
        name: The file as the user knows it, for messages.

    Raises:
        UsageError: A line is wrong; a list of approvers is understood as a whole or not at all.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            try:
                found.append(_signer(number, line))
            except ValueError as error:
                raise UsageError(
                    f"{name}:{number}: {error}.", todo="The format is: NAME[,NAME…] [OPTIONS] KEYTYPE KEY [COMMENT]"
                ) from None
    return tuple(found)


def _signer(number: int, line: str) -> Signer:
    words, place = list[str](), 0
    while place < len(line) and len(words) < 4:
        found = _WORD.match(line, place)
        if found is None:
            raise ValueError("a quotation mark is left open")
        words.append(found[1])
        place = found.end()
    names = tuple(name for name in words[0].strip('"').split(",") if name)
    options = {} if len(words) > 1 and _is_kind(words[1]) else _options(words[1] if len(words) > 1 else "")
    rest = words[1:] if not options else words[2:]
    if not names or len(rest) < 2 or not _is_kind(rest[0]):
        raise ValueError("this is no line of a name, a key type and a key")
    times = {key: _time(options[f"valid-{key}"]) for key in ("after", "before") if f"valid-{key}" in options}
    namespaces = tuple(n for n in options.get("namespaces", "").split(",") if n)
    return Signer(number, names, _key(rest[0], rest[1]), namespaces, times.get("after"), times.get("before"))


def _is_kind(word: str) -> bool:
    return bool(re.fullmatch(r"(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+", word))


def _options(word: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in re.findall(r'([A-Za-z-]+)(?:=("[^"]*"|[^,]*))?(?:,|$)', word):
        name = name.lower()
        if name not in ("namespaces", "valid-after", "valid-before"):
            raise ValueError(f"the option {name} is not supported; approvals are signed by keys, not by certificates")
        if name in found or not value.strip('"'):
            raise ValueError(f"the option {name} stands twice or has no value")
        found[name] = value.strip('"')
    return found


def _key(kind: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the key is not base64 text") from None
    if key[:4] != len(kind).to_bytes(4, "big") or key[4 : 4 + len(kind)] != kind.encode():
        raise ValueError(f"the key is not of the kind {kind}")
    return key


def _time(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time: YYYYMMDD[HHMM[SS]][Z]")
    clock = (found[2] or "0000").ljust(6, "0")
    if found[3]:
        return datetime.strptime(found[1] + clock, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    # As ssh-keygen: without a Z it is the time of this machine's zone.
    return datetime.strptime(found[1] + clock, "%Y%m%d%H%M%S").astimezone()
