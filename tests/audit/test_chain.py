"""Whatever is done to a log afterwards is found, and the first bad record is named."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import offboard.audit
from offboard.audit import ZERO, Anchor, Verification, read, verify
from offboard.audit.chain import digest, line_of
from offboard.errors import UsageError


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def put(path: Path, lines: list[bytes]) -> Verification:
    path.write_bytes(b"".join(lines))
    return verify(path)


def test_an_untouched_log_verifies(dozen: Path) -> None:
    found = verify(dozen)
    assert found.ok
    assert found.records == 12
    assert found.first != found.last != ZERO
    assert found.recovered == ()


def test_an_empty_log_verifies_with_no_records(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert verify(tmp_path / "empty.jsonl") == Verification(0, ZERO, ZERO)


def test_a_missing_log_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        verify(tmp_path / "none.jsonl")


def test_every_single_byte_edit_is_found_at_its_line(dozen: Path) -> None:
    whole = dozen.read_bytes()
    for offset, byte in enumerate(whole):
        line = whole.count(b"\n", 0, offset) + 1
        for other in {byte ^ 1, 0x0A} - {byte}:  # another letter or digit, and what breaks the framing
            dozen.write_bytes(whole[:offset] + bytes([other]) + whole[offset + 1 :])
            found = verify(dozen)
            assert found.problem is not None, (offset, other)
            assert found.problem.line == found.problem.seq == line, (offset, other)
            assert found.records == line - 1


def test_every_inserted_or_removed_byte_is_found(dozen: Path) -> None:
    whole = dozen.read_bytes()
    for offset in range(len(whole)):
        line = whole.count(b"\n", 0, offset) + 1
        edited = whole[:offset] + (whole[offset + 1 :] if offset % 2 else b" " + whole[offset:])
        dozen.write_bytes(edited)
        found = verify(dozen).problem
        assert found is not None, offset
        assert found.line == line, offset


@pytest.mark.parametrize("place", range(11))
def test_a_line_cut_out_of_the_middle_is_found(dozen: Path, place: int) -> None:
    lines = lines_of(dozen)
    found = put(dozen, lines[:place] + lines[place + 1 :])
    assert found.problem is not None
    assert found.problem.line == found.problem.seq == place + 1
    assert f"number {place + 2}" in found.problem.reason


@pytest.mark.parametrize("place", range(12))
def test_a_repeated_line_is_found(dozen: Path, place: int) -> None:
    lines = lines_of(dozen)
    found = put(dozen, [*lines[: place + 1], lines[place], *lines[place + 1 :]])
    assert found.problem is not None
    assert found.problem.line == place + 2


@pytest.mark.parametrize("first", range(12))
def test_two_swapped_lines_are_found(dozen: Path, first: int) -> None:
    lines = lines_of(dozen)
    for second in range(first + 1, 12):
        swapped = list(lines)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        found = put(dozen, swapped)
        assert found.problem is not None
        assert found.problem.line == first + 1


def test_an_edit_with_its_own_hash_recomputed_is_found_at_the_next_record(dozen: Path) -> None:
    lines = lines_of(dozen)
    record = json.loads(lines[4])
    record["step"] = "delete-user"
    record["hash"] = digest(record)
    found = put(dozen, [*lines[:4], line_of(record), *lines[5:]])
    assert found.problem is not None
    assert found.problem.line == 6
    assert "before it" in found.problem.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\n", "not a JSON object"),
        (b"[]\n", "not a JSON object"),
        (b"\xff\n", "not a JSON object"),
        (b"[" * 5000 + b"\n", "not a JSON object"),
        (b"{}\n", "no code"),
        (b'{"code":"OFB1005","event":"intent","hash":"h","prev":"p","seq":"3","time":"t"}\n', "seq is not"),
        (b'{"code":"OFB1005","event":"intent","hash":"h","prev":"p","seq":true,"time":"t"}\n', "seq is not"),
        (b'{"code":"OFB1006","event":"intent","hash":"h","prev":"p","seq":3,"time":"t"}\n', "has the code OFB1005"),
    ],
)
def test_a_line_that_is_no_record_is_named(dozen: Path, line: bytes, reason: str) -> None:
    lines = lines_of(dozen)
    found = put(dozen, [*lines[:2], line, *lines[2:]])
    assert found.problem is not None
    assert found.problem.line == 3
    assert reason in found.problem.reason


def test_a_cut_tail_is_invisible_without_an_anchor_and_the_result_says_so(dozen: Path) -> None:
    found = put(dozen, lines_of(dozen)[:7])
    assert found.ok
    assert "cut off at the end" in found.caveat


@pytest.mark.parametrize("kept", range(12))
def test_with_an_anchor_every_cut_tail_is_found(dozen: Path, kept: int) -> None:
    anchor = verify(dozen).anchor
    dozen.write_bytes(b"".join(lines_of(dozen)[:kept]))
    found = verify(dozen, anchor=anchor)
    assert found.problem is not None
    assert found.problem.line == kept + 1
    assert not found.anchored


def test_with_an_anchor_a_log_rewritten_as_a_whole_is_found(dozen: Path) -> None:
    anchor = verify(dozen).anchor
    prev, rewritten = ZERO, []
    for line in lines_of(dozen):
        record = json.loads(line) | {"actor": "nobody", "prev": prev}
        record["hash"] = prev = digest(record)
        rewritten.append(line_of(record))
    assert put(dozen, rewritten).ok
    found = verify(dozen, anchor=Anchor.parse(str(anchor)))
    assert found.problem is not None
    assert found.problem.seq == 12
    assert "rewritten" in found.problem.reason


def test_an_anchor_holds_for_a_log_that_has_grown(dozen: Path) -> None:
    lines = lines_of(dozen)
    anchor = Anchor(5, json.loads(lines[4])["hash"])
    assert verify(dozen, anchor=anchor).anchored


@pytest.mark.parametrize("text", ["", "12", "x:sha256:00", "1:sha256:" + "0" * 63])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no anchor"):
        Anchor.parse(text)


def test_the_recipe_in_the_docstring_checks_a_log_with_the_standard_library_alone(dozen: Path) -> None:
    assert offboard.audit.__doc__ is not None
    recipe = re.search(r"::\n\n((?:    .*\n|\n)+)", offboard.audit.__doc__)
    assert recipe is not None
    code = compile(textwrap.dedent(recipe[1]).replace('"audit.jsonl"', repr(str(dozen))), "recipe", "exec")
    names: dict[str, object] = {"json": json, "hashlib": hashlib, "pathlib": pathlib}
    exec(code, names)
    assert names["number"] == 12
    assert names["prev"] == verify(dozen).last
    dozen.write_bytes(dozen.read_bytes().replace(b"zo", b"zu", 1))
    with pytest.raises(AssertionError):
        exec(code, {"json": json, "hashlib": hashlib, "pathlib": pathlib})


def test_read_filters_by_run_leaver_and_event(dozen: Path) -> None:
    assert len(list(read(dozen))) == 12
    assert len(list(read(dozen, run="r-"))) == 12
    assert list(read(dozen, run="r-2")) == []
    assert [r["seq"] for r in read(dozen, leaver="SAWYER@contoso.com")] == [2, 3, 4, 5, 6]
    assert [r["seq"] for r in read(dozen, leaver="u-2", event="intent")] == [7, 9]
    assert [r["seq"] for r in read(dozen, event="OFB1007")] == [6, 11]


def test_read_stops_at_a_torn_last_line_and_refuses_a_line_that_is_no_record(dozen: Path) -> None:
    whole = dozen.read_bytes()
    dozen.write_bytes(whole + b'{"seq":13')
    assert len(list(read(dozen))) == 12
    dozen.write_bytes(whole + b"garbage\n")
    with pytest.raises(UsageError, match=":13: this line is not a record"):
        list(read(dozen))


def test_a_torn_last_line_is_a_problem_of_its_own(dozen: Path) -> None:
    dozen.write_bytes(dozen.read_bytes() + b'{"seq":13')
    found = verify(dozen)
    assert found.problem is not None
    assert (found.records, found.problem.line) == (12, 13)
    assert "torn" in found.problem.reason


def test_a_large_log_is_checked_quickly(dozen: Path) -> None:
    prev, lines, pattern = ZERO, [], json.loads(lines_of(dozen)[2])
    for number in range(1, 20_001):
        pattern |= {"seq": number, "prev": prev}
        pattern["hash"] = prev = digest(pattern)
        lines.append(line_of(pattern))
    dozen.write_bytes(b"".join(lines))
    began = time.process_time()
    assert verify(dozen).records == 20_000
    # 180,000 in four seconds, with as much again for a busy machine.
    assert time.process_time() - began < 2 * 4 * 20_000 / 180_000


def test_verifying_loads_no_structlog(dozen: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from offboard.audit import verify;"
        "assert verify(Path(sys.argv[1])).ok; sys.exit('structlog' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(dozen)], check=False).returncode == 0
