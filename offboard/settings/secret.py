"""A text that must not be seen.

It has no useful `str`, `repr`, format, comparison or pickle; whoever needs the text says `reveal()`, which can be
grepped. The audit writes `[redacted]` for it wherever it turns up.
"""

from __future__ import annotations

from typing import Any, NoReturn

HIDDEN = "[redacted]"


class Secret:
    """Holds one secret text.

    Args:
        text: The secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret is never written anywhere")
