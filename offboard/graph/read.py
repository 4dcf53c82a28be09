"""Readers: Graph → facts, in as few requests as possible.

Everything that can be asked at the same time is asked in one `$batch`. Lists are followed to their end. "Forbidden"
becomes `Unreadable`, never an empty list; a user who is not there is looked for in the deleted items before anybody says
so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from offboard.errors import NotPermitted, OffboardError
from offboard.facts import (
    Account,
    DeletedUsers,
    Devices,
    Fact,
    Facts,
    FactType,
    Licenses,
    ManagedDevices,
    Memberships,
    SignInMethods,
    Unreadable,
)
from offboard.graph import managed, methods, parse
from offboard.graph.answers import Answer
from offboard.graph.lists import EXPANDED
from offboard.graph.parse import Senseless
from offboard.graph.questions import Questions, alone
from offboard.graph.requests import DELETED, GUID, PERSON, USER, get, quoted
from offboard.graph.send import Sender, utc_now_of
from offboard.graph.told import account_of, carried, earliest, is_whole, listed, maybe, nobody, object_of, tried, was
from offboard.guards import Surroundings
from offboard.model import JSON, Permissions, Ref, Tenant
from offboard.permissions import TENANT, Caller

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    from offboard.graph.questions import Asked

Pins = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""Device ids of a reviewed plan: owned, registered, all."""
NO_PINS: Pins = (frozenset(), frozenset(), frozenset())
ONE_BY_ONE = 4
"""Names up to which everything is asked with the name at once; of more, lists are cheaper."""
KEPT = ("id", "licenseAssignmentStates")
"""What is kept of a user until the facts are put together."""
RELATION = {"device": "registeredOwners", "users": "registeredUsers"}
"""What is carried along in the answers of these keys."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No such user.

    Args:
        asked: What the user typed.
        candidates: People who might have been meant.
    """

    asked: str
    candidates: tuple[Account, ...] = ()


