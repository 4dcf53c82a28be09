"""The second pass over a seed: what links its objects, from managers and memberships to roles and consents."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from . import clock, rolebook, seats
from .entity import Entity
from .graphapp import graph_app, graph_id, permission_id
from .methods import KINDS, make
from .render import held_skus
from .seedfile import SeedError
from .seedobjects import Bed, demand_known


class Links:
    """Links the objects of a bed by the names in its entries."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed

    def link(self) -> None:
        """Link all entries, then count seats and activate the roles in use."""
        links = {
            "people": self._link_person,
            "devices": self._link_device,
            "groups": self._link_group,
            "apps": self._link_app,
        }
        for section, where, entity, entry in self.bed.entries:
            if section in links:
                links[section](where, entity, entry)
        for user in self.bed.names["people"].values():
            for sku_id in held_skus(user.body.get("licenseAssignmentStates") or []) if not user.deleted else ():
                self._sku_by_id(sku_id).body["consumedUnits"] += 1
        used = {e.key for e in self.bed.planted.entities if e.type == "roleAssignment"}
        granted = {str(name) for app in self.bed.names["apps"].values() for name in app.body["_permissions"]}
        self.bed.add(graph_app(self.bed.tenant_id, granted))
        self.bed.planted.entities += [rolebook.activated(self.bed.tenant_id, template) for template in sorted(used)]

    def _sku_by_id(self, sku_id: str) -> Entity:
        return next(sku for sku in self.bed.names["skus"].values() if sku.key == sku_id)

    def _find(self, where: str, section: str, name: object) -> Entity:
        key = str(name).lower() if section == "people" else str(name)
        found = self.bed.names[section].get(key)
        if found is None:
            raise SeedError(f"{where}: there is no '{name}' among the {section}")
        return found

    def _many(self, where: str, entry: Mapping[str, Any], key: str) -> list[Any]:
        value = entry.get(key) or []
        if not isinstance(value, list):
            raise SeedError(f"{where}: '{key}' must be a list")
        return value

    def _relate(self, kind: str, source: Entity, target: Entity) -> None:
        self.bed.planted.relations.append((kind, source.id, target.id))

    def _roles(self, where: str, entity: Entity, entry: Mapping[str, Any]) -> None:
        for key, made in (("roles", rolebook.assignment), ("eligible_roles", self._eligible)):
            for name in self._many(where, entry, key):
                if name not in rolebook.BUILT_IN:
                    raise SeedError(f"{where}: there is no role '{name}'")
                self.bed.add(made(rolebook.BUILT_IN[name], entity.id))

    def _eligible(self, template: str, principal: str) -> Entity:
        return rolebook.eligibility(template, principal, clock.days_before(self.bed.now, 30))

    def _link_person(self, where: str, user: Entity, entry: Mapping[str, Any]) -> None:
        if entry.get("manager"):
            self._relate("manager", user, self._find(where, "people", entry["manager"]))
        states = user.body.setdefault("licenseAssignmentStates", [])
        for name in self._many(where, entry, "licenses"):
            states.append(seats.state(self._find(where, "skus", name).key, user.body["createdDateTime"]))
        self._roles(where, user, entry)
        self.bed.add(make(user.id, "password", {"createdDateTime": user.body["lastPasswordChangeDateTime"]}))
        for number, method in enumerate(self._many(where, entry, "methods")):
            self.bed.add(self._method(where, user, method, number))
        for name in self._many(where, entry, "app_roles"):
            self.bed.add(self._app_role(user, self._find(where, "apps", name)))
        for consent in self._many(where, entry, "consents"):
            self.bed.add(self._consent(where, user, consent))

    def _method(self, where: str, user: Entity, method: object, number: int) -> Entity:
        kinds = {kind.type: kind for kind in KINDS.values() if kind.type != "password"}
        if not isinstance(method, dict) or method.get("type") not in kinds:
            raise SeedError(f"{where}: methods[{number}] needs a 'type' out of {', '.join(kinds)}")
        kind = str(method["type"])
        body = {name: value for name, value in method.items() if name != "type"}
        demand_known(f"{where}: methods[{number}]", body, (*kinds[kind].shows, "default"))
        return make(user.id, kind, {"createdDateTime": user.body["createdDateTime"], **body}, number)

    def _app_role(self, user: Entity, app: Entity) -> Entity:
        id_ = str(uuid.uuid5(uuid.UUID(user.id), "appRole/" + app.id))
        body = {
            "appRoleId": "00000000-0000-0000-0000-000000000000",
            "createdDateTime": user.body["createdDateTime"],
            "principalDisplayName": user.body["displayName"],
            "principalId": user.id,
            "principalType": "User",
            "resourceDisplayName": app.body["displayName"],
            "resourceId": app.id,
        }
        return Entity(id_, "appRoleAssignment", body, app.id, user.id)

    def _consent(self, where: str, user: Entity, consent: object) -> Entity:
        if not isinstance(consent, dict) or not consent.get("app") or not isinstance(consent.get("scope"), str):
            raise SeedError(f"{where}: a consent needs 'app' and 'scope'")
        app = self._find(where, "apps", consent["app"])
        id_ = str(uuid.uuid5(uuid.UUID(user.id), "consent/" + app.id)).replace("-", "")
        body = {
            "clientId": app.id,
            "consentType": "Principal",
            "principalId": user.id,
            "resourceId": graph_id(self.bed.tenant_id),
            "scope": consent["scope"],
        }
        return Entity(id_, "permissionGrant", body, app.id, user.id)

    def _link_device(self, where: str, device: Entity, entry: Mapping[str, Any]) -> None:
        if entry.get("owner"):
            owner = self._find(where, "people", entry["owner"])
            self._relate("registeredOwner", device, owner)
            self._relate("registeredUser", device, owner)
        for name in self._many(where, entry, "users"):
            self._relate("registeredUser", device, self._find(where, "people", name))
        if entry.get("managed") is not None:
            self._link_managed(where, device, entry)

    def _link_managed(self, where: str, device: Entity, entry: Mapping[str, Any]) -> None:
        given = entry["managed"]
        if not isinstance(given, dict):
            raise SeedError(f"{where}: 'managed' must be a mapping; {{}} takes everything from the device")
        managed = self.bed.managed(where, device, given)
        names = self._many(where, given, "users") or ([entry["owner"]] if entry.get("owner") else [])
        people = [self._find(where, "people", name) for name in names]
        for person in people:
            self._relate("primaryUser", managed, person)
        for first in people[:1]:
            managed.body |= {
                "userId": first.id,
                "userPrincipalName": first.body["userPrincipalName"],
                "userDisplayName": first.body["displayName"],
                "emailAddress": first.body.get("mail"),
            }
        self.bed.add(managed)

    def _link_group(self, where: str, group: Entity, entry: Mapping[str, Any]) -> None:
        skus = [self._find(where, "skus", name) for name in self._many(where, entry, "licenses")]
        group.body["assignedLicenses"] = [{"disabledPlans": [], "skuId": sku.key} for sku in skus]
        for name in self._many(where, entry, "members"):
            member = self._member(where, name)
            self._relate("member", group, member)
            for sku in skus if member.type == "user" else ():
                stamp = group.body["createdDateTime"]
                member.body.setdefault("licenseAssignmentStates", []).append(seats.state(sku.key, stamp, group=group.id))
        for name in self._many(where, entry, "owners"):
            self._relate("owner", group, self._find(where, "people", name))
        start = clock.days_before(self.bed.now, 30)
        for access in ("member", "owner"):
            for name in self._many(where, entry, f"eligible_{access}s"):
                person = self._find(where, "people", name)
                self.bed.add(rolebook.group_eligibility(group.id, person.id, access, start))
        self._roles(where, group, entry)

    def _member(self, where: str, name: object) -> Entity:
        section = "people" if "@" in str(name) else ("groups" if str(name) in self.bed.names["groups"] else "devices")
        return self._find(where, section, name)

    def _link_app(self, where: str, app: Entity, entry: Mapping[str, Any]) -> None:
        for name in self._many(where, entry, "owners"):
            self._relate("owner", app, self._find(where, "people", name))
        registration = self.bed.registration(app)
        self.bed.add(registration)
        for name in self._many(where, entry, "registration_owners") or self._many(where, entry, "owners"):
            self._relate("owner", registration, self._find(where, "people", name))
        self._roles(where, app, entry)
        for name in map(str, app.body["_permissions"]):
            self.bed.add(
                Entity(
                    str(uuid.uuid5(uuid.UUID(app.id), f"granted/{name}")),
                    "appRoleAssignment",
                    {
                        "appRoleId": permission_id(name),
                        "principalId": app.id,
                        "principalType": "ServicePrincipal",
                        "principalDisplayName": app.body["displayName"],
                        "resourceDisplayName": "Microsoft Graph",
                        "createdDateTime": clock.stamp(self.bed.now),
                        "resourceId": graph_id(self.bed.tenant_id),
                    },
                    "",
                    app.id,
                )
            )
