"""The same question about several objects, put once: `GET /users?$filter=id in ('…', '…')`.

Fifteen objects to a list is what Graph takes. Each asker gets the answer that asking alone would have given: the object, or
the objects of one relationship. What a list cannot tell is asked alone after all: an object that is not in it (lists lag
behind, and absent is not gone), a relationship that fills the twenty places that `$expand` has, and everything when the
list as a whole is refused or makes no sense, so that the trouble of one stays the trouble of one.

Source: https://learn.microsoft.com/graph/filter-query-parameter, https://learn.microsoft.com/graph/query-parameters#expand
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from offboard.graph.answers import Answer
from offboard.graph.requests import GUID, get
from offboard.graph.urls import url_of

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

LIST = 15
"""Objects that one `in (…)` may name."""
EXPANDED = 20
"""Objects that `$expand` carries along; beyond them it says nothing, not even that there are more."""
_MARK = "0ffb0ard-ids"


@dataclass(frozen=True)
class Kind:
    """One question.

    Args:
        builder: The collection, as the SDK's builder.
        base: The address that everything stands below.
        key: The property by which an object is named: `id`, or `userPrincipalName`.
        select: Properties of the objects.
        expand: One relationship to be carried along.
        relation: Whether the relationship's objects are the answer, instead of the object.
    """

    builder: Any
    base: str
    key: str = "id"
    select: tuple[str, ...] = ()
    expand: str = ""
    relation: bool = False
    _urls: list[str] = field(default_factory=list, compare=False)

    def about(self, names: Sequence[str]) -> RequestInformation:
        """The request for these objects."""
        from kiota_abstractions.method import Method
        from kiota_abstractions.request_information import RequestInformation

        if not self._urls:
            shape = get(self.builder, select=self.select, expand=[self.expand] if self.expand else [], filter=_MARK)
            shape.path_parameters["baseurl"] = self.base
            self._urls.append(url_of(shape))
        info = RequestInformation(Method.GET)
        listed = ",".join("'" + name.replace("'", "''") + "'" for name in names)
        info.url = self._urls[0].replace(_MARK, quote(f"{self.key} in ({listed})", safe=""))
        return info


@dataclass(frozen=True)
class Listed:
    """One object's share of a question.

    Args:
        kind: The question.
        name: The object's id, or its name where the kind goes by names.
        alone: The same question about this object only.
    """

    kind: Kind
    name: str
    alone: RequestInformation

    @property
    def together(self) -> bool:
        """Whether it may be asked in company."""
        return self.kind.key != "id" or GUID.fullmatch(self.name) is not None


def share_out(answer: Answer, asked: Sequence[Listed]) -> list[Answer | None]:
    """Each asker's share of a list's answer; None for those who must ask alone.

    Args:
        answer: To the list.
        asked: All of one kind, in any order.
    """
    if answer.throttled or answer.ambiguous or answer.status == 401:
        return [answer for _ in asked]
    body = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    found = body.get("value")
    if not isinstance(found, list) or "@odata.nextLink" in body:
        return [None for _ in asked]
    key = asked[0].kind.key
    objects = {str(each.get(key, "")).casefold(): each for each in found if isinstance(each, dict)}
    return [_share(answer, objects.get(each.name.casefold()), each.kind) for each in asked]


def _share(answer: Answer, found: dict[str, Any] | None, kind: Kind) -> Answer | None:
    if found is None:
        return None
    related = found.get(kind.expand) if kind.expand else None
    # What is left out, or goes on elsewhere, was not told: it is better asked alone than taken for nothing.
    untold = related is None or f"{kind.expand}@odata.nextLink" in found
    if kind.expand and (untold or (isinstance(related, list) and len(related) >= EXPANDED)):
        return None
    return _with(answer, {"value": related} if kind.relation else found)


def _with(answer: Answer, body: Any) -> Answer:
    return Answer(
        answer.method, answer.path, answer.status, body, answer.headers, answer.client_request_id, "", answer.date
    )
