"""How types are declared: properties, their kinds, which come unasked, which may be written or filtered.

One line a property: `name kind flags`, with the flags `d` returned by default, `w` writable, `f` filterable,
`s` mastered on-premises for synced objects. Names and kinds are those of Graph v1.0; what is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Property:
    """A declared property of a type."""

    name: str
    kind: str  # string, boolean, int, datetime, guid, id, strings, complex, complexes
    flags: str = ""

    @property
    def is_list(self) -> bool:
        """Whether it holds a collection, which is never null."""
        return self.kind in ("strings", "complexes")


@dataclass(frozen=True)
class EntityType:
    """A type of Graph as far as it is simulated."""

    name: str
    plural: str
    properties: Mapping[str, Property]
    expands: tuple[str, ...] = ()

    @property
    def defaults(self) -> tuple[str, ...]:
        """The properties returned when nothing is selected, in Graph's order."""
        return tuple(p.name for p in self.properties.values() if "d" in p.flags)


def declare(name: str, plural: str, table: str, expands: str = "") -> EntityType:
    """Read a table of properties into a type."""
    rows = [line.split() for line in table.splitlines() if line.strip()]
    properties = {row[0]: Property(row[0], row[1], row[2] if len(row) > 2 else "") for row in rows}
    return EntityType(name, plural, MappingProxyType(properties), tuple(expands.split()))
