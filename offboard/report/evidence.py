"""What a report says, section by section. Pure: the same records give the same words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from offboard.render.verdict import EVALUATED, TOKEN
from offboard.render.words import clock_after, count, detail, done, exact, loss, words
from offboard.report.blocks import Alert, Block, Document, Facts, Items, Section, Table, Title
from offboard.report.collect import Entry, LeaverFile, Record, RunFile
from offboard.report.controls import answers

TARGET = timedelta(hours=1)
"""Until access has to be ended, where nothing else is agreed: a usual value for NIST PS-4."""

HEAD = ("record", "step", "result", "object", "before → after", "intended", "read back", "request")


def document(run: RunFile, target: timedelta = TARGET) -> Document:
    """The report about a run.

    Args:
        run: As collected.
        target: Within which access was to be ended.
    """
    name = run.leavers[0].name if len(run.leavers) == 1 else count(len(run.leavers), "leaver")
    sections = [_leaver(run, each, target) for each in run.leavers]
    controls = Section("Controls", [Items([_SUPPORTS]), Table(("control", "asks for", "this run shows"), answers(run))])
    return Document(f"Offboarding of {name}", list(_head(run)), [*sections, controls, _integrity(run)])


_SUPPORTS = "This report supports these controls; whether they are met is for the assessor to say."


def when(record: Record | None) -> str:
    """The time of a record, to the second."""
    return exact(datetime.fromisoformat(record["time"])) if record else "not recorded"


def _detail(record: Record | None) -> Record:
    return (record or {}).get("detail") or {}


def _head(run: RunFile) -> Iterator[Block]:
    if run.flaw is not None:
        yield Alert("stop", f"The audit behind this report does not verify: {run.flaw}.")
    started, ended = run.started, run.last("run-ended")
    if ended is None:
        yield Alert("warn", "The run has not ended: what follows is what is known so far.")
    tenant = _detail(started).get("tenant") or {}
    pairs = [
        ("tenant", f"{tenant.get('name')} ({tenant.get('id')})" if tenant else "not recorded"),
        ("playbook", str(_detail(started).get("playbook") or "not recorded")),
        ("run", run.run),
        ("started", f"{when(started)} by {started.get('actor') or 'unknown'}"),
    ]
    pairs += [("resumed", f"{when(r)} by {r.get('actor') or 'unknown'}") for r in run.all("run-resumed")]
    if ended is not None:
        pairs.append(("ended", f"{when(ended)}, exit code {_detail(ended).get('exit_code')}"))
    yield Facts(pairs)
    yield Title("Authority")
    yield from _authority(run)


def _authority(run: RunFile) -> Iterator[Block]:
    planned, approved = run.first("playbook-planned"), run.all("approved")
    pairs = []
    if planned is not None:
        pairs.append(("planned", f"{when(planned)} by {planned.get('actor') or 'unknown'}"))
    used = _detail(run.started).get("approvals")
    used = [a for a in used if isinstance(a, dict)] if isinstance(used, list) else []
    pairs += [("approved", f"{a.get('approved')} by {a.get('approver')}, key {a.get('fingerprint')}") for a in used]
    pairs += [("approved", f"{when(r)} by {r.get('actor') or 'unknown'}") for r in approved if not used]
    if not approved and not used:
        pairs.append(("approved", "no approval is recorded"))
    pairs += [("plan", str(run.started.get("plan") or "")), ("digest", run.digest)]
    yield Facts(pairs)
    if planned is not None and _detail(planned).get("digest") != run.digest:
        yield Alert("stop", "The plan that was carried out is not the plan that was made under this id.")


# -- one leaver ------------------------------------------------------------------------------------------------------


def _leaver(run: RunFile, leaver: LeaverFile, target: timedelta) -> Section:
    blocks: list[Block] = [Facts([("id", leaver.id), *_times(run, leaver, target)])]
    blocks += [Alert("stop", f"Refused, nothing was changed: {why}") for why in leaver.refused]
    blocks += [Alert("warn", f"{r['event'].capitalize()}: {r.get('why') or ''}") for r in leaver.steered]
    blocks += list(_window(leaver))
    if leaver.entries:
        blocks += [Title("What was done"), Table(HEAD, [_row(each) for each in leaver.entries], "evidence")]
    blocks += list(_open(leaver))
    blocks += list(_things(leaver))
    return Section(leaver.name, blocks, leaver.upn)


def _times(run: RunFile, leaver: LeaverFile, target: timedelta) -> Iterator[tuple[str, str]]:
    leave = leaver.detail.get("leave")
    if leave:
        yield "leave time", words(leave)
    began = datetime.fromisoformat(run.started["time"])
    for verb, label in (("disable", "sign-in blocked"), ("revoke", "sessions revoked"), ("delete", "deleted")):
        at = leaver.at(verb)
        if at is not None:
            yield label, f"{exact(at)}, {span(at - began)} after the run began{_against(at - began, target, verb)}"
        elif verb != "delete":
            yield label, _not_done(leaver, verb)


def _against(took: timedelta, target: timedelta, verb: str) -> str:
    if verb == "delete":
        return ""
    return f" (target {span(target)}: {'met' if took <= target else 'missed'})"


def _not_done(leaver: LeaverFile, verb: str) -> str:
    """Why this run did not do it."""
    for entry in reversed(leaver.entries):
        action = {"disable": "disable-user", "revoke": "revoke-sessions"}[verb]
        if entry.record.get("action") == action:
            return f"not by this run: {entry.outcome}{', ' if entry.record.get('why') else ''}{entry.record.get('why') or ''}"
    return "not by this run"


def span(time: timedelta) -> str:
    """`2 s`, `4 min 5 s`, `3 h 2 min`, `30 d 1 h`."""
    seconds = max(0, round(time.total_seconds()))
    sizes = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    found = []
    for unit, size in sizes:
        number, seconds = divmod(seconds, size)
        if number:
            found.append(f"{number} {unit}")
    return " ".join(found[:2]) or "less than 1 s"


def _window(leaver: LeaverFile) -> Iterator[Block]:
    """Until when a token that was issued before the block may still have been accepted."""
    since = leaver.at("disable") or leaver.at("revoke")
    if since is not None:
        yield Items(
            [
                f"Residual access: a token issued before {exact(since)} may have been accepted until about "
                f"{clock_after(since + TOKEN, since)}; by Exchange, SharePoint and Teams until "
                f"{clock_after(since + EVALUATED, since)}. Sessions that an application keeps for itself are not known here."
            ]
        )


def _row(entry: Entry) -> list[str]:
    record, change, graph = entry.record, entry.change, entry.graph
    verb = done(change.verb) if change and entry.outcome == "changed" else entry.outcome
    said = detail(change) if change else ""
    if change and change.parts:
        said = ", ".join(part.name for part in change.parts)
    why = str(record.get("why") or "")
    sent = f"{graph.get('method')} {graph.get('status')}, request-id {graph.get('request_id')}" if graph else ""
    return [
        str(record["seq"]),
        str(record.get("step") or ""),
        verb,
        f"{change.target.name} ({change.target.kind} {change.target.id})" if change else "",
        "; ".join(text for text in (said, loss(change) if change else "", why) if text),
        exact(entry.intended) if entry.intended else "",
        exact(entry.at),
        sent,
    ]


def _open(leaver: LeaverFile) -> Iterator[Block]:
    yield Title("Left open")
    if leaver.closing is None:
        yield Items(["Not recorded: the run has not ended for this leaver, or an older version carried it out."])
        return
    accepted = set(leaver.detail.get("accepted") or ())
    rows = []
    for note in leaver.open_items:
        target = note.get("target") or {}
        owner = "accepted by the playbook" if note.get("code") in accepted else "to be settled"
        rows.append([str(target.get("name") or leaver.name), str(note.get("reason")), str(note.get("code")), owner])
    for step in leaver.detail.get("not_started") or ():
        rows.append([str(step), "not started, because an earlier step failed", "not-started", "to be settled"])
    for step in leaver.detail.get("later") or ():
        rows.append([str(step["step"]), f"falls due {words(step['due'])}", "due-later", "planned"])
    yield Table(("object", "reason", "code", "state"), rows) if rows else Items(["Nothing."])


def _things(leaver: LeaverFile) -> Iterator[Block]:
    devices = [e for e in leaver.done("device") if e.change]
    if devices:
        rows = [[e.change.target.name, e.change.target.id, done(e.change.verb), exact(e.at)] for e in devices if e.change]
        yield Title("Devices")
        yield Table(("device", "object id", "result", "read back"), rows)
    if leaver.freed():
        yield Title("Licenses freed")
        yield Items(leaver.freed())


# -- can it be trusted? ----------------------------------------------------------------------------------------------


def _integrity(run: RunFile) -> Section:
    first, last = run.records[0], run.records[-1]
    whole = "every record from the first of the log to the last of this run is as it was written"
    pairs = [
        ("records", f"{first['seq']} to {last['seq']}, {len(run.records)} of them about this run"),
        ("first hash", str(first["hash"])),
        ("last hash", str(last["hash"])),
        ("verified", f"no: {run.flaw}" if run.flaw else whole),
        ("anchor", f"{last['seq']}:{last['hash']}"),
    ]
    check = (
        "A log that was cut after this run, or rewritten as a whole, cannot be seen from the log alone. Keep the anchor "
        "elsewhere and check with: offboard audit verify --anchor ANCHOR"
    )
    return Section("Integrity", [Facts(pairs, code=True), Items([check])])
