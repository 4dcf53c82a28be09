"""What a step is told to keep, by name or id: shared by the actions that take away sets.

A name can be matched only where the object's name is known. Where it could not be read, the id stands in for it; then
nobody can tell whether the object is the one to be kept, and it is left alone rather than taken away by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from offboard.actions.objects import GUID
from offboard.model import JSON, Ref

UNKNOWN_NAME = "its name could not be read, so whether the playbook keeps it cannot be told"


def kept(parameters: Mapping[str, JSON], ref: Ref) -> bool | None:
    """Whether the step keeps the object; None when that cannot be told.

    Args:
        parameters: The step's, with `keep` as a list of names and ids.
        ref: The object; its name is its id when it is not known.
    """
    keep = {str(name).casefold() for name in parameters.get("keep", ())}
    if keep & {ref.name.casefold(), ref.id.casefold()}:
        return True
    by_name = any(not re.fullmatch(GUID, entry) for entry in keep)
    return None if by_name and ref.name == ref.id else False
