"""Who may act on whom: sensitive changes to people, above all to administrators.

The rules follow the table "who can perform sensitive actions" of Graph's user resource. They apply only where
permissions are enforced; every function here lets everything pass otherwise.
"""

from __future__ import annotations

from .call import Call
from .entity import Entity
from .permissions import caller_roles, demand_any, demand_role
from .problems import denied
from .rolebook import role_names
from .store import Store
from .wire import Json

_GLOBAL, _PRIVILEGED = "Global Administrator", "Privileged Authentication Administrator"
_USER, _AUTHENTICATION = "User Administrator", "Authentication Administrator"
_HELPDESK, _PASSWORD = "Helpdesk Administrator", "Password Administrator"

_TOP = frozenset({_GLOBAL, _PRIVILEGED})
_USUAL = _TOP | {_USER, _AUTHENTICATION}
# role of the target → (who may change sensitive properties, who may reset the password)
_OVER: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "": (_USUAL, _USUAL | {_PASSWORD, _HELPDESK}),
    "Directory Readers": (_USUAL, _USUAL | {_PASSWORD, _HELPDESK}),
    "Guest Inviter": (_USUAL, _USUAL | {_PASSWORD, _HELPDESK}),
    "Message Center Reader": (_USUAL, _USUAL | {_HELPDESK}),
    "Reports Reader": (_USUAL, _USUAL | {_HELPDESK}),
    "Usage Summary Reports Reader": (_USUAL, _USUAL | {_HELPDESK}),
    _PASSWORD: (_USUAL, _USUAL | {_PASSWORD, _HELPDESK}),
    _HELPDESK: (_TOP | {_USER}, _TOP | {_USER, _HELPDESK}),
    "Groups Administrator": (_TOP | {_USER}, _TOP | {_USER}),
    _USER: (_TOP | {_USER}, _TOP | {_USER}),
    _AUTHENTICATION: (_TOP | {_AUTHENTICATION}, _TOP | {_AUTHENTICATION}),
}
_LIKE_NOBODY = ("", "Directory Readers", "Guest Inviter")
_SENSITIVE = (
    "accountEnabled",
    "businessPhones",
    "mobilePhone",
    "otherMails",
    "onPremisesImmutableId",
    "userPrincipalName",
)

Alternatives = tuple[tuple[str, ...], ...]
_WRITE: Alternatives = (("User.ReadWrite.All",), ("Directory.ReadWrite.All",))
_NEEDS: dict[str, Alternatives] = {
    "accountEnabled": (("User.EnableDisableAccount.All", "User.Read.All"), *_WRITE),
    "passwordProfile": (("User-PasswordProfile.ReadWrite.All",), ("Directory.AccessAsUser.All",)),
    "businessPhones": (("User-Phone.ReadWrite.All",), *_WRITE),
    "mobilePhone": (("User-Phone.ReadWrite.All",), *_WRITE),
    "otherMails": (("User-Mail.ReadWrite.All",), *_WRITE),
    "employeeLeaveDateTime": (("User-LifeCycleInfo.ReadWrite.All", "User.Read.All"),),
}


def _roles_of_target(store: Store, user: Entity) -> set[str]:
    roles = role_names(store, user.id, eligible=True)
    groups = [*store.sources("member", user.id), *store.sources("owner", user.id)]
    if any(group.body.get("isAssignableToRole") for group in groups):
        roles.add("member or owner of a role-assignable group")
    return roles


def _who_may(store: Store, user: Entity, password: bool) -> tuple[frozenset[str], bool]:
    """The roles that suffice, and whether the target is privileged at all."""
    roles = _roles_of_target(store, user) or {""}
    allowed = [_OVER.get(role, (_TOP, _TOP))[password] for role in roles]
    return frozenset.intersection(*allowed), not roles.issubset(_LIKE_NOBODY)


def demand_over(call: Call, user: Entity, *, password: bool = False) -> None:
    """403 unless the caller stands high enough above the target."""
    if not call.enforcing:
        return
    if user.body.get("isManagementRestricted"):
        raise denied("Insufficient privileges: the target is in a restricted management administrative unit.")
    allowed, privileged = _who_may(call.store, user, password)
    if call.caller.delegated:
        demand_role(call, allowed)
        if privileged and "Directory.AccessAsUser.All" not in call.caller.permissions:
            raise denied()
    elif privileged or password:
        # An app's own permission reaches ordinary people only; passwords always need a role on the app as well.
        _demand_app_role(call, allowed - {_HELPDESK, _PASSWORD, _AUTHENTICATION} if password else allowed)


def _demand_app_role(call: Call, allowed: frozenset[str]) -> None:
    if not caller_roles(call) & allowed:
        raise denied()


def demand_to_patch(call: Call, user: Entity, wanted: Json) -> None:
    """Each property of a PATCH asks for its own permission, the sensitive ones for rank."""
    if not call.enforcing:
        return
    for name in wanted:
        demand_any(call, _NEEDS.get(name, _WRITE))
    if "passwordProfile" in wanted:
        demand_over(call, user, password=True)
    if any(name in _SENSITIVE for name in wanted):
        demand_over(call, user)
    if call.caller.delegated and "employeeLeaveDateTime" in wanted:
        demand_role(call, frozenset())
    if call.caller.delegated and any(name not in _NEEDS and name not in _SENSITIVE for name in wanted):
        demand_role(call, frozenset({_USER, "Directory Writers"}))


def demand_to_delete(call: Call, entity: Entity) -> None:
    """Deleting, restoring and purging a person are sensitive actions."""
    if entity.type == "user":
        demand_over(call, entity)


def demand_to_select(call: Call, select: tuple[str, ...]) -> None:
    """Sign-in activity is an audit log in disguise."""
    if call.enforcing and "signInActivity" in select:
        demand_any(call, (("AuditLog.Read.All",),))
