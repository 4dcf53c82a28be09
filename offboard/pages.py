"""Reference pages, made from the classes: one per action, permissions, exit codes, file formats.

`python -m offboard.pages` writes them under `docs/reference/`; `--check` says which are stale. The same text is shown by
`offboard actions NAME`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from offboard.actions import ACTIONS
from offboard.actions.base import Action
from offboard.exits import EXITS
from offboard.model import JSON, Permissions, Playbook
from offboard.permissions import Need, least, not_for_apps

MOST_NESTED, MOST_WORDS = 6, 12
EFFECTS = {
    "reversible": "Nothing is lost.",
    "recoverable": "Can be brought back for a limited time.",
    "irreversible": "Cannot be brought back.",
}


def document(action: Action) -> str:
    """The whole text that stands at the top of the action's file."""
    module = inspect.getmodule(type(action))
    assert isinstance(module, ModuleType)
    return inspect.cleandoc(module.__doc__ or "")


def summary(action: Action) -> str:
    """The first line of the action's text."""
    return document(action).splitlines()[0]


def action_page(action: Action) -> str:
    """The reference page of one action, in Markdown."""
    first, _, rest = document(action).partition("\n")
    body, _, source = rest.rpartition("Source: ")
    sections = [
        f"# {action.name}\n\n{first}",
        body.strip(),
        f"## Parameters\n\n{_parameters(action)}",
        f"## What it reads\n\n{_reads(action)}",
        f"## Graph calls\n\n{_calls(action)}",
        f"## Least permissions\n\n{_permissions(action.permissions, reads_only=not action.calls)}",
        f"## What may be lost, and the way back\n\n{EFFECTS[action.effect.value]} {action.undo_text}",
        f"## How it knows that it worked\n\n{action.verified_by}",
        f"## Time until it bites\n\n{action.takes_effect}",
        f"## Example\n\n```yaml\n{action.example}\n```",
        f"Source: {source.strip()}",
    ]
    return "\n\n".join(section for section in sections if section.strip()) + "\n"


def _parameters(action: Action) -> str:
    if not action.parameters:
        return "None."
    lines = []
    for name, schema in action.parameters.items():
        default = f" Default: `{schema['default']}`." if "default" in schema else ""
        lines.append(f"- `{name}`: {schema.get('description', '')}{default}")
    return "\n".join(lines)


def _reads(action: Action) -> str:
    return "\n".join(f"- {fact.__name__}: {', '.join(f'`{call}`' for call in fact.calls)}" for fact in action.reads)


def _calls(action: Action) -> str:
    return "\n".join(f"- `{call}`" for call in action.calls) or "None besides reading."


def _permissions(found: Permissions, *, reads_only: bool) -> str:
    lines = [
        f"- delegated: {alternatives(found.delegated)}",
        f"- application: {alternatives(found.application) or 'not supported by Graph'}",
    ]
    if found.roles and not reads_only:
        lines.append(f"- Entra role of a signed-in person, one of: {', '.join(found.roles)}")
    if found.app_roles:
        lines.append(f"- Entra role of the app's own service principal, one of: {', '.join(found.app_roles)}")
    return "\n".join([*lines, *([f"\n{found.remark}"] if found.remark else [])])


def alternatives(found: Sequence[Sequence[str]]) -> str:
    """`A`, or `B + C`."""
    return ", or ".join(" + ".join(f"`{name}`" for name in names) for names in found)


def action_json(action: Action) -> dict[str, JSON]:
    """One action for a program."""
    return {
        "name": action.name,
        "version": action.version,
        "summary": summary(action),
        "text": document(action),
        "effect": action.effect.value,
        "reads": [fact.__name__ for fact in action.reads],
        "calls": list(action.calls),
        "delegated": [list(names) for names in action.permissions.delegated],
        "application": [list(names) for names in action.permissions.application],
        "parameters": dict(action.parameters),
        "required": list(action.required),
        "example": action.example,
        "undo": action.undo_text,
        "verified_by": action.verified_by,
        "takes_effect": action.takes_effect,
    }


def permissions_page(book: Playbook, found: Sequence[Need]) -> str:
    """The least permissions of one playbook, for a terminal."""
    lines = [f"Playbook {book.name}: the least that its steps need", ""]
    width = max(len(need.step) for need in found)
    for need in found:
        own = need.permissions
        lines.append(f"  {need.step:<{width}}  {need.action}")
        lines.append(f"  {'':<{width}}    delegated    {_plain(own.delegated)}")
        lines.append(f"  {'':<{width}}    application  {_plain(own.application) or 'not supported by Graph'}")
    for kind in ("delegated", "application"):
        lines += ["", f"Consent to ({kind}):", *(f"  {name}" for name in least(found, kind))]
    only = not_for_apps(found)
    if only:
        steps = ", ".join(need.step for need in only)
        lines += ["", f"App-only cannot do: {steps}. {only[0].permissions.remark}"]
    lines += ["", *_role_lines(found)]
    return "\n".join(lines)


def _plain(found: Iterable[Sequence[str]]) -> str:
    return next((" + ".join(names) for names in found), "")


def _role_lines(found: Sequence[Need]) -> list[str]:
    lines = ["Besides the permission, a signed-in person needs one of these Entra roles:"]
    for need in found:
        if need.permissions.roles and need.step != "reading":
            lines.append(f"  {need.step}: {', '.join(need.permissions.roles)}")
    app = [need for need in found if need.permissions.app_roles]
    if app:
        lines.append("An app needs one of these on its own service principal:")
        lines += [f"  {need.step}: {', '.join(need.permissions.app_roles)}" for need in app]
    return lines


