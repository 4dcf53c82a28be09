"""From keys in paths to stored objects; Graph's 404 when there is none."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from .call import Call, Key
from .entity import Entity
from .matching import GUID
from .problems import bad_request, bad_uri, not_found
from .schema import DIRECTORY_TYPES
from .store import Store
from .wire import Json


def is_guid(text: str) -> bool:
    """Whether this reads as an object id."""
    return GUID.fullmatch(text) is not None


def find_user(store: Store, key: str) -> Entity | None:
    """A living user by object id or, in any case of letters, by user principal name."""
    if is_guid(key):
        user = store.get("user", key.lower())
        return user if user and user.deleted is None else None
    return next((user for user in store.by_key("user", key.lower()) if user.deleted is None), None)


def user(call: Call) -> Entity:
    """The user whom the path names."""
    key = call.params["user"]
    if key.name not in ("", "userPrincipalName"):
        raise bad_uri(f"The key property '{key.name}' does not exist on type 'microsoft.graph.user'.")
    if key.value.startswith("$") and not key.quoted:
        # A name that begins with a dollar reads as a segment of OData's own; only the quoted form reaches it.
        raise bad_uri(f"Resource not found for the segment '{key.value}'.")
    found = find_user(call.store, key.value)
    if found is None:
        raise not_found(key.value)
    return found


def _by_id(call: Call, type_: str, key: Key) -> Entity:
    found = call.store.get(type_, key.value.lower())
    if found is None or found.deleted is not None:
        raise not_found(key.value)
    return found


def _by_alternate(call: Call, type_: str, key: Key) -> Entity:
    found = next((e for e in call.store.by_key(type_, key.value.lower()) if e.deleted is None), None)
    if found is None:
        raise not_found(key.value)
    return found


def device(call: Call) -> Entity:
    """The device whom the path names, by object id or `(deviceId='…')`."""
    key = call.params["device"]
    return _by_alternate(call, "device", key) if key.name == "deviceId" else _by_id(call, "device", key)


def service_principal(call: Call) -> Entity:
    """The service principal, by object id or `(appId='…')`."""
    key = call.params["principal"]
    alternate = key.name == "appId"
    return _by_alternate(call, "servicePrincipal", key) if alternate else _by_id(call, "servicePrincipal", key)


def application(call: Call) -> Entity:
    """The app's registration, by object id or `(appId='…')`."""
    key = call.params["application"]
    return _by_alternate(call, "application", key) if key.name == "appId" else _by_id(call, "application", key)


def directory_role(call: Call) -> Entity:
    """The activated role, by object id or `(roleTemplateId='…')`."""
    key = call.params["role"]
    alternate = key.name == "roleTemplateId"
    return _by_alternate(call, "directoryRole", key) if alternate else _by_id(call, "directoryRole", key)


def group(call: Call) -> Entity:
    """The group whom the path names."""
    return _by_id(call, "group", call.params["group"])


def reference(call: Call, body: Json | None = None) -> Entity:
    """The object that an `@odata.id` in the body points to."""
    link = (call.json_body() if body is None else body).get("@odata.id")
    if not isinstance(link, str):
        raise bad_request("The request body must contain '@odata.id'.")
    try:
        parts = [unquote(part) for part in urlsplit(link).path.split("/") if part]
    except ValueError:
        parts = []
    if len(parts) < 2 or parts[-2].lower() not in ("users", "directoryobjects", "groups", "devices", "serviceprincipals"):
        raise bad_request("Invalid URL format specified in payload.")
    found = find_user(call.store, parts[-1]) or call.store.find(parts[-1].lower(), DIRECTORY_TYPES)
    if found is None or found.deleted is not None:
        raise not_found(parts[-1])
    return found
