"""Who signed in last: what the system's secure token store needs to find that person's tokens again. Holds no token.

Used only with `token_cache = true`.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offboard.errors import UsageError
from offboard.settings.config import TenantConfig
from offboard.settings.private import read_private

if TYPE_CHECKING:
    from azure.identity import AuthenticationRecord


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """The record's file.

    Args:
        tenant: Whose record it is; one of another tenant, app or sign-in service is not used.
        path: Where it is kept.
    """

    tenant: TenantConfig
    path: Path

    def load(self) -> AuthenticationRecord | None:
        """The record, or None when there is none that fits."""
        from azure.identity import AuthenticationRecord

        try:
            found = AuthenticationRecord.deserialize(read_private(self.path, "the sign-in record").decode())
        except (FileNotFoundError, UsageError, ValueError, KeyError, TypeError):
            return None  # then the person signs in once more
        tenant = self.tenant
        meant = (tenant.tenant_id, tenant.client_id, tenant.login.partition("://")[2])
        if (found.tenant_id, found.client_id, found.authority) != meant:
            return None
        # As written, the authority has no scheme, and azure-identity does not understand it when it has a port.
        return AuthenticationRecord(
            tenant.tenant_id, tenant.client_id, tenant.login, found.home_account_id, found.username
        )

    def remember(self, credential: Any) -> None:
        """Keep the record of whoever just signed in."""
        record = getattr(credential, "_auth_record", None)
        if record is None:
            return
        new = self.path.with_name(self.path.name + ".new")
        with contextlib.suppress(OSError):  # not remembered: the person signs in once more
            new.unlink(missing_ok=True)
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "w", encoding="utf-8") as file:
                file.write(record.serialize())
            os.replace(new, self.path)
