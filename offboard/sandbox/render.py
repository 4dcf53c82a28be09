"""Stored objects → Graph's JSON: derived properties, `$select`, `$expand`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .call import Call
from .entity import Entity
from .options import Expand, Options
from .problems import bad_uri
from .schema import DIRECTORY_OBJECT, TYPES, EntityType
from .wire import Json

_EXPANDED_AT_MOST = 20  # Graph carries no more along, and gives no link to the rest

# The type which a stored kind is shown as, where the two differ.
SHOWN_AS = {
    "roleAssignment": "unifiedRoleAssignment",
    "roleDefinition": "unifiedRoleDefinition",
    "groupEligibility": "privilegedAccessGroupEligibilityScheduleInstance",
    "roleEligibility": "unifiedRoleEligibilityScheduleInstance",
    "sku": "subscribedSku",
    "permissionGrant": "oAuth2PermissionGrant",
}


def type_of(entity: Entity) -> EntityType:
    """The Graph type of a stored object."""
    return TYPES[SHOWN_AS.get(entity.type, entity.type)]


def held_skus(states: list[Json]) -> dict[str, list[str]]:
    """The licenses in force, directly or through a group, each with the plans switched off everywhere."""
    held: dict[str, list[str]] = {}
    for state in states:
        if state["state"] == "Active":
            off: list[str] = state.get("disabledPlans") or []
            held[state["skuId"]] = [plan for plan in held.get(state["skuId"], off) if plan in off]
    return held


def facts(entity: Entity) -> Json:
    """All properties of an object, the derived ones included."""
    found = {**entity.body, "id": entity.id, "deletedDateTime": entity.deleted}
    if entity.type == "user":
        held = held_skus(entity.body.get("licenseAssignmentStates") or [])
        found["assignedLicenses"] = [{"disabledPlans": off, "skuId": sku} for sku, off in held.items()]
        found["passwordProfile"] = None  # never readable
    return found


@lru_cache(maxsize=512)
def _columns(type_name: str, select: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    type_ = TYPES[type_name]
    wanted = set(select or type_.defaults)
    return tuple((p.name, p.is_list) for p in type_.properties.values() if p.name in wanted)


def shape(found: Mapping[str, Any], type_: EntityType, select: tuple[str, ...], *, typed: bool = False) -> Json:
    """The selected properties of an object in Graph's order."""
    shaped: Json = {"@odata.type": f"#microsoft.graph.{type_.name}"} if typed else {}
    for name, is_list in _columns(type_.name, select):
        value = found.get(name)
        if value is None and name == "signInActivity":
            continue  # absent, not null, for people who never signed in
        shaped[name] = [] if value is None and is_list else value
    return shaped


def show(entity: Entity, select: tuple[str, ...] = (), *, typed: bool = False) -> Json:
    """One stored object as Graph shows it."""
    return shape(facts(entity), type_of(entity), select, typed=typed)


Expander = Callable[[Call, Entity], "list[Entity] | Entity | None"]
EXPANDERS: dict[tuple[str, str], Expander] = {}
"""(type, relationship) → its objects; filled by the rooms that know the relationships."""


def expanded(call: Call, entity: Entity, expand: Expand | None) -> Json:
    """The part of an answer that `$expand` adds."""
    if expand is None:
        return {}
    expander = EXPANDERS.get((entity.type, expand.name))
    if expander is None:
        raise bad_uri(f"The property '{expand.name}' cannot be used in the $expand query option.")
    for name in expand.select:
        if name not in DIRECTORY_OBJECT.properties and name not in TYPES["unifiedRoleDefinition"].properties:
            raise bad_uri(f"Could not find a property named '{name}' on type 'microsoft.graph.directoryObject'.")
    found = expander(call, entity)
    if isinstance(found, list):
        return {expand.name: [show(e, expand.select, typed=True) for e in found[:_EXPANDED_AT_MOST]]}
    if found is None:
        return {}
    return {expand.name: show(found, expand.select, typed=found.type != "roleDefinition")}


def fragment(plural: str, options: Options) -> str:
    """The part of `@odata.context` behind the hash, without `/$entity`."""
    names = [*options.select, *([f"{options.expand.name}()"] if options.expand else [])]
    return f"{plural}({','.join(names)})" if names else plural


def single(call: Call, entity: Entity, options: Options, plural: str | None = None, *, typed: bool = False) -> Json:
    """A whole answer holding one object."""
    type_ = type_of(entity)
    body: Json = {"@odata.context": call.context(f"{fragment(plural or type_.plural, options)}/$entity")}
    return {**body, **show(entity, options.select, typed=typed), **expanded(call, entity, options.expand)}
