"""A report for programs: the same facts as the other formats, under stable names."""

from __future__ import annotations

from collections.abc import Sequence

from offboard.model import JSON
from offboard.report.collect import RunFile
from offboard.report.controls import answers
from offboard.report.measure import AGREED, Terms
from offboard.report.packet import NONE, UNRECORDED, authority, event, executed, packet
from offboard.report.period import Period
from offboard.report.tally import RunHead

SCHEMA = "offboard.report/2"


def report_json(run: RunFile, terms: Terms = AGREED) -> dict[str, JSON]:
    """The report about a run, as one document.

    Args:
        run: As collected.
        terms: What was agreed.
    """
    return {
        "schema": SCHEMA,
        **_run(run, terms),
        "controls": _controls([run.head]),
        "integrity": integrity([run.head]),
    }


def period_json(period: Period) -> dict[str, JSON]:
    """The report about a period, as one document.

    Args:
        period: As made.
    """
    packets = [{"run": run.run, **packet(run, leaver, period.terms)} for run, leaver in period.packets]
    return {
        "schema": SCHEMA,
        "since": period.since.isoformat(),
        "until": period.until.isoformat() if period.until else NONE,
        "totals": period.totals(),
        "population": [case.row() for case in period.cases],
        "late": [case.name_in_list() for case in period.cases if case.punctual == "late"],
        "not_blocked": [case.name_in_list() for case in period.cases if case.punctual == "not blocked"],
        "unfinished": [case.name_in_list() for case in period.cases if case.unfinished],
        "unplanned": [{"run": run.run, "user": user} for run in period.runs for user in run.unplanned],
        "missing": list(period.missing) if period.expected is not None else NONE,
        "sample": f"{len(period.packets)} of {len(period.cases)}",
        "runs": [_about_run(run) for run in period.runs_of_packets],
        "packets": packets,
        "controls": _controls(period.runs),
        "integrity": integrity(period.runs) if period.runs else NONE,
    }


def _about_run(run: RunFile) -> dict[str, JSON]:
    detail, ended = run.started.get("detail") or {}, run.last("run-ended")
    return {
        "run": run.run,
        "tenant": detail.get("tenant") or UNRECORDED,
        "playbook": detail.get("playbook"),
        "started": event(run.started),
        "resumed": [event(record) for record in run.all("run-resumed")],
        "ended": event(ended) if ended else NONE,
        "exit_code": (ended.get("detail") or {}).get("exit_code") if ended else NONE,
        "authority": authority(run),
        "executed": executed(run),
        "unplanned": [
            {**event(record), "user": (record.get("detail") or {}).get("user"), "why": record.get("why")}
            for record in run.all("unplanned")
        ],
    }


def _run(run: RunFile, terms: Terms) -> dict[str, JSON]:
    return {**_about_run(run), "leavers": [packet(run, each, terms) for each in run.leavers]}


def _controls(runs: Sequence[RunHead]) -> list[JSON]:
    return [dict(zip(("control", "asks", "shows"), row, strict=True)) for row in answers(runs)]


def integrity(runs: Sequence[RunHead]) -> dict[str, JSON]:
    """The range of records behind the report, and whether it is whole."""
    first = min((run.first for run in runs), key=lambda record: int(record["seq"]))
    last = max((run.last for run in runs), key=lambda record: int(record["seq"]))
    flaw = next((run.flaw for run in runs if run.flaw), None)
    sealed = next((run.checkpoint for run in runs if run.last is last and run.checkpoint), None)
    return {
        "first": {"seq": first["seq"], "hash": first["hash"]},
        "last": {"seq": last["seq"], "hash": last["hash"]},
        "records": sum(run.count for run in runs),
        "valid": flaw is None,
        "problem": str(flaw) if flaw else NONE,
        "checkpoint": {"seq": sealed["seq"], **(sealed.get("detail") or {})} if sealed else NONE,
        "anchor": f"{last['seq']}:{last['hash']}",
    }
