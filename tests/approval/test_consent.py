"""Who may say yes to what: ten ways around a second person, each refused with its own words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from offboard.approval import Approval, Offer, Signer, judge, needed, refuse_unless_approved
from offboard.approval.signers import parse_signers
from offboard.errors import OffboardError, Refused
from offboard.model import Effect, Override, Plan
from offboard.planfile import digest, dump, load, seal
from offboard.planjson import canonical
from offboard.settings.tenantconfig import Guards
from tests.approval.people import DANA, ERIN, STRANGER, Person
from tests.world import ADELE, SAWYER, START, a_world, steps

LIST = DANA.line() + ERIN.line()
LATER = START + timedelta(hours=1)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan that Sawyer's account be disabled, as `tester` made it."""

    async def make() -> Plan:
        async with a_world(tmp_path) as world:
            return await world.plan(steps("disable-user"), "SawyerM@contoso.com")

    return anyio.run(make)


def signers(text: str = LIST) -> tuple[Signer, ...]:
    return parse_signers(text, "allowed_signers")


def refusal(plan: Plan, *offers: Offer, text: str = LIST, hours: float = 1) -> str:
    with pytest.raises(Refused) as seen:
        judge(plan, offers, signers(text), START + timedelta(hours=hours))
    assert "Nothing was written" in seen.value.todo
    return " ".join(seen.value.lines())


def test_a_second_persons_signature_is_an_approval(plan: Plan) -> None:
    (found,) = judge(plan, [DANA.offer(plan)], signers(), LATER)
    assert found.approver == "dana@contoso.com"
    refuse_unless_approved(plan, Guards(approval="all"), [found])
    assert Approval.from_json(found.to_json(), plan) == replace(found, aliases=())  # type: ignore[arg-type]


def test_no_approval_at_all_is_refused_where_one_is_needed(plan: Plan) -> None:
    with pytest.raises(Refused, match="is not approved") as seen:
        refuse_unless_approved(plan, Guards(approval="all"), [])
    assert "offboard approve FILE" in seen.value.todo


def test_nobody_approves_what_they_planned(plan: Plan) -> None:
    his = seal(replace(plan, actor="Dana@Contoso.com"))
    assert "made this plan" in refusal(his, DANA.offer(his))


def test_nobody_approves_what_they_planned_under_another_name_of_their_key(plan: Plan) -> None:
    his = seal(replace(plan, actor="d.fox@contoso.com"))
    assert "same person" in refusal(his, DANA.offer(his), text=DANA.line("", "d.fox@contoso.com"))
    second_line = DANA.line() + Person("d.fox@contoso.com").line().replace(
        Person("d.fox@contoso.com").line().split()[2], DANA.line().split()[2]
    )
    assert "same person" in refusal(his, DANA.offer(his), text=second_line)


@pytest.mark.parametrize("name", ["SawyerM@contoso.com", "SAWYERM@CONTOSO.COM", SAWYER])
def test_a_leaver_approves_nothing(plan: Plan, name: str) -> None:
    sawyer = Person(name)
    assert "is a leaver of this plan" in refusal(plan, sawyer.offer(plan), text=LIST + sawyer.line())


def test_a_leaver_approves_nothing_under_the_mail_address(plan: Plan) -> None:
    (each,) = plan.leavers
    about = {**each.leaver.about, "mail": "sawyer.miller@contoso.com"}
    known = seal(replace(plan, leavers=(replace(each, leaver=replace(each.leaver, about=about)),)))
    sawyer = Person("sawyer.miller@contoso.com")
    assert "is a leaver of this plan" in refusal(known, sawyer.offer(known), text=sawyer.line())


def test_an_approval_of_another_plan_is_refused(plan: Plan) -> None:
    other = seal(replace(plan, id="0123456789abcdef"))
    assert "one plan only" in refusal(plan, DANA.offer(other))


def test_an_approval_of_another_tenants_plan_is_refused(plan: Plan) -> None:
    assert "it is for tenant" in refusal(plan, DANA.offer(plan, tenant="00000000-0000-0000-0000-000000000000"))


def test_a_plan_changed_after_the_approval_is_refused(plan: Plan) -> None:
    changed = seal(replace(plan, actor="somebody else"))
    assert "changed afterwards" in refusal(changed, DANA.offer(plan))


def test_an_approval_expires_with_the_plan(plan: Plan) -> None:
    assert "expired" in refusal(plan, DANA.offer(plan), hours=24.5)
    assert "says that it expires" in refusal(plan, DANA.offer(plan, expires=START + timedelta(days=30)))


@pytest.mark.parametrize("hours", [-1, 3])
def test_an_approval_from_before_the_plan_or_from_tomorrow_is_refused(plan: Plan, hours: int) -> None:
    assert "between the plan's making and now" in refusal(plan, DANA.offer(plan, approved=START + timedelta(hours=hours)))


def test_an_unsigned_text_is_refused(plan: Plan) -> None:
    assert "not signed" in refusal(plan, replace(DANA.offer(plan), signature=None))


def test_a_forged_signature_is_refused(plan: Plan) -> None:
    other = DANA.offer(plan, approved=START + timedelta(minutes=1))
    assert "signature is not valid" in refusal(plan, replace(other, signature=DANA.offer(plan).signature))


def test_somebody_elses_signature_under_an_approvers_name_is_refused(plan: Plan) -> None:
    assert "nobody is known to have" in refusal(plan, Offer("a", *_as(STRANGER, plan)))
    assert "the key is erin@contoso.com's" in refusal(plan, Offer("a", *_as(ERIN, plan)))


