"""The tenant around the leavers, read in one round for all of them: what the guards must know.

The first round goes into the same `$batch` as the leavers' own facts; a second one is needed only where groups hold roles,
and a third only where a Global Administrator is to leave. What could not be read is `Unreadable` and never empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offboard.facts import Unreadable
from offboard.graph import parse
from offboard.graph.answers import Answer
from offboard.graph.credentials import MARKER
from offboard.graph.read import Reader
from offboard.graph.requests import get, quoted
from offboard.graph.send import utc_now_of
from offboard.guards import Held, Limits, RoleGroup, SignedIn, Surroundings
from offboard.guards.surroundings import GLOBAL_ADMINISTRATOR, Ids
from offboard.model import JSON, Permissions
from offboard.permissions.needs import COUNTING, GROUPS, OWN_APP, READ_ROLES

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

AT_ONCE = 15
"""Values that Graph takes in one `in`."""
Requests = dict[str, "RequestInformation"]
Answers = Mapping[str, Answer]


@dataclass
class Lookout:
    """Reads the surroundings.

    Args:
        reader: The tenant's reader; it keeps what was seen last.
        limits: What the tenant's guards need to know.
    """

    reader: Reader
    limits: Limits

    async def look(self) -> Surroundings:
        """The tenant as it is now.

        Raises:
            GraphUnavailable: Graph did not answer.
            NotPermitted: Not signed in.
        """
        before = self.reader.surroundings
        expected = before.role_groups if before is not None and isinstance(before.role_groups, tuple) else ()
        # The groups that held roles a moment ago most likely still do: asking about them right away saves a round.
        answers = await self._ask(self._first() | self._second(expected))
        active, eligible = self._held(answers["guards active"]), self._held(answers["guards eligible"])
        groups = self._groups(answers["guards groups"], active, eligible)
        if isinstance(groups, tuple) and groups:
            missing = [group for group in groups if f"guards members {group.id}" not in answers]
            answers |= await self._ask(self._second(missing)) if missing else {}
            groups = tuple(self._peopled(group, answers) for group in groups)
        seen = Surroundings(
            now=utc_now_of(self.reader.sender),
            caller=self._caller(answers.get("guards app")),
            active=active,
            eligible=eligible,
            role_groups=groups,
            protected={group: self._members(answers[f"guards protected {group}"]) for group in self._protected},
            named=self._named([answer for key, answer in answers.items() if key.startswith("guards named")]),
            enabled_members=self._counted(answers.get("guards count")),
        )
        self.reader.surroundings = seen
        return seen

    async def complete(self, seen: Surroundings, leavers: Collection[str]) -> Surroundings:
        """With what matters only when a Global Administrator leaves: which of them can sign in.

        Raises:
            GraphUnavailable: Graph did not answer.
        """
        holders = seen.holders(GLOBAL_ADMINISTRATOR)
        if isinstance(holders, Unreadable) or not holders & set(leavers):
            return seen
        ids, requests = sorted(holders), Requests()
        for start in range(0, len(ids), AT_ONCE):
            listed = ",".join(quoted(id) for id in ids[start : start + AT_ONCE])
            requests[f"guards enabled {start}"] = get(
                self.reader.graph.users, select=["id", "accountEnabled"], filter=f"id in ({listed})"
            )
        found: dict[str, bool] = {}
        for answer in (await self._ask(requests)).values():
            if not answer.ok:
                return replace(seen, administrators=self._unreadable(answer, COUNTING))
            found |= {parse.need(each, "id"): parse.flag(each, "accountEnabled") is True for each in _values(answer)}
        return replace(seen, administrators=found)

    # -- what is asked -----------------------------------------------------------------------------------------------

    @property
    def _protected(self) -> list[str]:
        return list(dict.fromkeys(self.limits.protected_groups))

    def _first(self) -> Requests:
        graph = self.reader.graph
        directory = graph.role_management.directory
        requests: Requests = {
            "guards active": get(directory.role_assignments),
            "guards eligible": get(directory.role_eligibility_schedule_instances),
            "guards groups": get(
                graph.groups, select=["id", "displayName"], filter="isAssignableToRole eq true", top=999
            ),
        }
        for group in self._protected:
            members = graph.groups.by_group_id(group).transitive_members
            requests[f"guards protected {group}"] = get(members, select=["id"], top=999)
        if self.limits.max_percent < 100:
            enabled = "accountEnabled eq true and userType eq 'Member'"
            requests["guards count"] = get(graph.users, select=["id"], filter=enabled, top=1, advanced=True)
        app = self.reader.sender.connection.token_info().appid
        if app:
            mine = f"appId eq {quoted(app)}"
            requests["guards app"] = get(
                graph.service_principals, select=["id", "displayName"], expand=["owners($select=id)"], filter=mine
            )
        return requests | self._names_asked()

    def _names_asked(self) -> Requests:
        names = [name for name in dict.fromkeys(self.limits.protected_users) if "@" in name]
        found: Requests = {}
        for start in range(0, len(names), AT_ONCE):
            listed = ",".join(quoted(name) for name in names[start : start + AT_ONCE])
            found[f"guards named {start}"] = get(
                self.reader.graph.users, select=["id", "userPrincipalName"], filter=f"userPrincipalName in ({listed})"
            )
        return found

    def _second(self, groups: Iterable[RoleGroup]) -> Requests:
        requests: Requests = {}
        for group in groups:
            builder = self.reader.graph.groups.by_group_id(group.id)
            requests[f"guards members {group.id}"] = get(builder.transitive_members, select=["id"], top=999)
            requests[f"guards owners {group.id}"] = get(builder.owners, select=["id"], top=999)
        return requests

    async def _ask(self, requests: Requests) -> dict[str, Answer]:
        answers = await self.reader.sender.read(requests)
        for key, answer in answers.items():
            if key != "guards count":  # of which the number is wanted, not the people
                answers[key] = await self.reader.sender.rest_of(answer, requests[key])
        return answers

    # -- what is made of it ------------------------------------------------------------------------------------------

    def _unreadable(self, answer: Answer, permissions: Permissions) -> Unreadable:
        what = self.reader.sender.explain(answer, "asking for the guards", permissions).what.rstrip(".")
        return Unreadable(what, " + ".join(permissions.delegated[0]))

    def _held(self, answer: Answer) -> tuple[Held, ...] | Unreadable:
        if not answer.ok:
            # Without the license for it nobody can be eligible for anything.
            return () if "PremiumLicenseRequired" in answer.code else self._unreadable(answer, READ_ROLES)
        return tuple(
            Held(
                parse.need(each, "roleDefinitionId").lower(),
                parse.need(each, "principalId").lower(),
                parse.text(each, "directoryScopeId") or "/",
            )
            for each in _values(answer)
        )

    def _groups(
        self, answer: Answer, active: tuple[Held, ...] | Unreadable, eligible: tuple[Held, ...] | Unreadable
    ) -> tuple[RoleGroup, ...] | Unreadable:
        """The groups that hold a role, nobody in them yet."""
        if not answer.ok:
            return self._unreadable(answer, GROUPS)
        both = (active, eligible)
        holding = {held.principal for side in both if not isinstance(side, Unreadable) for held in side}
        found = [(parse.need(each, "id").lower(), each) for each in _values(answer)]
        return tuple(RoleGroup(id, parse.text(each, "displayName") or id) for id, each in found if id in holding)

    def _peopled(self, group: RoleGroup, answers: Answers) -> RoleGroup:
        members, owners = answers[f"guards members {group.id}"], answers[f"guards owners {group.id}"]
        return replace(group, members=self._members(members), owners=self._members(owners))

    def _members(self, answer: Answer) -> Ids | Unreadable:
        if not answer.ok:
            return self._unreadable(answer, GROUPS)
        return frozenset(parse.need(each, "id").lower() for each in _values(answer))

    def _named(self, answers: Iterable[Answer]) -> Mapping[str, str] | Unreadable:
        found: dict[str, str] = {}
        for answer in answers:
            if not answer.ok:
                return self._unreadable(answer, COUNTING)
            for each in _values(answer):
                found[parse.need(each, "userPrincipalName").casefold()] = parse.need(each, "id").lower()
        return found

    def _counted(self, answer: Answer | None) -> int | Unreadable:
        if answer is None:
            return 0  # nobody asked: the limit is off
        if not answer.ok:
            return self._unreadable(answer, COUNTING)
        many: JSON = answer.body.get("@odata.count") if isinstance(answer.body, dict) else None
        return many if isinstance(many, int) and not isinstance(many, bool) else Unreadable("Graph did not count them")

    def _caller(self, answer: Answer | None) -> SignedIn | Unreadable:
        token = self.reader.sender.connection.token_info()
        if not token.oid:
            nobody = token.name == MARKER and token.kind == "unknown"
            return SignedIn() if nobody else Unreadable("the sign-in token does not say who is signed in")
        if answer is None:
            return SignedIn(token.oid.lower(), "", Unreadable("the sign-in token does not name the app"))
        if not answer.ok:
            return SignedIn(token.oid.lower(), "", self._unreadable(answer, OWN_APP))
        apps = _values(answer)
        if len(apps) != 1:
            # An app of another organization (a multi-tenant client) that has no object here has no owners here either.
            return SignedIn(token.oid.lower(), "the app")
        owners = frozenset(parse.need(each, "id").lower() for each in parse.objects(apps[0], "owners"))
        return SignedIn(token.oid.lower(), parse.text(apps[0], "displayName") or "the app", owners)


def _values(answer: Answer) -> list[Mapping[str, JSON]]:
    return list(parse.objects(answer.body))
