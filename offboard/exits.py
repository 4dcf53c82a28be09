"""The exit codes: one table for the help text, the reference page and the tests."""

from __future__ import annotations

EXITS: tuple[tuple[int, str, str, str], ...] = (
    (
        0,
        "done: everything planned holds, nothing is left open",
        "Every planned post-condition was read back. Steps that fall due later do not count against it.",
        "Nothing now; `offboard resume` on the day that the verdict names.",
    ),
    (
        1,
        "finished with failed steps or open items",
        "Something could not be done, or access or a duty is left.",
        "Read the verdict: each item has a reason, and its code in brackets can be accepted.",
    ),
    (
        2,
        "bad playbook, list, argument or file; nothing contacted",
        "Also an unknown or ambiguous user, which is found out by asking; nothing is written.",
        "Mend what the message points at.",
    ),
    (
        3,
        "refused: guard, stale, edited, expired or consumed plan",
        "Also a plan of another tenant, and an audit whose chain is broken. Nothing (more) was written.",
        "Make and review a new plan.",
    ),
    (
        4,
        "not signed in or not permitted",
        "Sign-in failed, or Graph does not let this caller read what a plan rests on.",
        "The message names permission or role, and the next step.",
    ),
    (
        5,
        "stopped early, resumable",
        "Ctrl-C, SIGTERM, a silent Graph, or an audit that cannot be written.",
        "`offboard resume`.",
    ),
    (
        6,
        "somebody else's run holds this leaver or plan",
        "Another process is carrying it out.",
        "Wait, or look with `offboard runs`.",
    ),
    (70, "a bug", "The report names versions and places in the program, never values.", "Report it."),
)
"""Code, meaning in the help text, more about it, what to do."""
