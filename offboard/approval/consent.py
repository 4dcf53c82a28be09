"""Whether a plan needs a second person, and whether what was handed in is that person's consent to this plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from offboard.approval.files import Offer
from offboard.approval.signers import Signer
from offboard.approval.sshsig import BadSignature, Signature, check, parse
from offboard.approval.statement import NAMESPACE, Statement
from offboard.errors import Refused
from offboard.model import JSON, Effect, Plan
from offboard.planjson import moment, stamp

SKEW = timedelta(minutes=5)
"""So much may the clocks of two machines differ."""

_NOTHING = "Nothing was written."


class Policy(Protocol):
    """What a tenant's configuration says about approvals, under `[tenants.NAME.guards]`."""

    @property
    def approval(self) -> str:
        """`none`, `irreversible` or `all`: which plans need a second person."""

    @property
    def approvers(self) -> int:
        """How many different people must approve."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's consent to one plan, found good.

    Args:
        statement: What was signed.
        fingerprint: The key that signed it.
        aliases: All names under which the list of signers knows the key.
    """

    statement: Statement
    fingerprint: str
    aliases: tuple[str, ...] = ()

    @property
    def approver(self) -> str:
        """The person."""
        return self.statement.approver

    def to_json(self) -> dict[str, JSON]:
        """For the audit and the store."""
        said = self.statement
        return {
            "approver": said.approver,
            "approved": stamp(said.approved),
            "expires": stamp(said.expires),
            "digest": said.digest,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, str], plan: Plan) -> Approval:
        """As kept in the store, for the plan that it was consumed with."""
        approved, expires = moment(document["approved"]), moment(document["expires"])
        said = Statement(plan.tenant.id, plan.id, document["digest"], document["approver"], approved, expires)
        return cls(said, document["fingerprint"])


def needed(plan: Plan, policy: Policy) -> str:
    """Why the plan needs a second person, as a sentence; empty when it needs none.

    Args:
        plan: As made.
        policy: The tenant's.
    """
    if policy.approval == "all":
        return "The tenant asks for a second person's approval of every plan."
    if policy.approval != "irreversible":
        return ""
    if any(c.effect is Effect.IRREVERSIBLE for each in plan.leavers for c in each.changes):
        return "Something in this plan cannot be undone, so the tenant asks for a second person's approval."
    # Lifting a guard weighs as much as what cannot be undone.
    overrides = any(each.overrides for each in plan.leavers)
    return "This plan overrides a guard, so the tenant asks for a second person's approval." if overrides else ""


def refuse_unless_approved(plan: Plan, policy: Policy, approvals: Sequence[Approval]) -> None:
    """Refuse a plan that needs more people's consent than it has. Asked at apply and before each later phase.

    Args:
        plan: As made.
        policy: The tenant's.
        approvals: Judged good; in a later phase, those that were consumed with the plan.

    Raises:
        Refused: Saying how many have approved, and how to approve.
    """
    why, people = needed(plan, policy), {a.approver.casefold() for a in approvals}
    if not why or len(people) >= max(1, policy.approvers):
        return
    have = f" {len(people)} of {policy.approvers} have approved." if people else ""
    raise Refused(
        f"Plan {plan.short_id} is not approved.",
        why=why + have,
        todo=f"{_NOTHING} Save the plan (with --out FILE), have somebody else sign it (offboard approve FILE), "
        "then: offboard apply FILE",
    )


def judge(plan: Plan, offers: Sequence[Offer], signers: Sequence[Signer], now: datetime) -> tuple[Approval, ...]:
    """The approvals, each found to be another person's valid consent to exactly this plan.

    Args:
        plan: Whose bytes were found unedited.
        offers: As found beside it.
        signers: Who may approve.
        now: The time that counts.

    Raises:
        Refused: One of them is not good, and why; a bad approval beside a good one is never passed over.
    """
    found: list[Approval] = []
    for offer in offers:
        approval = _judge(plan, offer, signers, now)
        for other in found:
            if _same(approval, other):
                raise Refused(
                    f"{offer.name}: {approval.approver} approved this plan already.",
                    why="Two approvals by one person are one approval, whichever key or name they were made with.",
                    todo=f"{_NOTHING} Have another person approve, or remove this one.",
                )
        found.append(approval)
    return tuple(found)


def _same(one: Approval, other: Approval) -> bool:
    mine, others = ({name.casefold() for name in (a.approver, *a.aliases)} for a in (one, other))
    return one.fingerprint == other.fingerprint or bool(mine & others)


def _judge(plan: Plan, offer: Offer, signers: Sequence[Signer], now: datetime) -> Approval:
    said = Statement.parse(offer.text)
    if said is None:
        raise _bad(offer, "this is not the text of an approval, or it was edited")
    for wrong in _misfits(plan, said, now):
        raise _bad(offer, wrong)
    if offer.signature is None:
        raise _bad(offer, "it is not signed: there is no signature beside it")
    try:
        signature = parse(offer.signature)
        check(signature, offer.text)
    except BadSignature as error:
        raise _bad(offer, f"the signature is not valid: {error}") from None
    if signature.namespace != NAMESPACE:
        raise _bad(offer, f"the signature was made for {signature.namespace[:60]!r}, not for {NAMESPACE!r}")
    aliases = vouched(said.approver, signature, signers, now, offer.name)
    refuse_same_person(plan, said.approver, aliases, offer.name)
    return Approval(said, signature.fingerprint, aliases)


