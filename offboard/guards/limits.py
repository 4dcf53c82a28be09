"""What a tenant's configuration says under `[tenants.NAME.guards]`, as the guards see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Limits(Protocol):
    """What a tenant's configuration says under `[tenants.NAME.guards]`."""

    @property
    def protected_users(self) -> Sequence[str]:
        """Object ids or user principal names that no plan may touch."""

    @property
    def protected_groups(self) -> Sequence[str]:
        """Object ids of groups whose members no plan may touch."""

    @property
    def max_leavers(self) -> int:
        """Leavers in one run."""

    @property
    def max_deletes(self) -> int:
        """Deleted users in one run."""

    @property
    def approval(self) -> str:
        """`none`, `irreversible` or `all`: which plans need a second person."""

    @property
    def approvers(self) -> int:
        """How many different people must approve."""
