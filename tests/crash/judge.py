"""What must hold of every case, judged by the tenant's journal, the audit, and what the program says of its runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from offboard.audit import verify
from offboard.sandbox.journal import JournalEntry
from tests.crash.after import BrokenError, audit_files, audit_path, go_on, must, runs
from tests.crash.cases import Case, operate, prepare
from tests.crash.lab import Ended, Lab

Key = tuple[str, str, str]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class Reference:
    """How the operation ends when nobody disturbs it.

    Args:
        ended: The process.
        code: Exit code of what follows.
        runs: What the program says of its runs in the end.
        effects: What the tenant executed, and how often.
        tenant: How everything in the tenant stands in the end.
    """

    ended: Ended
    code: int
    runs: list[object]
    effects: Counter[Key]
    tenant: list[str]


def undisturbed(lab: Lab, case: Case) -> Reference:
    """The operation and what follows, with nobody to disturb it."""
    prepare(lab, case)
    ended = operate(lab, case)
    must(ended.code in (0, 1), ended.said)
    last = go_on(lab, case, ended)
    must(last.code in (0, 1), last.said)
    return Reference(ended, last.code, said_of_runs(lab), effects(lab), tenant(lab))


def trial(lab: Lab, case: Case, reference: Reference) -> str:
    """Carry out the case and judge it.

    Returns:
        The point at which the process was struck; empty when it ended before it got there.

    Raises:
        BrokenError: Something does not hold.
    """
    prepare(lab, case)
    ended = operate(lab, case)
    if case.kind in ("power", "shred") and ended.code == -9:
        lab.reboot()
    if case.kind == "term" and ended.struck:
        _stopped(ended, reference)
    elif ended.struck:
        must(ended.code == -9, f"killed, and yet it ended with {ended.code}: {ended.said}")
    told_before(lab)
    last = go_on(lab, case, ended)
    must(last.code == reference.code, f"exit {last.code} instead of {reference.code}: {last.said}")
    converged(lab, reference)
    return ended.struck


def _stopped(ended: Ended, reference: Reference) -> None:
    """SIGTERM: an orderly end, soon, with a word about how to go on."""
    if ended.code in (reference.ended.code, -15) and "run-ended" not in ended.said:
        # It came when everything was said and done, or before anything had begun to be.
        return
    must(ended.code == 5, f"SIGTERM, and it ended with {ended.code}: {ended.said}")
    must("offboard resume" in ended.said or "before anything was sent" in ended.said, f"no way on: {ended.said}")
    struck = next(at for at, name in ended.trace if name.startswith("struck"))
    late = [name for at, name in ended.trace if name.endswith("leaves") and at > struck + 1]
    must(not late, f"more than a second after SIGTERM: {late}")


def told_before(lab: Lab) -> None:
    """I1, I8: every effect has its intent in the audit, on disk, now; and the chain holds up to a torn line."""
    path = audit_path(lab)
    if path.exists():
        found = verify(path)
        must(found.ok or re.search("torn|tore", str(found.problem)), f"the audit is broken: {found.problem}")
    intents = {key_of(record) for record in records(lab) if record["event"] == "intent"}
    silent = [key for key in effects(lab) if not any(_same(key, intent) for intent in intents)]
    must(not silent, f"done, and no intent in the audit: {silent}")


def converged(lab: Lab, reference: Reference) -> None:
    """Everything is as it would have been, and told once."""
    found = verify(audit_path(lab))
    must(found.ok, f"the audit is broken: {found.problem}")
    done = effects(lab)
    must(not reference.effects - done, f"lost: {reference.effects - done}")
    must(not done - reference.effects, f"done once more: {done - reference.effects}")
    must(tenant(lab) == reference.tenant, "the tenant ends otherwise")
    told = [record for record in records(lab) if record["event"] in ("intent", "outcome")]
    for key in done:
        mine = [record for record in told if _same(key, key_of(record))]
        ends = [record for record in mine if record["event"] == "outcome"]
        must(ends and mine[0]["event"] == "intent", f"{key}: no intent and outcome, but {[r['event'] for r in mine]}")
        must({record["outcome"] for record in ends} == {"changed"}, f"{key}: {[r['outcome'] for r in ends]}")
        must(len(ends) == 1, f"{key}: {len(ends)} outcomes, {[r.get('why') for r in ends]}")
    stated = said_of_runs(lab)
    must(stated == reference.runs, f"the runs are {stated} instead of {reference.runs}")


def said_of_runs(lab: Lab) -> list[object]:
    """What the program says of its runs, without times."""
    return [(run["state"], run["exit_code"]) for run in runs(lab)]


def _same(effect: Key, told: Key) -> bool:
    return effect[:2] == told[:2] and effect[2] in ("", told[2])


def key_of(record: dict[str, Any]) -> Key:
    """Verb, target and leaver of an intent or outcome."""
    target = record["change"]["target"]
    return record["change"]["verb"], target["id"], record.get("leaver", target)["id"]


def effect_key(effect: JournalEntry) -> Key:
    """Verb, target and leaver of what the tenant executed, in the words of the records about it."""
    kind, *rest = effect.path.removeprefix("/v1.0/").split("/")
    id = "" if kind == "directory" else rest.pop(0)
    changed = effect.effect.get("changed", {})
    match kind, effect.method, rest:
        case "devices", "PATCH", []:
            return _switched(changed), id, ""
        case "devices", "DELETE", ["registeredOwners", owner, "$ref"]:
            return "unown", id, owner
        case "devices", "POST", ["registeredOwners", "$ref"]:
            return "own", id, effect.effect["target"]
        case "users", "DELETE", ["authentication", _, method]:
            return "remove", method, id
        case "users", "DELETE", []:
            return "delete", id, id
        case "users", "POST", ["revokeSignInSessions"]:
            return "revoke", id, id
        case "users", "POST", ["assignLicense"]:
            return "assign" if effect.effect["added"] else "free", id, id
        case "users", "PATCH", []:
            return "set" if "lastPasswordChangeDateTime" in changed else _switched(changed), id, id
        case "directory", "DELETE", ["deletedItems", user]:
            return "purge", user, user
        case "directory", "POST", ["deletedItems", user, "restore"]:
            return "restore", user, user
    raise BrokenError(f"nobody planned {effect.method} {effect.path}")


def _switched(changed: dict[str, Any]) -> str:
    return "enable" if changed["accountEnabled"][1] else "disable"


def effects(lab: Lab) -> Counter[Key]:
    """What the tenant executed, and how often."""
    return Counter(effect_key(entry) for entry in lab.tenant.journal())


def tenant(lab: Lab) -> list[str]:
    """Everything in the tenant, without its times."""
    store = lab.tenant._store
    objects = store.execute("SELECT id, type, parent, deleted IS NULL, body FROM objects ORDER BY id, type, parent")
    links = store.execute("SELECT kind, source, target FROM relations ORDER BY kind, source, target")
    return [TIME.sub("then", repr(row)) for row in (*objects.fetchall(), *links.fetchall())]


def records(lab: Lab) -> list[dict[str, Any]]:
    """The audit's whole records."""
    lines = [line for path in audit_files(lab) for line in path.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line) for line in lines if line.startswith(b"{")]
