"""TOML → tenants. Every complaint names file, line and key; all are told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offboard.errors import Problem, SourceError
from offboard.loading.source import near
from offboard.model import JSON
from offboard.settings.configkeys import CLOUDS, GUARDS, REPORT, TENANT, Key, a_database, is_loopback
from offboard.settings.tenantconfig import SANDBOX, Agreed, Freeze, Guards, TenantConfig

Path_ = tuple[str, ...]
SECTIONS: Mapping[str, Mapping[str, Key]] = {"guards": GUARDS, "report": REPORT}
"""Tables inside a tenant's."""
PATHS = ("certificate", "certificate_password_file", "client_secret_file", "ca_file", "allowed_signers")

_INLINE_SECRET = re.compile(
    r"(?:client_?|app_?)?secret|(?:certificate_?)?password|(?:access_?|refresh_?)?token|private_?key", re.IGNORECASE
)
_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "interactive": ("tenant_id", "client_id"),
    "device-code": ("tenant_id", "client_id"),
    "azure-cli": ("tenant_id",),
    "certificate": ("tenant_id", "client_id", "certificate"),
    "client-secret-file": ("tenant_id", "client_id", "client_secret_file"),
    "managed-identity": ("tenant_id",),
    "workload-identity": ("tenant_id", "client_id"),
    "none": ("graph_url",),
}
ONLY_WITH: Mapping[str, tuple[str, ...]] = {
    "client_id": (
        "interactive",
        "device-code",
        "certificate",
        "client-secret-file",
        "managed-identity",
        "workload-identity",
    ),
    "certificate": ("certificate",),
    "certificate_password_file": ("certificate",),
    "client_secret_file": ("client-secret-file",),
    "token_cache": ("interactive", "device-code"),
}


def parse(data: bytes, path: Path) -> tuple[str, dict[str, TenantConfig]]:
    """The default tenant's name and the tenants.

    Args:
        data: The file's bytes.
        path: The file, for messages and for the relative paths in it.

    Raises:
        SourceError: It is wrong at one or more places.
    """
    text = _text(data, path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SourceError([_syntax(str(error), path, text)]) from error
    places = Places(path, text)
    problems = list(_check(document, places))
    if problems:
        raise SourceError(problems, todo="Keys and values: offboard schema tenants")
    tables = document.get("tenants", {})
    default = document.get("default", "" if tables else SANDBOX)
    return default, {alias: _tenant(alias, table, path) for alias, table in tables.items()}


def database_of(data: bytes) -> str:
    """Where the runs are kept, from a file that `parse` has accepted; empty when it does not say."""
    return str(tomllib.loads(data.decode("utf-8-sig")).get("database", ""))


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError([Problem(str(path), line, 1, "this is not UTF-8", hint="Save the file as UTF-8.")]) from error


def _syntax(message: str, path: Path, text: str) -> Problem:
    found = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    lines = text.splitlines() or [""]
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (len(lines), len(lines[-1]) + 1)
    what = message.partition(" (at ")[0]
    quote = lines[min(line, len(lines)) - 1]
    if _INLINE_SECRET.match(quote.strip()):
        quote = ""  # it holds the secret
    return Problem(str(path), line, column, f"this is not TOML: {what}", quote=quote)


class Places:
    """Where each key stands in the file. A key written in a way this does not find is placed at its table."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._found: dict[Path_, tuple[int, int, int]] = {}
        table: Path_ = ()
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.match(line):
                table = _split(header[1])
                self._add(table, number, header)
            elif key := _KEY.match(line):
                self._add((*table, *_split(key[1])), number, key)

    def _add(self, path: Path_, line: int, found: re.Match[str]) -> None:
        for length in range(1, len(path) + 1):
            self._found.setdefault(path[:length], (line, found.start(1) + 1, len(found[1])))

    def problem(self, path: Path_, message: str, hint: str = "") -> Problem:
        """A complaint about the key, or about the nearest table around it."""
        for length in range(len(path), 0, -1):
            if place := self._found.get(path[:length]):
                line, column, width = place
                quote = self._lines[line - 1]
                return Problem(str(self._path), line, column, message, hint=hint, quote=quote, width=width)
        return Problem(str(self._path), 0, 0, message, hint=hint)


def _split(dotted: str) -> Path_:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""[^."']+|"[^"]*"|'[^']*'""", dotted) if part.strip())


def _check(document: Mapping[str, JSON], places: Places) -> Iterator[Problem]:
    yield from _unknown((), document, ("default", "database", "tenants"), places)
    if "database" in document and (wrong := a_database(document["database"])):
        place = places.problem(("database",), f"database {wrong}")
        # The line may hold the password, so it is not quoted.
        hint = "A password belongs into a password file: ~/.pgpass"
        yield Problem(place.path, place.line, place.column, place.message, hint=hint, width=place.width)
    tables, default = document.get("tenants", {}), document.get("default", "")
    if not isinstance(tables, dict):
        yield places.problem(("tenants",), "tenants must be tables: [tenants.NAME]")
        return
    if not isinstance(default, str) or (default and default not in (*tables, SANDBOX)):
        names = ", ".join(sorted((*tables, SANDBOX)))
        yield places.problem(("default",), f"default names no tenant of this file: {default!r}", f"Tenants: {names}.")
    for alias, table in tables.items():
        yield from _check_tenant(alias, table, places)


