"""One tenant's configuration, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from offboard.settings.configkeys import CLOUDS

SANDBOX = "sandbox"

SignIn = Literal[
    "interactive",
    "device-code",
    "azure-cli",
    "certificate",
    "client-secret-file",
    "managed-identity",
    "workload-identity",
    "none",
]
Approval = Literal["none", "irreversible", "all"]
Severity = Literal["stop", "warn"]


@dataclass(frozen=True, slots=True)
class Freeze:
    """A period in which nothing is carried out."""

    begin: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands under `[tenants.NAME.guards]`.

    Args:
        protected_users: Object ids or user principal names.
        protected_groups: Object ids.
        emergency_access: Object ids of the accounts for emergencies.
        administrators: What is said about holders of directory roles.
        pim_for_groups: Whether somebody may be eligible for groups that hold roles.
        synced: What is said about users who are mastered on-premises.
        mailboxes: What is said about accounts that may be shared mailboxes or rooms.
        read_mailboxes: Whether to ask Exchange what each leaver's mailbox is.
        max_leavers: Per run and rolling 24 hours; likewise the others.
        max_percent: Leavers, in percent of the tenant's enabled members.
        approval: Which plans need a second person.
        approvers: How many different people must approve.
        allowed_signers: Who may approve.
        freeze: Periods in which nothing is carried out.
    """

    protected_users: tuple[str, ...] = ()
    protected_groups: tuple[str, ...] = ()
    emergency_access: tuple[str, ...] = ()
    administrators: Severity = "stop"
    pim_for_groups: bool = True
    synced: Severity = "stop"
    mailboxes: Severity = "stop"
    read_mailboxes: bool = False
    max_leavers: int = 25
    max_percent: float = 2
    max_deletes: int = 10
    max_wipes: int = 5
    approval: Approval = "irreversible"
    approvers: int = 1
    allowed_signers: Path | None = None
    freeze: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What stands under `[tenants.NAME.report]`: what a report measures by.

    Args:
        target_minutes: From the leave time, within which access is to be ended.
        open_items_days: Within which what a run leaves open is to be settled.
        open_items_owner: By whom; empty for whoever carried the run out.
    """

    target_minutes: int = 60
    open_items_days: int = 14
    open_items_owner: str = ""


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """One tenant and the way to sign in to it; the names are those of the file.

    Args:
        alias: Its name on the command line.
        tenant_id: The directory's id, lower case; empty for `sign_in = "none"` when not given.
        graph_url: Another Graph endpoint, without a slash at the end.
        authority: Another sign-in service, without a slash at the end.
    """

    alias: str
    tenant_id: str = ""
    sign_in: SignIn = "device-code"
    client_id: str = ""
    cloud: str = "global"
    graph_url: str = ""
    certificate: Path | None = None
    certificate_password_file: Path | None = None
    client_secret_file: Path | None = None
    authority: str = ""
    ca_file: Path | None = None
    token_cache: bool = False
    guards: Guards = field(default_factory=Guards)
    report: Agreed = field(default_factory=Agreed)

    @property
    def in_process(self) -> bool:
        """Whether this is the built-in sandbox, which needs no network."""
        return self.alias == SANDBOX and not self.graph_url

    @property
    def root(self) -> str:
        """Graph's address without the version."""
        # A name that can never be resolved: should a request of the built-in sandbox escape, it goes nowhere.
        return self.graph_url or ("https://graph.sandbox.invalid" if self.in_process else CLOUDS[self.cloud].root)

    @property
    def login(self) -> str:
        """The sign-in service's address."""
        return self.authority or CLOUDS[self.cloud].authority


BUILT_IN = TenantConfig(SANDBOX, sign_in="none", guards=Guards(approval="none"))
