"""Seed files: YAML text → a mapping, with limits, so that a hostile file costs an error and not the process."""

from __future__ import annotations

import copy
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from .wire import Json

_DEPTH, _EVENTS = 30, 2_000_000
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SeedError(ValueError):
    """A seed that cannot become a tenant; the message names the entry."""


def contoso() -> Json:
    """The tenant that every sandbox starts as."""
    return copy.deepcopy(_contoso())


@cache
def _contoso() -> Json:
    return parse_seed((resources.files(__package__) / "contoso.yaml").read_text("utf-8"), "contoso.yaml")


def load_seed(path: Path) -> Json:
    """Read a seed file of the user's own."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError(f"{path}: cannot be read: {error}") from error
    return parse_seed(text, str(path))


def parse_seed(text: str, name: str) -> Json:
    """YAML text → mapping. Depth is checked on the events first: deep nesting would overrun the loader's stack."""
    try:
        _check_events(text, name)
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, C or Python
    except yaml.YAMLError as error:
        raise SeedError(f"{name}: not valid YAML: {error}") from error
    if not isinstance(found, dict):
        raise SeedError(f"{name}: a seed is a mapping with the keys tenant, skus, people, devices, groups, apps")
    return found


def _check_events(text: str, name: str) -> None:
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else "?"
            raise SeedError(f"{name}: line {line}: aliases are not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH or number > _EVENTS:
            raise SeedError(f"{name}: too deep or too large for a seed")
