"""Plan ⇄ canonical JSON, and the digest that binds a review to what is applied.

Canonical means: keys sorted, no spaces, UTF-8, no floats, one newline at the end. The digest is SHA-256 over the
canonical form of everything but the digest itself; a plan file whose bytes are not exactly the canonical form of what
they say is refused as edited, so no byte of it can change unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from offboard.errors import Refused, UsageError
from offboard.model import (
    JSON,
    LeaverPlan,
    Plan,
)
from offboard.packing import FEW, Packed
from offboard.planjson import SCHEMA, canonical, from_json, leaver_plan_from_json, leaver_plan_json, to_json
from offboard.planshape import LEAVER, PLAN
from offboard.shape import misfit

NO_LEAVERS = b'"leavers":[]'
LARGE = 1024 * 1024
"""Bytes from which a plan file is taken apart leaver by leaver."""
MAX_BYTES = 256 * 1024 * 1024


def digest(document: Mapping[str, JSON]) -> str:
    """`sha256:` over the canonical form, the digest itself left out."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(canonical(rest)).hexdigest()


def seal(plan: Plan) -> Plan:
    """The plan with its digest."""
    head, parts = split(plan)
    return replace(plan, digest=_digest_of_parts(head, parts))


def dump(plan: Plan) -> bytes:
    """The bytes of the plan file."""
    return b"".join(pieces(plan))


def pieces(plan: Plan) -> Iterator[bytes]:
    """The bytes of the plan file, a leaver at a time."""
    head, parts = split(plan)
    before, _, after = head.partition(NO_LEAVERS)
    yield before + NO_LEAVERS[:-1]
    for n, part in enumerate(parts):
        yield b"," + part if n else part
    yield b"]" + after + b"\n"


def pack(leavers: Iterable[LeaverPlan], many: int) -> Sequence[LeaverPlan]:
    """The leavers of a plan, packed when they are many.

    Args:
        leavers: In order; taken one at a time.
        many: How many there will be.
    """
    packing = Packing(many)
    for each in leavers:
        packing.add(each)
    return packing.leavers()


class Packing:
    """Leavers, packed one after the other when they are many.

    Args:
        many: How many there will be.
    """

    def __init__(self, many: int) -> None:
        self._few: list[LeaverPlan] = []
        self._packed = Packed((), read_part) if many > FEW else None

    def add(self, each: LeaverPlan) -> None:
        """One more."""
        if self._packed is None:
            self._few.append(each)
        else:
            self._packed.add(canonical(leaver_plan_json(each)))

    def leavers(self) -> Sequence[LeaverPlan]:
        """All of them."""
        return tuple(self._few) if self._packed is None else self._packed


def load(data: bytes, name: str, *, large: int = LARGE) -> Plan:
    """A plan from its file.

    Args:
        data: The file's bytes.
        name: The file as the user named it, for messages.
        large: Bytes from which it is taken apart leaver by leaver.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
        Refused: It was edited after it was made.
    """
    if len(data) > large and (cut := _cut(data)) is not None:
        head, parts = cut
        return join(head, parts, name)
    document = _document(data, name)
    if document.get("digest") != digest(document) or data != canonical(document) + b"\n":
        raise _edited(name)
    if wrong := misfit(document, PLAN):
        raise UsageError(f"{name} is not a complete plan: {wrong}.", todo=_MAKE_ONE)
    try:
        return from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _incomplete(name, error) from error


def split(plan: Plan) -> tuple[bytes, Iterable[bytes]]:
    """The plan without its leavers, and each leaver's part: what is stored of a run, so that a part can be read alone."""
    head = canonical(to_json(replace(plan, leavers=())))
    if isinstance(plan.leavers, Packed):
        return head, plan.leavers.parts()
    return head, (canonical(leaver_plan_json(each)) for each in plan.leavers)


def join(head: bytes, parts: Iterable[bytes], name: str) -> Plan:
    """The plan that was split.

    Args:
        head: The plan without its leavers.
        parts: Every leaver's part, in order; taken one at a time.
        name: Where it stands, for messages.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
        Refused: A byte of it is not what it was.
    """
    document, packed = _document(head, name), Packed(parts, read_part)
    made = _digest_of_parts(head, packed.parts())
    if document.get("digest") != made or canonical(document) != head:
        raise _edited(name)
    wrong = misfit(document, PLAN) or next(filter(None, map(_wrong, packed.parts())), "")
    if wrong:
        raise UsageError(f"{name} is not a complete plan: {wrong}.", todo=_MAKE_ONE)
    try:
        return replace(from_json(document), leavers=packed if len(packed) > FEW else tuple(packed))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _incomplete(name, error) from error


