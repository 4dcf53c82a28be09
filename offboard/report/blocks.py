"""What a report is made of, whatever it is rendered as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values."""

    pairs: Sequence[tuple[str, str]]
    code: bool = False
    columns: bool = False
    """Whether short values may stand side by side."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A cell of several lines: the first is what matters, the others are softer; ids and numbers go there."""

    main: str
    more: Sequence[str] = ()
    tone: str = ""
    """`good`, `warn` or `stop`, for what the words say already."""


Cell = str | Lines


@dataclass(frozen=True, slots=True)
class Glance:
    """The few figures that are looked at first: label, value, tone, and a remark."""

    figures: Sequence[tuple[str, str, str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; every row is as long as the head."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
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


Block = Facts | Glance | Table | Items | Alert | Title


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading; `aside` stands beside it in softer print, `state` as a word and its tone."""

    title: str
    blocks: Sequence[Block]
    aside: str = ""
    state: tuple[str, str] = ("", "")
    packet: bool = False
    """Whether it begins a page of its own on paper."""


@dataclass(frozen=True, slots=True)
class Document:
    """A report."""

    title: str
    head: Sequence[Block]
    sections: Sequence[Section]
