"""What a tenant's configuration says under `[tenants.NAME.guards]`, as the guards see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Period(Protocol):
    """A period in which nothing is carried out."""

    @property
    def begin(self) -> datetime:
        """From when."""

    @property
    def end(self) -> datetime:
        """Until when; not included."""

    @property
    def reason(self) -> str:
        """Why, in the administrator's words."""


class Limits(Protocol):
    """What a tenant's configuration says under `[tenants.NAME.guards]`."""

    @property
    def protected_users(self) -> Sequence[str]:
        """Object ids or user principal names that no plan may touch."""

    @property
    def protected_groups(self) -> Sequence[str]:
        """Object ids of groups whose members, nested ones too, no plan may touch."""

    @property
    def emergency_access(self) -> Sequence[str]:
        """Object ids of the accounts for emergencies; nobody can override this."""

    @property
    def administrators(self) -> str:
        """`stop` or `warn`: what is said about a leaver who holds a directory role."""

    @property
    def pim_for_groups(self) -> bool:
        """Whether somebody may be eligible for membership of a group that holds a role."""

    @property
    def synced(self) -> str:
        """`stop` or `warn`: what is said about a leaver who is mastered on-premises."""

    @property
    def mailboxes(self) -> str:
        """`stop` or `warn`: what is said about an account that may be a shared mailbox or a room."""

    @property
    def read_mailboxes(self) -> bool:
        """Whether to ask Exchange what each leaver's mailbox is."""

    @property
    def max_leavers(self) -> int:
        """Leavers in one run and in 24 hours."""

    @property
    def max_percent(self) -> float:
        """The same, in percent of the tenant's enabled members; 100 means no limit."""

    @property
    def max_deletes(self) -> int:
        """Deleted users in one run and in 24 hours."""

    @property
    def max_wipes(self) -> int:
        """Wiped devices in one run and in 24 hours."""

    @property
    def freeze(self) -> Sequence[Period]:
        """Periods in which nothing is carried out."""

    @property
    def approval(self) -> str:
        """`none`, `irreversible` or `all`: which plans need a second person."""

    @property
    def approvers(self) -> int:
        """How many different people must approve."""
