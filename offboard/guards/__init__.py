"""Guards: pure checks over a plan, asked when it is made and again before it is carried out.

A guard says `stop` (the plan is refused) or `warn` (the reviewer must know). One choke point, `object_to`, is asked on
every way in: a name, a list, a file, a resumed run, a delayed step, another program.

Why: belts that are opt-in get forgotten, and belts that sit on one road leak on the next. So they are on by default, each
family has a file of its own, and nobody writes to a tenant without having asked here.
"""

from __future__ import annotations

from offboard.guards.choke import GUARDS, Verdict, judge, object_to, refuse_if_stopped
from offboard.guards.guard import Outline, outline
from offboard.guards.limits import Limits
from offboard.guards.overrides import Lift, parse_override, with_overrides
from offboard.guards.permission import lacking, needed, refuse_if_lacking, refused_steps, warn_of_lacking
from offboard.guards.roles import with_roles
from offboard.guards.surroundings import Held, History, RoleGroup, SignedIn, Surroundings

__all__ = [
    "GUARDS",
    "Held",
    "History",
    "Lift",
    "Limits",
    "Outline",
    "RoleGroup",
    "SignedIn",
    "Surroundings",
    "Verdict",
    "judge",
    "lacking",
    "needed",
    "object_to",
    "outline",
    "parse_override",
    "refuse_if_lacking",
    "refuse_if_stopped",
    "refused_steps",
    "warn_of_lacking",
    "with_overrides",
    "with_roles",
]
