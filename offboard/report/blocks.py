"""What a report is made of, whatever it is rendered as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values."""

    pairs: Sequence[tuple[str, str]]
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; every row is as long as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    look: str = ""
    """Style class of the HTML."""


@dataclass(frozen=True, slots=True)
class Items:
    """Sentences, as a list."""

    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Alert:
    """A sentence nobody may miss; `severity` is `stop` or `warn`."""

    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Title:
    """A heading inside a section."""

    text: str


Block = Facts | Table | Items | Alert | Title


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading; `aside` stands beside it in softer print."""

    title: str
    blocks: Sequence[Block]
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    head: Sequence[Block]
    sections: Sequence[Section]
