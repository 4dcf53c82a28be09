"""The nouns of a plan, frozen: what would be done, to whom, and what is left open.

Nothing here knows Graph, YAML or a terminal. Every value can be written as JSON and read back unchanged
(`planfile.py`), which is what lets a plan be reviewed, signed and applied as one and the same thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

JSON = Any
"""A value of JSON: None, bool, int, float, str, list, dict."""


class Effect(StrEnum):
    """What may be lost by a change."""

    REVERSIBLE = "reversible"
    """Nothing: there is a way back, or nothing to bring back."""
    RECOVERABLE = "recoverable"
    """Can be brought back until a date (a deleted user)."""
    IRREVERSIBLE = "irreversible"
    """Cannot be brought back (a purge, a wipe)."""


class Outcome(StrEnum):
    """The five results of a change; there is no sixth."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    DRIFTED = "drifted"
    FAILED = "failed"


class OnFailure(StrEnum):
    """What a failed step does to the steps after it."""

    STOP = "stop"
    CONTINUE = "continue"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Ref:
    """One Graph object, by kind, object id and the name people know it by. The name is data, never trusted."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One intended effect on one Graph object; one change is one request, one intent and one outcome.

    Args:
        verb: What is done, as a person says it: `disable`, `revoke`, `unown` …
        target: The object that is written to.
        before: The value as read, for the reviewer and for the way back.
        after: The value that must be read back.
        effect: What may be lost.
        until: For recoverable changes: until when.
        parts: For a change of a set (licenses): the members it takes away. Two changes with the same key are
            intersected part by part.
        data: Identifiers that the request needs besides the target.
    """

    verb: str
    target: Ref
    before: JSON = None
    after: JSON = None
    effect: Effect = Effect.REVERSIBLE
    until: datetime | None = None
    parts: tuple[Ref, ...] = ()
    data: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Identity of the change, independent of when it was planned and of its parts."""
        extra = json.dumps(dict(self.data), sort_keys=True) if self.data else ""
        return f"{self.verb} {self.target.kind} {self.target.id}{' ' + extra if extra else ''}"

    def only(self, parts: tuple[Ref, ...]) -> Change:
        """The same change for fewer parts."""
        return replace(self, parts=parts)


class Doing(StrEnum):
    """What a note says about an object that is *not* changed."""

    SKIP = "skip"
    """Left alone for a reason that belongs to the object (shared, synced, already gone)."""
    KEEP = "keep"
    """Stays because something else holds it (a license that comes with a group)."""
    ASK = "ask"
    """Somebody must do it by hand, or elsewhere."""
    UNKNOWN = "unknown"
    """Could not be read; unknown is not none."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a step does not do, and why.

    Args:
        doing: Kind of note.
        target: The object concerned, or None for the step as a whole.
        reason: One clause, ready to stand after the object's name.
        code: Stable short name of the reason, by which a playbook's author accepts it (`accept:`).
        open: Whether access or a duty is left behind: an open item.
    """

    doing: Doing
    target: Ref | None
    reason: str
    code: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that a read-only step returns.

    Columns are Graph's property names where the value is Graph's, snake_case where it is ours.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, JSON], ...]


Planned = Change | Note | Table
"""What an action's `plan` yields."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Who may do a call. Each side is a list of alternatives, least first; all names of one alternative are needed.

    Args:
        delegated: For a signed-in person.
        application: For an app without a person; empty when Graph does not support it.
        roles: Entra roles, each sufficient for a delegated caller (who needs one besides the permission).
        app_roles: Entra roles of which the app's own service principal needs one, besides the permission.
        remark: What the reader must know, in one sentence.
        over: For what Graph calls sensitive: the caller must stand high enough above the person it is done to.
            `sensitive`, or `password` for resetting one; empty where the leaver's own roles do not matter.
    """

    delegated: tuple[tuple[str, ...], ...]
    application: tuple[tuple[str, ...], ...]
    roles: tuple[str, ...] = ()
    app_roles: tuple[str, ...] = ()
    remark: str = ""
    over: Literal["", "sensitive", "password"] = ""


@dataclass(frozen=True, slots=True)
class Due:
    """When a step falls due, relative to the leave time T."""

    minutes: int = 0

    def at(self, leave: datetime) -> datetime:
        """The absolute time, for a leaver who leaves at `leave`."""
        return leave + timedelta(minutes=self.minutes)

    @classmethod
    def parse(cls, text: str) -> Due:
        """`T`, `T+30d`, `T-7d`, `T+2w`, `T+12h`, `T+90m`.

        Raises:
            ValueError: It is none of these, or further away than ten years.
        """
        found = re.fullmatch(r"T(?:([+-])([0-9]{1,7})([wdhm]))?", text)
        if found is None:
            raise ValueError(f"{text!r} is not T, or T+30d, T-7d, T+2w, T+12h, T+90m")
        sign, size, unit = found.groups()
        minutes = int(size or 0) * {"w": 10080, "d": 1440, "h": 60, "m": 1, None: 0}[unit]
        if minutes > 10 * 366 * 1440:
            raise ValueError(f"{text!r} is more than ten years away")
        return cls(-minutes if sign == "-" else minutes)

    def __str__(self) -> str:
        if not self.minutes:
            return "T"
        sign, size = ("+" if self.minutes > 0 else "-"), abs(self.minutes)
        for unit, length in (("d", 1440), ("h", 60)):
            if size % length == 0:
                return f"T{sign}{size // length}{unit}"
        return f"T{sign}{size}m"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a playbook.

    Args:
        id: Unique in the playbook; the action's name when the author gave none (with `-2`, `-3` … when repeated).
        action: Name of the action.
        parameters: What stands under `with`, defaults not filled in.
        when: A CEL expression over `leaver` and `parameters`, or None.
        on_failure: What a failure does to later steps.
        due: When it falls due.
        line: Where it stands in the playbook, 1-based; 0 when unknown.
    """

    id: str
    action: str
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    when: str | None = None
    on_failure: OnFailure = OnFailure.STOP
    due: Due = Due()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is filled in per leaver."""

    name: str
    type: str = "text"
    required: bool = False
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """Ordered steps, for any leaver.

    Args:
        name: Its name, as on the command line and in the audit.
        description: One sentence.
        steps: In the author's order.
        parameters: Values filled in per leaver.
        accept: Codes of open items that the author accepts; they do not turn exit code 0 into 1.
        digest: `sha256:` of the playbook's bytes.
        path: Where it was read from, for messages only.
    """

    name: str
    description: str
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...] = ()
    accept: tuple[str, ...] = ()
    digest: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """What a guard says about a plan."""

    guard: str
    severity: str
    """`stop` or `warn`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Override:
    """A guard lifted for one leaver, or for a run as a whole.

    Args:
        guard: The guard's name.
        reason: Why, in the words of whoever asked for it.
        by: Who asked for it, as far as the token tells.
    """

    guard: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What one step would do for one leaver.

    Args:
        step: The step as written, parameters filled in.
        due: The absolute time from which it may be carried out.
        changes: Intended effects, in order.
        notes: What it does not do, and why.
        tables: What a read-only step returned when it was planned.
        skipped: Why the whole step is not carried out (condition, gone user); None when it is.
    """

    step: Step
    due: datetime
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[Table, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Leaver:
    """The person leaving, resolved: from here on the object id is what counts.

    `about` holds what a reviewer needs to be sure of the person (department, manager, created …), under Graph's names.
    """

    id: str
    user_principal_name: str
    display_name: str
    about: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        """The leaver as an object."""
        return Ref("user", self.id, self.display_name)


@dataclass(frozen=True, slots=True)
class LeaverPlan:
    """All that the playbook would do for one leaver.

    Args:
        leaver: Who.
        leave: T, the leave time.
        fingerprint: Facts the review rests on; a difference at apply is drift.
        steps: In playbook order.
        objections: What the guards said.
        consequences: Sentences a reviewer must know (tokens that live on, licenses freed …).
        overrides: Guards that are lifted, each with its reason.
    """

    leaver: Leaver
    leave: datetime
    fingerprint: Mapping[str, JSON]
    steps: tuple[PlannedStep, ...]
    objections: tuple[Objection, ...] = ()
    consequences: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All intended effects, in order."""
        return tuple(change for step in self.steps for change in step.changes)

    def open_items(self, accepted: tuple[str, ...] = ()) -> tuple[Note, ...]:
        """What is left open by this plan and was not accepted."""
        return tuple(n for s in self.steps for n in s.notes if n.open and n.code not in accepted)


