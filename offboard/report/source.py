"""A log's records, for a report: also of a log that does not verify, which is reported on under a warning."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from offboard.audit.chain import parse_line
from offboard.audit.reading import lines_of
from offboard.report.tally import Record

_RUN = b'"run":"'


def records(path: Path, *, runs: Collection[str] | None = None, verified: bool = False) -> Iterator[Record]:
    """What can be read of the log, in order; a torn last line is no record yet, and what is no object is none either.

    Args:
        path: The log; the rotated files beside it are part of it.
        runs: Only records of these runs, and of no run.
        verified: Whether every line is known to be written as this log writes its records. Then lines about other runs
            are passed over without reading them.

    Raises:
        UsageError: A file cannot be read.
    """
    wanted = None if runs is None or not verified else {run.encode() for run in runs}
    for _, _, line in lines_of(path):
        if wanted is not None and (at := line.rfind(_RUN)) >= 0:
            at += len(_RUN)
            if line[at : line.find(b'"', at)] not in wanted:
                continue
        if line.endswith(b"\n") and (record := parse_line(line)) is not None:
            yield record
