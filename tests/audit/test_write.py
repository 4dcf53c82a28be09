"""What is written, and what is never written."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import offboard
from offboard.audit import EVENTS, Audit, read, verify
from offboard.audit.chain import _UNSAFE, canonical, line_of
from offboard.audit.events import record_schema
from offboard.model import Outcome
from offboard.settings.secret import Secret
from tests.audit.conftest import ticking


def written(path: Path, event: str = "intent", **fields: Any) -> dict[str, Any]:
    with Audit.open(path, now=ticking()) as audit:
        returned = audit.write(event, **fields)
    lines = path.read_text().splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    assert found == returned
    return found


def test_a_record_has_number_time_code_and_the_bound_context(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "a.jsonl", now=ticking()) as audit:
        run = audit.bind(run="r", actor="admin").bind(plan="p")
        record = run.write("intent", step="disable-user", leaver={"id": "1", "upn": "a@b"})
        plain = audit.write("run-ended")
    assert record["seq"] == 1
    assert record["time"] == "2026-11-23T17:05:12.000Z"
    assert (record["event"], record["code"]) == ("intent", "OFB1005")
    assert (record["run"], record["plan"], record["actor"], record["step"]) == ("r", "p", "admin", "disable-user")
    assert plain["seq"] == 2
    assert plain["prev"] == record["hash"]
    assert "run" not in plain


def test_every_record_follows_the_published_schema(dozen: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(record_schema())
    for line in dozen.read_text().splitlines():
        check.validate(json.loads(line))
    with pytest.raises(jsonschema.ValidationError):
        check.validate({**json.loads(line), "surprise": 1})


def test_codes_are_unique() -> None:
    assert len({event.code for event in EVENTS.values()}) == len(EVENTS)


def test_every_event_that_the_program_writes_has_a_code() -> None:
    sources = Path(offboard.__file__).parent.rglob("*.py")
    named = {n for s in sources for n in re.findall(r'(?:audit\.write|_audit|\.record)\(\s*"([a-z-]+)"', s.read_text())}
    assert {"intent", "outcome", "tail-recovered"} <= named <= set(EVENTS)


def test_the_file_is_for_its_owner_alone(dozen: Path) -> None:
    assert dozen.stat().st_mode & 0o777 == 0o600


def test_fields_that_are_not_in_the_schema_go_into_detail(tmp_path: Path) -> None:
    record = written(tmp_path / "a", detail={"a": 1}, since=datetime(2026, 1, 2, tzinfo=UTC), why=None)
    assert record["detail"] == {"a": 1, "since": "2026-01-02T00:00:00Z"}
    assert "why" not in record


def test_an_unknown_event_or_a_forged_field_is_refused_and_leaves_no_record(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "a", now=ticking()) as audit:
        with pytest.raises(ValueError, match="not an event"):
            audit.write("party")
        for field in ("seq", "time", "code", "prev", "hash"):
            with pytest.raises(ValueError, match=field):
                audit.write("intent", **{field: "x"})
        for value in (1.5, b"bytes", object(), {1: 2}, 2**60):
            with pytest.raises(TypeError):
                audit.write("intent", change={"after": value})
    assert (tmp_path / "a").read_bytes() == b""


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Login:
    name: str
    word: Secret


def test_values_of_the_model_are_written_as_json(tmp_path: Path) -> None:
    record = written(tmp_path / "a", outcome=Outcome.CHANGED, change={"c": Color.RED, "l": Login("n", Secret("s3cr3t"))})
    assert record["outcome"] == "changed"
    assert record["change"] == {"c": "red", "l": {"name": "n", "word": "[redacted]"}}


@pytest.mark.parametrize(
    "fields",
    [
        {"change": {"after": {"passwordProfile": {"password": "CANARY"}}}},
        {"change": {"new_password": "CANARY"}},
        {"change": {"clientSecret": "CANARY", "Authorization": "CANARY"}},
        {"access_token": "CANARY"},
        {"why": Secret("CANARY")},
        {"change": {"parts": [Secret("CANARY"), {"refresh-token": ["CANARY"]}]}},
        {"why": "sent Bearer CANARYCANARYCANARY123 to Graph"},
        {"why": "token eyJhbGciOiJub25lIn0.CANARY.CANARY was refused"},
        {"change": {"password": 'x"CANARY"', "device_code": "CANARY"}},
    ],
)
def test_secrets_are_hidden_by_name_by_type_and_inside_texts(tmp_path: Path, fields: dict[str, Any]) -> None:
    record = written(tmp_path / "a", **fields)
    assert "CANARY" not in (tmp_path / "a").read_text()
    assert "[redacted]" in json.dumps(record)


def test_a_time_stamp_about_passwords_is_no_secret(tmp_path: Path) -> None:
    record = written(tmp_path / "a", change={"before": {"lastPasswordChangeDateTime": "2026-01-01T00:00:00Z"}})
    assert record["change"]["before"]["lastPasswordChangeDateTime"] == "2026-01-01T00:00:00Z"


def test_long_texts_are_cut_at_512_characters(tmp_path: Path) -> None:
    record = written(tmp_path / "a", why="x" * 513, change={"name": "y" * 512, "z" * 600: 1})
    assert record["why"] == "x" * 511 + "…"
    assert record["change"]["name"] == "y" * 512
    assert max(map(len, record["change"])) == 512


HOSTILE = [
    'Sawyer\n{"seq":2,"event":"run-ended"}',
    "a\r\nb",
    "\x1b]52;c;ZXZpbA==\x07",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "line\u2028break\u2029s",
    "nul\x00 del\x7f c1\x9b31m",
    "zero\u200bwidth\ufeff",
    "tag\U000e0041",
    "lone\ud800surrogate",
    '"},"hash":"x"',
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_inside_its_text(tmp_path: Path, name: str) -> None:
    record = written(tmp_path / "a", leaver={"id": "1", "upn": name})
    raw = (tmp_path / "a").read_bytes()
    assert len(raw.splitlines()) == 1
    assert record["leaver"]["upn"] == name.replace("\ud800", "\ufffd")
    bad = [c for c in raw.decode().rstrip("\n") if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2066\u2028\u200b"]
    assert bad == []
    assert verify(tmp_path / "a").ok


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text(), json_values))
def test_the_canonical_form_is_what_the_standard_library_writes(value: dict[str, Any]) -> None:
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = expected.encode()
    except UnicodeEncodeError:  # lone surrogates are replaced before a record gets this far
        return
    assert canonical(value) == encoded


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(suppress_health_check=QUIET, max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=20), json_values, max_size=4), min_size=1, max_size=4))
def test_whatever_is_written_verifies(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    path = tmp_path / "any.jsonl"
    path.unlink(missing_ok=True)
    with Audit.open(path, now=ticking()) as audit:
        for change in changes:
            audit.write("intent", change=change)
    found = verify(path)
    assert found.ok
    assert found.records == len(changes)


def test_the_quick_look_misses_no_character_that_must_be_escaped() -> None:
    for number in (*range(0x7F, 0xD800), *range(0xE000, 0x110000)):
        name = chr(number)
        if _UNSAFE.match(name):
            assert name.encode() not in line_of({"n": f"é{name}é{name}"})


def _writer(path: Path, number: int) -> None:
    with Audit.open(path, now=ticking()) as audit:
        for _ in range(25):
            audit.write("intent", run=f"run-{number}")


def test_processes_that_share_a_log_do_not_fork_its_chain(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_writer, args=(tmp_path / "a", n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = verify(tmp_path / "a")
    assert found.ok
    assert found.records == 75


def test_threads_and_a_second_opening_share_the_chain(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "a", now=ticking()) as one, Audit.open(tmp_path / "a", now=ticking()) as two:
        writers = [threading.Thread(target=lambda a=a: [a.write("intent") for _ in range(20)]) for a in (one, two, one)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert verify(tmp_path / "a").records == 60


def test_the_record_is_in_the_file_before_write_returns(tmp_path: Path) -> None:
    with Audit.open(tmp_path / "a", now=ticking()) as audit:
        record = audit.write("intent")
        with open(os.fspath(tmp_path / "a"), "rb") as other:
            assert json.loads(other.read()) == record


def test_many_records_are_one_append_and_bound_fields_stand_in_each(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with Audit.open(path, now=ticking()) as audit:
        bound = audit.bind(run="r-1")
        written = bound.write_many([("intent", {"step": "a"}), ("intent", {"step": "b"}), ("outcome", {"step": "a"})])
        assert bound.write_many([]) == []
        last = bound.write("stopped")
    assert [record["seq"] for record in written] == [1, 2, 3]
    assert {record["run"] for record in written} == {"r-1"}
    assert written == list(read(path))[:3]
    assert last["prev"] == written[2]["hash"]
    assert verify(path).records == 4


@pytest.mark.parametrize("bad", [("no-such-event", {}), ("intent", {"detail": {"x": 0.5}}), ("intent", {"seq": 9})])
def test_of_many_records_none_is_written_when_one_is_wrong(dozen: Path, bad: tuple[str, dict[str, Any]]) -> None:
    before = dozen.read_bytes()
    with Audit.open(dozen, now=ticking()) as audit:
        with pytest.raises((ValueError, TypeError)):
            audit.write_many([("intent", {"step": "a"}), bad])
        assert dozen.read_bytes() == before
        assert audit.write("intent")["seq"] == 13
    assert verify(dozen).ok
