"""What a caller has, held against what is needed: what lacks, and what is too much. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from offboard.permissions.needs import AS_THE_PERSON, Need
from offboard.permissions.roles import GLOBAL, RESTRICTED, privileged, who_may

READING, TENANT_NEED = "reading", "Tenant"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is signed in, and what that allows.

    Args:
        kind: `delegated`, `application`, or `unknown`.
        granted: Permissions; empty when they cannot be told.
        roles: Names of the Entra roles held over the whole tenant, as far as they are known.
        unsure: Why these may not be all; empty when they certainly are.
    """

    kind: str
    granted: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    unsure: str = "they were not read"

    @property
    def told(self) -> bool:
        """Whether anything can be compared at all."""
        return self.kind != "unknown" and bool(self.granted)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is needed and not there.

    Args:
        step: The step's id, or `reading`.
        kind: `consent`, `role`, `rank` (the leaver holds a higher role), or `delegated-only`.
        said: What is lacking, as a clause after the step's name.
        todo: The next thing to do.
        certain: Whether Graph will refuse for sure.
        leaver: Object id, when it concerns this leaver only.
    """

    step: str
    kind: str
    said: str
    todo: str
    certain: bool
    leaver: str = ""


@dataclass(frozen=True, slots=True)
class Surplus:
    """A permission or role that nothing needs.

    Args:
        name: Permission or role.
        kind: `permission` or `role`.
        severity: `danger` (it can be used to gain every other), `warn` (it writes), or `remark` (it reads).
    """

    name: str
    kind: str
    severity: str


def lacks(found: Iterable[Need], caller: Caller, leavers: Mapping[str, Mapping[str, Collection[str]]]) -> list[Lack]:
    """Everything that is lacking.

    Args:
        found: As from `needs`; of those steps only that are to be carried out.
        caller: Who would carry them out.
        leavers: For each leaver's object id: for each step that acts on this leaver, the roles that the leaver holds.
            A step that is named for nobody is held against an ordinary person.
    """
    if not caller.told:
        return []
    said: list[Lack] = []
    for need in found:
        said += _consent(need, caller)
        if need.permissions.over:
            said += _rank(need, caller, leavers)
        elif caller.kind == "delegated":
            said += _role(need, caller, need.permissions.roles)
        else:
            said += _role(need, caller, need.permissions.app_roles)
    return list(dict.fromkeys(said))


def _consent(need: Need, caller: Caller) -> Iterator[Lack]:
    sides: Sequence[Sequence[str]] = getattr(need.permissions, caller.kind)
    if not sides:
        yield Lack(
            need.step,
            "delegated-only",
            "cannot be done by an app",
            "Have a signed-in person do it, or leave it out.",
            False,
        )
    elif not (caller.kind == "delegated" and AS_THE_PERSON in caller.granted) and not _covered(need, caller):
        yield Lack(
            need.step,
            "consent",
            f"needs {' + '.join(sides[0])} ({caller.kind}), and nobody consented to it for this sign-in",
            f"Have an administrator consent to it ({caller.kind}), then sign in again.",
            True,
        )


def _covered(need: Need, caller: Caller, without: frozenset[str] = frozenset()) -> bool:
    held = with_reading(caller.granted - without)
    return any(held.issuperset(names) for names in getattr(need.permissions, caller.kind))


def with_reading(granted: Collection[str]) -> frozenset[str]:
    """The permissions with what they imply: whoever may write may read."""
    return frozenset(granted) | {name.replace(".ReadWrite", ".Read", 1) for name in granted}


def _role(need: Need, caller: Caller, wanted: Sequence[str]) -> Iterator[Lack]:
    """A likely lack: roles that no table knows may let it through, and so may owning a group."""
    if wanted and not caller.unsure and not caller.roles & {*wanted, GLOBAL}:
        yield Lack(need.step, "role", f"asks for a role that is not held: {_either(wanted)}", _give(caller), False)


def _rank(need: Need, caller: Caller, leavers: Mapping[str, Mapping[str, Collection[str]]]) -> Iterator[Lack]:
    acting = {id: steps[need.step] for id, steps in leavers.items() if need.step in steps}
    for id, held in acting.items() or {"": ()}.items():
        high = privileged(held)
        if caller.kind == "application" and not high and need.permissions.over != "password":
            continue  # an app's permission alone reaches ordinary people
        if caller.kind == "delegated" and high - {RESTRICTED} and AS_THE_PERSON not in caller.granted:
            yield Lack(
                need.step,
                "consent",
                f"acts on a leaver who holds {_all(high - {RESTRICTED})}, and needs {AS_THE_PERSON} for that",
                "Have an administrator consent to it (delegated), then sign in again.",
                True,
                id,
            )
        wanted = _who_may(need, caller, high)
        if not caller.unsure and not caller.roles & wanted:
            yield _outranked(need, caller, high, wanted, id)


def _who_may(need: Need, caller: Caller, high: frozenset[str]) -> frozenset[str]:
    wanted = who_may(high, password=need.permissions.over == "password")
    by_app = {*need.permissions.app_roles, GLOBAL}
    return wanted & by_app if caller.kind == "application" and need.permissions.app_roles else wanted


def _outranked(need: Need, caller: Caller, high: frozenset[str], wanted: frozenset[str], leaver: str) -> Lack:
    if RESTRICTED in high:
        said = f"acts on a leaver in a {RESTRICTED}; only administrators of that unit may do that"
        return Lack(
            need.step,
            "rank",
            said,
            "Have an administrator of that unit do it, or take the leaver out of it.",
            True,
            leaver,
        )
    if high:
        said = f"acts on a leaver who holds {_all(high)}; only {_either(sorted(wanted))} may do that"
        return Lack(need.step, "rank", said, _give(caller), True, leaver)
    said = f"needs a role that is not held: {_either(sorted(wanted))}"
    return Lack(need.step, "role", said, _give(caller), True)


def _give(caller: Caller) -> str:
    if caller.kind == "application":
        return "Assign one of these roles to the app's service principal, then sign in again."
    return "Assign or activate one of these roles for whoever signs in, then sign in again."


def _either(names: Collection[str]) -> str:
    return " or ".join(names)


def _all(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


# -- too much --------------------------------------------------------------------------------------------------------

_SIGNING_IN = frozenset({"openid", "profile", "email", "offline_access", "User.Read"})
_MASTER = (
    "RoleManagement",
    "RoleAssignmentSchedule",
    "RoleEligibilitySchedule",
    "RoleManagementPolicy",
    "PrivilegedAccess",
    "PrivilegedAssignmentSchedule",
    "PrivilegedEligibilitySchedule",
    "AppRoleAssignment",
    "Application",
    "DelegatedPermissionGrant",
)
"""Whoever may write these can give themselves everything else."""
_TOO_MUCH = frozenset({GLOBAL, "Privileged Role Administrator", "Privileged Authentication Administrator"})


def surplus(found: Sequence[Need], caller: Caller, leavers: Mapping[str, Mapping[str, Collection[str]]]) -> list[Surplus]:
    """What the caller has and nothing here needs, the most dangerous first.

    Args:
        found: As from `needs`, of all steps.
        caller: Who would carry them out.
        leavers: As for `lacks`.
    """
    if not caller.told:
        return []
    left_out: frozenset[str] = frozenset()
    met = [need for need in found if _covered(need, caller)]
    # The broadest first: where a narrow permission does, the broad one beside it is too much.
    for name in sorted(caller.granted - _SIGNING_IN, key=lambda name: (-_breadth(name), name)):
        if all(_covered(need, caller, left_out | {name}) for need in met):
            left_out |= {name}
    said = [Surplus(name, "permission", severity_of(name)) for name in left_out]
    said += [Surplus(name, "role", _role_severity(name)) for name in _idle_roles(found, caller, leavers)]
    return sorted(said, key=lambda each: (("danger", "warn", "remark").index(each.severity), each.kind, each.name))


def _idle_roles(
    found: Sequence[Need], caller: Caller, leavers: Mapping[str, Mapping[str, Collection[str]]]
) -> frozenset[str]:
    """Roles without which nothing would lack that does not lack already."""
    if caller.unsure:
        return frozenset()
    lacking = len(lacks(found, caller, leavers))
    idle: frozenset[str] = frozenset()
    for name in sorted(caller.roles, key=lambda name: (name not in _TOO_MUCH, name)):
        less = Caller(caller.kind, caller.granted, caller.roles - idle - {name}, caller.unsure)
        if len(lacks(found, less, leavers)) <= lacking:
            idle |= {name}
    return idle


def broader(found: Sequence[Need], caller: Caller) -> list[tuple[str, str, str]]:
    """Where a broad permission serves although a narrower one would do: step, held, the least."""
    said = []
    for need in found:
        sides: Sequence[Sequence[str]] = getattr(need.permissions, caller.kind, ())
        held = [_as_held(names, caller) for names in sides if with_reading(caller.granted).issuperset(names)]
        if held and held[0] != tuple(sides[0]) and max(map(_breadth, held[0])) > max(map(_breadth, sides[0])):
            said.append((need.step, " + ".join(held[0]), " + ".join(sides[0])))
    return said


def _as_held(names: Sequence[str], caller: Caller) -> tuple[str, ...]:
    """The permissions that serve, under the names that were consented to."""
    return tuple(n if n in caller.granted else n.replace(".Read", ".ReadWrite", 1) for n in names)


def _breadth(name: str) -> int:
    """How much a permission opens, roughly: only for ordering."""
    if severity_of(name) == "danger":
        return 5
    if name.startswith("Directory.") and "Read.All" not in name:
        return 4
    if name in ("User.ReadWrite.All", "Group.ReadWrite.All"):
        return 3
    return 2 if severity_of(name) == "warn" else 1


def severity_of(name: str) -> str:
    """What a permission can do where nothing needs it: `danger`, `warn` or `remark`."""
    writes = "Read" not in name or "ReadWrite" in name
    if writes and name.split(".")[0] in _MASTER:
        return "danger"
    return "warn" if writes else "remark"


def _role_severity(name: str) -> str:
    return "danger" if name in _TOO_MUCH else "remark" if name.endswith(("Reader", "Readers")) else "warn"