@dataclass
class Reader:
    """Reads facts of one tenant; product names are read once."""

    sender: Sender
    names: dict[str, str] | None = None
    home: Tenant | None = None
    ask: Questions = field(init=False)
    surroundings: Surroundings | None = None
    """What was seen last of the tenant around the leavers."""
    caller: tuple[datetime, Caller] | None = None
    """Who was found to be signed in, and when."""
    _bodies: dict[str, Mapping[str, JSON]] = field(default_factory=dict)
    _early: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ask = Questions(self.sender.connection.graph, str(self.sender.connection.adapter.base_url))

    @property
    def graph(self) -> Any:
        """The SDK's fluent client."""
        return self.sender.connection.graph

    async def tenant(self, alias: str) -> Tenant:
        """The tenant as it names itself; asked once.

        Raises:
            NotPermitted: Not signed in, or not permitted to read it.
        """
        if self.home is None:
            self._meet((await self.sender.read({"": self._organization()}))[""])
        assert self.home is not None
        return replace(self.home, alias=alias)

    def _organization(self) -> RequestInformation:
        return get(self.graph.organization, select=["id", "displayName", "verifiedDomains"])

    def _meet(self, answer: Answer) -> None:
        self._signed_in(answer)
        if not answer.ok:
            raise _trouble(answer, "read the organization", TENANT, self.sender)
        found = parse.objects(answer.body)
        if len(found) != 1:
            raise parse.senseless("there is not exactly one organization")
        domains = parse.objects(found[0], "verifiedDomains")
        name = next((str(d.get("name")) for d in domains if d.get("isDefault")), parse.need(found[0], "displayName"))
        self.home = Tenant(parse.need(found[0], "id"), name)

    async def resolve(self, asked: Sequence[str]) -> list[Account | Missing]:
        """The users meant, by exact object id or user principal name.

        Raises:
            GraphUnavailable: Graph did not answer, or an answer makes no sense; all such are named at once.
        """
        found = await self.look_up(asked)
        known = [each for each in found if not isinstance(each, Senseless)]
        if len(known) < len(found):
            raise parse.all_of([each for each in found if isinstance(each, Senseless)])
        return known

    async def look_up(self, asked: Sequence[str], kinds: Iterable[FactType] = ()) -> list[Account | Missing | Senseless]:
        """The users meant, by exact object id or user principal name; never by a name that merely resembles.

        What makes no sense about one of them is said in this one's place.

        A user who is only in the deleted items is found there, under the id or the old user principal name. The tenant is
        asked for its name in the same request, so that nobody is looked for in the wrong one.

        Args:
            asked: As typed.
            kinds: Facts that will be wanted of those who are found; what can be asked at the same time is.
        """
        names, wanted = list(dict.fromkeys(asked)), frozenset(kinds)
        requests: dict[str, Asked] = {}
        for name in names:
            requests |= self._first(name, wanted, many=len(names) > ONE_BY_ONE)
        requests |= self._common(wanted)
        if self.home is None:
            requests["organization"] = self._organization()
        answers = await self._complete(requests, 0, partly=True)
        if "organization" in answers:
            self._meet(answers["organization"])
        self._early |= {key: answer for key, answer in answers.items() if key in ("skus", "bin")}
        found: dict[str, Account | Missing | Senseless] = {}
        for name in names:
            try:
                found[name] = await self._resolved(name, answers)
            except Senseless as error:
                found[name] = error
        return [found[name] for name in asked]

    def _first(self, name: str, kinds: frozenset[FactType], *, many: bool) -> dict[str, Asked]:
        """What is asked with a name: of a few, all that can be asked with it; of many, who they are, in lists."""
        if not _plain(name):
            by_filter = get(self.graph.users, select=USER, filter=f"userPrincipalName eq {quoted(name)}")
            return {f"{name} user": by_filter}
        if many:
            return {f"{name} user": self.ask.user(name) if GUID.fullmatch(name) else self.ask.named(name)}
        asked = {f"{name} user": self.ask.user(name), **self._relations(name, kinds)}
        return {key: alone(each) for key, each in asked.items()}

    async def _resolved(self, name: str, answers: Mapping[str, Answer]) -> Account | Missing:
        answer = answers[f"{name} user"]
        if answer.status in (404, 400) or nobody(answer):
            return await self._elsewhere(name)
        if not answer.ok:
            raise _trouble(answer, f"read the user {name}", Account.permissions, self.sender)
        account = account_of(answer, name)
        # Of ten thousand, only what facts are still to be made of is kept.
        self._bodies[account.id] = {key: object_of(answer).get(key) for key in KEPT}
        for relation in ("memberOf", "methods", "managed", "owned", "registered"):
            if f"{name} {relation}" in answers:
                self._early[f"{account.id} {relation}"] = answers[f"{name} {relation}"]
        return account

    async def _elsewhere(self, name: str) -> Account | Missing:
        """In the deleted items by id or old name; else people who might have been meant."""
        if GUID.fullmatch(name):
            answer = (await self.sender.read({"": self._bin(name)}))[""]
            return account_of(answer, name) if answer.ok else Missing(name)
        bin_query = get(
            self.graph.directory.deleted_items.graph_user,
            select=DELETED,
            filter=f"endsWith(userPrincipalName,{quoted(name)})",
            advanced=True,
        )
        like = get(
            self.graph.users,
            select=PERSON,
            filter=f"mail eq {quoted(name)} or displayName eq {quoted(name)}",
            top=20,
        )
        answers = await self.sender.read({"bin": bin_query, "like": like} if "@" in name else {"like": like})
        deleted = parse.objects(answers["bin"].body) if "bin" in answers and answers["bin"].ok else []
        gone = [parse.account(body) for body in deleted if was(body, name)]
        if len(gone) == 1:
            return gone[0]
        similar = parse.objects(answers["like"].body) if answers["like"].ok else []
        return Missing(name, tuple(parse.account(body) for body in similar))

    def _bin(self, id: str) -> RequestInformation:
        return get(self.graph.directory.deleted_items.by_directory_object_id(id), select=DELETED)

    async def deleted_users(self) -> DeletedUsers | Unreadable:
        """All users in the deleted items."""
        request = get(self.graph.directory.deleted_items.graph_user, select=DELETED, top=999)
        answer = await self.sender.pages(request)
        self._signed_in(answer)
        return tried(lambda: self._deleted(answer))

    def _deleted(self, answer: Answer) -> DeletedUsers | Unreadable:
        if not answer.ok:
            return _unreadable(answer, DeletedUsers.permissions, self.sender)
        users = tuple(parse.deleted_user(body) for body in parse.objects(answer.body))
        return DeletedUsers(users, answer.date or utc_now_of(self.sender))

    async def facts(
        self, accounts: Sequence[Account], kinds: Iterable[FactType], pins: Mapping[str, Pins] | None = None
    ) -> list[Facts]:
        """Facts of freshly resolved accounts.

        Args:
            accounts: As resolved just now.
            kinds: The facts that the steps may look at.
            pins: Per leaver id: devices a reviewed plan found.
        """
        wanted, pinned = frozenset(kinds), pins or {}
        requests = self._common(wanted)
        for account in accounts:
            requests |= self._relations(account.id, wanted) | self._pinned(wanted, pinned.get(account.id, NO_PINS))
        if len(accounts) <= ONE_BY_ONE:
            requests = {key: alone(each) for key, each in requests.items()}
        # What was asked together with the names of the leavers is used once; whoever reads again reads afresh.
        early, self._early = self._early, {}
        answers = {key: answer for key, answer in early.items() if key in requests}
        answers |= await self._complete({k: r for k, r in requests.items() if k not in answers}, 0, partly=True)
        await self._complete_devices([a.id for a in accounts], answers, 0, partly=True)
        return [self._assemble(a.id, wanted, pinned.get(a.id, NO_PINS), answers, a) for a in accounts]

    async def again(
        self,
        ids: Sequence[str],
        kinds: Iterable[FactType],
        pins: Mapping[str, Pins],
        *,
        priority: int = 0,
        direct: bool = True,
        deleted: bool = False,
    ) -> list[Facts]:
        """All facts of these leavers, read afresh by object id, the account included.

        Args:
            ids: Object ids.
            kinds: The facts that the steps may look at.
            pins: Per leaver id: devices a reviewed plan found.
            priority: Less is more urgent, among the calls of many leavers.
            direct: Whether to ask for each object alone. Lists may lag behind; they are for the first look at many.
            deleted: Whether the leavers have just been deleted: what is theirs is asked only of those who are still there.
        """
        wanted, requests = frozenset(kinds), self._common(frozenset(kinds))
        for id in ids:
            requests[f"{id} user"] = alone(self.ask.user(id)) if deleted else self.ask.user(id)
            if direct or deleted:
                requests[f"{id} bin"] = self._bin(id)
            requests |= {} if deleted else self._relations(id, wanted)
            requests |= self._pinned(wanted, pins.get(id, NO_PINS))
        if direct:
            requests = {key: alone(each) for key, each in requests.items()}
        answers = await self._complete(requests, priority)
        if deleted:
            there = [id for id in ids if answers[f"{id} user"].status != 404]
            answers |= await self._complete(
                {k: r for id in there for k, r in self._relations(id, wanted).items()}, priority
            )
        away = [id for id in ids if answers[f"{id} user"].status == 404 and f"{id} bin" not in answers]
        answers |= await self._complete({f"{id} bin": self._bin(id) for id in away}, priority)
        await self._complete_devices(ids, answers, priority)
        return [self._assemble(id, wanted, pins.get(id, NO_PINS), answers, None) for id in ids]

    def _common(self, kinds: frozenset[FactType]) -> dict[str, Asked]:
        """What is the same for all leavers: names of products, the deleted users."""
        requests: dict[str, Asked] = {}
        if Licenses in kinds and self.names is None:
            requests["skus"] = get(self.graph.subscribed_skus, select=["skuId", "skuPartNumber"])
        if DeletedUsers in kinds:
            requests["bin"] = get(self.graph.directory.deleted_items.graph_user, select=DELETED, top=999)
        return requests

    async def _complete(self, requests: Mapping[str, Asked], priority: int, *, partly: bool = False) -> dict[str, Answer]:
        answers = await self.sender.read(requests, priority=priority, partly=partly) if requests else {}
        for key, answer in answers.items():
            self._signed_in(answer)
            answers[key] = await self.sender.rest_of(answer, requests[key])
        if "skus" in answers:
            self._learn_names(answers["skus"])
        return answers

    def _relations(self, id: str, kinds: frozenset[FactType]) -> dict[str, Asked]:
        found: dict[str, Asked] = {}
        if Memberships in kinds or Licenses in kinds:
            found[f"{id} memberOf"] = self.ask.groups(id)
        if SignInMethods in kinds:
            found[f"{id} methods"] = methods.ask(self.graph.users.by_user_id(id))
        if ManagedDevices in kinds:
            found[f"{id} managed"] = managed.ask(self.graph.users.by_user_id(id))
        if Devices in kinds:
            found[f"{id} owned"] = self.ask.owned(id)
            found[f"{id} registered"] = self.ask.registered(id)
        return found

    def _pinned(self, kinds: frozenset[FactType], pins: Pins) -> dict[str, Asked]:
        return self._about(sorted(pins[2])) if Devices in kinds else {}

    def _about(self, devices: Iterable[str]) -> dict[str, Asked]:
        found: dict[str, Asked] = {}
        for device in devices:
            found[f"device {device}"] = self.ask.device(device)
            found[f"users {device}"] = self.ask.holders(device)
        return found

    async def _complete_devices(
        self, ids: Sequence[str], answers: dict[str, Answer], priority: int, *, partly: bool = False
    ) -> None:
        """The devices that no plan has told us about, and everybody of those that belong to very many."""
        unknown: dict[str, Asked] = {}
        for id in ids:
            with suppress(Senseless):  # told when the facts are put together
                unknown |= self._about(device for device in listed(answers, id) if f"device {device}" not in answers)
            with suppress(Senseless):
                unknown |= managed.ask_users(self.graph, answers.get(f"{id} managed"))
        answers |= await self._complete(unknown, priority, partly=partly)
        crowded: dict[str, Asked] = {}
        for key, answer in answers.items():
            kind, _, device = key.partition(" ")
            with suppress(Senseless):
                if (relation := RELATION.get(kind)) and not is_whole(answer, relation, EXPANDED):
                    crowded[f"all {key}"] = self.ask.everybody(device, relation)
        answers |= await self._complete(crowded, priority, partly=partly)

    def _assemble(
        self, id: str, kinds: frozenset[FactType], pins: Pins, answers: Mapping[str, Answer], known: Account | None
    ) -> Facts:
        account = known or self._account(id, answers)
        body = self._bodies.get(id, {}) if known else maybe(answers.get(f"{id} user"))
        others: dict[type, Fact | Unreadable] = {}
        gone = account.gone or account.deleted is not None
        if Memberships in kinds or Licenses in kinds:
            others[Memberships] = tried(lambda: Memberships() if gone else self._memberships(answers[f"{id} memberOf"]))
        if Licenses in kinds:
            others[Licenses] = tried(lambda: Licenses() if gone else self._licenses(body, others[Memberships]))
        if SignInMethods in kinds:
            got = None if gone else answers[f"{id} methods"]
            others[SignInMethods] = tried(lambda: self._methods(got) if got else SignInMethods())
        if ManagedDevices in kinds:
            others[ManagedDevices] = tried(lambda: ManagedDevices() if gone else self._managed(id, answers))
        if Devices in kinds:
            others[Devices] = tried(lambda: self._devices(id, pins, answers, gone=gone))
        if DeletedUsers in kinds:
            others[DeletedUsers] = tried(lambda: self._deleted(answers["bin"]))
        app_only = self.sender.connection.token_info().kind == "application"
        return Facts(account, earliest(answers, id) or utc_now_of(self.sender), others, app_only)

    def _account(self, id: str, answers: Mapping[str, Answer]) -> Account:
        for key in (f"{id} user", f"{id} bin"):
            answer = answers[key]
            if answer.ok:
                return account_of(answer, id)
            if answer.status != 404:
                raise _trouble(answer, f"read the user {id}", Account.permissions, self.sender)
        return Account(id, id, id, gone=True)

    def _memberships(self, answer: Answer) -> Memberships | Unreadable:
        if not answer.ok:
            return _unreadable(answer, Memberships.permissions, self.sender)
        return Memberships(tuple(parse.group(body) for body in parse.objects(answer.body)))

    def _methods(self, answer: Answer) -> SignInMethods | Unreadable:
        if not answer.ok:
            return _unreadable(answer, SignInMethods.permissions, self.sender)
        return methods.methods(answer.body)

    def _managed(self, id: str, answers: Mapping[str, Answer]) -> ManagedDevices | Unreadable:
        def unreadable(answer: Answer) -> Unreadable:
            return _unreadable(answer, ManagedDevices.permissions, self.sender)

        return managed.devices(answers[f"{id} managed"], answers, unreadable)

    def _licenses(self, user: Mapping[str, JSON], groups: Fact | Unreadable) -> Licenses:
        names = {g.id: g.name for g in groups.items} if isinstance(groups, Memberships) else {}
        return Licenses(parse.licenses(user, self.names or {}, names))

    async def learn_names(self) -> None:
        """The names of products, asked once before many leavers are read who would all ask."""
        if self.names is None:
            await self._complete(self._common(frozenset({Licenses})), 0)

    def _learn_names(self, answer: Answer) -> None:
        if answer.status == 403:
            self.names = {}  # it will not be told the next leaver either
        if answer.ok:
            with suppress(Senseless):  # names are for people: the ids stand in for them
                skus = parse.objects(answer.body)
                self.names = {parse.need(s, "skuId").lower(): parse.need(s, "skuPartNumber") for s in skus}

    def _devices(self, id: str, pins: Pins, answers: Mapping[str, Answer], *, gone: bool) -> Devices | Unreadable:
        for relation in ("owned", "registered"):
            answer = answers.get(f"{id} {relation}") if gone else answers[f"{id} {relation}"]
            if answer is not None and not answer.ok and not (gone and answer.status == 404):
                return _unreadable(answer, Devices.permissions, self.sender)
        bodies = listed(answers, id)
        items = []
        for device in {**bodies, **dict.fromkeys(sorted(pins[2]))}:
            answer = answers[f"device {device}"]
            if answer.status == 404:
                continue
            if not answer.ok and device not in bodies:
                return _unreadable(answer, Devices.permissions, self.sender)
            body = object_of(answer) if answer.ok else bodies[device]
            if parse.object_id(body) != device:
                raise parse.senseless(f"asked for the device {device}, it tells of another")
            owners, users = (self._people(device, key, answers) for key in RELATION)
            items.append(parse.device(body, owners, users))
        return Devices(tuple(sorted(items, key=lambda d: (d.name.casefold(), d.id))), pins[0], pins[1])

    def _people(self, device: str, key: str, answers: Mapping[str, Answer]) -> tuple[Ref, ...] | Unreadable:
        """A device's owners (`device`) or users (`users`)."""
        whole, answer = answers.get(f"all {key} {device}"), answers[f"{key} {device}"]
        for each in (answer, whole):
            if each is not None and not each.ok:
                return _unreadable(each, Devices.permissions, self.sender)
        if whole is not None:
            return tuple(parse.ref(body) for body in parse.objects(whole.body))
        if key == "users" and parse.object_id(object_of(answer)) != device:
            raise parse.senseless(f"asked for the users of the device {device}, it tells of another's")
        return tuple(parse.ref(body) for body in carried(answer, RELATION[key]))

    def _signed_in(self, answer: Answer) -> None:
        if answer.status == 401:
            raise _trouble(answer, "sign in", None, self.sender)


def _plain(name: str) -> bool:
    """Whether Graph takes the name as a segment of a path; others are asked for by filter."""
    return "/" not in name and not name.startswith("$")


def _unreadable(answer: Answer, permissions: Permissions, sender: Sender) -> Unreadable:
    if answer.lost:
        return Unreadable(answer.lost)
    least = permissions.delegated[0] if permissions.delegated and answer.status == 403 else ()
    return Unreadable(sender.explain(answer, "reading", permissions).what.rstrip("."), " + ".join(least))


def _trouble(answer: Answer, step: str, permissions: Permissions | None, sender: Sender) -> OffboardError:
    """What a refused read means: not permitted concerns everybody, anything else only what was asked for."""
    if answer.lost:
        return parse.senseless(f"{step}: {answer.lost}")
    trouble = sender.explain(answer, step, permissions)
    kind = NotPermitted if answer.status in (401, 403) else Senseless
    return kind(trouble.what, why=trouble.why, todo=trouble.todo)