def permissions_table() -> str:
    """The page that lists every action's permissions."""
    rows = ["# Permissions", "", "Least first; generated from the actions.", ""]
    rows += ["| action | delegated | application |", "|---|---|---|"]
    for action in ACTIONS.values():
        application = alternatives(action.permissions.application) or "not supported by Graph"
        rows.append(
            f"| [{action.name}](actions/{action.name}.md) | {alternatives(action.permissions.delegated)} | {application} |"
        )
    facts = sorted({fact for action in ACTIONS.values() for fact in action.reads}, key=lambda fact: fact.__name__)
    rows += ["", "Reading the facts that plans rest on:", "", "| fact | delegated | application |", "|---|---|---|"]
    for fact in facts:
        own = fact.permissions
        rows.append(f"| {fact.__name__} | {alternatives(own.delegated)} | {alternatives(own.application)} |")
    return "\n".join(rows) + "\n"


def pages() -> dict[str, str]:
    """All generated pages: path under `docs/reference/` → text."""
    found = {f"actions/{action.name}.md": action_page(action) for action in ACTIONS.values()}
    index = ["# Actions", "", *(f"- [{a.name}](actions/{a.name}.md): {summary(a)}" for a in ACTIONS.values())]
    return {
        **found,
        "actions.md": "\n".join(index) + "\n",
        "permissions.md": permissions_table(),
        "exit-codes.md": exit_codes(),
        "formats.md": formats(),
        "audit-events.md": audit_events(),
        **_finding_pages(),
    }


def exit_codes() -> str:
    """The page of exit codes."""
    rows = ["# Exit codes", "", "| code | meaning | more | what to do |", "|---|---|---|---|"]
    rows += [f"| {code} | {meaning} | {more} | {todo} |" for code, meaning, more, todo in EXITS]
    rows += ["", "Open items that the playbook accepts (`accept:`) or the caller (`--accept CODE`) do not turn 0 into 1."]
    return "\n".join(rows) + "\n"


def audit_events() -> str:
    """The page of the audit's events."""
    from offboard.audit.events import EVENTS

    rows = ["# Events of the audit", "", "Codes are stable: they are never given to another event.", ""]
    rows += ["| code | event | |", "|---|---|---|"]
    rows += [f"| {e.code} | {name} | {e.description} |" for name, e in sorted(EVENTS.items(), key=lambda x: x[1].code)]
    return "\n".join(rows) + "\n"


def formats() -> str:
    """The page of file formats: every property of the four published schemas."""
    from offboard.schema import SCHEMAS, schema

    lines = [
        "# File formats, property by property",
        "",
        "Made from the JSON Schemas; in prose: [formats](../formats.md).",
    ]
    for name in SCHEMAS:
        document = schema(name)
        lines += ["", f"## {name}", "", str(document.get("description", "")), ""]
        lines += ["| property | type | required | |", "|---|---|---|---|"]
        lines += list(_properties(document, document, ""))
    return "\n".join(lines) + "\n"


def _properties(part: Mapping[str, JSON], whole: Mapping[str, JSON], path: str, depth: int = 0) -> Iterator[str]:
    part = _target(part, whole)
    for key, found in part.get("properties", {}).items():
        own = _target(found, whole) if isinstance(found, dict) else {}
        place = f"{path}.{key}" if path else key
        needed = "yes" if key in part.get("required", ()) else ""
        yield f"| `{place}` | {_type(own)} | {needed} | {_cell(own.get('description', ''))} |"
        if depth < MOST_NESTED:
            inner = own.get("items", own)
            suffix = "[]" if "items" in own else ""
            yield from _properties(inner if isinstance(inner, dict) else {}, whole, place + suffix, depth + 1)
    more = part.get("additionalProperties")
    if isinstance(more, dict) and depth < MOST_NESTED:
        yield from _properties(more, whole, f"{path}.NAME" if path else "NAME", depth + 1)


def _target(part: Mapping[str, JSON], whole: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """What a local `$ref` points at."""
    reference = part.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return part
    found: JSON = whole
    for name in reference[2:].split("/"):
        found = found[name]
    assert isinstance(found, dict)
    return found


def _type(own: Mapping[str, JSON]) -> str:
    if "const" in own:
        return f"`{own['const']}`"
    if "enum" in own and len(own["enum"]) <= MOST_WORDS:
        return ", ".join(f"`{word}`" for word in own["enum"])
    kind = own.get("type", "text" if "enum" in own else "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: JSON) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _finding_pages() -> dict[str, str]:
    from offboard.findings import CODES, explain

    titles = {code: explain(code).splitlines()[0] for code in CODES}
    index = ["# Findings of `validate`", "", *(f"- [{title}](findings/{code}.md)" for code, title in titles.items())]
    found = {f"findings/{code}.md": f"# {explain(code)}\n" for code in CODES}
    return {**found, "findings.md": "\n".join(index) + "\n"}


def stale(folder: Path) -> list[str]:
    """The pages that differ from what the classes say."""
    return [name for name, text in pages().items() if not _same(folder / name, text)]


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def write(folder: Path) -> None:
    """Write all pages."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _main(words: Sequence[str]) -> int:
    folder = Path("docs/reference")
    if "--check" in words:
        found = stale(folder)
        sys.stdout.write("".join(f"stale: {folder / name}\n" for name in found))
        return 1 if found else 0
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
