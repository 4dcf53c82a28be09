"""Directory roles: definitions, active and eligible assignments, and the older directoryRoles."""

from __future__ import annotations

from collections.abc import Iterable

from . import lookup
from .call import Answer, Call
from .entity import Entity
from .listing import collection
from .matching import pinned
from .options import ENTITY, NONE, Options, check
from .problems import GraphError, bad_request, not_found
from .render import EXPANDERS, single, type_of
from .rolebook import GLOBAL_ADMINISTRATOR, activate, assignment
from .schema import (
    DIRECTORY_OBJECT,
    DIRECTORY_ROLE,
    DIRECTORY_TYPES,
    GROUP_ELIGIBILITY_INSTANCE,
    ROLE_ASSIGNMENT,
    ROLE_ASSIGNMENT_INSTANCE,
    ROLE_DEFINITION,
    ROLE_ELIGIBILITY_INSTANCE,
)
from .store import Store

_ROOM = "roleManagement/directory/"


def _alive(store: Store, entities: Iterable[Entity]) -> list[Entity]:
    """Assignments of deleted people do not show."""
    found = []
    for entity in entities:
        principal = store.find(entity.parent, DIRECTORY_TYPES)
        if principal is not None and principal.deleted is None:
            found.append(entity)
    return sorted(found, key=lambda entity: entity.seq)


def _held(store: Store, kind: str, options: Options) -> list[Entity]:
    principals = pinned(options.filter, "principalId") if options.filter else None
    definitions = pinned(options.filter, "roleDefinitionId") if options.filter else None
    if principals is not None:
        return _alive(store, [e for p in dict.fromkeys(principals) for e in store.children(kind, p.lower())])
    if definitions is not None:
        return _alive(store, [e for d in dict.fromkeys(definitions) for e in store.by_key(kind, d.lower())])
    return _alive(store, store.scan(kind))


def list_assignments(call: Call) -> Answer:
    """GET /roleManagement/directory/roleAssignments"""
    plural = _ROOM + ROLE_ASSIGNMENT.plural
    return collection(call, ROLE_ASSIGNMENT, lambda o: _held(call.store, "roleAssignment", o), plural=plural)


def list_eligible(call: Call) -> Answer:
    """GET /roleManagement/directory/roleEligibilityScheduleInstances"""
    plural = _ROOM + ROLE_ELIGIBILITY_INSTANCE.plural
    return collection(call, ROLE_ELIGIBILITY_INSTANCE, lambda o: _held(call.store, "roleEligibility", o), plural=plural)


def list_group_eligible(call: Call) -> Answer:
    """GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances: of one group, or of one principal"""
    plural = "identityGovernance/privilegedAccess/group/" + GROUP_ELIGIBILITY_INSTANCE.plural
    return collection(call, GROUP_ELIGIBILITY_INSTANCE, lambda o: _of_groups(call.store, o), plural=plural)


def _of_groups(store: Store, options: Options) -> list[Entity]:
    groups = pinned(options.filter, "groupId") if options.filter else None
    people = pinned(options.filter, "principalId") if options.filter else None
    if groups is not None:
        return [e for id_ in dict.fromkeys(groups) for e in store.children("groupEligibility", id_.lower())]
    if people is not None:
        return [e for id_ in dict.fromkeys(people) for e in store.by_key("groupEligibility", id_.lower())]
    raise bad_request("The request must be filtered by groupId or principalId.")


def list_instances(call: Call) -> Answer:
    """GET /roleManagement/directory/roleAssignmentScheduleInstances: direct ones, and those through groups"""
    plural = _ROOM + ROLE_ASSIGNMENT_INSTANCE.plural
    return collection(call, ROLE_ASSIGNMENT_INSTANCE, lambda o: _instances(call.store, o), plural=plural)


def _instances(store: Store, options: Options) -> list[Entity]:
    principals = pinned(options.filter, "principalId") if options.filter else None
    direct = [_instance(a, a.parent, "Direct") for a in _held(store, "roleAssignment", options)]
    if principals is None:
        return direct
    for principal in dict.fromkeys(principals):
        for group in store.sources("member", principal.lower()):
            direct += [_instance(a, principal, "Group") for a in store.children("roleAssignment", group.id)]
    return sorted(direct, key=lambda entity: entity.seq)


def _instance(held: Entity, principal: str, member_type: str) -> Entity:
    body = {
        **held.body,
        "principalId": principal,
        "memberType": member_type,
        "assignmentType": "Assigned",
        "startDateTime": None,
        "endDateTime": None,
        "roleAssignmentOriginId": held.id,
        "roleAssignmentScheduleId": held.id,
    }
    return Entity(held.id, ROLE_ASSIGNMENT_INSTANCE.name, body, held.key, principal, seq=held.seq)


def list_definitions(call: Call) -> Answer:
    """GET /roleManagement/directory/roleDefinitions"""
    plural = _ROOM + ROLE_DEFINITION.plural
    return collection(call, ROLE_DEFINITION, lambda _options: call.store.scan("roleDefinition"), plural=plural)


def get_definition(call: Call) -> Answer:
    """GET /roleManagement/directory/roleDefinitions/{id}"""
    return _get(call, "roleDefinition", call.params["id"].value.lower())


def get_assignment(call: Call) -> Answer:
    """GET /roleManagement/directory/roleAssignments/{id}"""
    return _get(call, "roleAssignment", call.params["id"].value)


