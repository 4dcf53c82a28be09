"""Requests → answers: the one place where anything goes over the wire.

Requests come as the SDK's `RequestInformation`; several are coalesced into our own JSON `$batch` of up to 20 items with
relative URLs. They leave through our own httpx client, not through the SDK's pipeline: its retry handler re-sends writes,
ignores a fractional `Retry-After` and gives up above 180 seconds.

Reads are repeated with patience. **A write leaves once.** Whoever sent it re-reads what it did before sending again
(`runs/executor.py`). After a throttled answer nothing leaves to Graph before its time.
"""

from __future__ import annotations

import base64
import json
import random
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from offboard.clock import Clock
from offboard.errors import GraphUnavailable, OffboardError
from offboard.graph.answers import Answer, http_date
from offboard.graph.bodies import UnusableBody, content_of
from offboard.graph.lists import Listed
from offboard.graph.pace import Bucket, Purse
from offboard.graph.pool import BATCH, Pool
from offboard.graph.signintrouble import scrub
from offboard.graph.trouble import Trouble, explain
from offboard.graph.urls import url_of
from offboard.model import JSON, Permissions

if TYPE_CHECKING:
    from offboard.graph.connect import Connection

MAX_PAGES = 2000
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
STRAGGLERS = 60.0
"""Seconds for which some reads are tried again when everything else has long been answered."""
SIGNING = 1.0
"""Seconds after which signing a request was a wait, and not just work."""
Gate = Callable[[], bool]
"""Whether a write may still leave."""


class NoAnswer(GraphUnavailable):
    """Graph was asked again and again, and gave no usable answer."""


def _open() -> bool:
    return True


@dataclass
class Counters:
    """What was sent, for the run's summary and the benchmark."""

    http: int = 0
    calls: int = 0
    writes: int = 0
    throttled: int = 0