def _check_tenant(alias: str, table: JSON, places: Places) -> Iterator[Problem]:
    at = ("tenants", alias)
    if alias == SANDBOX:
        yield places.problem(at, "the name sandbox is reserved for the built-in one", "Give the tenant another name.")
        return
    if not re.fullmatch(r"(?!\.+\Z)[A-Za-z0-9._-]{1,64}", alias):
        yield places.problem(at, f"{alias!r} cannot be a tenant's name: letters, digits, '.', '_' and '-', at most 64")
    if not isinstance(table, dict):
        yield places.problem(at, f"tenants.{alias} must be a table: [tenants.{alias}]")
        return
    wrong = [*_unknown(at, table, (*TENANT, *SECTIONS), places), *_values(at, table, TENANT, places)]
    yield from wrong
    if not wrong:
        yield from _together(alias, table, places)
    for name, keys in SECTIONS.items():
        section = table.get(name, {})
        if not isinstance(section, dict):
            yield places.problem((*at, name), f"{name} must be a table: [tenants.{alias}.{name}]")
            continue
        yield from _unknown((*at, name), section, keys, places)
        yield from _values((*at, name), section, keys, places)


def _unknown(at: Path_, table: Mapping[str, JSON], known: Any, places: Places) -> Iterator[Problem]:
    for key in table:
        if key in known:
            continue
        if _INLINE_SECRET.fullmatch(key):
            place = places.problem((*at, key), f"{key}: a secret is never kept in this file")
            # The line holds the secret, so it is not quoted.
            hint = "Put it into a file of its own (mode 0600), name it with client_secret_file, and replace the secret."
            yield Problem(place.path, place.line, place.column, place.message, hint=hint, width=place.width)
            continue
        word = near(key, known)
        yield places.problem((*at, key), f"unknown key {key!r}", f"Did you mean {word!r}?" if word else "")


def _values(at: Path_, table: Mapping[str, JSON], keys: Mapping[str, Key], places: Places) -> Iterator[Problem]:
    for name, value in table.items():
        if name in keys and (wrong := keys[name].check(value)):
            yield places.problem((*at, name), f"{name} {wrong}", keys[name].text)


def _together(alias: str, table: Mapping[str, JSON], places: Places) -> Iterator[Problem]:
    """What each value allows by itself and the others do not."""
    at, sign_in = ("tenants", alias), table.get("sign_in", "device-code")
    for name in REQUIRED[sign_in]:
        if name not in table:
            text = f"tenant {alias} has no {name}, which sign_in = {sign_in!r} needs"
            yield places.problem(at, text, TENANT[name].text)
    for name, kinds in ONLY_WITH.items():
        if name in table and sign_in not in kinds and table[name] is not False:
            text = f"{name} is of no use with sign_in = {sign_in!r}"
            yield places.problem((*at, name), text, f"For: {', '.join(kinds)}.")
    url = table.get("graph_url", "")
    if url.startswith("http://") and not (is_loopback(url) and sign_in == "none"):
        text = "graph_url: plain http is for this machine only, and for sign_in = 'none'"
        yield places.problem((*at, "graph_url"), text, "Tokens would cross the network readable by anybody. Use https.")
    elif url and sign_in == "none" and not is_loopback(url):
        text = "graph_url: sign_in = 'none' is for a Graph endpoint on this machine only (localhost, 127.0.0.1)"
        yield places.problem((*at, "graph_url"), text, "Choose a way to sign in.")
    roots = {cloud.root: name for name, cloud in CLOUDS.items()}
    if (meant := roots.get(url.rstrip("/"))) and meant != table.get("cloud", "global"):
        yield places.problem((*at, "graph_url"), f"graph_url is that of the cloud {meant!r}", f"Say cloud = {meant!r}.")


def _tenant(alias: str, table: Mapping[str, Any], path: Path) -> TenantConfig:
    def of(found: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _value(name, value, path) for name, value in found.items() if name not in SECTIONS}

    guards, report = Guards(**of(table.get("guards", {}))), Agreed(**of(table.get("report", {})))
    return TenantConfig(alias, **of(table), guards=guards, report=report)


def _value(name: str, value: Any, path: Path) -> Any:
    if name in PATHS:
        return path.absolute().parent / Path(value).expanduser()
    if name == "freeze":
        return tuple(Freeze(each["from"], each["until"], each.get("reason", "")) for each in value)
    if name in ("graph_url", "authority"):
        return value.rstrip("/")
    if name in ("tenant_id", "client_id"):
        return value.lower()
    return tuple(value) if isinstance(value, list) else value
