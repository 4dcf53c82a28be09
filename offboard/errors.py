"""Everything that can go wrong and is not a bug.

One family means "a person must act"; its message says what, where, why and what to do next. All else is a bug and ends
with exit code 70 and a short report::

    OffboardError            (exit)
    ├── UsageError              2   bad playbook, list, argument or file; nothing contacted
    │   └── SourceError         2   ... with file, line and column
    ├── Refused                 3   guard, stale, edited, expired or consumed plan, missing approval
    ├── NotPermitted            4   not signed in, consent or role missing, wrong tenant
    ├── Stopped                 5   stopped early, resumable
    ├── Busy                    6   somebody else's run holds this leaver or plan
    └── GraphUnavailable        5   Graph could not be reached or made no sense; nothing decided on it
"""

from __future__ import annotations

from collections.abc import Sequence


class OffboardError(Exception):
    """Trouble that a person can act on.

    Args:
        what: One sentence: what happened, to whom.
        why: What caused it, if known.
        todo: The next thing to do.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def lines(self) -> list[str]:
        """The message as lines: what, why, what to do."""
        return [line for line in (self.what, self.why, self.todo) if line]


class UsageError(OffboardError):
    """A playbook, list, argument or file cannot be used; nothing was contacted."""

    exit_code = 2


class Problem:
    """One complaint about a source file, with its place.

    Args:
        path: The file as the user named it.
        line: 1-based; 0 when the file as a whole is meant.
        column: 1-based; 0 with `line` 0.
        message: What was found and what was expected.
        hint: The near word for a typo, or the next thing to do.
        quote: The offending source line, for the caret.
        width: Characters to underline.
    """

    __slots__ = ("column", "hint", "line", "message", "path", "quote", "width")

    def __init__(
        self,
        path: str,
        line: int,
        column: int,
        message: str,
        *,
        hint: str = "",
        quote: str = "",
        width: int = 1,
    ) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
        self.quote = quote
        self.width = width

    def where(self) -> str:
        """`file:line:column`, or the file alone."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def __str__(self) -> str:
        return f"{self.where()}: {self.message}"


class SourceError(UsageError):
    """A source file is wrong at one or more places; all of them are named at once."""

    def __init__(self, problems: Sequence[Problem], *, todo: str = "") -> None:
        super().__init__(str(problems[0]), todo=todo)
        self.problems = tuple(problems)


class Refused(OffboardError):
    """Carrying on would not be what was reviewed, or would harm somebody; nothing (more) was written."""

    exit_code = 3

    def __init__(self, what: str, *, details: Sequence[str] = (), why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.details = tuple(details)

    def lines(self) -> list[str]:
        """The message, with what differs between the headline and the advice."""
        return [self.what, *self.details, *(line for line in (self.why, self.todo) if line)]


class NotPermitted(OffboardError):
    """Not signed in, or signed in without what the call needs."""

    exit_code = 4


class Stopped(OffboardError):
    """Stopped early; the run can be resumed."""

    exit_code = 5


class GraphUnavailable(Stopped):
    """Graph could not be reached, or answered something that makes no sense."""


class Busy(OffboardError):
    """Somebody else's run holds this leaver or plan."""

    exit_code = 6