def _misfits(plan: Plan, said: Statement, now: datetime) -> Iterator[str]:
    """Why the text is not about this plan, now."""
    if said.tenant.lower() != plan.tenant.id.lower():
        yield f"it is for tenant {said.tenant}, and the plan is for {plan.tenant.id}"
    if said.plan != plan.id:
        yield f"it approves plan {said.plan[:8]}, not {plan.short_id}: an approval is good for one plan only"
    if said.digest != plan.digest:
        yield "the plan is not the one that was approved: its digest is another one, so it was changed afterwards"
    if said.expires != plan.valid_until:
        yield f"it says that it expires at {stamp(said.expires)}, and the plan at {stamp(plan.valid_until)}"
    if now > said.expires:
        yield f"it expired at {stamp(said.expires)}; an approval that came to nothing in time is a refusal"
    if said.approved > now + SKEW or said.approved < plan.created - SKEW:
        yield f"it was signed at {stamp(said.approved)}, which is not between the plan's making and now"


def vouched(approver: str, signature: Signature, signers: Sequence[Signer], now: datetime, name: str) -> tuple[str, ...]:
    """All names that the list of signers gives the key, if it is this approver's and may sign approvals now.

    Args:
        approver: Who is said to have signed.
        signature: Made with the key in question.
        signers: Who may approve.
        now: The time that counts.
        name: Where the approval was found, for messages.

    Raises:
        Refused: The key or the person is not in the list, or not for this, or not now.
    """
    for key, wrong in _doubts(approver, signature, signers, now):
        raise Refused(
            f"{name}: {wrong}.",
            why=f"The key is {key}.",
            todo=f"{_NOTHING} Who may approve stands in the file that allowed_signers names.",
        )
    return tuple(n for line in signers if line.key == signature.key for n in line.principals)


def _doubts(approver: str, signature: Signature, signers: Sequence[Signer], now: datetime) -> Iterator[tuple[str, str]]:
    key = signature.fingerprint
    his = [line for line in signers if line.is_called(approver)]
    of_key = [line for line in signers if line.key == signature.key]
    if not his:
        yield key, f"{approver} is not, or no longer, among those who may approve"
    if not of_key:
        yield key, f"it was signed with a key that nobody is known to have; {approver}'s is another one"
    lines = [line for line in of_key if line in his]
    if not lines:
        yield key, f"it says that {approver} signed it, but the key is {_names(of_key)}'s"
    if not any(line.may_sign(NAMESPACE) for line in lines):
        yield key, f"{approver}'s key may not sign approvals: its namespaces do not name {NAMESPACE}"
    lines = [line for line in lines if line.may_sign(NAMESPACE)]
    if not any(line.before is None or now < line.before for line in lines):
        yield key, f"{approver}'s key is no longer valid (valid-before)"
    if not any(
        (line.before is None or now < line.before) and (line.after is None or now >= line.after) for line in lines
    ):
        yield key, f"{approver}'s key is not valid yet (valid-after)"


def _names(lines: Sequence[Signer]) -> str:
    return " or ".join(dict.fromkeys(name for line in lines for name in line.principals))


def refuse_same_person(plan: Plan, approver: str, aliases: Collection[str], name: str) -> None:
    """Nobody approves what they planned themselves, or their own leaving.

    Args:
        plan: With its maker and its leavers.
        approver: Who approves.
        aliases: Other names and ids of the same person, as far as known.
        name: What the message is about.

    Raises:
        Refused: The approver is the planner or a leaver.
    """
    mine = {each.casefold() for each in (approver, *aliases)}
    if plan.actor and plan.actor.casefold() in mine:
        raise Refused(
            f"{name}: {approver} made this plan, and cannot approve it as well.",
            why=_called(approver, plan.actor),
            todo=f"{_NOTHING} A second person must look at it and sign.",
        )
    for each in plan.leavers:
        leaver = each.leaver
        names = (leaver.id, leaver.user_principal_name, leaver.about.get("mail"))
        hit = next((n for n in names if isinstance(n, str) and n.casefold() in mine), None)
        if hit is not None:
            raise Refused(
                f"{name}: {approver} is a leaver of this plan, and cannot approve it.",
                why=_called(approver, hit),
                todo=f"{_NOTHING} Somebody who stays must look at it and sign.",
            )


def _called(approver: str, other: str) -> str:
    return "" if approver.casefold() == other.casefold() else f"{other} is the same person."


def _bad(offer: Offer, wrong: str) -> Refused:
    return Refused(
        f"{offer.name}: {wrong}.", todo=f"{_NOTHING} Look at the plan and approve it anew: offboard approve FILE"
    )
