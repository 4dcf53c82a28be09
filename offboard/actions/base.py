"""What every action is: a pure decision, a request, and words for people.

An action never sends, retries, logs, prompts or catches. `plan` decides on facts; `requests` words one change as a
request of the SDK; `fold` predicts the facts after the change, so that later steps of the same playbook are planned on
them; `undo` names the way back.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from offboard.facts import Account, Facts, FactType
from offboard.model import JSON, Change, Effect, Permissions, Planned

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

Since = Callable[[str], datetime | None]
"""For a change's key: the instant of our own recorded intent for it, by Graph's clock; None means "never yet"."""


def _keeps_nothing(_password: str, _key: str, _leaver: str) -> None:
    raise TypeError("there is no place here to keep a sealed password")


@dataclass(frozen=True, slots=True)
class Wire:
    """What an action needs to word a request: the SDK's fluent client, and fresh secrets.

    Args:
        graph: Builders only; the action sends nothing.
        new_password: A new random password on each call; whoever takes one forgets it at once.
        keep: Seals a password to a public key and keeps it for the leaver of this id; not forgotten, but for one.
    """

    graph: GraphServiceClient
    new_password: Callable[[], str]
    keep: Callable[[str, str, str], None] = _keeps_nothing

    def directory_object(self, id: str) -> str:
        """The absolute address of an object, as `@odata.id` wants it: of this cloud's Graph, also inside a batch."""
        return f"{str(self.graph.request_adapter.base_url).rstrip('/')}/directoryObjects/{id}"

    def request(
        self, method: Literal["PATCH", "POST", "DELETE", "PUT"], builder: Any, body: JSON | None = None
    ) -> RequestInformation:
        """One request at the place that the SDK's builder names, with exactly this body.

        The SDK's models are not used for bodies: they drop nulls, write snake case for them, and add `@odata.type`.
        """
        from kiota_abstractions.method import Method
        from kiota_abstractions.request_information import RequestInformation

        info = RequestInformation(Method[method], builder.url_template, dict(builder.path_parameters))
        info.headers.try_add("Accept", "application/json")
        if body is not None:
            info.set_stream_content(json.dumps(body).encode(), "application/json")
        return info


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a change is undone: as a change in the other direction, or why it cannot be."""

    change: Change | None
    why: str = ""


class Action(ABC):
    """Base of all actions.

    Class attributes:
        name: As in YAML, on the command line and in the audit.
        version: Raised when the same parameters would plan something else; recorded in plans.
        effect: The worst that may be lost.
        reads: The facts it may look at; nothing else is handed in.
        calls: Every call it may make, as `METHOD /path/{id}`; checked against the wire by the tests.
        undo_calls: The calls of its way back, where they differ.
        permissions: For its own calls (reading has its own, on the fact classes).
        parameters: JSON Schema of each parameter allowed under `with`.
        required: Names of parameters that must be given.
        needs_user: Whether it makes sense only while the user is not deleted.
        outlives: Whether what it changes is still there when the user is deleted.
        gives: Whether it gives the user something, so that it has come to nothing once the user is deleted.
        once: Whether doing it twice is more than doing it once. It then leaves by itself, never in a batch, and whatever may
            have been executed is given the time to show before it is sent again.
        needs_license: Whether it works on something that goes with the leaver's licenses, as a mailbox does.
        example: A step as an author would write it; loaded, planned and run by the tests.
        takes_effect: When it bites, for people.
        contains: Whether it cuts access; of many leavers, everybody's access is cut before anything else is done.
        verified_by: How it is known that it worked, for people.
        undo_text: The way back, for people.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    effect: ClassVar[Effect] = Effect.REVERSIBLE
    reads: ClassVar[tuple[FactType, ...]] = (Account,)
    calls: ClassVar[tuple[str, ...]] = ()
    undo_calls: ClassVar[tuple[str, ...]] = ()
    permissions: ClassVar[Permissions]
    parameters: ClassVar[Mapping[str, JSON]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str]
    needs_user: ClassVar[bool] = True
    outlives: ClassVar[bool] = False
    gives: ClassVar[bool] = False
    once: ClassVar[bool] = False
    needs_license: ClassVar[bool] = False
    takes_effect: ClassVar[str] = ""
    contains: ClassVar[bool] = False
    verified_by: ClassVar[str] = ""
    undo_text: ClassVar[str] = ""

    @abstractmethod
    def plan(self, facts: Facts, parameters: Mapping[str, JSON], since: Since) -> Iterator[Planned]:
        """What would have to change, and what is left alone and why. Pure: same in, same out.

        Args:
            facts: The leaver, holding what `reads` declares.
            parameters: The step's parameters, checked against the schema.
            since: Our own recorded intents, for acts whose only evidence is a time stamp.
        """

    def requests(self, change: Change, wire: Wire) -> RequestInformation:
        """The request that brings the change about. Sends nothing.

        Raises:
            TypeError: The action is read-only and cannot have planned a change.
        """
        raise TypeError(f"{self.name} is read-only and has no request for {change.key}")

    def waits_for_others(self, status: int) -> bool:
        """Whether a refusal may pass when the step's other changes are done; it is then sent once more, after them.

        Args:
            status: What Graph answered.
        """
        return False

    def fold(self, facts: Facts, change: Change) -> Facts:
        """The facts as they will be after the change."""
        return facts

    def seen(self, facts: Facts, change: Change) -> JSON:
        """What was read back, where that says more than `after` does, such as the tenant's own time stamp.

        Args:
            facts: As re-read, when the change was found to hold.
            change: As carried out.
        """
        return None

    def undo(self, change: Change) -> WayBack:
        """The way back."""
        return WayBack(None, self.undo_text or "There is nothing to bring back.")
