"""The published JSON Schemas (2020-12), made from the classes.

Why generated: the playbook's schema is a contract that editors and other programs read, and the actions are what it is
about; written twice, the two would differ within a month. `python -m offboard.schema` writes the files under `schemas/`,
`--check` says which are stale. Loading a playbook needs `grammar` only; this room sees everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from offboard.errors import UsageError
from offboard.loading.grammar import DRAFT, playbook_schema
from offboard.loading.source import near
from offboard.model import JSON


def plan_schema() -> dict[str, JSON]:
    """The schema of `plan.json`."""
    from offboard.schema import plan

    return plan.plan_schema()


def audit_schema() -> dict[str, JSON]:
    """The schema of one line of `audit.jsonl`."""
    from offboard.audit.events import record_schema

    head = {"$schema": DRAFT, "$id": "urn:offboard:schema:audit:1"}
    return {**head, **record_schema()}


def tenants_schema() -> dict[str, JSON]:
    """The schema of `offboard.toml`, read as JSON."""
    from offboard.schema import tenants

    return tenants.tenants_schema()


SCHEMAS: Mapping[str, Callable[[], dict[str, JSON]]] = MappingProxyType(
    {"playbook": playbook_schema, "plan": plan_schema, "audit": audit_schema, "tenants": tenants_schema}
)


def schema(name: str) -> dict[str, JSON]:
    """One published schema.

    Args:
        name: `playbook`, `plan`, `audit` or `tenants`.

    Raises:
        UsageError: There is none of this name.
    """
    if name not in SCHEMAS:
        word = near(name, SCHEMAS)
        raise UsageError(
            f"there is no schema {name!r}" + (f"; did you mean {word!r}?" if word else ""),
            todo=f"Known are {', '.join(SCHEMAS)}.",
        )
    return SCHEMAS[name]()


def text(name: str) -> str:
    """A published schema as the file holds it."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def write_all(folder: Path, check: bool) -> list[str]:
    """Write the schemas, or say which are stale.

    Args:
        folder: Where they are kept, as `NAME.schema.json`.
        check: Write nothing.

    Returns:
        Names whose files differed.
    """
    stale = []
    for name in SCHEMAS:
        file, wanted = folder / f"{name}.schema.json", text(name)
        if not file.is_file() or file.read_text("utf-8") != wanted:
            stale.append(name)
            if not check:
                folder.mkdir(parents=True, exist_ok=True)
                file.write_text(wanted, "utf-8", newline="\n")
    return stale