def _as(signer: Person, plan: Plan) -> tuple[bytes, bytes | None]:
    """Signed by one, in Dana's name."""
    offer = signer.offer(plan, approver="dana@contoso.com")
    return offer.text, offer.signature


def test_a_removed_signer_is_refused(plan: Plan) -> None:
    assert "or no longer, among those who may approve" in refusal(plan, DANA.offer(plan), text=ERIN.line())


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ('namespaces="git"', "may not sign approvals"),
        ("valid-before=20261101Z", "no longer valid"),
        ("valid-after=20261201Z", "not valid yet"),
    ],
)
def test_a_key_that_may_not_sign_this_or_not_now_is_refused(plan: Plan, options: str, why: str) -> None:
    assert why in refusal(plan, DANA.offer(plan), text=DANA.line(options))


def test_a_signature_made_for_something_else_is_refused(plan: Plan) -> None:
    assert "made for 'git'" in refusal(plan, DANA.offer(plan, namespace="git"))


def test_two_approvals_by_one_person_are_refused(plan: Plan) -> None:
    again = DANA.offer(plan, approved=START + timedelta(minutes=1))
    assert "approved this plan already" in refusal(plan, DANA.offer(plan), again)
    other_name = replace(DANA.offer(plan, approver="d.fox@contoso.com"), name="second")
    both = DANA.line("", "d.fox@contoso.com")
    assert "approved this plan already" in refusal(plan, DANA.offer(plan), other_name, text=both)


def test_where_two_must_approve_one_is_not_enough_and_two_are(plan: Plan) -> None:
    policy = Guards(approval="all", approvers=2)
    found = judge(plan, [DANA.offer(plan), ERIN.offer(plan)], signers(), LATER)
    with pytest.raises(Refused) as seen:
        refuse_unless_approved(plan, policy, found[:1])
    assert "1 of 2" in seen.value.why
    refuse_unless_approved(plan, policy, found)


def test_a_bad_approval_beside_a_good_one_is_never_passed_over(plan: Plan) -> None:
    assert "nobody is known" in refusal(plan, ERIN.offer(plan), Offer("a", *_as(STRANGER, plan)))


def test_what_needs_an_approval_is_what_the_policy_says(plan: Plan) -> None:
    (each,) = plan.leavers
    (step,) = each.steps
    final = replace(step, changes=(replace(step.changes[0], effect=Effect.IRREVERSIBLE),))
    grave = replace(plan, leavers=(replace(each, steps=(final,)),))
    asked = {
        (policy, name): bool(needed(which, Guards(approval=policy)))  # type: ignore[arg-type]
        for policy in ("none", "irreversible", "all")
        for name, which in (("light", plan), ("grave", grave))
    }
    assert asked == {
        ("none", "light"): False,
        ("none", "grave"): False,
        ("irreversible", "light"): False,
        ("irreversible", "grave"): True,
        ("all", "light"): True,
        ("all", "grave"): True,
    }
    lifted = replace(plan.leavers[0], overrides=(Override("protected_users", "HR-4711", "somebody"),))
    plan = replace(plan, leavers=(lifted, *plan.leavers[1:]))

    assert "overrides a guard" in needed(plan, Guards(approval="irreversible"))
    assert not needed(plan, Guards(approval="none"))


def test_every_single_byte_edit_of_a_plan_is_refused(plan: Plan) -> None:
    data, passed = dump(plan), []
    for place, byte in enumerate(data):
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, 0x0A} - {byte}:
            edited = data[:place] + bytes([other]) + data[place + 1 :]
            passed += [(place, other)] if ends_with(edited) not in (2, 3) else []
    assert passed == []


def ends_with(data: bytes) -> int:
    """The exit code of reading such a plan."""
    try:
        load(data, "sawyer.json")
    except OffboardError as error:
        return error.exit_code
    return 0


def test_every_byte_cut_from_or_added_to_a_plan_is_refused(plan: Plan) -> None:
    data = dump(plan)
    for place in range(len(data)):
        for edited in (data[:place] + data[place + 1 :], data[:place] + b" " + data[place:], data[:place]):
            assert ends_with(edited) in (2, 3)


def test_every_single_byte_edit_of_an_approval_is_refused(plan: Plan) -> None:
    offer = DANA.offer(plan)
    for place in range(len(offer.text)):
        edited = offer.text[:place] + bytes([offer.text[place] ^ 1]) + offer.text[place + 1 :]
        refusal(plan, replace(offer, text=edited))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the plain values of a document stand."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path
    for key, each in inner:
        yield from leaves(each, (*path, key))


def edited(document: Any, chance: random.Random) -> Any:
    """The document with one value changed, or one entry left out."""
    path = chance.choice(list(leaves(document)))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    old = holder[path[-1]]
    if chance.random() < 0.2:
        del holder[path[-1]]
    else:
        others = [None, True, 7, "", "x", ADELE, str(old) + "x", str(old).upper(), "2027-01-01T00:00:00Z", "irreversible"]
        holder[path[-1]] = chance.choice([other for other in others if other != old or type(other) is not type(old)])
    return document


def test_a_thousand_edits_that_give_the_plan_a_fresh_digest_are_refused_by_the_approval(plan: Plan) -> None:
    offer, data, refused = DANA.offer(plan), dump(plan), 0
    for seed in range(1000):
        document = edited(json.loads(data), random.Random(seed))
        document["digest"] = digest(document)
        forged = canonical(document) + b"\n"
        if forged == data:
            continue  # what was changed was the digest itself, and it was put right
        if code := ends_with(forged):
            assert code in (2, 3)
        else:
            refusal(load(forged, "sawyer.json"), offer)
            refused += 1
    assert refused > 200
