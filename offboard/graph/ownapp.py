"""Who owns the app that is signed in with: its object in this tenant, and its registration. Either owner can act as the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from offboard.facts import Unreadable
from offboard.graph import parse
from offboard.graph.answers import Answer
from offboard.graph.lists import EXPANDED
from offboard.graph.requests import get, quoted
from offboard.guards import SignedIn
from offboard.guards.surroundings import Ids
from offboard.model import JSON

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

Requests = dict[str, "RequestInformation"]
Why = Callable[[Answer], Unreadable]
BOTH = ("app", "registration")


def ask(graph: Any, app: str) -> Requests:
    """Both objects with their owners.

    Args:
        graph: The SDK's fluent client.
        app: The application (client) id.
    """
    builders = {"app": graph.service_principals, "registration": graph.applications}
    mine = f"appId eq {quoted(app)}"
    return {
        f"guards {which}": get(builder, select=["id", "displayName"], expand=["owners($select=id)"], filter=mine)
        for which, builder in builders.items()
    }


def ask_more(graph: Any, answers: Mapping[str, Answer]) -> Requests:
    """All owners of an object that has more of them than are carried along, or of which none were."""
    builders: dict[str, Callable[[str], Any]] = {
        "app": graph.service_principals.by_service_principal_id,
        "registration": graph.applications.by_application_id,
    }
    found: Requests = {}
    for which, builder in builders.items():
        answer = answers.get(f"guards {which}")
        for each in parse.objects(answer.body) if answer is not None and answer.ok else ():
            # A relationship without objects may be left out of an answer; whether it has none is better asked.
            if each.get("owners") is None or len(parse.objects(each, "owners")) >= EXPANDED:
                id = parse.object_id(each)
                found[f"guards all {which} {id}"] = get(builder(id).owners, select=["id"], top=999)
    return found


def signed_in(oid: str, answers: Mapping[str, Answer], unreadable: Why) -> SignedIn:
    """Who is signed in, with whoever owns the app.

    Args:
        oid: Object id of the person or the service principal.
        answers: To `ask` and `ask_more`.
        unreadable: Why an answer tells nothing.
    """
    if "guards app" not in answers:
        return SignedIn(oid, "", Unreadable("the sign-in token does not name the app"))
    name, owners = "the app", set[str]()
    for which in BOTH:
        answer = answers[f"guards {which}"]
        if not answer.ok:
            return SignedIn(oid, name, unreadable(answer))
        # An app of another organization (a multi-tenant client) has no registration here, and maybe no object: no owners.
        for each in parse.objects(answer.body):
            name = parse.text(each, "displayName") or name
            found = _owners(each, answers.get(f"guards all {which} {parse.object_id(each)}"), unreadable)
            if isinstance(found, Unreadable):
                return SignedIn(oid, name, found)
            owners |= found
    return SignedIn(oid, name, frozenset(owners))


def _owners(each: Mapping[str, JSON], whole: Answer | None, unreadable: Why) -> Ids | Unreadable:
    if whole is not None and not whole.ok:
        return unreadable(whole)
    listed = parse.objects(whole.body) if whole is not None else parse.objects(each, "owners")
    return frozenset(parse.object_id(owner).lower() for owner in listed)
