"""Checkpoints: whoever can write the log, but does not have its key, cannot rewrite it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from offboard.audit import ZERO, Anchor, Audit, AuditError, public_key, verify
from offboard.audit.chain import digest, line_of
from offboard.audit.seal import EVERY, Sealer, statement
from tests.audit.conftest import START, ticking
from tests.audit.test_anchor import second


def sealed_log(path: Path, records: int = 3) -> list[dict[str, object]]:
    """A run of so many intents, which ends with a checkpoint."""
    with Audit.open(path, now=ticking()) as audit:
        audit.write("run-started")
        audit.write_many(("intent", {"step": f"s{n}"}) for n in range(records))
        audit.write("run-ended", exit_code=0)
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def rewrite(path: Path, records: list[dict[str, object]]) -> None:
    """Chain these records with fresh hashes."""
    prev = ZERO
    lines = []
    for number, record in enumerate(records, 1):
        fresh = {**record, "seq": number, "prev": prev}
        fresh["hash"] = prev = digest(fresh)
        lines.append(line_of(fresh))
    path.write_bytes(b"".join(lines))


def test_a_run_ends_with_a_checkpoint_that_covers_all_before_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    records = sealed_log(path)
    last = records[-1]
    assert last["event"] == "checkpoint"
    assert records[-2]["event"] == "run-ended"
    found = verify(path)
    assert found.ok
    assert found.signed == len(records) - 1
    assert found.key == public_key(path)
    assert not found.trusted
    assert "not signed" not in found.vouched
    assert "compare it with one kept elsewhere" in found.vouched
    assert verify(path, key=found.key).trusted
    with Audit.open(path, now=ticking()) as audit:
        audit.write_many([("intent", {}), ("intent", {})])
    assert "The 2 records after it are not signed" in verify(path).vouched
    assert b"log: " in statement(last["detail"])  # type: ignore[arg-type]


def test_every_thousandth_record_is_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    records = sealed_log(path, 2 * EVERY)
    assert [r["event"] for r in records if r["seq"] % EVERY == 0] == 2 * ["checkpoint"]
    assert verify(path).ok


def test_what_a_run_writes_is_signed_after_a_minute(tmp_path: Path) -> None:
    path, moment = tmp_path / "audit.jsonl", [START]
    with Audit.open(path, now=lambda: moment[0]) as audit:
        audit.write("playbook-planned")
        moment[0] += timedelta(minutes=5)
        audit.write("playbook-planned")  # no run is on: nobody has to vouch for it yet
        run = audit.bind(run="r-1")
        for event in ("run-started", "intent", "outcome"):
            run.write(event)
            moment[0] += timedelta(seconds=31)
        assert [r["event"] for r in lines(path)][-3:] == ["intent", "outcome", "checkpoint"]
        run.write("outcome")
        run.seal()
        assert lines(path)[-1]["event"] == "outcome", "it is not old enough"
        moment[0] += timedelta(seconds=31)
        run.seal()
        moment[0] += timedelta(days=30)
        run.seal()
    assert [r["event"] for r in lines(path)][-3:] == ["checkpoint", "outcome", "checkpoint"], "nothing is signed twice"
    found = verify(path)
    assert found.ok
    assert found.signed == found.records - 1
    other = second()
    assert other.verify(other.lines_of(str(path)))[2] is None


def test_a_checkpoint_of_the_minute_leaves_the_thousandth_record_its_own(tmp_path: Path) -> None:
    path, moment = tmp_path / "audit.jsonl", [START]
    with Audit.open(path, now=lambda: moment[0]) as audit:
        audit.write("run-started")
        audit.write_many(("intent", {"step": f"s{n}"}) for n in range(EVERY - 4))
        moment[0] += timedelta(seconds=90)
        audit.write("intent")
        audit.write("intent")
    assert [(r["seq"], r["event"]) for r in lines(path)][-3:] == [
        (EVERY - 1, "checkpoint"),
        (EVERY, "checkpoint"),
        (EVERY + 1, "intent"),
    ]
    assert verify(path).ok


def lines(path: Path) -> list[dict[str, object]]:
    """The log's records."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_log_rewritten_without_the_key_is_found_without_an_anchor(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    records = sealed_log(path)
    records[1]["step"] = "nothing happened"
    rewrite(path, records)
    found = verify(path)
    assert found.problem is not None
    assert found.problem.seq == len(records)
    assert "other records" in found.problem.reason


def test_a_log_signed_anew_with_another_key_is_found_where_the_key_is_known(tmp_path: Path) -> None:
    path, other = tmp_path / "audit.jsonl", tmp_path / "other" / "audit.jsonl"
    other.parent.mkdir()
    sealed_log(path)
    key, anchor = public_key(path), verify(path).anchor
    sealed_log(other, 4)
    assert verify(other).ok
    assert "another key" in str(verify(other, key=key).problem)
    assert "another key" in str(verify(other, anchor=Anchor(1, verify(other).first, key)).problem)
    assert anchor.key == key
    assert Anchor.parse(str(anchor)) == anchor


def test_a_log_whose_checkpoints_were_left_out_is_found_where_the_key_is_known(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    records = sealed_log(path, EVERY)
    key = public_key(path)
    rewrite(path, [record for record in records if record["event"] != "checkpoint"])
    assert verify(path).ok, "nothing in it tells"
    assert "No checkpoint" in verify(path).vouched
    found = verify(path, key=key).problem
    assert found is not None
    assert found.seq == EVERY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hash", ZERO), ("last", 1), ("first", 2), ("first", True), ("count", 0), ("time", "2026-01-01T00:00:00.000Z"),
        ("log", "fabrikam/audit.jsonl"), ("public_key", "ed25519:" + 64 * "0"), ("signature", 128 * "0"),
        ("signature", "x"), ("signature", None), ("log", 7),
    ],
)  # fmt: skip
def test_a_forged_checkpoint_is_found_by_both_verifiers(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "audit.jsonl"
    records = sealed_log(path)
    records[-1]["detail"][field] = value  # type: ignore[index]
    rewrite(path, records)
    found = verify(path)
    assert found.problem is not None
    assert found.problem.seq == len(records)
    other = second()
    assert other.verify(other.lines_of(str(path)))[2] is not None


def test_the_key_is_the_owners_alone_and_its_loss_stops_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sealed_log(path)
    key = tmp_path / "audit.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o640)
    with Audit.open(path, now=ticking()) as audit, pytest.raises(AuditError) as seen:
        audit.write("run-started")
    assert "others can read" in seen.value.why.lower()
    key.unlink()
    with Audit.open(path, now=ticking()) as audit:
        with pytest.raises(AuditError) as seen:
            audit.write("intent")
        assert "is gone" in seen.value.why
        assert audit.write("stopped")["event"] == "stopped", "what needs no signature is recorded all the same"
    (tmp_path / "audit.pub").unlink()
    with Audit.open(path, now=ticking()) as audit:
        audit.write("run-started")
        audit.write("run-ended")
    assert "another key" in str(verify(path).problem)


def test_the_key_stands_in_no_record(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sealed_log(path)
    seed = (tmp_path / "audit.key").read_text().strip().partition(":")[2]
    assert seed not in path.read_text()
    assert Sealer(path).seal(1, ZERO, "t")["public_key"] == public_key(path)