@dataclass
class Sender:
    """Sends requests of one connection.

    Args:
        connection: Signed in.
        clock: Time.
        patience: Seconds for which reads are tried again.
        jitter: Random numbers in [0, 1), so that many workers do not knock at the same instant.
        new_id: Makes each call's `client-request-id`.
        say: Told when Graph makes us wait.
        tenant_id: The tenant that is meant, for messages.
    """

    connection: Connection
    clock: Clock
    patience: float = 300.0
    jitter: Callable[[], float] = random.random
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    say: Callable[[str], None] = lambda _text: None
    tenant_id: str = ""
    counters: Counters = field(default_factory=Counters)
    graph_now: datetime | None = None
    """Graph's clock, from the newest `Date` header."""
    purse: Purse | None = None
    """The write quota; when left out, one of this process's own."""
    _not_before: float = 0.0
    _stopped: OffboardError | None = None
    _gates: dict[int, Gate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quota: Purse = self.purse or Bucket(ticks=self.clock.monotonic)
        self.pool = Pool(self._send, self.clock, self.quota, self._hold)

    def stop(self, why: OffboardError) -> None:
        """From now on nothing leaves any more; whoever asks is given this error."""
        self._stopped = self._stopped or why

    def _hold(self) -> float:
        return max(0.0, self._not_before - self.clock.monotonic())

    def explain(self, answer: Answer, step: str, permissions: Permissions | None) -> Trouble:
        """What a refusal means, for whom and what to do next.

        Args:
            answer: Not ok.
            step: Who asked, for the message.
            permissions: What the call needs.
        """
        return explain(
            answer.status or 0,
            answer.body,
            step=step,
            action_permissions=permissions,
            path=answer.path,
            token=self.connection.token_info(),
            tenant_id=self.tenant_id,
        )

    async def read(
        self, requests: Mapping[str, RequestInformation | Listed], *, priority: int = 0, partly: bool = False
    ) -> dict[str, Answer]:
        """Answers to reads, by the callers' keys; throttled and lost ones are asked again.

        Args:
            requests: What is asked.
            priority: Less is more urgent, among the calls of many leavers.
            partly: Whether a few may stay without a usable answer when all others have one: they are about different
                people, and what keeps one from being told is no reason to give up the others.

        Raises:
            GraphUnavailable: Graph did not answer within the patience.
            NotPermitted: Not signed in.
        """
        answers: dict[str, Answer] = {}
        began, wait, left = self.clock.monotonic(), FIRST_WAIT, dict(requests)
        while left:
            got = await self.pool.ask(list(left.values()), priority=priority, write=False)
            answers |= dict(zip(left, got, strict=True))
            left = {key: info for key, info in left.items() if answers[key].throttled or answers[key].ambiguous}
            late = self.clock.monotonic() - began > min(STRAGGLERS, self.patience)
            if partly and late and len(left) < len(requests) and all(answers[key].status != 429 for key in left):
                break
            if left:
                wait = await self._patience(list(left), answers, began + self.patience, wait)
        return answers

    async def _patience(self, keys: Sequence[str], answers: Mapping[str, Answer], deadline: float, wait: float) -> float:
        last = answers[keys[0]]
        pause = max(wait * (0.5 + self.jitter()), self._not_before - self.clock.monotonic())
        if self.clock.monotonic() + pause > deadline:
            raise NoAnswer(
                f"Graph did not answer {last.method} {last.path} within {self.patience:.0f} seconds.",
                why=f"Last: {last.lost or f'HTTP {last.status} {last.code}'}.",
                todo="Nothing was decided on a missing answer. Try again later.",
            )
        await self.clock.sleep(pause)
        return min(wait * 2, LONGEST_WAIT)

    async def pages(self, request: RequestInformation) -> Answer:
        """A whole collection: the first answer, with all pages' `value` joined."""
        return await self.rest_of((await self.read({"": request}))[""], request)

    async def rest_of(self, first: Answer, request: RequestInformation | Listed) -> Answer:
        """The answer to the request, with the pages after it joined on.

        A link that leads to another host, in a circle or never to an end is not followed: then there is no usable answer,
        for whoever asked for this list; others are not concerned.
        """
        request = request.alone if isinstance(request, Listed) else request
        if not first.ok or not isinstance(first.body, dict) or not isinstance(first.body.get("value"), list):
            return first
        values, seen, answer = list(first.body["value"]), set[str](), first
        while (link := answer.body.get("@odata.nextLink")) is not None:
            if wrong := self._wrong_link(link, seen):
                return replace(first, status=None, body=None, lost=f"Graph's list {wrong}")
            seen.add(str(link))
            try:
                answer = (await self.read({"": _page(str(link), request)}))[""]
            except NoAnswer as error:
                return replace(first, status=None, body=None, lost=" ".join((error.what, error.why)).rstrip("."))
            if not answer.ok or not isinstance(answer.body, dict) or not isinstance(answer.body.get("value"), list):
                return answer
            values.extend(answer.body["value"])
        return replace(first, body={**first.body, "value": values})

    def _wrong_link(self, link: object, seen: set[str]) -> str:
        """Why a link to the next page is not followed; the token would go with it."""
        if not isinstance(link, str):
            return f"has a next page that is a {type(link).__name__}"
        if not self.connection.is_ours(link):
            return f"leads to another place ({_host(link)!r} instead of {self.connection.host!r}), which was not followed"
        if link in seen:
            return "goes in a circle"
        return f"does not end after {MAX_PAGES} pages" if len(seen) >= MAX_PAGES else ""

    async def write(self, requests: Sequence[RequestInformation], *, gate: Gate = _open) -> list[Answer]:
        """Answers to at most 20 writes, each sent exactly once and executed in this order.

        Each depends on the success of the one before it: without that, Graph executes a batch in any order, and a revocation
        might come before the disabling. What stands behind a failed one is answered 424 and was not executed.

        Args:
            requests: In order.
            gate: Asked when they are about to leave; what it stops is answered 424 as well.
        """
        assert len(requests) <= BATCH
        have = 0
        while (have := have + self.quota.take(len(requests) - have)) < len(requests):
            await self.clock.sleep(self.quota.wait(len(requests) - have) + 0.01)
        self.counters.writes += len(requests)
        with self._gated(requests, gate):
            return await self._send(list(requests), serial=True)

    async def write_one(
        self, request: RequestInformation, *, priority: int, gate: Gate = _open, ahead: bool = False
    ) -> Answer:
        """The answer to one write of one of many leavers, sent exactly once, in company of the others'.

        Args:
            request: Independent of everything else that may be in the air.
            priority: The place of its step in the playbook.
            gate: Asked when it is about to leave; if that stops it, the answer is 424.
            ahead: Whether it goes before the others of its step: its turn had come before.
        """
        with self._gated([request], gate):
            answer = (await self.pool.ask([request], priority=priority, write=True, ahead=ahead))[0]
        self.counters.writes += 1
        return answer

    @contextmanager
    def _gated(self, requests: Sequence[RequestInformation], gate: Gate) -> Iterator[None]:
        self._gates |= {id(request): gate for request in requests}
        try:
            yield
        finally:
            for request in requests:
                self._gates.pop(id(request), None)

    async def _send(self, infos: list[RequestInformation], *, serial: bool = False) -> list[Answer]:
        await self._wait_for_turn()
        barred = {n for n, info in enumerate(infos) if not self._gates.get(id(info), _open)()}
        going = [info for n, info in enumerate(infos) if n not in barred]
        if barred:  # what asks at a gate is a write, and had its token
            self.quota.give_back(len(barred))
        if not going:
            return [self._barred(info) for info in infos]

        def still() -> bool:
            return all(self._gates.get(id(info), _open)() for info in going)

        answers = [await self._single(going[0], still)] if len(going) == 1 else await self._batch(going, serial, still)
        self.counters.calls += len(going)
        for answer in answers:
            self._learn(answer)
        rest = iter(answers)
        return [self._barred(info) if n in barred else next(rest) for n, info in enumerate(infos)]

    def _barred(self, info: RequestInformation) -> Answer:
        return Answer(_method(info), self._relative(info).partition("?")[0], 424)

    async def _wait_for_turn(self) -> None:
        while (pause := self._not_before - self.clock.monotonic()) > 0:
            self.say(f"Graph asks to wait; going on in {pause:.0f} s …")
            await self.clock.sleep(pause)

    def _learn(self, answer: Answer) -> None:
        if answer.date is not None and (self.graph_now is None or answer.date > self.graph_now):
            self.graph_now = answer.date
        if answer.throttled:
            self.counters.throttled += 1
            seconds = answer.retry_after(self.graph_now or self.clock.now())
            if seconds is not None:
                self._not_before = max(self._not_before, self.clock.monotonic() + seconds)
                self.quota.hold_until(seconds)  # the other processes of this tenant are meant as well

    async def _single(self, info: RequestInformation, still: Gate = _open) -> Answer:
        request_id = self.new_id()
        info.headers.add("client-request-id", request_id)
        method, path = _method(info), self._relative(info).partition("?")[0]
        reply = await self._exchange(info, still)
        if isinstance(reply, str):
            return Answer(method, path, None, client_request_id=request_id, lost=reply)
        status, headers, content = reply
        return _answer(method, path, status, headers, content, request_id)

    async def _batch(self, infos: list[RequestInformation], serial: bool, still: Gate) -> list[Answer]:
        ids = [self.new_id() for _ in infos]
        items = [self._item(n, info, ids[n]) for n, info in enumerate(infos)]
        for n in range(1, len(items) if serial else 0):
            items[n]["dependsOn"] = [str(n - 1)]
        outer = RequestInformation(Method.POST, "{+baseurl}/$batch", {})
        outer.headers.add("Accept", "application/json")
        outer.set_stream_content(json.dumps({"requests": items}).encode(), "application/json")
        whole = await self._single(outer, still)
        told = _told(whole.body)
        return [self._of_batch(whole, told.get(str(n), []), item, ids[n]) for n, item in enumerate(items)]

    def _item(self, n: int, info: RequestInformation, request_id: str) -> dict[str, JSON]:
        headers = {k: v for k, v in (info.request_headers or {}).items() if k.lower() != "accept"}
        item: dict[str, JSON] = {
            "id": str(n),
            "method": _method(info),
            "url": self._relative(info),
            "headers": {**headers, "client-request-id": request_id},
        }
        if info.content is not None:
            item["body"] = json.loads(info.content)
        return item

    def _of_batch(
        self, whole: Answer, told: Sequence[dict[str, Any]], item: Mapping[str, JSON], request_id: str
    ) -> Answer:
        method, path = str(item["method"]), str(item["url"]).partition("?")[0]
        if not whole.ok:  # refused or lost as a whole: every item shares that fate
            return Answer(method, path, whole.status, whole.body, whole.headers, request_id, whole.lost, whole.date)
        found = told[0] if told else {}
        if not told or any(each != found for each in told):
            lost = f"the batch's answer {'contradicts itself about' if told else 'does not mention'} this call"
            return Answer(method, path, None, None, {}, request_id, lost, whole.date)
        headers = {str(k).lower(): str(v) for k, v in _mapping(found.get("headers")).items()}
        headers.setdefault("request-id", whole.headers.get("request-id", ""))
        return Answer(method, path, found["status"], found.get("body"), headers, request_id, "", whole.date)

    def _relative(self, info: RequestInformation) -> str:
        self.connection.adapter.set_base_url_for_request_information(info)
        url = url_of(info)
        base = str(self.connection.adapter.base_url).rstrip("/")
        return url[len(base) :] if url.startswith(base) else url

    async def _exchange(self, info: RequestInformation, still: Gate) -> tuple[int, httpx.Headers, bytes] | str:
        """Status, headers and content; or, as text, why there is no usable answer.

        Signing may wait for a person who signs in again; after that the gates are asked once more.
        """
        try:
            status, headers, content = await self._signed(info, None, still)
            if status == 401 and (claims := claims_challenge(headers.get("www-authenticate", ""))):
                # The token lost its worth on the way (continuous access evaluation). A 401 was not executed, so the
                # same call may leave once more with a token that answers the challenge.
                status, headers, content = await self._signed(info, claims, still)
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL, UnusableBody) as error:
            return f"{type(error).__name__}: {scrub(str(error))}" if str(error) else type(error).__name__
        return status, headers, content

    async def _signed(
        self, info: RequestInformation, claims: str | None, still: Gate
    ) -> tuple[int, httpx.Headers, bytes]:
        began = self.clock.monotonic()
        request = await self.connection.signed(info, claims)
        while self._not_before > self.clock.monotonic():  # Graph asked for it meanwhile, of somebody else
            await self._wait_for_turn()
            request = await self.connection.signed(info, claims)
        if self.clock.monotonic() - began > SIGNING and not still():
            return 424, httpx.Headers(), b""
        return await self._transmit(request)

    async def _transmit(self, request: httpx.Request) -> tuple[int, httpx.Headers, bytes]:
        if self._stopped is not None:
            raise self._stopped
        self.counters.http += 1
        response = await self.connection.http.send(request, stream=True)
        try:
            return response.status_code, response.headers, await content_of(response)
        finally:
            await response.aclose()


