"""The tenant around the leavers, read in one round for all of them: what the guards must know.

The first round goes into the same `$batch` as the leavers' own facts; a second one is needed only where groups hold roles,
and a third only where a Global Administrator is to leave. What could not be read is `Unreadable` and never empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from offboard.facts import Unreadable
from offboard.graph import ownapp, parse
from offboard.graph.answers import Answer
from offboard.graph.credentials import MARKER
from offboard.graph.read import Reader
from offboard.graph.requests import get, quoted
from offboard.graph.send import utc_now_of
from offboard.guards import Held, Limits, RoleGroup, SignedIn, Surroundings
from offboard.guards.surroundings import GLOBAL_ADMINISTRATOR, Ids
from offboard.model import JSON, Permissions
from offboard.permissions.needs import COUNTING, GROUPS, JOINING, MAILBOXES, OWN_APP, READ_ROLES

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

AT_ONCE = 15
"""Values that Graph takes in one `in`."""
SHOW_ROLES = frozenset(
    {
        "Directory.AccessAsUser.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
        "RoleManagement.Read.All",
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
    }
)
"""Permissions with any of which a person's memberships show directory roles, too."""
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
        held = groups if isinstance(groups, tuple) else ()
        missing = self._second(group for group in held if f"guards members {group.id}" not in answers)
        missing |= ownapp.ask_more(self.reader.graph, answers)
        answers |= await self._ask(missing) if missing else {}
        if held:
            groups = tuple(self._peopled(group, answers) for group in held)
        token = self.reader.sender.connection.token_info()
        seen = Surroundings(
            now=utc_now_of(self.reader.sender),
            caller=self._caller(answers),
            active=active,
            eligible=eligible,
            role_groups=groups,
            protected={group: self._members(answers[f"guards protected {group}"]) for group in self._protected},
            named=self._named([answer for key, answer in answers.items() if key.startswith("guards named")]),
            enabled_members=self._counted(answers.get("guards count")),
            shows_roles=token.kind == "unknown" or bool(token.granted & SHOW_ROLES),
        )
        self.reader.surroundings = seen
        return seen

    async def complete(self, seen: Surroundings, leavers: Collection[str]) -> Surroundings:
        """With what matters for these leavers only.

        Raises:
            GraphUnavailable: Graph did not answer.
        """
        seen = await self._who_can_sign_in(seen, leavers)
        return replace(seen, mailboxes=await self._mailboxes(leavers)) if self.limits.read_mailboxes else seen

    async def _mailboxes(self, leavers: Collection[str]) -> dict[str, str | Unreadable]:
        users = self.reader.graph.users
        requests = {id: get(users.by_user_id(id).mailbox_settings, select=["userPurpose"]) for id in leavers}
        found: dict[str, str | Unreadable] = {}
        for id, answer in (await self._ask(requests)).items():
            if answer.ok:
                purpose = answer.body.get("userPurpose") if isinstance(answer.body, dict) else None
                found[id] = purpose if isinstance(purpose, str) else Unreadable("Graph did not say what it is for")
            elif answer.status != 404:  # which is said of a mailbox that is not there, or on-premises
                found[id] = self._unreadable(answer, MAILBOXES)
        return found

    async def _who_can_sign_in(self, seen: Surroundings, leavers: Collection[str]) -> Surroundings:
        """When a Global Administrator leaves: which of them can sign in."""
        holders = seen.holders(GLOBAL_ADMINISTRATOR)
        if isinstance(holders, Unreadable) or not holders & set(leavers):
            return seen
        ids, requests = sorted(holders), Requests()
        for start in range(0, len(ids), AT_ONCE):
            listed = ",".join(quoted(id) for id in ids[start : start + AT_ONCE])
            requests[f"guards enabled {start}"] = get(
                self.reader.graph.users, select=["id", "accountEnabled"], filter=f"id in ({listed})"
            )
        found: dict[str, bool | None] = {}
        for answer in (await self._ask(requests)).values():
            if not answer.ok:
                return replace(seen, administrators=self._unreadable(answer, COUNTING))
            found |= {parse.object_id(each): parse.flag(each, "accountEnabled") for each in _values(answer)}
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
            requests |= ownapp.ask(graph, app)
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
            if self.limits.pim_for_groups:
                mine = f"groupId eq {quoted(group.id)}"
                instances = self.reader.graph.identity_governance.privileged_access.group.eligibility_schedule_instances
                requests[f"guards eligible {group.id}"] = get(instances, filter=mine)
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
        return Unreadable(what, " + ".join(permissions.delegated[0]) if answer.status == 403 else "")

    def _held(self, answer: Answer) -> tuple[Held, ...] | Unreadable:
        if not answer.ok:
            # Without the license for it nobody can be eligible for anything.
            return () if _no_license(answer) else self._unreadable(answer, READ_ROLES)
        return tuple(
            Held(
                parse.object_id(each, "roleDefinitionId").lower(),
                parse.object_id(each, "principalId").lower(),
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
        found = [(parse.object_id(each).lower(), each) for each in _values(answer)]
        return tuple(RoleGroup(id, parse.text(each, "displayName") or id) for id, each in found if id in holding)

    def _peopled(self, group: RoleGroup, answers: Answers) -> RoleGroup:
        members, owners = answers[f"guards members {group.id}"], answers[f"guards owners {group.id}"]
        eligible = self._may_join(answers.get(f"guards eligible {group.id}"))
        return replace(group, members=self._members(members), owners=self._members(owners), eligible=eligible)

    def _may_join(self, answer: Answer | None) -> Ids | Unreadable:
        """Who may put themselves into a group, or make themselves its owner; nobody where the tenant says so."""
        if answer is None:
            return frozenset()
        if not answer.ok:
            if _no_license(answer):
                return frozenset()
            why = self._unreadable(answer, JOINING)
            return replace(why, reason=f"{why.reason} (where nobody is eligible for groups, say pim_for_groups = false)")
        return frozenset(parse.object_id(each, "principalId").lower() for each in _values(answer))

    def _members(self, answer: Answer) -> Ids | Unreadable:
        if not answer.ok:
            return self._unreadable(answer, GROUPS)
        return frozenset(parse.object_id(each).lower() for each in _values(answer))

    def _named(self, answers: Iterable[Answer]) -> Mapping[str, str] | Unreadable:
        found: dict[str, str] = {}
        for answer in answers:
            if not answer.ok:
                return self._unreadable(answer, COUNTING)
            for each in _values(answer):
                found[parse.need(each, "userPrincipalName").casefold()] = parse.object_id(each).lower()
        return found

    def _counted(self, answer: Answer | None) -> int | Unreadable:
        if answer is None:
            return 0  # nobody asked: the limit is off
        if not answer.ok:
            return self._unreadable(answer, COUNTING)
        many: JSON = answer.body.get("@odata.count") if isinstance(answer.body, dict) else None
        return many if isinstance(many, int) and not isinstance(many, bool) else Unreadable("Graph did not count them")

    def _caller(self, answers: Answers) -> SignedIn | Unreadable:
        token = self.reader.sender.connection.token_info()
        if not token.oid:
            nobody = token.name == MARKER and token.kind == "unknown"
            return SignedIn() if nobody else Unreadable("the sign-in token does not say who is signed in")
        return ownapp.signed_in(token.oid.lower(), answers, lambda answer: self._unreadable(answer, OWN_APP))


def _no_license(answer: Answer) -> bool:
    """Whether the tenant lacks the license for it, so that nobody can be eligible for anything."""
    return "PremiumLicenseRequired" in answer.code


def _values(answer: Answer) -> list[Mapping[str, JSON]]:
    return list(parse.objects(answer.body))