def _cut(data: bytes) -> tuple[bytes, Iterator[bytes]] | None:
    """The head and the leavers' parts of a plan file, not looked into; None when the file does not look like one.

    A plan of ten thousand leavers has fifty megabytes; parsed as a whole it would need ten times as much.
    """
    start = data.find(NO_LEAVERS[:-1]) + len(NO_LEAVERS) - 1
    places, end = _elements(data, start)
    fits = start >= len(NO_LEAVERS) and places and places[0][0] == start
    if not fits or data[end : end + 1] != b"]" or data[-1:] != b"\n":
        return None
    head = data[:start] + data[end:-1]
    return head, (data[a:b] for a, b in places)


def _elements(data: bytes, start: int) -> tuple[list[tuple[int, int]], int]:
    """Where the objects of a list begin and end, and where the list ends."""
    places, depth, begin = [], 0, start
    for token in _TOKEN.finditer(data, start):
        sign = token.group()
        if sign == b"{":
            begin = token.start() if depth == 0 else begin
            depth += 1
        elif sign == b"}":
            depth -= 1
            if depth == 0:
                places.append((begin, token.end()))
                if data[token.end() : token.end() + 2] != b",{":
                    return places, token.end()
    return [], start


def _wrong(part: bytes) -> str:
    """What is wrong with a leaver's part, whose digest was checked; empty when nothing is."""
    document = json.loads(part)
    if wrong := misfit(document, LEAVER, "leavers"):
        return wrong
    if canonical(document) != part:
        return "a leaver is not written as plans write it"
    try:
        leaver_plan_from_json(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"{type(error).__name__} {error}"
    return ""


def _edited(name: str) -> Refused:
    return Refused(
        f"{name} was edited after it was made: its digest does not match its content.",
        todo="Make and review a new plan; a plan is never edited by hand.",
    )


def _incomplete(name: str, error: Exception) -> UsageError:
    return UsageError(f"{name} is not a complete plan: {type(error).__name__} {error}.")


def read_head(head: bytes, name: str) -> Plan:
    """The plan without its leavers. Its digest is that of the whole, and not checked here.

    Raises:
        UsageError: This is no plan, or one of a newer version of the tool.
    """
    return from_json(_document(head, name))


def read_part(part: bytes) -> LeaverPlan:
    """One leaver's part of a plan."""
    return leaver_plan_from_json(json.loads(part))


def _digest_of_parts(head: bytes, parts: Iterable[bytes]) -> str:
    """The digest of the whole, without building it: no name before `leavers` can hold these bytes unescaped."""
    rest = {key: value for key, value in json.loads(head).items() if key != "digest"}
    before, _, after = canonical(rest).partition(NO_LEAVERS)
    made = hashlib.sha256(before + NO_LEAVERS[:-1])
    for n, part in enumerate(parts):
        made.update(b"," + part if n else part)
    made.update(b"]" + after)
    return "sha256:" + made.hexdigest()


def _document(data: bytes, name: str) -> dict[str, JSON]:
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB and no plan of this tool.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a plan: it is not JSON ({error}).", todo=_MAKE_ONE) from error
    if not isinstance(document, dict) or "schema" not in document:
        raise UsageError(f"{name} is JSON, but not a plan of this tool.", todo=_MAKE_ONE)
    if document["schema"] != SCHEMA:
        raise UsageError(
            f"{name} has the format {str(document['schema'])[:60]!r}; this version reads {SCHEMA!r}.",
            todo="Use the version of offboard that made it, or make a new plan.",
        )
    try:
        canonical(document)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a plan: {error}.", todo=_MAKE_ONE) from error
    return document


# A text that never ends is a token as well, and nothing is tried twice: a file may be hostile.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}]', re.DOTALL)
_MAKE_ONE = "Make one with: offboard plan PLAYBOOK USER --out FILE"
