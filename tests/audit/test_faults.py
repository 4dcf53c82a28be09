"""If a record is not on the disk, nobody is told that it is."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offboard.audit import Audit, AuditError, read, verify
from offboard.audit.reserve import Reserve
from tests.audit.conftest import START, ticking

LIMITED = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from offboard.audit import Audit, AuditError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
done = 0
try:
    with Audit.open(path, now=lambda: datetime(2026, 11, 23, tzinfo=UTC)) as audit:
        for _ in range(40):
            audit.write("intent", step="disable-user")
            done += 1
except AuditError as error:
    print(done, error.exit_code, "|", *error.lines())
"""


@pytest.mark.parametrize("limit", [0, 1, 300, 1000, 1001, 1500])
def test_a_file_that_may_not_grow_stops_the_run_and_keeps_only_whole_records(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "audit.jsonl"
    Reserve(path).keep()
    command = [sys.executable, "-c", LIMITED, str(path), str(limit)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    done, code, *rest = ran.stdout.split()
    assert code == "5"
    assert "nothing is sent" in " ".join(rest)
    found = verify(path)
    assert found.ok, "a half-written record was left behind"
    assert found.records == int(done)
    assert path.stat().st_size <= limit


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a full disk needs root")
def test_a_full_disk_stops_the_run(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1100k", "none", disk], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        done = 0
        with Audit.open(disk / "audit.jsonl", now=lambda: START) as audit:
            why = ""
            while not why and done < 1000:
                try:
                    audit.write("intent", why="x" * 200)
                    done += 1
                except AuditError as error:
                    why = error.why
            assert "No space left" in why
            found = verify(disk / "audit.jsonl")
            assert found.ok
            assert found.records == done > 0
            assert audit.write("outcome", outcome="changed")["seq"] == done + 1
            assert audit.write("stopped", why=why)["seq"] == done + 2
            (disk / "others").write_bytes(b"x" * 900_000)  # somebody else takes the room that was given back
            with pytest.raises(AuditError, match="nothing is sent"):
                audit.write("intent")
        assert verify(disk / "audit.jsonl").records == done + 2
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_device_in_the_files_place_is_refused() -> None:
    with pytest.raises(AuditError, match="cannot be kept here"):
        Audit.open(Path("/dev/full"), now=ticking())


def test_a_pipe_in_the_files_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "audit.jsonl")
    with pytest.raises(AuditError):
        Audit.open(tmp_path / "audit.jsonl", now=ticking())


def test_a_link_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditError):
        Audit.open(tmp_path / "audit.jsonl", now=ticking())
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_a_log_that_others_can_write_is_refused(dozen: Path) -> None:
    dozen.chmod(0o666)
    with pytest.raises(AuditError, match="cannot be kept here") as seen:
        Audit.open(dozen, now=ticking())
    assert "chmod go-w" in seen.value.todo


def test_a_missing_folder_is_an_audit_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="nothing is sent"):
        Audit.open(tmp_path / "none" / "audit.jsonl", now=ticking())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_an_audit_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(AuditError, match="Permission denied"):
            Audit.open(tmp_path / "audit.jsonl", now=ticking())
    finally:
        tmp_path.chmod(0o700)


def test_a_lost_descriptor_stops_the_run(dozen: Path) -> None:
    audit = Audit.open(dozen, now=ticking())
    os.close(audit._file._fd)
    with pytest.raises(AuditError, match="nothing is sent"):
        audit.write("intent")
    assert verify(dozen).records == 12


def test_a_closed_log_takes_nothing_more(dozen: Path) -> None:
    audit = Audit.open(dozen, now=ticking())
    bound = audit.bind(run="r")
    audit.close()
    with pytest.raises(AuditError, match="cannot be written"):
        bound.write("intent")


@pytest.mark.parametrize("deed", ["moved", "deleted", "replaced", "cut"])
def test_a_log_taken_away_during_the_run_stops_it(dozen: Path, deed: str) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        audit.write("intent")
        if deed == "cut":
            os.truncate(dozen, 100)
        else:
            dozen.rename(dozen.with_suffix(".old")) if deed != "deleted" else dozen.unlink()
        if deed == "replaced":
            dozen.write_bytes(dozen.with_suffix(".old").read_bytes())
        with pytest.raises(AuditError, match="nothing is sent"):
            audit.write("outcome")


def test_a_log_whose_last_record_was_edited_is_not_written_on(dozen: Path) -> None:
    dozen.write_bytes(dozen.read_bytes().replace(b"leaver-ended", b"leaver-endet"))
    with pytest.raises(AuditError, match="cannot be written") as seen:
        Audit.open(dozen, now=ticking())
    assert "damaged" in seen.value.why


@pytest.mark.parametrize("kept", [1, 40, 300, -1])
def test_a_line_torn_by_a_crash_is_recovered_and_told_of(dozen: Path, kept: int) -> None:
    whole = dozen.read_bytes()
    *_, last = whole.splitlines(keepends=True)
    torn = last[:kept]
    dozen.write_bytes(whole[: -len(last)] + torn)
    assert not verify(dozen).ok
    with Audit.open(dozen, now=ticking()) as audit:
        audit.write("stopped")
    found = verify(dozen)
    assert found.ok
    assert found.recovered == (12,)
    assert found.records == 13
    record = json.loads(dozen.read_bytes().splitlines()[11])
    assert record["event"] == "tail-recovered"
    assert record["detail"]["bytes"] == len(torn)
    assert record["detail"]["sha256"] == hashlib.sha256(torn).hexdigest()
    assert torn.decode().startswith(record["detail"]["begins"])


def test_what_a_writer_has_bound_outlives_a_recovery_and_stands_in_no_record_of_the_log_itself(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        bound = audit.bind(run="r-2")
        with open(dozen, "ab") as crashed:
            crashed.write(b'{"half')
        assert bound.write("intent")["run"] == "r-2"
        assert bound.write("run-ended")["run"] == "r-2"
        assert bound.write("intent")["run"] == "r-2"
    assert {r["event"]: r.get("run") for r in read(dozen) if r["seq"] > 12} == {
        "tail-recovered": None, "intent": "r-2", "run-ended": "r-2", "checkpoint": None,
    }  # fmt: skip


def test_a_log_torn_in_its_first_line_is_recovered(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0" * 200_000)
    (tmp_path / "a").chmod(0o600)
    with Audit.open(tmp_path / "a", now=ticking()):
        pass
    found = verify(tmp_path / "a")
    assert found.ok
    assert found.recovered == (1,)


def test_another_writers_torn_line_is_recovered_without_reopening(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        with open(dozen, "ab") as crashed:
            crashed.write(b'{"half')
        record = audit.write("intent")
    assert record["seq"] == 14
    assert verify(dozen).recovered == (13,)


CRASHING = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from offboard.audit import Audit
with Audit.open(Path(sys.argv[1]), now=lambda: datetime(2026, 11, 23, tzinfo=UTC)) as audit:
    while True:
        print(audit.write("intent")["seq"], flush=True)
"""


def test_a_killed_writer_loses_no_record_it_was_told_of(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(3):
        command = [sys.executable, "-c", CRASHING, str(path)]
        told = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                told = int(line)
                if told % 50 == 0:
                    process.kill()
        with Audit.open(path, now=ticking()):
            pass
        found = verify(path)
        assert found.ok
        assert found.records >= told
