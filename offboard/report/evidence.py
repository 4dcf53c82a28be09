"""What a report says, section by section. Pure: the same records give the same words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from offboard.model import JSON
from offboard.render.words import clock_after, count, exact, stamp, words
from offboard.report.blocks import Alert, Block, Cell, Document, Facts, Glance, Items, Lines, Section, Table, Title
from offboard.report.collect import LeaverFile, RunFile
from offboard.report.controls import answers
from offboard.report.data import integrity
from offboard.report.measure import AGREED, VERBS, Exempt, Terms, Times, exceptions, left_open, punctual, state
from offboard.report.packet import NONE, UNRECORDED, WHO, authority, devices, executed, override, packet
from offboard.report.steps import HEAD, row
from offboard.report.tally import Record, RunHead

SAYS = {NONE: "not applicable", UNRECORDED: "not recorded"}
_LABELS = {
    "userType": "kind of account",
    "onPremisesSyncEnabled": "synced from AD",
    "employeeId": "employee number",
    "jobTitle": "job title",
    "createdDateTime": "account created",
}


def document(run: RunFile, terms: Terms = AGREED) -> Document:
    """The report about a run.

    Args:
        run: As collected.
        terms: What was agreed.
    """
    name = run.leavers[0].name if len(run.leavers) == 1 else count(len(run.leavers), "leaver")
    many = len(run.leavers) > 1
    sections = [leaver_section(run, each, terms, page=many) for each in run.leavers]
    why = Section("Authority, and what was intended", list(authority_of(run)))
    front = [_everybody(run, terms), why] if many else []
    behind = [controls([run.head]), seal([run.head])] if many else [why, controls([run.head]), seal([run.head])]
    return Document(f"Offboarding of {name}", list(_head(run)), [*front, *sections, *behind])


def _everybody(run: RunFile, terms: Terms) -> Section:
    """The leavers at a glance, each on a line."""
    rows: list[Sequence[Cell]] = []
    late = failed = open_items = 0
    for each in run.leavers:
        times, (word, tone) = Times.of(run.started, each, terms.target), state(each)
        left = left_open(exceptions(run, each, terms))
        took = f"after {span(times.took(times.disabled))}" if times.disabled else "not by this run"
        rows.append([Lines(each.name, [each.upn]), took, punctual(each, times), str(left), Lines(word, [], tone)])
        late, failed, open_items = late + (rows[-1][2] != "in time"), failed + (tone == "stop"), open_items + left
    glance = Glance(
        [
            ("Leavers", str(len(rows)), "", ""),
            (
                "Blocked in time",
                f"{len(rows) - late} of {len(rows)}",
                "warn" if late else "good",
                f"target {span(terms.target)}",
            ),
            ("Failed or unfinished", str(failed), "stop" if failed else "good", "marked below" if failed else ""),
            ("Left open", str(open_items), "warn" if open_items else "good", "named with each leaver"),
        ]
    )
    table = Table(("leaver", "sign-in blocked", "target", "left open", "state"), rows, "everybody")
    return Section("Everybody", [glance, table])


def controls(runs: Sequence[RunHead]) -> Section:
    """What of the standards the runs show."""
    said = "This report supports these controls; whether they are met is for the assessor to say."
    return Section("Controls", [Items([said]), Table(("control", "asks for", "shown here"), answers(runs), "controls")])


def when(record: Record | None) -> str:
    """The time of a record, to the second."""
    return exact(datetime.fromisoformat(record["time"])) if record else "not recorded"


def said(value: JSON) -> str:
    """A value as a person says it; what does not apply says so."""
    return SAYS.get(value, words(value)) if isinstance(value, str) else words(value)


def _lifted(found: JSON) -> str:
    """How many guards were lifted; each is told with its leaver."""
    return f"{count(len(found), 'guard')} lifted, named with the leaver" if isinstance(found, list) else said(found)


def _detail(record: Record | None) -> Record:
    return (record or {}).get("detail") or {}


def _head(run: RunFile) -> Iterator[Block]:
    yield from warnings([run.head])
    ended = run.last("run-ended")
    if ended is None:
        yield Alert("warn", "The run has not ended: what follows is what is known so far.")
    for record in run.all("unplanned"):
        user = said(_detail(record).get("user"))
        yield Alert(
            "warn", f"{user} was asked for, and is not in the plan that was carried out: {said(record.get('why'))}"
        )
    yield from about_run(run)


def warnings(runs: Sequence[RunHead]) -> Iterator[Block]:
    """What nobody may miss about the log."""
    flaw = next((run.flaw for run in runs if run.flaw), None)
    if flaw is not None:
        yield Alert("stop", f"The audit behind this report does not verify: {flaw}.")


def about_run(run: RunFile) -> Iterator[Block]:
    """Which run, when, and who carried it out."""
    tenant = _detail(run.started).get("tenant") or {}
    ended = run.last("run-ended")
    by = run.started.get("actor") or "unknown"
    pairs = [
        ("tenant", f"{tenant.get('name')} ({tenant.get('id')})" if tenant else "not recorded"),
        ("run", run.run),
        ("started", f"{when(run.started)} by {by}{_as(run)}"),
    ]
    pairs += [("resumed", f"{when(r)} by {r.get('actor') or 'unknown'}") for r in run.all("run-resumed")]
    code = _detail(ended).get("exit_code")
    pairs.append(("ended", f"{when(ended)}, exit code {code}" if ended is not None else "not yet"))
    yield Facts(pairs)


def _as(run: RunFile) -> str:
    found = executed(run)
    if found["kind"] not in ("delegated", "application"):
        return ""
    kind = "a signed-in person" if found["kind"] == "delegated" else "an app by itself"
    return f", {kind} (object {found['object_id']}, app {found['app_id']})"


def authority_of(run: RunFile) -> Iterator[Block]:
    """On whose authority, and what was intended."""
    found = authority(run)
    pairs = [
        ("requested", f"{said(found['planned_at'])} by {said(found['requested_by'])}"),
        ("request no.", said(found["request_reference"])),
    ]
    approvals = found["approvals"] if isinstance(found["approvals"], list) else []
    for each in approvals:
        until = f", valid until {words(each.get('expires'))}" if each.get("expires") else ""
        pairs.append(
            ("approved", f"{words(each.get('approved'))} by {each.get('approver')}, key {each.get('fingerprint')}{until}")
        )
    if not approvals:
        pairs.append(("approved", "not applicable: no approval is recorded"))
    pairs += [
        ("playbook", f"{said(found['playbook'])} ({said(found['playbook_digest'])})"),
        ("plan", f"{found['plan']}, valid until {said(found['valid_until'])}"),
        ("plan digest", str(found["digest"])),
        ("overrides", _lifted(found["overrides"])),
        ("made by", said(found["tool"])),
    ]
    yield Facts(pairs)
    planned = run.first("playbook-planned")
    if planned is not None and _detail(planned).get("digest") != run.digest:
        yield Alert("stop", "The plan that was carried out is not the plan that was made under this id.")


# -- one leaver ------------------------------------------------------------------------------------------------------


def leaver_section(run: RunFile, leaver: LeaverFile, terms: Terms, *, page: bool) -> Section:
    """Everything about one leaver.

    Args:
        run: As collected.
        leaver: One of its leavers.
        terms: What was agreed.
        page: Whether it begins a page of its own on paper.
    """
    times = Times.of(run.started, leaver, terms.target)
    blocks: list[Block] = [Alert("stop", f"Refused, nothing was changed: {why}") for why in leaver.refused]
    lifted = [override(each) for each in leaver.overrides]
    blocks += [Alert("warn", f"Guard {o['guard']} was lifted by {o['by']}: {o['reason']}") for o in lifted]
    blocks += [Alert("warn", f"{r['event'].capitalize()} {when(r)}: {r.get('why') or ''}") for r in leaver.steered]
    left = exceptions(run, leaver, terms)
    blocks.append(_glance(leaver, times, left))
    blocks += [*_residual(times), *_open(leaver, left), *_identity(run, leaver, terms, times)]
    blocks.append(Title("What was done"))
    blocks.append(
        Table(HEAD, [row(each) for each in leaver.entries], "evidence") if leaver.entries else Items(["Nothing."])
    )
    blocks += _things(run, leaver, terms)
    return Section(leaver.name, blocks, leaver.upn, state(leaver), page)


def _glance(leaver: LeaverFile, times: Times, found: Sequence[Exempt]) -> Glance:
    left = left_open(found)
    figures = [_figure(leaver, times, "disable", "Sign-in blocked"), _figure(leaver, times, "revoke", "Sessions revoked")]
    if times.residual and times.contained and times.evaluated:
        until = clock_after(times.residual, times.contained)
        figures.append(("Residual access", f"until {until}", "", "an estimate, see below"))
    else:
        figures.append(("Residual access", "not applicable", "", "this run ended no access"))
    figures.append(("Left open", str(left), "warn" if left else "good", "owner and date below" if left else ""))
    return Glance(figures)


def _figure(leaver: LeaverFile, times: Times, verb: str, label: str) -> tuple[str, str, str, str]:
    at = times.disabled if verb == "disable" else times.revoked
    if at is None:
        return label, "not by this run", "", _not_done(leaver, verb)
    met = times.met(at)
    said = f"target {span(times.target)}: {'met' if met else 'missed'}"
    return label, f"after {span(times.took(at))}", "good" if met else "stop", said


def _not_done(leaver: LeaverFile, verb: str) -> str:
    """Why this run did not do it."""
    for entry in reversed(leaver.entries):
        if entry.record.get("action") == VERBS[verb]:
            why = entry.record.get("why")
            return f"{entry.outcome}: {why}" if why else entry.outcome
    return "not in the playbook, or not reached"


def _identity(run: RunFile, leaver: LeaverFile, terms: Terms, times: Times) -> Iterator[Block]:
    found = packet(run, leaver, terms)["identity"]
    yield Title("Who, and when")
    yield Facts([("object id", leaver.id), ("user principal name", leaver.upn)])
    pairs = [(_LABELS.get(name, name), said(_day(found[name]))) for name in WHO]
    leave = exact(times.leave) if times.leave else "not recorded; counted from the beginning of the run"
    pairs.append(("leave time", leave))
    for label, at in (
        ("sign-in blocked", times.disabled),
        ("sessions revoked", times.revoked),
        ("deleted", times.deleted),
    ):
        pairs.append((label, exact(at) if at else "not applicable: not by this run"))
    pairs.append(("restorable until", exact(times.restorable) if times.restorable else "not applicable"))
    yield Facts(pairs, columns=True)


def _day(value: JSON) -> JSON:
    return value[:10] if isinstance(value, str) and len(value) > 19 and value[10:11] == "T" else value


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


def _residual(times: Times) -> Iterator[Block]:
    """Until when a token that was issued before the block may still have been accepted."""
    if times.contained and times.residual and times.evaluated:
        yield Items(
            [
                f"Residual access, an estimate: a token issued before {exact(times.contained)} may have been accepted until "
                f"about {clock_after(times.residual, times.contained)}; by Exchange, SharePoint and Teams until "
                f"{clock_after(times.evaluated, times.contained)}. Sessions that an application keeps for itself are not known "
                "here, and an offline device keeps what is on it."
            ]
        )


def _open(leaver: LeaverFile, found: Sequence[Exempt]) -> Iterator[Block]:
    yield Title("Left open, and exceptions")
    rows: list[Sequence[Cell]] = [[e.about, e.reason, Lines(e.owner, [e.code]), stamp(e.due)] for e in found]
    if leaver.closing is None:
        yield Items(["The run has not ended for this leaver, or an older version carried it out."])
    yield Table(("object", "reason", "owner", "due"), rows, "open-items") if rows else Items(["Nothing."])


def _things(run: RunFile, leaver: LeaverFile, terms: Terms) -> list[Block]:
    found = packet(run, leaver, terms)
    access = found["access"]
    said_rows = [
        ("admin roles held", said(access["roles_found"])),
        ("groups left", said(access["groups_left"])),
        ("sign-in methods removed", said(access["sign_in_methods_removed"])),
        ("password replaced", said(access["password_replaced_at"])),
        ("licenses freed", ", ".join(leaver.licenses) or "not applicable"),
    ]
    rows: list[Sequence[Cell]] = []
    for device in devices(leaver):
        done = "; ".join(f"{each['said']} {words(each['at'][:19] + 'Z')}" for each in device["done"])
        rows.append([Lines(device["name"], [device["id"]]), done or "nothing", "; ".join(device["left"]) or "nothing"])
    table: Block = Table(("device", "done", "left"), rows, "devices") if rows else Facts([("devices", "not applicable")])
    return [Title("Access and licenses"), Facts(said_rows), Title("Devices"), table]


# -- can it be trusted? ----------------------------------------------------------------------------------------------


def seal(runs: Sequence[RunHead]) -> Section:
    """Which records stand behind the report, and how to check them."""
    found = integrity(runs)
    first, last, sealed = found["first"], found["last"], found["checkpoint"]
    whole = "every record from the first of the log to the last of this report is as it was written"
    pairs = [
        ("records", f"{first['seq']} to {last['seq']}, {found['records']} of them about this"),
        ("first hash", str(first["hash"])),
        ("last hash", str(last["hash"])),
        ("verified", whole if found["valid"] else f"no: {found['problem']}"),
        ("checkpoint", _checkpoint(sealed)),
        ("anchor", str(found["anchor"])),
    ]
    check = (
        "A log that was cut after this run, or rewritten as a whole, cannot be seen from the log alone. Keep the anchor "
        "elsewhere and check with: offboard audit verify --anchor ANCHOR"
    )
    return Section("Integrity", [Facts(pairs, code=True), Items([check])])


def _checkpoint(sealed: JSON) -> str:
    if not isinstance(sealed, dict):
        return "not applicable: no signed checkpoint stands after it"
    return f"record {sealed['seq']}, signature {sealed.get('signature')}, key {sealed.get('public_key')}"
