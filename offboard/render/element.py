"""Building HTML so that text can only ever be text: whatever is not an `Html` is escaped."""

from __future__ import annotations

from offboard.render.safe import PROSE, for_html


class Html(str):
    """Finished markup. Made by `element` and `join` only."""

    __slots__ = ()


SPACE = Html(" ")
"""A space between two elements; plain text at an edge of a piece is data, where a space is made visible."""


def element(name: str, *children: Html | str, **attributes: str) -> Html:
    """One element.

    Args:
        name: Its name.
        children: Markup as it is; other text is sanitized and escaped.
        attributes: Values are sanitized and escaped; a trailing underscore of a name is dropped (`class_`), other
            underscores become hyphens; an empty value leaves the attribute out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{for_html(value, PROSE)}"' for key, value in attributes.items() if value
    )
    return Html(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: Html | str) -> Html:
    """Children one after the other, without an element around them."""
    return Html("".join(c if isinstance(c, Html) else for_html(c, PROSE) for c in children))
