"""Readers: Graph → facts, in as few requests as possible.

Everything that can be asked at the same time is asked in one `$batch`. Lists are followed to their end. "Forbidden"
becomes `Unreadable`, never an empty list; a user who is not there is looked for in the deleted items before anybody says
so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from offboard.errors import NotPermitted, OffboardError
from offboard.facts import (
    Account,
    DeletedUsers,
    Device,
    Devices,
    Fact,
    Facts,
    FactType,
    Licenses,
    Memberships,
    SignInMethods,
    Unreadable,
)
from offboard.graph import methods, parse
from offboard.graph.answers import Answer
from offboard.graph.parse import Senseless
from offboard.graph.requests import DELETED, DEVICE, GROUP, GUID, PERSON, USER, get, quoted
from offboard.graph.send import Sender, utc_now_of
from offboard.graph.told import account_of, earliest, listed, maybe, nobody, object_of, tried, was
from offboard.model import JSON, Permissions, Ref, Tenant
from offboard.permissions import TENANT

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

Pins = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""Device ids of a reviewed plan: owned, registered, all."""
NO_PINS: Pins = (frozenset(), frozenset(), frozenset())


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
    _bodies: dict[str, Mapping[str, JSON]] = field(default_factory=dict)
    _early: dict[str, Answer] = field(default_factory=dict)

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

    async def resolve(self, asked: Sequence[str], kinds: Iterable[FactType] = ()) -> list[Account | Missing]:
        """The users meant, by exact object id or user principal name; never by a name that merely resembles.

        A user who is only in the deleted items is found there, under the id or the old user principal name. The tenant is
        asked for its name in the same request, so that nobody is looked for in the wrong one.

        Args:
            asked: As typed.
            kinds: Facts that will be wanted of those who are found; what can be asked at the same time is.
        """
        names, wanted = list(dict.fromkeys(asked)), frozenset(kinds)
        requests = {f"{name} user": self._user(name) for name in names}
        for name in names:
            requests |= self._requests(name, wanted, NO_PINS, with_account=False) if _plain(name) else {}
        requests |= self._common(wanted)
        if self.home is None:
            requests["organization"] = self._organization()
        answers = await self._complete(requests, 0)
        if "organization" in answers:
            self._meet(answers["organization"])
        self._early |= {key: answer for key, answer in answers.items() if key in ("skus", "bin")}
        found: dict[str, Account | Missing] = {}
        problems: list[Senseless] = []
        for name in names:
            try:
                found[name] = await self._resolved(name, answers)
            except Senseless as error:
                problems.append(error)
        if problems:
            raise Senseless("\n".join(error.what for error in problems), todo=problems[0].todo)
        return [found[name] for name in asked]

    async def _resolved(self, name: str, answers: Mapping[str, Answer]) -> Account | Missing:
        answer = answers[f"{name} user"]
        if answer.status in (404, 400) or nobody(answer):
            return await self._elsewhere(name)
        if not answer.ok:
            raise _trouble(answer, f"read the user {name}", Account.permissions, self.sender)
        account = account_of(answer, name)
        self._bodies[account.id] = object_of(answer)
        for relation in ("memberOf", "methods", "owned", "registered"):
            if f"{name} {relation}" in answers:
                self._early[f"{account.id} {relation}"] = answers[f"{name} {relation}"]
        return account

    def _user(self, name: str) -> RequestInformation:
        if not _plain(name):
            return get(self.graph.users, select=USER, filter=f"userPrincipalName eq {quoted(name)}")
        return get(self.graph.users.by_user_id(name), select=USER, expand=["manager"])

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
        return await self._gather([a.id for a in accounts], frozenset(kinds), pins or {}, list(accounts))

    async def again(
        self, ids: Sequence[str], kinds: Iterable[FactType], pins: Mapping[str, Pins], *, priority: int = 0
    ) -> list[Facts]:
        """All facts of these leavers, read afresh by object id, the account included.

        Args:
            ids: Object ids.
            kinds: The facts that the steps may look at.
            pins: Per leaver id: devices a reviewed plan found.
            priority: Less is more urgent, among the calls of many leavers.
        """
        return await self._gather(list(ids), frozenset(kinds), pins, None, priority)

    async def _gather(
        self,
        ids: list[str],
        kinds: frozenset[FactType],
        pins: Mapping[str, Pins],
        accounts: list[Account] | None,
        priority: int = 0,
    ) -> list[Facts]:
        requests: dict[str, RequestInformation] = {}
        for id in ids:
            requests |= self._requests(id, kinds, pins.get(id, NO_PINS), with_account=accounts is None)
        requests |= self._common(kinds)
        # What was asked together with the names of the leavers is used once; whoever reads again reads afresh.
        early, self._early = (self._early, {}) if accounts is not None else ({}, self._early)
        answers = {key: answer for key, answer in early.items() if key in requests}
        answers |= await self._complete({k: r for k, r in requests.items() if k not in answers}, priority)
        await self._relations(ids, answers, priority)
        self._learn_names(answers.get("skus"))
        known = {account.id: account for account in accounts or ()}
        return [self._assemble(id, kinds, pins.get(id, NO_PINS), answers, known.get(id)) for id in ids]

    def _common(self, kinds: frozenset[FactType]) -> dict[str, RequestInformation]:
        """What is the same for all leavers: names of products, the deleted users."""
        requests = {}
        if Licenses in kinds and self.names is None:
            requests["skus"] = get(self.graph.subscribed_skus, select=["skuId", "skuPartNumber"])
        if DeletedUsers in kinds:
            requests["bin"] = get(self.graph.directory.deleted_items.graph_user, select=DELETED, top=999)
        return requests

    async def _complete(self, requests: Mapping[str, RequestInformation], priority: int) -> dict[str, Answer]:
        answers = await self.sender.read(requests, priority=priority) if requests else {}
        for key, answer in answers.items():
            self._signed_in(answer)
            answers[key] = await self.sender.rest_of(answer, requests[key])
        return answers

    def _requests(
        self, id: str, kinds: frozenset[FactType], pins: Pins, *, with_account: bool
    ) -> dict[str, RequestInformation]:
        user, found = self.graph.users.by_user_id(id), {}
        if with_account:
            found[f"{id} user"] = get(user, select=USER, expand=["manager"])
            found[f"{id} bin"] = self._bin(id)
        if Memberships in kinds or Licenses in kinds:
            found[f"{id} memberOf"] = get(user.member_of, select=GROUP, top=999)
        if SignInMethods in kinds:
            found[f"{id} methods"] = methods.ask(user)
        if Devices in kinds:
            found[f"{id} owned"] = get(user.owned_devices, select=DEVICE, top=999)
            found[f"{id} registered"] = get(user.registered_devices, select=DEVICE, top=999)
            for device in sorted(pins[2]):
                found[f"device {device}"] = get(self.graph.devices.by_device_id(device), select=DEVICE)
                found |= self._people(device)
        return found

    def _people(self, device: str) -> dict[str, RequestInformation]:
        builder = self.graph.devices.by_device_id(device)
        return {
            f"owners {device}": get(builder.registered_owners, select=PERSON),
            f"users {device}": get(builder.registered_users, select=PERSON),
        }

    async def _relations(self, ids: Sequence[str], answers: dict[str, Answer], priority: int) -> None:
        """Who else the devices belong to, for those that no plan has told us about."""
        requests: dict[str, RequestInformation] = {}
        for id in ids:
            with suppress(Senseless):  # told when the facts are put together
                for device in listed(answers, id):
                    requests |= self._people(device) if f"owners {device}" not in answers else {}
        answers |= await self._complete(requests, priority)

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
        if Devices in kinds:
            others[Devices] = tried(lambda: self._devices(id, pins, answers, gone=gone))
        if DeletedUsers in kinds:
            others[DeletedUsers] = tried(lambda: self._deleted(answers["bin"]))
        app_only = self.sender.connection.token_info().kind == "application"
        return Facts(account, earliest(answers) or utc_now_of(self.sender), others, app_only)

    def _account(self, id: str, answers: Mapping[str, Answer]) -> Account:
        for answer in (answers[f"{id} user"], answers[f"{id} bin"]):
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

    def _licenses(self, user: Mapping[str, JSON], groups: Fact | Unreadable) -> Licenses:
        names = {g.id: g.name for g in groups.items} if isinstance(groups, Memberships) else {}
        return Licenses(parse.licenses(user, self.names or {}, names))

    def _learn_names(self, answer: Answer | None) -> None:
        if answer is not None and answer.ok:
            with suppress(Senseless):  # names are for people: the ids stand in for them
                skus = parse.objects(answer.body)
                self.names = {parse.need(s, "skuId").lower(): parse.need(s, "skuPartNumber") for s in skus}

    def _devices(self, id: str, pins: Pins, answers: Mapping[str, Answer], *, gone: bool) -> Devices | Unreadable:
        owned, registered = answers[f"{id} owned"], answers[f"{id} registered"]
        for answer in (owned, registered):
            if not answer.ok and not (gone and answer.status == 404):
                return _unreadable(answer, Devices.permissions, self.sender)
        bodies = listed(answers, id)
        for device in sorted(pins[2] - set(bodies)):
            answer = answers[f"device {device}"]
            if answer.ok:
                bodies[device] = object_of(answer)
                if parse.object_id(bodies[device]) != device:
                    raise parse.senseless(f"asked for the device {device}, it tells of another")
            elif answer.status != 404:
                return _unreadable(answer, Devices.permissions, self.sender)
        items = [self._device(body, answers) for body in bodies.values()]
        return Devices(tuple(sorted(items, key=lambda d: (d.name.casefold(), d.id))), pins[0], pins[1])

    def _device(self, body: Mapping[str, JSON], answers: Mapping[str, Answer]) -> Device:
        id = parse.object_id(body)
        return parse.device(body, self._refs(answers[f"owners {id}"]), self._refs(answers[f"users {id}"]))

    def _refs(self, answer: Answer) -> tuple[Ref, ...] | Unreadable:
        if not answer.ok:
            return _unreadable(answer, Devices.permissions, self.sender)
        return tuple(parse.ref(body) for body in parse.objects(answer.body))

    def _signed_in(self, answer: Answer) -> None:
        if answer.status == 401:
            raise _trouble(answer, "sign in", None, self.sender)


def _plain(name: str) -> bool:
    """Whether Graph takes the name as a segment of a path; others are asked for by filter."""
    return "/" not in name and not name.startswith("$")


def _unreadable(answer: Answer, permissions: Permissions, sender: Sender) -> Unreadable:
    if answer.lost:
        return Unreadable(answer.lost)
    least = permissions.delegated[0] if permissions.delegated else ()
    return Unreadable(sender.explain(answer, "reading", permissions).what.rstrip("."), " + ".join(least))


def _trouble(answer: Answer, step: str, permissions: Permissions | None, sender: Sender) -> OffboardError:
    """What a refused read means: not permitted concerns everybody, anything else only what was asked for."""
    trouble = sender.explain(answer, step, permissions)
    kind = NotPermitted if answer.status in (401, 403) else Senseless
    return kind(trouble.what, why=trouble.why, todo=trouble.todo)
