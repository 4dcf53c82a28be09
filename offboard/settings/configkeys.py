"""The keys of `offboard.toml`: what each may hold, and what it is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from offboard.model import JSON

SIGN_IN = (
    "interactive",
    "device-code",
    "azure-cli",
    "certificate",
    "client-secret-file",
    "managed-identity",
    "workload-identity",
    "none",
)
APPROVAL = ("none", "irreversible", "all")
SEVERITY = ("stop", "warn")


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Microsoft's clouds. Tokens of one mean nothing in another."""

    root: str
    authority: str


CLOUDS = {
    "global": Cloud("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "usgov": Cloud("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "usgov-dod": Cloud("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": Cloud("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}

Check = Callable[[JSON], str]
"""What is wrong with a value, as the end of a sentence that begins with the key; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        check: For its value.
        text: What it is for.
    """

    check: Check
    text: str


GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(url: str) -> bool:
    """Whether the URL stays on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def a_text(value: JSON) -> str:
    """Any text that is not empty."""
    return "" if isinstance(value, str) and value.strip() else f"must be a text, not {_shown(value)}"


def a_flag(value: JSON) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"


def a_count(value: JSON) -> str:
    """A whole number from 0."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000
    return "" if fits else f"must be a whole number from 0 to 1000000, not {_shown(value)}"


def a_percentage(value: JSON) -> str:
    """A number from 0 to 100."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    return "" if fits else f"must be a number from 0 to 100, not {_shown(value)}"


def texts(value: JSON) -> str:
    """A list of texts that are not empty."""
    fits = isinstance(value, list) and not any(a_text(each) for each in value)
    return "" if fits else f"must be a list of texts, not {_shown(value)}"


def guids(value: JSON) -> str:
    """A list of object ids."""
    fits = isinstance(value, list) and not any(a_guid(each) for each in value)
    return "" if fits else f"must be a list of object ids (GUIDs), not {_shown(value)}"


def a_guid(value: JSON) -> str:
    """An id as Entra writes it."""
    fits = isinstance(value, str) and GUID.fullmatch(value)
    return "" if fits else f"must be an id like 00000000-0000-0000-0000-000000000000, not {_shown(value)}"


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(value: JSON) -> str:
        from offboard.loading.source import near

        if value in words:
            return ""
        word = near(value, words) if isinstance(value, str) else ""
        meant = f"; did you mean {word!r}?" if word else ""
        return f"must be one of {', '.join(words)}, not {_shown(value)}{meant}"

    return check


def a_url(*schemes: str) -> Check:
    """The address of a service: scheme, host and port, nothing else."""

    def check(value: JSON) -> str:
        wanted = " or ".join(f"{scheme}://HOST[:PORT]" for scheme in schemes)
        wrong = f"must be {wanted} and nothing after it, not {_shown(value)}"
        if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
            return wrong
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and parts.hostname and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            return wrong
        return "" if fits and parts.path in ("", "/") and not parts.query and not parts.fragment else wrong

    return check


def a_database(value: JSON) -> str:
    """The address of a PostgreSQL, without a password."""
    if not isinstance(value, str) or not re.fullmatch(r"postgres(ql)?://[!-~]+", value):
        return "must be postgresql://[USER@]HOST[:PORT]/NAME"
    try:
        secret = bool(urlsplit(value).password)
    except ValueError:
        return "must be postgresql://[USER@]HOST[:PORT]/NAME"
    return "must not hold a password" if secret or re.search(r"[?&](ssl)?password=", value) else ""


def periods(value: JSON) -> str:
    """A list of tables with `from`, `until` and perhaps `reason`."""
    wrong = f"must be a list of {{from = TIME, until = TIME, reason = TEXT}} with zones, not {_shown(value)}"
    if not isinstance(value, list):
        return wrong
    for each in value:
        if not isinstance(each, dict) or not {"from", "until"} <= set(each) <= {"from", "until", "reason"}:
            return wrong
        begin, end = each["from"], each["until"]
        if not all(isinstance(t, datetime) and t.tzinfo for t in (begin, end)) or a_text(each.get("reason", "-")):
            return wrong
        if begin >= end:
            return f"has a period that ends before it begins ({begin.isoformat()})"
    return ""


def _shown(value: JSON) -> str:
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 60 else text[:57] + "…"


TENANT: dict[str, Key] = {
    "tenant_id": Key(a_guid, "The directory's id (Entra admin center, Overview, Tenant ID)."),
    "sign_in": Key(one_of(*SIGN_IN), "How to sign in; device-code when not given."),
    "client_id": Key(a_guid, "The app registration's application (client) id."),
    "cloud": Key(one_of(*CLOUDS), "Which of Microsoft's clouds; global when not given."),
    "graph_url": Key(a_url("https", "http"), "Another Graph endpoint; http only on loopback with sign_in none."),
    "certificate": Key(a_text, "For certificate: a PEM or PFX file with certificate and private key."),
    "certificate_password_file": Key(a_text, "For certificate: a file that holds the password of the private key."),
    "client_secret_file": Key(a_text, "For client-secret-file: a file that holds the secret and nothing else."),
    "authority": Key(a_url("https"), "Another sign-in service than the cloud's own."),
    "ca_file": Key(a_text, "PEM file of the authorities to trust instead of the public ones."),
    "token_cache": Key(a_flag, "Keep tokens of a person in the system's secure store; false when not given."),
}

GUARDS: dict[str, Key] = {
    "protected_users": Key(texts, "Object ids or user principal names that no plan may touch."),
    "protected_groups": Key(guids, "Object ids of groups whose members, nested ones too, no plan may touch."),
    "emergency_access": Key(guids, "Object ids of the accounts for emergencies; nobody can override this."),
    "administrators": Key(
        one_of(*SEVERITY), "Whether holders of directory roles stop a plan (the default) or only warn."
    ),
    "pim_for_groups": Key(
        a_flag, "Whether to ask who may put themselves into groups that hold roles (the default); false where nobody may."
    ),
    "synced": Key(one_of(*SEVERITY), "Whether users mastered on-premises stop a plan (the default) or only warn."),
    "mailboxes": Key(
        one_of(*SEVERITY), "Whether what may be a shared mailbox or a room stops a plan (the default) or only warns."
    ),
    "read_mailboxes": Key(
        a_flag,
        "Whether to ask Exchange what each leaver's mailbox is (an app, MailboxSettings.Read); false when not given.",
    ),
    "max_leavers": Key(a_count, "Leavers in one run and in 24 hours."),
    "max_percent": Key(a_percentage, "The same, in percent of the tenant's enabled members; 100 means no limit."),
    "max_deletes": Key(a_count, "Deleted users in one run and in 24 hours."),
    "max_wipes": Key(a_count, "Wiped devices in one run and in 24 hours."),
    "approval": Key(one_of(*APPROVAL), "Which plans need a second person's signature before apply."),
    "approvers": Key(a_count, "How many different people must approve; 1 when not given."),
    "allowed_signers": Key(a_text, "File of those who may approve, in the format of ssh-keygen's ALLOWED SIGNERS."),
    "freeze": Key(periods, "Periods in which nothing is carried out."),
}

REPORT: dict[str, Key] = {
    "target_minutes": Key(a_count, "Minutes from the leave time within which access is to be ended; 60 when not given."),
    "open_items_days": Key(a_count, "Days within which what a run leaves open is to be settled; 14 when not given."),
    "open_items_owner": Key(a_text, "Who settles it; whoever carried the run out when not given."),
}