def _get(call: Call, kind: str, id_: str) -> Answer:
    found = call.store.get(kind, id_)
    if found is None:
        raise not_found(id_)
    options = call.options(ENTITY)
    check(options, type_of(found))
    return Answer(200, single(call, found, options, _ROOM + type_of(found).plural))


def create_assignment(call: Call) -> Answer:
    """POST /roleManagement/directory/roleAssignments"""
    call.options(NONE)
    body = {name: value for name, value in call.json_body().items() if "@" not in name}
    for name in body:
        if name not in ("principalId", "roleDefinitionId", "directoryScopeId"):
            raise bad_request(f"Property '{name}' does not exist as a declared property or extension property.")
    template, principal = str(body.get("roleDefinitionId")).lower(), str(body.get("principalId")).lower()
    if call.store.get("roleDefinition", template) is None:
        raise bad_request("The specified roleDefinitionId does not exist.")
    holder = call.store.find(principal, ("user", "group", "servicePrincipal"))
    if holder is None or holder.deleted is not None:
        raise not_found(principal)
    if holder.type == "group" and not holder.body.get("isAssignableToRole"):
        raise bad_request("Only groups with 'isAssignableToRole' property set to true can be assigned to a role.")
    return _assign(call, assignment(template, principal, str(body.get("directoryScopeId") or "/")))


def _assign(call: Call, made: Entity) -> Answer:
    if call.store.get("roleAssignment", made.id) is not None:
        raise GraphError(
            400,
            "Request_BadRequest",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        )
    activate(call.store, call.tenant_id, made.key)
    call.store.put(made)
    call.effect("create", "roleAssignment", made.id, **made.body)
    return Answer(201, single(call, made, Options(), _ROOM + ROLE_ASSIGNMENT.plural))


def delete_assignment(call: Call) -> Answer:
    """DELETE /roleManagement/directory/roleAssignments/{id}"""
    call.options(NONE)
    held = call.store.get("roleAssignment", call.params["id"].value)
    if held is None:
        raise not_found(call.params["id"].value)
    _unassign(call, held)
    return Answer(204)


def _unassign(call: Call, held: Entity) -> None:
    if held.key == GLOBAL_ADMINISTRATOR and held.body["directoryScopeId"] == "/":
        _demand_another_administrator(call, held)
    call.store.drop(held)
    call.effect("delete", "roleAssignment", held.id, **held.body)


def _demand_another_administrator(call: Call, held: Entity) -> None:
    if call.caller.delegated and call.caller.object_id == held.parent:
        raise bad_request("Removing self from Global Administrator built-in role is not allowed.")
    others = _alive(call.store, call.store.by_key("roleAssignment", GLOBAL_ADMINISTRATOR))
    if not any(other.id != held.id and other.body["directoryScopeId"] == "/" for other in others):
        raise bad_request("The last Global Administrator of the organization cannot be removed.")


def list_directory_roles(call: Call) -> Answer:
    """GET /directoryRoles"""
    return collection(call, DIRECTORY_ROLE, lambda _options: call.store.scan("directoryRole"))


def get_directory_role(call: Call) -> Answer:
    """GET /directoryRoles/{id}"""
    options = call.options(ENTITY)
    check(options, DIRECTORY_ROLE)
    return Answer(200, single(call, lookup.directory_role(call), options))


def _members(store: Store, role: Entity) -> list[Entity]:
    held = [a for a in store.by_key("roleAssignment", role.key) if a.body["directoryScopeId"] == "/"]
    found = [store.find(a.parent, DIRECTORY_TYPES) for a in _alive(store, held)]
    return sorted((entity for entity in found if entity), key=lambda entity: entity.seq)


def list_role_members(call: Call) -> Answer:
    """GET /directoryRoles/{id}/members"""
    found = _members(call.store, lookup.directory_role(call))
    return collection(call, DIRECTORY_OBJECT, lambda _options: found, mixed=True)


def add_role_member(call: Call) -> Answer:
    """POST /directoryRoles/{id}/members/$ref"""
    call.options(NONE)
    role, target = lookup.directory_role(call), lookup.reference(call)
    made = assignment(role.key, target.id)
    if call.store.get("roleAssignment", made.id) is not None:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    _assign(call, made)
    return Answer(204)


def remove_role_member(call: Call) -> Answer:
    """DELETE /directoryRoles/{id}/members/{id}/$ref"""
    call.options(NONE)
    role, target = lookup.directory_role(call), call.params["target"].value.lower()
    held = next(
        (
            a
            for a in call.store.children("roleAssignment", target)
            if a.key == role.key and a.body["directoryScopeId"] == "/"
        ),
        None,
    )
    if held is None:
        raise not_found(target)
    _unassign(call, held)
    return Answer(204)


def _expand_definition(call: Call, entity: Entity) -> Entity | None:
    return call.store.get("roleDefinition", entity.body["roleDefinitionId"])


def _expand_principal(call: Call, entity: Entity) -> Entity | None:
    return call.store.find(entity.body["principalId"], DIRECTORY_TYPES)


for _kind in ("roleAssignment", "roleEligibility", ROLE_ASSIGNMENT_INSTANCE.name):
    EXPANDERS[_kind, "roleDefinition"] = _expand_definition
    EXPANDERS[_kind, "principal"] = _expand_principal
EXPANDERS["directoryRole", "members"] = lambda call, role: _members(call.store, role)
