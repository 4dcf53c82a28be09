"""What an interrupted process has said is found from the end of the log, and only what is still unsettled."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from offboard.audit import Audit
from offboard.audit.told import BLOCK, backwards

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def change(id: str) -> dict[str, Any]:
    """A change of one object."""
    return {"verb": "disable", "target": {"kind": "user", "id": id, "name": "x"}, "data": {}}


def say(log: Audit, event: str, leaver: str, **fields: Any) -> None:
    """One record about one leaver's change."""
    log.write(event, leaver={"id": leaver, "upn": leaver}, step="one", change=change(leaver), **fields)


@pytest.mark.parametrize("moved", [False, True], ids=["one file", "two files"])
def test_the_last_word_about_each_change_is_told_and_a_settled_leaver_is_not(tmp_path: Path, moved: bool) -> None:
    with Audit.open(tmp_path / "audit.jsonl", now=lambda: NOW) as audit:
        log, other = audit.bind(run="aa"), audit.bind(run="bb")
        log.write("run-started")
        for leaver in ("begun", "done", "left", "settled"):
            say(log, "intent", leaver)
        say(log, "step-skipped", "left", outcome="skipped")
        say(log, "outcome", "done", outcome="changed")
        say(log, "outcome", "settled", outcome="changed")
        if moved:
            audit.rotate()
        log.write("leaver-ended", leaver={"id": "settled", "upn": "settled"})
        say(other, "outcome", "begun", outcome="failed")

        told = audit.told("aa", ["begun", "done", "left", "settled"])

        assert told.last("begun", "one", change("begun")) == "intent"
        assert told.last("done", "one", change("done")) == "changed"
        assert told.last("left", "one", change("left")) == "skipped", (
            "what was intended and then left is intended no more"
        )
        assert told.last("settled", "one", change("settled")) == ""
        assert told.last("begun", "two", change("begun")) == ""
        told.forget("done", "one", change("done"))
        assert told.last("done", "one", change("done")) == ""


def test_what_was_said_of_a_set_is_not_what_was_said_of_one_of_its_parts(tmp_path: Path) -> None:
    both, one = ({**change("x"), "parts": [{"kind": "license", "id": id} for id in ids]} for ids in ("ab", "a"))
    with Audit.open(tmp_path / "audit.jsonl", now=lambda: NOW) as audit:
        log = audit.bind(run="aa")
        log.write("run-started")
        log.write("intent", leaver={"id": "x", "upn": "x"}, step="one", change=both)
        log.write("outcome", leaver={"id": "x", "upn": "x"}, step="one", change=one, outcome="changed")
        told = log.told("aa", ["x"])
    assert told.last("x", "one", both) == "intent"
    assert told.last("x", "one", one) == "changed"


def test_lines_are_read_from_the_end_and_an_unfinished_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for lines in ([], [b"a"], [b"a", b"", b"b" * BLOCK, b"c"], [b"%d" % n * 1000 for n in range(2000)]):
        whole = b"".join(line + b"\n" for line in lines)
        for torn in (b"", b"unfinished"):
            path.write_bytes(whole + torn)
            assert list(backwards(path)) == [line + b"\n" for line in reversed(lines)]


def test_what_was_said_before_the_log_went_on_in_a_new_file_is_told(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "audit.jsonl", now=lambda: NOW) as audit:
        log = audit.bind(run="aa")
        log.write("run-started")
        say(log, "intent", "begun")
        audit.rotate()
        say(log, "intent", "later")
        told = log.told("aa", ["begun", "later"])
    assert [told.last(leaver, "one", change(leaver)) for leaver in ("begun", "later")] == ["intent", "intent"]