def _host(link: str) -> str:
    try:
        return urlsplit(link).netloc[:80]
    except ValueError:
        return link[:80]


def claims_challenge(www_authenticate: str) -> str | None:
    """The claims that Graph asks for in a `WWW-Authenticate` header, decoded; None when it asks for none."""
    found = re.search(r'claims="([A-Za-z0-9+/=_-]+)"', www_authenticate)
    if found is None:
        return None
    encoded = found.group(1)
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None


def _answer(method: str, path: str, status: int, headers: httpx.Headers, content: bytes, request_id: str) -> Answer:
    lower = {key.lower(): value for key, value in headers.items()}
    date = http_date(lower.get("date"))
    if not content.strip():
        return Answer(method, path, status, None, lower, request_id, "", date)
    try:
        body = _text_throughout(content)
    except (ValueError, RecursionError):
        what = lower.get("content-type", "no content type")[:60]
        if status >= 400:  # a proxy's page: the status still tells something
            return Answer(method, path, status, None, lower, request_id, f"an answer that is not JSON ({what})", date)
        return Answer(method, path, None, None, lower, request_id, f"an answer that is not JSON ({what})", date)
    return Answer(method, path, status, body, lower, request_id, "", date)


def _text_throughout(content: bytes) -> JSON:
    """The JSON; half a character (`\\ud800` alone), which cannot be stored, sent or shown, becomes a question mark."""
    found: JSON = json.loads(content)
    if rb"\ud" in content or rb"\uD" in content:
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    return found


def _told(body: JSON) -> dict[str, list[dict[str, Any]]]:
    """What a batch's answer says, by call."""
    responses = body.get("responses") if isinstance(body, dict) else None
    found: dict[str, list[dict[str, Any]]] = {}
    for each in responses if isinstance(responses, list) else []:
        if isinstance(each, dict) and isinstance(each.get("id"), str) and isinstance(each.get("status"), int):
            found.setdefault(each["id"], []).append(each)
    return found


def _mapping(value: object) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}


def _method(info: RequestInformation) -> str:
    assert info.http_method is not None
    return str(info.http_method.value)


def _page(url: str, first: RequestInformation) -> RequestInformation:
    """The request for a further page; Graph does not carry headers into its links, so they are given again."""
    info = RequestInformation(Method.GET)
    info.url = url
    for name, value in (first.request_headers or {}).items():
        if name.lower() in ("accept", "consistencylevel"):
            info.headers.add(name, value)
    return info


def utc_now_of(sender: Sender) -> datetime:
    """Graph's clock as last seen, our own until it was seen."""
    return (sender.graph_now or sender.clock.now()).astimezone(UTC)
