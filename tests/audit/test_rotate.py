"""A log in several files is one log: nothing is lost between them, whoever writes and whenever it crashes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from offboard.audit import Audit, AuditError, Disk, read, verify
from offboard.audit.chain import line_of
from offboard.audit.reading import rotated
from tests.audit.conftest import ticking
from tests.audit.test_anchor import second


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix not in (".key", ".pub", ".reserve"))


def test_a_rotated_log_is_one_chain_for_both_verifiers_and_for_readers(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        archive = audit.rotate()
        audit.write("intent", run="r-2")
        second_archive = audit.rotate()
        audit.write("outcome", run="r-2")
    assert [archive.name, second_archive.name] == ["audit.1-13.jsonl", "audit.14-16.jsonl"]
    found = verify(dozen)
    assert found.ok
    assert (found.records, found.files) == (18, 3)
    assert [record["event"] for record in read(dozen, run="r-2")] == ["intent", "outcome"]
    assert [record["seq"] for record in read(dozen)] == list(range(1, 19))
    begins = json.loads(dozen.read_bytes().splitlines()[0])
    assert begins["event"] == "rotated"
    assert begins["detail"] | {"hash": 0} == {"file": "audit.14-16.jsonl", "first": 14, "last": 16, "hash": 0}
    other = second()
    assert other.verify(other.lines_of(str(dozen)))[:3] == (18, found.last, None)


def test_a_log_that_has_grown_large_goes_on_in_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with Audit.open(path, now=ticking(), rotate_at=4000) as audit:
        bound = audit.bind(run="r")
        for n in range(50):
            bound.write("outcome", step=f"s{n}")
    assert len(rotated(path)) >= 3
    assert all(each.stat().st_size < 6000 for each in [*rotated(path), path])
    assert verify(path).ok
    assert [record["step"] for record in read(path, run="r")] == [f"s{n}" for n in range(50)]


def test_another_writer_follows_into_the_new_file(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as one, Audit.open(dozen, now=ticking()) as two:
        two.write("intent")
        one.rotate()
        one.rotate()
        two.write("outcome")
        one.write("stopped")
    assert verify(dozen).ok
    assert [record["event"] for record in read(dozen)][-2:] == ["outcome", "stopped"]


@pytest.mark.parametrize("deed", ["removed", "edited", "swapped"])
def test_harm_to_a_rotated_file_is_found_and_the_file_named(dozen: Path, deed: str) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        first, second_one = audit.rotate(), audit.rotate()
    if deed == "removed":
        second_one.unlink()
    elif deed == "edited":
        first.write_bytes(first.read_bytes().replace(b"sawyer", b"sawyes", 1))
    else:
        one, two = first.read_bytes(), second_one.read_bytes()
        first.write_bytes(two)
        second_one.write_bytes(one)
    problem = verify(dozen).problem
    assert problem is not None
    assert ("audit.1-13.jsonl" in str(problem)) == (deed != "removed")
    other = second()
    assert other.verify(other.lines_of(str(dozen)))[2] is not None


def test_without_its_earlier_files_a_log_verifies_only_with_the_anchor_of_their_end(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        archive = audit.rotate()
        audit.write("intent")
    anchor = verify(archive).anchor
    assert anchor.seq == 13
    archive.rename(archive.with_suffix(".elsewhere"))
    assert "are not here" in str(verify(dozen).problem)
    found = verify(dozen, anchor=anchor)
    assert found.ok
    assert found.records == 15
    other = second()
    assert other.verify(other.lines_of(str(dozen)), (anchor.seq, anchor.hash, ""))[:3] == (15, found.last, None)


def test_a_log_that_is_gone_while_its_earlier_files_are_there_is_not_begun_anew(dozen: Path) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        audit.rotate()
    dozen.unlink()
    with pytest.raises(AuditError) as seen:
        Audit.open(dozen, now=ticking())
    assert "is gone" in seen.value.why
    assert not dozen.exists()


@pytest.mark.parametrize("after", ["new file", "second name"])
def test_a_rotation_that_a_crash_interrupted_is_undone(dozen: Path, after: str) -> None:
    new = dozen.with_name("audit.jsonl.new")
    new.write_bytes(line_of({"seq": 13}))
    if after == "second name":
        os.link(dozen, dozen.with_name("audit.1-12.jsonl"))
    assert verify(dozen).records == 12
    with Audit.open(dozen, now=ticking()) as audit:
        assert names(dozen.parent) == ["audit.jsonl"]
        audit.write("intent")
        audit.rotate()
    assert verify(dozen).ok


def test_a_rotation_that_the_disk_refuses_leaves_the_log_where_it_was(dozen: Path) -> None:
    failing = False

    def sync(descriptor: int) -> None:
        if failing and os.fstat(descriptor).st_ino != dozen.stat().st_ino:
            raise OSError(5, "Input/output error")

    with Audit.open(dozen, now=ticking(), disk=Disk(sync=sync), rotate_at=1) as audit:
        failing = True
        with pytest.raises(AuditError):
            audit.rotate()
        assert names(dozen.parent) == ["audit.jsonl"]
        audit.write("intent")  # tries by itself, and goes on where it is
        failing = False
        audit.write("outcome")
    assert len(rotated(dozen)) == 1
    assert verify(dozen).ok


def rotate_and_die(path: Path, call: str, when: str) -> None:
    """In a process of its own, which is gone before or after one of the calls that a rotation makes."""
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] >> 8 == 9
        return
    real = getattr(os, call)

    def dying(*words: object, **options: object) -> object:
        if when == "after":
            real(*words, **options)
        os._exit(9)

    try:
        audit = Audit.open(path, now=ticking())
        setattr(os, call, dying)
        audit.rotate()
    finally:
        os._exit(1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["open", "fsync", "link", "replace"])
def test_a_crash_at_any_step_of_a_rotation_loses_and_doubles_no_record(dozen: Path, call: str, when: str) -> None:
    with Audit.open(dozen, now=ticking()) as audit:
        audit.write("run-started")  # the key is there
    rotate_and_die(dozen, call, when)
    assert verify(dozen).ok
    with Audit.open(dozen, now=ticking()) as again:
        assert again.write("intent")["seq"] == len(list(read(dozen)))
        again.rotate()
        again.write("outcome")
    found = verify(dozen)
    assert found.ok
    assert [record["seq"] for record in read(dozen)] == list(range(1, found.records + 1))
    assert not dozen.with_name("audit.jsonl.new").exists()
