"""The text that an approver signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from offboard.model import Plan
from offboard.planjson import moment, stamp

NAMESPACE = "offboard-plan"
"""Signatures made for git, mail or anything else are no approvals."""

MAX_BYTES = 4096
PRINCIPAL = re.compile(r"[!#-)+\-.-9;-~]{1,320}")
"""What may name an approver: printable ASCII without space, comma, quote, star and colon."""

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_FORM = re.compile(
    r"offboard approval 1\n"
    r"tenant: (?P<tenant>[0-9A-Za-z.-]{1,64})\n"
    r"plan: (?P<plan>[0-9A-Za-z._-]{1,64})\n"
    r"digest: (?P<digest>sha256:[0-9a-f]{64})\n"
    rf"approver: (?P<approver>{PRINCIPAL.pattern})\n"
    rf"approved: (?P<approved>{_TIME})\n"
    rf"expires: (?P<expires>{_TIME})\n"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Who consents to what, and until when.

    Args:
        tenant: The directory's id.
        plan: The plan's id.
        digest: The plan's digest.
        approver: A principal of `allowed_signers`.
        approved: When it was signed, as the signer's machine says.
        expires: When the plan expires, and the approval with it.
    """

    tenant: str
    plan: str
    digest: str
    approver: str
    approved: datetime
    expires: datetime

    @classmethod
    def of(cls, plan: Plan, approver: str, now: datetime) -> Statement:
        """The consent of this person to this plan."""
        return cls(plan.tenant.id, plan.id, plan.digest, approver, now, plan.valid_until)

    @classmethod
    def parse(cls, text: bytes) -> Statement | None:
        """A statement from its text; None when it is none, to the byte."""
        try:
            found = _FORM.fullmatch(text.decode("ascii"))
            if found is None:
                return None
            said = found.groupdict()
            approved, expires = moment(said.pop("approved")), moment(said.pop("expires"))
        except ValueError:
            return None
        return cls(**said, approved=approved, expires=expires)

    def text(self) -> bytes:
        """What is signed."""
        return (
            "offboard approval 1\n"
            f"tenant: {self.tenant}\nplan: {self.plan}\ndigest: {self.digest}\n"
            f"approver: {self.approver}\napproved: {stamp(self.approved)}\nexpires: {stamp(self.expires)}\n"
        ).encode()