@dataclass(frozen=True, slots=True)
class Unplanned:
    """Somebody who was asked for and is not among the leavers, because nothing could be known of this person.

    Args:
        user: As asked for.
        what: What is the matter, one sentence.
        todo: The next thing to do.
    """

    user: str
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant as Graph names itself."""

    id: str
    name: str
    """Its default domain, as people say it."""
    alias: str = ""
    """Its name in `offboard.toml`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of one playbook for one or more leavers.

    Args:
        id: Unique; consumed by the first run made from it.
        created: Graph's clock when the facts were read.
        valid_until: After this the plan is refused.
        tenant: Where.
        playbook: The steps, parameters filled per leaver in `leavers`.
        leavers: Who, and what for each.
        actor: Who planned it, as far as the token tells.
        actions: Version of each action used.
        needs: Permissions, one entry per step, as text for the reviewer.
        tool: Version of offboard.
        unplanned: Who was asked for besides, and why nothing is planned for them.
        digest: `sha256:` over all of the above in canonical JSON.
    """

    id: str
    created: datetime
    valid_until: datetime
    tenant: Tenant
    playbook: Playbook
    leavers: Sequence[LeaverPlan]
    actor: str = ""
    actions: Mapping[str, int] = field(default_factory=dict)
    needs: tuple[Mapping[str, JSON], ...] = ()
    tool: str = ""
    digest: str = ""
    unplanned: tuple[Unplanned, ...] = ()

    @property
    def short_id(self) -> str:
        """The first eight characters, as people say them."""
        return self.id[:8]


@dataclass(frozen=True, slots=True)
class Result:
    """How one change, or one step without changes, ended.

    Args:
        outcome: One of the five.
        step: Step id.
        change: The change, or None when the step as a whole is meant.
        why: For everything but `changed`: the reason; for `changed (recovered)` how it was known.
        at: When it was known.
        todo: For failures: the next thing to do.
    """

    outcome: Outcome
    step: str
    change: Change | None
    why: str = ""
    at: datetime | None = None
    todo: str = ""
    detail: Mapping[str, JSON] = field(default_factory=dict)
