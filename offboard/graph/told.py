"""What answers tell: which object, of whom; an answer about somebody else, or without sense, is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from offboard.facts import Account, Fact, Unreadable
from offboard.graph import parse
from offboard.graph.answers import Answer
from offboard.graph.parse import Senseless
from offboard.graph.requests import GUID
from offboard.model import JSON

F = TypeVar("F", bound=Fact | Unreadable)
ABOUT = ("user", "bin", "memberOf", "owned", "registered", "methods", "managed")
"""What is asked about a leaver, by the end of the answer's key."""


def was(body: Mapping[str, JSON], name: str) -> bool:
    """Whether this deleted user had exactly this name: the directory puts the object id, without dashes, before it."""
    mangled = str(body.get("userPrincipalName", "")).casefold()
    prefix = str(body.get("id", "")).replace("-", "").casefold()
    return mangled in (prefix + name.casefold(), name.casefold())


def listed(answers: Mapping[str, Answer], id: str) -> dict[str, Mapping[str, JSON]]:
    """The devices of a leaver by id."""
    found: dict[str, Mapping[str, JSON]] = {}
    for relation in ("owned", "registered"):
        answer = answers.get(f"{id} {relation}")
        if answer is not None and answer.ok:
            found |= {parse.object_id(body): body for body in parse.objects(answer.body)}
    return found


def account_of(answer: Answer, asked: str) -> Account:
    """The user whom an answer tells of, who must be the one that was asked for."""
    try:
        account = parse.account(object_of(answer))
    except Senseless as error:
        raise Senseless(f"The user {asked}: {error.what}", todo=error.todo) from error
    known = account.id if GUID.fullmatch(asked) else account.user_principal_name
    if known.casefold() != asked.casefold():
        raise parse.senseless(f"asked for the user {asked}, it tells of {known}")
    return account


def tried(read: Callable[[], F]) -> F | Unreadable:
    """The fact; an answer that makes no sense makes it unknown, for this leaver alone."""
    try:
        return read()
    except Senseless as error:
        return Unreadable(error.what.rstrip("."))


def object_of(answer: Answer) -> Mapping[str, JSON]:
    """The one object that was asked for, whether it came alone or as a list of one."""
    body = answer.body
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        if len(body["value"]) != 1:
            raise parse.senseless(f"{len(body['value'])} users where one was asked for")
        body = body["value"][0]
    if not isinstance(body, dict):
        raise parse.senseless(f"{answer.path} is no object")
    return body


def maybe(answer: Answer | None) -> Mapping[str, JSON]:
    """The object, or nothing where there is no usable answer."""
    return object_of(answer) if answer is not None and answer.ok else {}


def nobody(answer: Answer) -> bool:
    """Whether the answer is a list of nobody."""
    return answer.ok and isinstance(answer.body, dict) and answer.body.get("value") == []


def carried(answer: Answer, relation: str) -> list[Mapping[str, JSON]]:
    """The objects of a relationship that an object carries along; none where there is no usable answer."""
    body = maybe(answer)
    return parse.objects(body, relation) if body.get(relation) is not None else []


def is_whole(answer: Answer, relation: str, most: int) -> bool:
    """Whether an object carries all of a relationship along: it is there, does not go on elsewhere, and is not too long.

    A relationship that is left out was not told, which is not the same as nobody.
    """
    body = maybe(answer)
    there = not answer.ok or body.get(relation) is not None
    return there and f"{relation}@odata.nextLink" not in body and len(carried(answer, relation)) < most


def earliest(answers: Mapping[str, Answer], id: str) -> datetime | None:
    """When the first of this leaver's facts was read, by Graph's clock.

    Args:
        answers: Of many leavers; what was read for all of them is older for most.
        id: The leaver's.
    """
    mine = (answers[key].date for key in (f"{id} {what}" for what in ABOUT) if key in answers)
    dates = [date for date in mine if date is not None] or [a.date for a in answers.values() if a.date is not None]
    return min(dates, default=None)
